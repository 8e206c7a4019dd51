package sentri

import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.CoreException
import sentri.core.InternalException
import sentri.core.SentriCore
import sentri.kit.Sentri
import sentri.sandbox.MemorySecureStore

/** A panic in the core reaches the app as an error of the call, and the core goes on. [BND-1] */
class BugsTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a panic is an error of the call, in calls that wait and in calls that don't`() = runBlocking<Unit> {
        Sentri.start()
        SentriCore(config("http://127.0.0.1:1", folder), NoLink, MemorySecureStore()).use { core ->
            val at = assertThrows(InternalException::class.java) { core.rehearseBug() }
            assertTrue(at.message.orEmpty().contains("a bug, rehearsed"), at.message)
            val calls = List(8) { async { runCatching { core.rehearseBugLater() }.exceptionOrNull() } }
            for (error in calls.awaitAll()) assertTrue(error is InternalException, "$error")

            refused<CoreException.NotSignedIn> { core.profile() }
            assertEquals(listOf<Any>(), core.accounts())
        }
    }
}
