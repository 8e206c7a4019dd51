package sentri

import java.time.Duration
import java.time.Instant
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import sentri.core.AccessLogFilter
import sentri.core.AccessOutcome
import sentri.core.AccessState
import sentri.core.AccountKind
import sentri.core.App
import sentri.core.CoreException
import sentri.core.GrantState
import sentri.core.GrantStep
import sentri.core.Invitee
import sentri.core.LockLink
import sentri.core.MessageTopic
import sentri.core.Readiness
import sentri.core.SyncState
import sentri.core.keepPin
import sentri.kit.assignLockbox
import sentri.kit.fillForm
import sentri.kit.listing
import sentri.kit.messageLists
import sentri.kit.nearbyLockboxes
import sentri.kit.open
import sentri.kit.syncStatuses
import sentri.kit.uuid
import sentri.sandbox.MemoryPresence
import sentri.sandbox.SandboxLink

/** The main job through the bindings: from log-in to the open on ENT, against the real server and lockbox. [BND-2] */
class MainJobTest {
    @Test
    fun `an agent grants step by step, a contractor signs up and opens by ENT`() = runBlocking<Unit> {
        val email = someEmail()
        val grant = agent.core.grant(email, BOX, town.pin())
        assertEquals(GrantState.INVITED, grant.state)
        town.phone(App.CONNECT).use { phone ->
            phone.signUp(town, email, someNumber())
            val profile = phone.core.profile()
            assertEquals(AccountKind.CONTRACTOR to email, profile.kind to profile.email)
            val access = phone.core.access(grant)
            assertEquals(AccessState.ACTIVE, access.state)
            assertInstanceOf(Readiness.Ready::class.java, access.readiness)

            val before = town.control.counters(BOX)
            val report = phone.openAt(BOX)
            val after = town.control.counters(BOX)
            assertEquals(BOX to grant.id, report.lockbox to report.accessId)
            assertEquals(112u, report.figures.m1Bytes)
            assertEquals(before.opens + 1, after.opens)
            // The box counted the very frames that this phone's link carried.
            assertEquals(phone.link.written.get(), after.framesIn - before.framesIn)

            val now = Instant.now().epochSecond
            val entry = eventually {
                agent.core.accessLog(now - 600, now + 600, AccessLogFilter(), null).entries.firstOrNull { it.who == "Pat Moreno" }
            }
            assertEquals(AccessOutcome.OPENED to true, entry.outcome to entry.confirmedByLock)
        }
    }

    @Test
    fun `the steps of a grant are data, and a wrong one says so`() = runBlocking<Unit> {
        val listing = agent.core.addListing(newListing("Steps Street"))
        agent.core.startGrant(listing.id).use { flow ->
            val free = assertInstanceOf(GrantStep.ChooseLockbox::class.java, flow.step()).lockboxes.map { it.serial }
            assertTrue(KEYPAD_BOX in free, "$free")
            refused<CoreException.WrongStep> { flow.authenticate("2580") }
            refused<CoreException.NotFound> { flow.chooseLockbox("Z-99999", 0, "North Shore") }
            val offer = flow.chooseLockbox(KEYPAD_BOX, Instant.now().epochSecond, "North Shore")
            assertEquals(GrantStep.OfferOneDayCode(KEYPAD_BOX), offer)
        }
        val now = Instant.now().epochSecond
        agent.core.startGrant(agent.core.listingWith(BOX)).use { flow ->
            for ((email, start, end) in listOf(
                Triple("", now, now + 60), Triple("x".repeat(1_000_000), now, now + 60), Triple("a b@c", now, now + 60),
            )) {
                assertEquals("email", refused<CoreException.InvalidField> { flow.fillForm(email, start, end) }.field)
            }
            assertEquals("ends_at", refused<CoreException.InvalidField> { flow.fillForm("a@b.example", now, now) }.field)
            assertEquals(
                "starts_at",
                refused<CoreException.InvalidField> { flow.fillForm("a@b.example", Long.MIN_VALUE, now + 60) }.field,
            )
            assertEquals(GrantStep.Authenticate, flow.fillForm("a@b.example", now, now + 60))
            refused<CoreException.WrongCode> { flow.authenticate("0000") }
            assertEquals(GrantStep.Authenticate, flow.step())
        }
    }

