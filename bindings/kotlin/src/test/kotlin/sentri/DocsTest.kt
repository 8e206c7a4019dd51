package sentri

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The program of docs/app-developers.md does what the page says, twice in the same sandbox. [BND-1] */
class DocsTest {
    @Test
    fun `the page's program opens by ENT`() = runBlocking<Unit> {
        Town().use { town -> repeat(2) { run(town) } }
    }

    private suspend fun run(town: Town) {
        val library = "-Djna.library.path=${System.getProperty("jna.library.path")}"
        val builder = java(listOf(library, "AppDevelopersKt", town.control.address.toString()))
        val process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val lines = process.inputReader().lineSequence().onEach { line ->
            if (line.startsWith("Press ENT on ")) runBlocking { town.control.press(line.substringAfterLast(' ')) }
        }
        val last = lines.last()
        assertTrue(last.startsWith("$BOX was opened by ENT"), last)
        assertEquals(0, process.waitFor())
    }
}
