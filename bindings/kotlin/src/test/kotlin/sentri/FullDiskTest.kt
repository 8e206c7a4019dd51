package sentri

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.App
import sentri.core.CoreException
import sentri.core.SentriCore
import sentri.core.SyncState
import sentri.kit.Sentri
import sentri.sandbox.MemorySecureStore

/** A disk that is full: a small one of the test's own, in another process. [SYN-4, BND-2] */
class FullDiskTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a login on a full disk says so, is no half login, and works once there is room`() = runBlocking<Unit> {
        val mount = listOf(listOf("unshare", "--mount"), listOf("unshare", "--mount", "--map-root-user"))
            .firstOrNull { onSmallDisk(it + SMALL_DISK + "true").start().waitFor() == 0 }
        assumeTrue(mount != null, "this system lets no test mount a small disk")
        Town().use { town ->
            val agent = town.control.people().first { it.kind == "agent" }
            val robin = town.control.addAgent("104227319", someEmail())
            val program = java(listOf("-Djna.library.path=${System.getProperty("jna.library.path")}", "sentri.FullDiskTestKt"))
            val phone = onSmallDisk(mount.orEmpty() + SMALL_DISK + program.command()).redirectErrorStream(true)
            phone.environment() += mapOf(
                "BACKEND" to town.backend, "LOGINS" to "${agent.login} ${robin.login}",
                "PASSWORDS" to "${agent.password} ${robin.password}",
            )
            val process = phone.start()
            val said = process.inputReader().readText()
            assertEquals(0, process.waitFor(), said)
        }
    }

    private fun onSmallDisk(command: List<String>): ProcessBuilder =
        ProcessBuilder(command).also { it.environment()["FOLDER"] = folder.toString() }

    private companion object {
        /** What runs the rest of the command on a disk of 16 MB. */
        val SMALL_DISK = listOf("sh", "-ec", "mount -t tmpfs -o size=16m none \"\$FOLDER\"; exec \"\$@\"", "sh")
    }
}

/** Logs in where there is no room, then where there is, then another account where there is none again. */
fun main() = runBlocking<Unit> {
    val folder = Path.of(System.getenv("FOLDER"))
    val (agent, robin) = System.getenv("LOGINS").split(" ").zip(System.getenv("PASSWORDS").split(" "))
    Sentri.start()
    SentriCore(config(System.getenv("BACKEND"), folder, App.AGENT), NoLink, MemorySecureStore()).use { core ->
        val ballast = fill(folder)
        refused<CoreException.DeviceFull> { core.loginAgent(agent.first, agent.second) }
        refused<CoreException.NotSignedIn> { core.profile() }
        Files.delete(ballast)
        core.loginAgent(agent.first, agent.second)
        assertInstanceOf(SyncState.Current::class.java, core.syncNow().state)

        fill(folder)
        refused<CoreException.DeviceFull> { core.loginAgent(robin.first, robin.second) }
        assertEquals(agent.first, core.profile().sentrikeyId)
    }
}

/** Takes all room that a disk has left. */
private fun fill(folder: Path): Path {
    val ballast = folder.resolve("ballast")
    Files.newByteChannel(ballast, StandardOpenOption.CREATE, StandardOpenOption.WRITE).use { file ->
        val page = java.nio.ByteBuffer.allocate(4_096)
        try {
            while (true) file.write(page.clear())
        } catch (_: IOException) {
            // No space is left.
        }
    }
    return ballast
}