    @Test
    fun `biometrics release the PIN, and nothing less does`() = runBlocking<Unit> {
        val presence = MemoryPresence()
        val now = Instant.now().epochSecond
        agent.core.startGrant(agent.core.listingWith(BOX)).use { flow ->
            flow.fillForm(someEmail(), now, now + 3_600)
            refused<CoreException.PinNeeded> { flow.authenticateByPresence(presence) }
            keepPin(presence, town.pin())
            presence.ownerIsThere = false
            refused<CoreException.Cancelled> { flow.authenticateByPresence(presence) }
            presence.ownerIsThere = true
            val done = assertInstanceOf(GrantStep.Done::class.java, flow.authenticateByPresence(presence))
            assertEquals(Invitee.NEW, done.invitee)
        }
    }

    @Test
    fun `a grant is revoked before it begins, and not after`() = runBlocking<Unit> {
        val later = agent.core.grant(someEmail(), BOX, town.pin(), Instant.now().plus(Duration.ofHours(2)))
        assertEquals(GrantState.REVOKED, agent.core.revoke(later.id).state)
        val begun = agent.core.grant(someEmail(), BOX, town.pin())
        assertNotNull(refused<CoreException.AlreadyBegun> { agent.core.revoke(begun.id) }.since)
        refused<CoreException.NotFound> { agent.core.revoke(java.util.UUID.randomUUID().toString()) }
        assertEquals("grant_id", refused<CoreException.InvalidField> { agent.core.revoke("x") }.field)
    }

    @Test
    fun `the app starts and opens with no network`() = runBlocking<Unit> {
        val email = someEmail()
        val grant = agent.core.grant(email, BOX, town.pin())
        val phone = town.phone(App.CONNECT)
        phone.signUp(town, email, someNumber())
        town.control.network(up = false)
        try {
            phone.restarted().use { offline ->
                assertEquals(email, offline.core.profile().email)
                assertInstanceOf(SyncState.Offline::class.java, offline.core.syncNow().state)
                assertEquals(grant.id, offline.openAt(BOX).accessId)
                eventually { offline.core.syncStatus().eventsQueued.takeIf { it > 0u } }
            }
        } finally {
            town.control.network(up = true)
        }
    }

    @Test
    fun `screens follow status, messages and lockboxes nearby`() = runBlocking<Unit> {
        val email = someEmail()
        agent.core.grant(email, BOX, town.pin())
        town.phone(App.CONNECT).use { phone ->
            phone.signUp(town, email, someNumber())
            phone.core.syncNow()
            assertInstanceOf(SyncState.Current::class.java, phone.core.syncStatuses().first().state)

            val second = async(start = CoroutineStart.UNDISPATCHED) {
                phone.core.messageLists().first { list -> list.count { it.topic == MessageTopic.ACCESS_GRANTED } >= 1 }
            }
            agent.core.grant(email, BOX, town.pin(), Instant.now().plus(Duration.ofHours(3)))
            phone.core.syncNow()
            assertTrue(second.await().isNotEmpty())

            val near = async(start = CoroutineStart.UNDISPATCHED) {
                phone.core.nearbyLockboxes().first { list -> list.any { it.lockbox == BOX } }
            }
            town.control.press(BOX)
            assertTrue(near.await().single().rssi < 0)

            val ended = async(start = CoroutineStart.UNDISPATCHED) {
                refused<CoreException.NotSignedIn> { phone.core.syncStatuses().collect { } }
            }
            phone.core.logout()
            ended.await()
        }
    }

