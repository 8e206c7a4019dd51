package sentri

import java.time.Instant
import java.util.UUID
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import sentri.core.AccessLogFilter
import sentri.core.App
import sentri.core.BlockedWhy
import sentri.core.CoreException
import sentri.core.GrantStep
import sentri.core.PasswordRule
import sentri.core.QuestionAndAnswer
import sentri.core.SignupForm
import sentri.core.Standing
import sentri.core.SyncState
import sentri.kit.Secret
import sentri.kit.codeExpires
import sentri.kit.end
import sentri.kit.fillForm
import sentri.kit.lastSeen
import sentri.kit.registered
import sentri.kit.removeDevice
import sentri.kit.switchAccount
import sentri.kit.syncStatuses
import sentri.kit.uuid

/** One's own account: what is forgotten, changed, taken along and left behind. [ACC-3, ACC-5, ACC-6, ACC-8 to ACC-11] */
class AccountTest {
    private class Contractor(val phone: Phone, val email: String) : AutoCloseable by phone {
        val core = phone.core
    }

    /** Somebody with an account of their own. */
    private suspend fun contractor(of: Town = town, agent: Phone = Companion.agent): Contractor {
        val email = someEmail()
        agent.core.grant(email, BOX, of.pin())
        val phone = of.phone(App.CONNECT)
        phone.signUp(of, email, someNumber())
        return Contractor(phone, email)
    }

    @Test
    fun `a forgotten password is reset by a link that works once`() = runBlocking<Unit> {
        contractor().use { pat ->
            // Whether there is such an account is told to nobody.
            pat.core.forgotPassword("nobody@nowhere.example")
            pat.core.forgotAgentPassword("999999999")
            val (_, mail) = town.mailed(pat.email) { pat.core.forgotPassword(pat.email) }
            val link = checkNotNull(mail.link)
            assertTrue(refusedField { pat.core.resetPassword(link, "short") }.contains("password"))
            pat.core.resetPassword(link, NEW_PASSWORD)
            refused<CoreException.LinkExpired> { pat.core.resetPassword(link, "Another99") }
            refused<CoreException.LinkExpired> { pat.core.resetPassword("", "Another99") }

            assertEquals(SyncState.Blocked(BlockedWhy.SignInAgain), pat.core.syncNow().state)
            refused<CoreException.WrongCredentials> { pat.core.loginContractor(pat.email, PASSWORD) }
            pat.core.loginContractor(pat.email, NEW_PASSWORD)
            assertInstanceOf(SyncState.Current::class.java, pat.core.syncNow().state)
        }
        val agents = agent.core.profile()
        town.mailed(agents.email) { agent.core.forgotAgentPassword(checkNotNull(agents.sentrikeyId)) }
    }

    @Test
    fun `an account is made without an invitation, with a texted and a mailed code`() = runBlocking<Unit> {
        town.phone(App.CONNECT).use { phone ->
            val (email, number) = someEmail() to someNumber()
            val form = SignupForm(null, email, email, number, number)
            val (started, mail) = town.mailed(email) { town.texted(number) { phone.core.startSignup(form) } }
            val (signup, text) = started
            signup.use {
                assertTrue(it.wantsEmailCode() && it.codeExpires > Instant.now())
                assertEquals(4 to 6, text.code.length to mail.code.length)
                // The address is not proven by a text.
                refused<CoreException.WrongCode> { it.verify(text.code) }
                refused<CoreException.WrongCode> { it.verify(text.code, other(mail.code)) }
                it.verify(text.code, mail.code)
                it.complete(somebody())
            }
            val profile = phone.core.loginContractor(email, PASSWORD).profile
            assertEquals(Standing.ACTIVE to PasswordRule.STANDARD, profile.standing to profile.passwordRule)
            assertFalse(profile.deviceKeyApproves)
        }
    }

    @Test
    fun `that an address is an agent's is told only once it is proven`() = runBlocking<Unit> {
        town.phone(App.CONNECT).use { phone ->
            val (email, number) = agent.core.profile().email to someNumber()
            val form = SignupForm(null, email, email, number, number)
            val (started, mail) = town.mailed(email) { town.texted(number) { phone.core.startSignup(form) } }
            val (signup, text) = started
            signup.use { refused<CoreException.AgentAccount> { it.verify(text.code, mail.code) } }
        }
    }

