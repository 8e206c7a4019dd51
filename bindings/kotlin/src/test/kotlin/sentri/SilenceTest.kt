package sentri

import java.time.Instant
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Test
import sentri.core.App
import sentri.core.CoreException
import sentri.core.GrantStep
import sentri.core.SyncState
import sentri.core.UserPresence
import sentri.core.keepPin
import sentri.kit.fillForm

/** A minute in which nobody answers: no finger at the phone, no finger at the lockbox. [ACC-12, CON-2, BND-4] */
class SilenceTest {
    /** Shows its dialogue, and nobody looks. */
    private object Nobody : UserPresence {
        override suspend fun keep(secret: ByteArray) = awaitCancellation()

        override suspend fun release(): ByteArray = awaitCancellation()
    }

    @Test
    fun `a presence that never answers, and a box that nobody wakes, are given up on, and hold nothing up`() =
        runBlocking<Unit> {
            Town().use { town ->
                town.agentPhone().use { agent ->
                    val email = someEmail()
                    agent.core.grant(email, BOX, town.pin())
                    val flow = agent.core.startGrant(agent.core.listingWith(BOX))
                    flow.fillForm(email, Instant.now(), Instant.now().plusSeconds(3_600))
                    val contractor = town.phone(App.CONNECT)
                    contractor.signUp(town, email, someNumber())

                    val silences = listOf(
                        async(start = CoroutineStart.UNDISPATCHED) {
                            refused<CoreException.Cancelled> { flow.authenticateByPresence(Nobody) }
                        },
                        async(start = CoroutineStart.UNDISPATCHED) {
                            refused<CoreException.Cancelled> { keepPin(Nobody, "2580") }
                        },
                        async(start = CoroutineStart.UNDISPATCHED) {
                            contractor.core.openOnEnt(null).use { attempt ->
                                refused<CoreException.NoLockboxHeard> { attempt.result() }
                            }
                        },
                    )
                    // Meanwhile everything else goes on.
                    assertInstanceOf(SyncState.Current::class.java, agent.core.syncNow().state)
                    assertEquals(1, agent.core.grants().size)
                    assertEquals(1, contractor.core.accesses().size)
                    assertFalse(silences.any { it.isCompleted })
                    silences.forEach { it.await() }

                    assertEquals(GrantStep.Authenticate, flow.step())
                    assertInstanceOf(GrantStep.Done::class.java, flow.authenticate(town.pin()))
                    assertEquals(BOX, contractor.openAt(BOX).lockbox)
                    flow.close()
                    contractor.close()
                }
            }
        }
}
