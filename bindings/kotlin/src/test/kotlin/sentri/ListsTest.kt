package sentri

import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** Long lists come over in one call, as they went. [BND-2] */
class ListsTest {
    @Test
    fun `a thousand listings come over as they were written`() = runBlocking<Unit> {
        Town().use { town ->
            town.agentPhone().use { agent ->
                val before = agent.core.listings().size
                val added = (1..1_000).chunked(20).flatMap { some ->
                    some.map { async { agent.core.addListing(newListing("$it Straße 🏠 \"quoted\"")) } }.awaitAll()
                }
                val listed = agent.core.listings()
                assertEquals(before + 1_000, listed.size)
                assertEquals(added.toSet(), listed.toSet().intersect(added.toSet()))
                assertEquals(listed.map { it.unparsedAddress }.sorted(), listed.map { it.unparsedAddress })
            }
        }
    }
}