    @Test
    fun `everything of one's own is changed with the password, number and address with a code`() = runBlocking<Unit> {
        contractor().use { pat ->
            val core = pat.core
            refused<CoreException.WrongCredentials> { core.changeProfile("Wrong77", "Sam", "Ryan", "Roofer") }
            assertEquals("first_name", refusedField { core.changeProfile(PASSWORD, "", "Ryan", "Roofer") })
            val profile = core.changeProfile(PASSWORD, "Sam", "Ryan", "Roofer")
            assertEquals("Sam" to "Roofer", profile.firstName to profile.role)

            val number = someNumber()
            assertEquals("phone_again", refusedField { core.changePhone(PASSWORD, number, AGENTS_NUMBER) })
            val (change, text) = town.texted(number) { core.changePhone(PASSWORD, number, number) }
            change.use {
                assertTrue(it.codeExpires > Instant.now())
                refused<CoreException.WrongCode> { it.verify(other(text.code)) }
                assertNotEquals(number, core.profile().phone)
                assertEquals(number, it.verify(text.code).phone)
            }
            val email = someEmail()
            assertEquals("email_again", refusedField { core.changeEmail(PASSWORD, email, pat.email) })
            val (told, _) = town.mailed(pat.email) {
                val (moving, mail) = town.mailed(email) { core.changeEmail(PASSWORD, email, email) }
                moving.use { it.verify(mail.code) }
            }
            assertEquals(email, told.email)

            assertTrue(refusedField { core.changePassword(PASSWORD, "short") }.contains("password"))
            core.changePassword(PASSWORD, NEW_PASSWORD)
            assertInstanceOf(SyncState.Current::class.java, core.syncNow().state)
            val question = QuestionAndAnswer("First car?", Secret("A van"))
            core.changeSecurityQuestions(NEW_PASSWORD, listOf(question))
            assertEquals("security_questions", refusedField { core.changeSecurityQuestions(NEW_PASSWORD, listOf()) })
            core.logout()
            assertEquals("Ryan", core.loginContractor(email, NEW_PASSWORD).profile.lastName)
        }
        refused<CoreException.Forbidden> { agent.core.changeProfile("Lakeside7", "D", "R", null) }
    }

    @Test
    fun `one's own devices are listed, and one that is removed finds out and keeps nothing`() = runBlocking<Unit> {
        contractor().use { pat ->
            town.phone(App.CONNECT).use { second ->
                second.core.loginContractor(pat.email, PASSWORD)
                refused<CoreException.WrongCredentials> { second.core.proveIdentity(pat.email, "Wrong77") }
                val (proof, mail) = town.mailed(pat.email) { second.core.proveOwnIdentity(PASSWORD) }
                assertTrue(proof.codeExpires > Instant.now())
                assertTrue(proof.sentTo().contains('@') && proof.sentTo() != pat.email, proof.sentTo())
                refused<CoreException.NotSignedIn> { proof.devices() }
                refused<CoreException.WrongCode> { proof.verify(other(mail.code)) }
                proof.verify(mail.code)
                val own = proof.devices()
                assertEquals(setOf(false, true) to 2, own.devices.map { it.thisOne }.toSet() to own.devices.size)
                assertTrue(own.limit >= 2u && own.devices.all { it.registered <= it.lastSeen })
                assertEquals("device_id", refusedField { proof.removeDevice("the first") })
                val first = own.devices.single { !it.thisOne }.uuid
                proof.removeDevice(first)
                refused<CoreException.NotFound> { proof.removeDevice(first) }
                assertEquals(1, proof.devices().devices.size)
                proof.close()
                assertInstanceOf(SyncState.Current::class.java, second.core.syncNow().state)
            }
            refused<CoreException.DeviceRemoved> { pat.core.syncNow() }
            refused<CoreException.NotSignedIn> { pat.core.profile() }
            assertEquals(listOf<Any>(), pat.core.accounts())
        }
    }

    @Test
    fun `a forgotten PIN is set anew with password and mailed code, which ends the wait`() = runBlocking<Unit> {
        Town().use { town ->
            town.agentPhone().use { agent ->
                val flow = agent.core.startGrant(agent.core.listingWith(BOX))
                flow.fillForm(someEmail(), Instant.now(), Instant.now().plusSeconds(3_600))
                repeat(5) { refused<CoreException.WrongCode> { flow.authenticate("9753") } }
                refused<CoreException.TooManyTries> { flow.authenticate(town.pin()) }

                val (profile, person) = agent.core.profile() to town.control.people().first { it.kind == "agent" }
                val (proof, mail) = town.mailed(profile.email) {
                    agent.core.proveAgentIdentity(person.login, person.password)
                }
                proof.use {
                    refused<CoreException.NotSignedIn> { it.setPin("8351") }
                    it.verify(mail.code)
                    assertEquals("pin", refusedField { it.setPin("4321") })
                    it.setPin("8351")
                }
                refused<CoreException.WrongCode> { flow.authenticate(town.pin()) }
                assertInstanceOf(GrantStep.Done::class.java, flow.authenticate("8351"))
                flow.close()
            }
        }
    }

