// Key stores and a presence for development: in memory, or in plain files. No phone keeps its keys so.

package sentri.sandbox

import java.nio.file.Files
import java.nio.file.Path
import java.util.HexFormat
import java.util.concurrent.ConcurrentHashMap
import kotlin.io.path.deleteIfExists
import kotlin.io.path.exists
import kotlin.io.path.readBytes
import sentri.core.PresenceException
import sentri.core.SecureStore
import sentri.core.UserPresence

/** A key store in memory. A phone's own is the Android Keystore. */
class MemorySecureStore : SecureStore {
    /** What is kept, to look at and to spoil. */
    val items = ConcurrentHashMap<String, ByteArray>()

    override fun get(key: String): ByteArray? = items[key]?.clone()

    override fun put(key: String, value: ByteArray) {
        items[key] = value.clone()
    }

    override fun remove(key: String) {
        items.remove(key)
    }
}

/** A key store in files, which outlives its process: one for each item, under its name in hex. */
class FolderSecureStore(private val folder: Path) : SecureStore {
    init {
        Files.createDirectories(folder)
    }

    override fun get(key: String): ByteArray? = file(key).takeIf { it.exists() }?.readBytes()

    override fun put(key: String, value: ByteArray) {
        Files.write(file(key), value)
    }

    override fun remove(key: String) {
        file(key).deleteIfExists()
    }

    private fun file(key: String): Path = folder.resolve(HexFormat.of().formatHex(key.encodeToByteArray()))
}

/** A presence that recognises its owner when told to. A phone's own asks for finger or face. */
class MemoryPresence : UserPresence {
    /** Whether the owner is there. */
    @Volatile var ownerIsThere = true

    @Volatile private var secret: ByteArray? = null

    override suspend fun keep(secret: ByteArray) {
        this.secret = secret.clone()
    }

    override suspend fun release(): ByteArray {
        if (!ownerIsThere) throw PresenceException.NotRecognised()
        return secret?.clone() ?: throw PresenceException.NothingKept()
    }
}
