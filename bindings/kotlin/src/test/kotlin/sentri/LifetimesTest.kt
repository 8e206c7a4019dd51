package sentri

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.CoreException
import sentri.core.SecureStoreException
import sentri.core.SentriCore
import sentri.kit.Sentri
import sentri.sandbox.MemorySecureStore

/** Objects that are gone, calls that outlive them, a library that does not belong. [BND-1, BND-2] */
class LifetimesTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a call on an object that is gone is an error, not a crash`() = runBlocking<Unit> {
        Sentri.start()
        val core = SentriCore(config("http://127.0.0.1:1", folder), NoLink, MemorySecureStore())
        val events = core.linkEvents()
        core.close()
        core.close()
        assertThrows(IllegalStateException::class.java) { core.linkEvents() }
        assertThrows(IllegalStateException::class.java) { runBlocking { core.profile() } }
        // What came from it lives on.
        events.connected("nobody", 23u)
        events.close()
        assertThrows(IllegalStateException::class.java) { events.connected("nobody", 23u) }
    }

    @Test
    fun `a call that is going on ends as it would, though the object is closed meanwhile`() = runBlocking<Unit> {
        Sentri.start()
        val (entered, released) = CountDownLatch(1) to CountDownLatch(1)
        val store = PortsTest.failing {
            entered.countDown()
            released.await()
            SecureStoreException.Locked()
        }
        val core = SentriCore(config("http://127.0.0.1:1", folder), NoLink, store)
        val call = async(Dispatchers.Default) { refused<CoreException.DeviceLocked> { core.accounts() } }
        entered.await()
        core.close()
        released.countDown()
        call.await()
    }

    @Test
    fun `a thousand cores come and go`() {
        Sentri.start()
        repeat(1_000) {
            SentriCore(config("http://127.0.0.1:1", folder), NoLink, MemorySecureStore()).use { it.linkEvents().close() }
        }
    }

    @Test
    fun `a stale library is refused at the start, in words`() {
        val said = child(listOf("-Djna.library.path=${System.getenv("SENTRI_STALE_LIBRARY_DIR")}"))
        assertNotEquals(0, said.status)
        assertTrue(said.text.contains("WrongLibraryException"), said.text)
        assertTrue(said.text.contains("is not the one that the app was built for"), said.text)
    }

    @Test
    fun `a library that is older than the bindings is refused at the start, in words`() {
        val said = child(listOf("-Djna.library.path=${System.getenv("SENTRI_OLDER_LIBRARY_DIR")}"))
        assertNotEquals(0, said.status)
        assertTrue(said.text.contains("WrongLibraryException"), said.text)
        assertTrue(said.text.contains("or it is older than the app"), said.text)
    }

    @Test
    fun `a missing library is refused at the start, in words`() {
        val said = child(listOf("-Djna.library.path=$folder", "-Djava.library.path=$folder"))
        assertNotEquals(0, said.status)
        assertTrue(said.text.contains("The Sentri library is not on this device"), said.text)
    }

    @Test
    fun `the right library starts`() {
        val said = child(listOf("-Djna.library.path=${System.getProperty("jna.library.path")}"))
        assertEquals(0, said.status, said.text)
        assertEquals("core ${System.getenv("SENTRI_VERSION")}", said.text.trim())
    }

    @Test
    fun `the library under test is the one that a phone ships`() {
        Sentri.start()
        val loaded = Files.readAllLines(Path.of("/proc/self/maps")).filter { it.contains("sentri_core") }
        val shipped = System.getenv("SENTRI_LIBRARY_DIR")
        assertTrue(loaded.isNotEmpty() && loaded.all { it.contains("$shipped/") }, "$loaded")
    }

    private class Said(val status: Int, val text: String)

    private fun child(options: List<String>): Said {
        val process = java(options + listOf("sentri.StartKt")).redirectErrorStream(true).start()
        val text = process.inputReader().readText()
        return Said(process.waitFor(), text)
    }
}

/** This very JVM with this class path, as another process. */
fun java(arguments: List<String>): ProcessBuilder {
    val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
    return ProcessBuilder(listOf(java, "-cp", System.getProperty("java.class.path")) + arguments)
}