    @Test
    fun `personal data are one document, without secrets`() = runBlocking<Unit> {
        contractor().use { pat ->
            val text = pat.core.exportPersonalData()
            val document = Json.parseToJsonElement(text).jsonObject
            assertEquals(pat.email, document.getValue("account").jsonObject.getValue("email").jsonPrimitive.content)
            assertEquals(1, document.getValue("devices").jsonArray.size)
            for (secret in listOf(PASSWORD, "7301", "pipe wrench")) assertFalse(text.contains(secret))
        }
    }

    @Test
    fun `a deleted account leaves only the right to return the key`() = runBlocking<Unit> {
        Town().use { town ->
            town.agentPhone().use { agent ->
                val pat = contractor(town, agent)
                pat.phone.openAt(BOX)
                pat.core.syncNow()
                refused<CoreException.WrongCredentials> { pat.core.deleteAccount("Wrong77") }
                town.control.advance(60)
                pat.core.deleteAccount(PASSWORD)
                refused<CoreException.NotSignedIn> { pat.core.profile() }
                refused<CoreException.WrongCredentials> { pat.core.loginContractor(pat.email, PASSWORD) }
                assertEquals(listOf<Any>(), pat.core.accounts())
                val now = Instant.now().epochSecond
                val log = agent.core.accessLog(now - 3_600, now + 3_600, AccessLogFilter(), null).entries
                assertTrue(log.isNotEmpty() && log.none { it.who.contains("Moreno") }, "$log")

                // Past the minutes in which a lock grants that clocks differ, after a new start, without network.
                town.control.advance(1_200)
                town.control.network(up = false)
                pat.phone.restarted().use { later ->
                    val key = later.core.keysToReturn().single()
                    assertEquals(BOX, key.lockbox)
                    assertTrue(key.end > Instant.now())
                    val opens = town.control.counters(BOX).opens
                    assertEquals(BOX, later.pressAt(BOX, later.core.returnKey(key.id)).lockbox)
                    refused<CoreException> { later.pressAt(BOX, later.core.returnKey(key.id)) }
                    assertEquals(opens + 1, town.control.counters(BOX).opens)
                    refused<CoreException.NotFound> { later.core.returnKey(UUID.randomUUID().toString()) }
                }
                refused<CoreException.Offline> { agent.core.deleteAccount("Lakeside7") }
                town.control.network(up = true)
                refused<CoreException.Forbidden> { agent.core.deleteAccount("Lakeside7") }
            }
        }
    }

    @Test
    fun `two accounts on one phone are switched, and don't see each other`() = runBlocking<Unit> {
        contractor().use { pat ->
            val (own, accesses) = pat.core.profile().uuid to pat.core.accesses()
            assertEquals(1, accesses.size)
            val agents = town.control.people().first { it.kind == "agent" }
            val other = pat.core.loginAgent(agents.login, agents.password).profile.uuid
            assertEquals(listOf<Any>(), pat.core.accesses())
            pat.core.syncNow()
            assertTrue(pat.core.listings().isNotEmpty())
            assertEquals(mapOf(own to false, other to true), pat.core.accounts().associate { it.uuid to it.active })
            assertEquals(pat.email, pat.core.switchAccount(own).email)
            assertEquals(accesses to listOf<Any>(), pat.core.accesses() to pat.core.listings())
            assertEquals(other, pat.core.switchAccount(other).uuid)
        }
    }

    @Test
    fun `in front the core syncs by itself, and a push brings what it tells of`() = runBlocking<Unit> {
        contractor().use { pat ->
            val core = pat.core
            core.logout()
            refused<CoreException.NotSignedIn> { core.appResumed() }
            core.loginContractor(pat.email, PASSWORD)
            // Nobody asks for it.
            core.syncStatuses().first { it.state is SyncState.Current }
            assertEquals(1, core.accesses().size)

            val grant = agent.core.grant(pat.email, BOX, town.pin())
            assertInstanceOf(SyncState.Current::class.java, core.pushReceived().state)
            assertEquals(grant.id, core.access(grant).id)

            core.appPaused()
            core.logout()
            core.loginContractor(pat.email, PASSWORD)
            assertFalse(core.syncStatus().state is SyncState.Current)
            assertInstanceOf(SyncState.Current::class.java, core.appResumed().state)
            core.appPaused()
        }
    }

    companion object {
        const val NEW_PASSWORD = "Hammer77"
        private lateinit var town: Town
        private lateinit var agent: Phone

        /** A code of the same length that it is not. */
        private fun other(code: String) = (if (code.first() == '0') "1" else "0").repeat(code.length)

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
