// A key store and a presence of this process alone, for development: what they keep is gone with it.

package sentri.sandbox

import java.util.concurrent.ConcurrentHashMap
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
