package sentri

import java.time.Instant
import java.util.UUID
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.App
import sentri.core.BlockedWhy
import sentri.core.CoreException
import sentri.core.DoorReach
import sentri.core.GrantStep
import sentri.core.OfflinePart
import sentri.core.SentriCore
import sentri.core.SignupForm
import sentri.core.Standing
import sentri.core.SyncState
import sentri.kit.Secret
import sentri.kit.assignLockbox
import sentri.kit.chooseLockbox
import sentri.kit.deleteMessage
import sentri.kit.fillForm
import sentri.kit.markMessageRead
import sentri.kit.revoke
import sentri.kit.startGrant
import sentri.kit.switchAccount
import sentri.kit.uuid
import sentri.sandbox.MemorySecureStore

/** Why the backend or the phone says no away from a lockbox, as the app is told. [BND-2] */
class ReasonsTest {
    @TempDir
    lateinit var folder: java.nio.file.Path

    @Test
    fun `whoever is suspended is told whom to contact, and holds nothing that works`() = runBlocking<Unit> {
        val robin = town.control.addAgent("104227319", someEmail())
        town.phone(App.AGENT).use { phone ->
            phone.core.loginAgent(robin.login, robin.password)
            town.control.standing(robin.login, good = false)
            val blocked = assertInstanceOf(SyncState.Blocked::class.java, phone.core.syncNow().state)
            val why = assertInstanceOf(BlockedWhy.AccountNotActive::class.java, blocked.why)
            assertEquals(Standing.SUSPENDED, why.standing)
            val refusal = refused<CoreException.AccountNotActive> {
                phone.core.loginAgent(robin.login, robin.password)
            }
            assertEquals(Standing.SUSPENDED, refusal.standing)
            assertTrue(refusal.support?.phones.orEmpty().isNotEmpty())
        }
    }

    @Test
    fun `a door whose hub is offline is not changed`() = runBlocking<Unit> {
        val rae = town.control.moveIn(someEmail(), someNumber(), "D-70001", "H-70001")
        town.phone(App.CONNECT).use { phone ->
            phone.core.loginContractor(rae.login, rae.password)
            phone.core.syncNow()
            assertEquals(DoorReach.HUB, phone.core.doors().single().reach)
            val refusal = refused<CoreException.LockUnreachable> { phone.core.generateDoorCode("D-70001", null) }
            assertEquals(OfflinePart.HUB, refusal.offline)
            assertTrue(phone.core.doorCodes("D-70001").isEmpty())
        }
    }

    @Test
    fun `what agents do is forbidden to contractors`() = runBlocking<Unit> {
        val email = someEmail()
        agent.core.grant(email, BOX, town.pin())
        town.phone(App.CONNECT).use { phone ->
            phone.signUp(town, email, someNumber())
            refused<CoreException.Forbidden> { phone.core.addListing(newListing("Their Street")) }
            refused<CoreException.Forbidden> { phone.core.revoke(UUID.randomUUID()) }
        }
    }

    @Test
    fun `a box that is taken away or exchanged while a grant is filled in leads the flow elsewhere`() =
        runBlocking<Unit> {
            val listing = agent.core.addListing(newListing("Exchange Street"))
            town.control.hang("B-50002")
            agent.core.assignLockbox(listing.uuid, "B-50002", Instant.now(), "North Shore")
            suspend fun flow() = agent.core.startGrant(listing.uuid).also {
                it.fillForm(someEmail(), Instant.now(), Instant.now().plusSeconds(600))
            }
            val (one, two) = flow() to flow()
            agent.core.unassignLockbox("B-50002")
            refused<CoreException.NoLockboxAssigned> { one.authenticate(town.pin()) }
            assertInstanceOf(GrantStep.ChooseLockbox::class.java, one.step())
            assertEquals(GrantStep.OfferOneDayCode(KEYPAD_BOX), one.chooseLockbox(KEYPAD_BOX, Instant.now(), "Here"))
            refused<CoreException.LockboxWithoutBluetooth> { two.authenticate(town.pin()) }
            assertInstanceOf(GrantStep.OfferOneDayCode::class.java, two.step())
            one.close()
            two.close()
            agent.core.unassignLockbox(KEYPAD_BOX)
        }

    @Test
    fun `an invitation works once, its code three times, and neither for an agent's number`() = runBlocking<Unit> {
        val (email, number) = someEmail() to someNumber()
        agent.core.grant(email, BOX, town.pin())
        val form = SignupForm(Secret(town.invitation(email)), email, email, number, number)
        town.phone(App.CONNECT).use { phone ->
            val core = phone.core
            assertEquals("email_again", refusedField { core.startSignup(form.copy(emailAgain = "x@y.example")) })
            assertEquals("phone", refusedField { core.startSignup(form.copy(phone = "", phoneAgain = "")) })
            assertEquals("email", refusedField { core.startSignup(form.copy(email = "x".repeat(1_000))) })
            refused<CoreException.LinkExpired> { core.startSignup(form.copy(invitation = Secret("nothing"))) }

            core.startSignup(form.copy(phone = AGENTS_NUMBER, phoneAgain = AGENTS_NUMBER)).use { signup ->
                val text = eventually { town.control.texts(AGENTS_NUMBER).lastOrNull() }
                refused<CoreException.AgentAccount> { signup.verify(text.body.takeWhile(Char::isDigit)) }
            }
            core.startSignup(form).use { signup ->
                val right = eventually { town.control.texts(number).lastOrNull() }.body.takeWhile(Char::isDigit)
                val wrong = if (right == "0000") "1111" else "0000"
                repeat(3) { refused<CoreException.WrongCode> { signup.verify(wrong) } }
                refused<CoreException.TooManyTries> { signup.verify(right) }
            }
            phone.signUp(town, email, someNumber())
            refused<CoreException.LinkExpired> { core.startSignup(form) }
        }
    }