    @Test
    fun `leaving a flow of lockboxes nearby ends the radio's search`() = runBlocking<Unit> {
        val searching = AtomicBoolean()
        val radio = { link: SandboxLink ->
            object : LockLink by link {
                override fun startScan() {
                    link.startScan()
                    searching.set(true)
                }

                override fun stopScan() {
                    link.stopScan()
                    searching.set(false)
                }
            }
        }
        Phone(town, App.AGENT, radio = radio).use { phone ->
            phone.core.loginAgent("104227318", "Lakeside7")
            assertEquals(listOf<Any>(), phone.core.nearbyLockboxes().first())
            eventually { Unit.takeIf { !searching.get() } }
            val following = launch { phone.core.nearbyLockboxes().collect { } }
            eventually { Unit.takeIf { searching.get() } }
            following.cancelAndJoin()
            eventually { Unit.takeIf { !searching.get() } }
        }
    }

    @Test
    fun `a cancelled open ends the search, and another can begin`() = runBlocking<Unit> {
        val email = someEmail()
        agent.core.grant(email, BOX, town.pin())
        val searching = CompletableDeferred<Unit>()
        val radio = { link: SandboxLink ->
            object : LockLink by link {
                override fun startScan() {
                    link.startScan()
                    searching.complete(Unit)
                }
            }
        }
        Phone(town, App.CONNECT, radio = radio).use { phone ->
            phone.signUp(town, email, someNumber())
            val open = launch { phone.core.open() }
            searching.await()
            refused<CoreException.AlreadyOpening> { phone.core.openOnEnt(null) }
            open.cancel()
            open.join()
            phone.core.openOnEnt(null).use { attempt ->
                attempt.cancel()
                refused<CoreException.Cancelled> { attempt.result() }
            }
            assertEquals(BOX, phone.openAt(BOX).lockbox)
        }
    }

    @Test
    fun `calls at once do the work of each`() = runBlocking<Unit> {
        coroutineScope {
            val statuses = List(16) { async { agent.core.syncNow() } }.awaitAll()
            assertTrue(statuses.all { it.state is SyncState.Current || it.state is SyncState.Syncing })
            val lists = List(16) { async { agent.core.listings() } }.awaitAll()
            assertEquals(1, lists.toSet().size)
        }
    }

    @Test
    fun `the PIN entered twice at once grants once`() = runBlocking<Unit> {
        val email = someEmail()
        agent.core.startGrant(agent.core.listingWith(BOX)).use { flow ->
            val now = Instant.now()
            flow.fillForm(email, now, now.plusSeconds(3_600))
            val answers = List(2) { async { runCatching { flow.authenticate(town.pin()) } } }.awaitAll()
            for (answer in answers) {
                val refusal = answer.exceptionOrNull()
                assertTrue(refusal == null || refusal is CoreException.WrongStep, "$refusal")
            }
        }
        agent.core.syncNow()
        assertEquals(1, agent.core.grants().count { it.email == email })
    }

    @Test
    fun `the next open need not wait until the last one has handed everything over`() = runBlocking<Unit> {
        val email = someEmail()
        agent.core.grant(email, BOX, town.pin())
        town.phone(App.CONNECT).use { phone ->
            phone.signUp(town, email, someNumber())
            phone.core.openOnEnt(null).use { first ->
                val told = async(start = CoroutineStart.UNDISPATCHED) { first.result() }
                town.control.press(BOX)
                assertEquals(BOX, told.await().lockbox)
                assertEquals(BOX, phone.openAt(BOX).lockbox)
            }
        }
    }

    @Test
    fun `a box is hung, taken off its listing, and hung again`() = runBlocking<Unit> {
        val (here, there) = List(2) { agent.core.addListing(newListing("Hanging Street $it")) }
        town.control.hang("B-50001")
        val hung = agent.core.assignLockbox(here.uuid, "B-50001", Instant.now(), "North Shore")
        assertEquals(here.uuid, hung.listing)
        refused<CoreException.Conflict> { agent.core.assignLockbox(there.uuid, "B-50001", Instant.now(), "Here") }
        assertEquals(null, agent.core.unassignLockbox("B-50001").listing)
        assertEquals(there.uuid, agent.core.assignLockbox(there.uuid, "B-50001", Instant.now(), "Here").listing)
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
