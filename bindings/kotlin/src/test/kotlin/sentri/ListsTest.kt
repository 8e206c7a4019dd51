package sentri

import java.time.Duration
import java.time.Instant
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import sentri.core.App
import sentri.core.Grant
import sentri.core.MessageTopic

/** Long lists come over in one call, as they went. [BND-2] */
class ListsTest {
    @Test
    fun `a thousand listings come over as they were written`() = runBlocking<Unit> {
        Town().use { town ->
            town.agentPhone().use { agent ->
                val before = agent.core.listings().size
                val added = inTurns(16) { agent.core.addListing(newListing("$it Straße 🏠 \"quoted\"")) }
                val listed = agent.core.listings()
                assertEquals(before + MANY, listed.size)
                assertEquals(added.toSet(), listed.toSet().intersect(added.toSet()))
                assertEquals(listed.map { it.unparsedAddress }.sorted(), listed.map { it.unparsedAddress })
            }
        }
    }

    @Test
    fun `a thousand accesses and their messages come over as they were granted`() = runBlocking<Unit> {
        Town().use { town ->
            town.agentPhone().use { agent ->
                val (email, pin, now) = Triple(someEmail(), town.pin(), Instant.now())
                val first = agent.core.grant(email, BOX, pin)
                val contractor = town.phone(App.CONNECT)
                contractor.signUp(town, email, someNumber())
                // The backend counts a PIN as wrong until it has looked: no more than a few at once.
                val grants = inTurns(4) { agent.core.grant(email, BOX, pin, now.plus(Duration.ofHours(it.toLong()))) }

                contractor.core.syncNow()
                val accesses = contractor.core.accesses()
                val granted = (grants + first).associate { it.id to (it.startsAt to it.endsAt) }
                assertEquals(granted, accesses.associate { it.id to (it.startsAt to it.endsAt) })
                assertEquals(accesses.map { it.startsAt }.sorted(), accesses.map { it.startsAt })

                val messages = contractor.core.messages()
                assertTrue(messages.all { it.topic == MessageTopic.ACCESS_GRANTED })
                assertEquals(grants.map(Grant::id).toSet(), messages.map { it.accessId }.toSet() - first.id)
                assertEquals(messages.map { it.at }.sortedDescending(), messages.map { it.at })
                contractor.close()
            }
        }
    }

    /** Does it a thousand times, so many at once. */
    private suspend fun <T> inTurns(atOnce: Int, what: suspend (Int) -> T): List<T> = coroutineScope {
        (1..MANY).chunked(atOnce).flatMap { some -> some.map { async { what(it) } }.awaitAll() }
    }

    private companion object {
        const val MANY = 1_000
    }
}
