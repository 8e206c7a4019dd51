package sentri

import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import sentri.bare.Bare
import sentri.core.App
import sentri.core.SentriCore
import sentri.kit.Sentri
import sentri.sandbox.FolderSecureStore

/** What the home page costs, beside calls that only carry its records. Writes what it measured; judges nothing. */
class HomeBench {
    @Test
    fun `the home page, beside bare calls`() = runBlocking<Unit> {
        Sentri.start()
        val folder = Path.of(System.getenv("SENTRI_HOME_STORE"))
        val keys = FolderSecureStore(folder.resolve("keys"))
        SentriCore(config("http://127.0.0.1:1", folder, App.CONNECT), NoLink, keys).use { core ->
            Bare().use { bare ->
                val calls = sameRecords(core, bare)
                val corePage: suspend () -> Unit = {
                    core.profile()
                    core.syncStatus()
                    core.accesses()
                }
                val barePage: suspend () -> Unit = {
                    bare.profile()
                    bare.syncStatus()
                    bare.accesses()
                }
                time(WARM_UP, corePage, barePage)
                val (coreNs, bareNs) = time(PAGES, corePage, barePage)
                val measured = """{"calls": $calls, "core_ns": $coreNs, "bare_ns": $bareNs, "pages": $PAGES}"""
                Files.writeString(Path.of(System.getenv("SENTRI_RESULTS")), measured)
            }
        }
    }

    /** Both carry the same, or nothing can be compared. Answers how many calls there are. */
    private suspend fun sameRecords(core: SentriCore, bare: Bare): Int {
        val ours = listOf(core.profile(), core.syncStatus(), core.accesses())
        val theirs = listOf(bare.profile(), bare.syncStatus(), bare.accesses())
        assertEquals(theirs.map { it.toString() }, ours.map { it.toString() })
        assertEquals(20, bare.accesses().size)
        return ours.size
    }

    /** In turn, each as often before the other as after it; the median of each, in nanoseconds. */
    private suspend fun time(pages: Int, vararg of: suspend () -> Unit): List<Long> {
        val took = of.map { LongArray(pages) }
        repeat(pages) { page ->
            for (turn in of.indices) {
                val which = (page + turn) % of.size
                val begun = System.nanoTime()
                of[which]()
                took[which][page] = System.nanoTime() - begun
            }
        }
        return took.map { times -> times.sorted()[pages / 2] }
    }

    private companion object {
        const val WARM_UP = 20_000
        const val PAGES = 5_001
    }
}
