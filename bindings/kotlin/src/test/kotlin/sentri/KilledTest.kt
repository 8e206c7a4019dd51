package sentri

import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.App
import sentri.core.SentriCore
import sentri.kit.Sentri
import sentri.sandbox.FolderSecureStore

/** The system ends apps as it likes: the next start finds everything. [SYN-4, BND-2] */
class KilledTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `an app that was killed between calls goes on where it was`() = runBlocking<Unit> {
        Town().use { town ->
            val agent = town.control.people().first { it.kind == "agent" }
            val killed = java(listOf("-Djna.library.path=${System.getProperty("jna.library.path")}", "sentri.KilledTestKt"))
            killed.environment() += mapOf(
                "BACKEND" to town.backend, "FOLDER" to folder.toString(), "LOGIN" to agent.login,
                "PASSWORD" to agent.password,
            )
            killed.redirectError(ProcessBuilder.Redirect.INHERIT)
            val process = killed.start()
            val listings = process.inputReader().readLine()
            process.destroyForcibly().waitFor()

            Sentri.start()
            SentriCore(config(town.backend, folder, App.AGENT), NoLink, FolderSecureStore(folder.resolve("keys"))).use { core ->
                assertEquals("Dana", core.profile().firstName)
                assertEquals(listings, core.listings().map { it.id }.toString())
            }
        }
    }
}

/** Logs in, syncs, tells what it has, and waits to be killed. */
fun main() = runBlocking {
    val folder = Path.of(System.getenv("FOLDER"))
    Sentri.start()
    val core = SentriCore(config(System.getenv("BACKEND"), folder, App.AGENT), NoLink, FolderSecureStore(folder.resolve("keys")))
    core.loginAgent(System.getenv("LOGIN"), System.getenv("PASSWORD"))
    core.syncNow()
    println(core.listings().map { it.id })
    Thread.currentThread().join()
}