    @Test
    fun `what a person may not be is named by its field`() = runBlocking<Unit> {
        val (email, number) = someEmail() to someNumber()
        agent.core.grant(email, BOX, town.pin())
        town.phone(App.CONNECT).use { phone ->
            val form = SignupForm(Secret(town.invitation(email)), email, email, number, number)
            phone.core.startSignup(form).use { signup ->
                val text = eventually { town.control.texts(number).lastOrNull() }
                signup.verify(text.body.takeWhile(Char::isDigit))
                val good = somebody()
                val bad = mapOf(
                    "first_name" to good.copy(firstName = ""), "last_name" to good.copy(lastName = "x".repeat(1_000)),
                    "role" to good.copy(role = "\u0000"), "password" to good.copy(password = Secret("short")),
                    "pin" to good.copy(pin = Secret("1234")),
                    "security_questions" to good.copy(securityQuestions = listOf()),
                )
                for ((field, person) in bad) assertEquals(field, refusedField { signup.complete(person) })
                signup.complete(good)
            }
        }
    }

    @Test
    fun `what is unknown is not found, whatever it is`() = runBlocking<Unit> {
        val (core, id) = agent.core to UUID.randomUUID()
        refused<CoreException.NotFound> { core.startGrant(id) }
        refused<CoreException.NotFound> { core.revoke(id) }
        refused<CoreException.NotFound> { core.markMessageRead(id) }
        refused<CoreException.NotFound> { core.deleteMessage(id) }
        refused<CoreException.NotFound> { core.switchAccount(id) }
        refused<CoreException.NotFound> { core.assignLockbox(id, BOX, Instant.now(), "North Shore") }
        refused<CoreException.NotFound> { core.unassignLockbox("Z-99999") }
        refused<CoreException.NotFound> { core.openOnEnt(id.toString()).use { it.result() } }
        for (odd in listOf("", "x".repeat(1_000_000), "🏠", "../..")) {
            refused<CoreException.InvalidField> { core.startGrant(odd) }
            refused<CoreException> { core.unassignLockbox(odd) }
        }
        val good = newListing("A Street")
        assertEquals("unparsed_address", refusedField { core.addListing(good.copy(unparsedAddress = "")) })
        assertEquals("unparsed_address", refusedField { core.addListing(good.copy(unparsedAddress = "x".repeat(1_000))) })
        assertEquals("time_zone", refusedField { core.addListing(good.copy(timeZone = "Nowhere")) })
        refused<CoreException.InvalidField> { core.addListing(good.copy(city = "x".repeat(1_000_000))) }
    }

    @Test
    fun `an app that is too old is asked to update`() = runBlocking<Unit> {
        val old = config(town.backend, folder, App.AGENT).copy(appVersion = "0.9.9")
        SentriCore(old, NoLink, MemorySecureStore()).use { core ->
            val refusal = refused<CoreException.UpgradeRequired> { core.loginAgent("104227318", "Lakeside7") }
            assertTrue(refusal.needed.orEmpty().contains("1.0.0"), refusal.needed)
        }
    }

    @Test
    fun `a service that is none has trouble, in words of ours`() = runBlocking<Unit> {
        val elsewhere = config(town.control.address.toString(), folder, App.AGENT)
        SentriCore(elsewhere, NoLink, MemorySecureStore()).use { core ->
            refused<CoreException.ServiceTrouble> { core.loginAgent("104227318", "Lakeside7") }
        }
    }

    @Test
    fun `a phone whose key is gone asks to sign in again`() = runBlocking<Unit> {
        val keys = MemorySecureStore()
        Phone(town, App.AGENT, keys).use { phone ->
            phone.core.loginAgent("104227318", "Lakeside7")
            keys.items.keys.removeIf { it.endsWith("/key") }
            phone.restarted().use { again ->
                assertEquals(0u, refused<CoreException.SignInAgain> { again.core.profile() }.eventsLost)
                assertEquals(0u, again.core.loginAgent("104227318", "Lakeside7").eventsLost)
            }
        }
    }

    companion object {
        private lateinit var town: Town
        private lateinit var agent: Phone

        @JvmStatic
        @BeforeAll
        fun start() {
            town = Town()
            agent = runBlocking { town.agentPhone() }
        }

        @JvmStatic
        @AfterAll
        fun stop() {
            agent.close()
            town.close()
        }
    }
}
