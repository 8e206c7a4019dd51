package sentri

import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.time.ZoneId
import java.util.UUID
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import sentri.core.AccessState
import sentri.core.App
import sentri.core.CoreException
import sentri.core.Grant
import sentri.core.Judge
import sentri.core.LinkException
import sentri.core.LockLink
import sentri.core.Readiness
import sentri.kit.connectFrom
import sentri.kit.fillForm
import sentri.kit.open
import sentri.kit.opensNext
import sentri.kit.start
import sentri.kit.uuid

/** Why a bin does not open, as the app is told. Each test has a sandbox of its own: some break it. [CON-2, BND-2] */
class RefusalsTest {
    private lateinit var town: Town
    private lateinit var agent: Phone
    private val email = someEmail()
    private val phones = mutableListOf<Phone>()

    @BeforeEach
    fun start() {
        town = Town()
        agent = runBlocking { town.agentPhone() }
    }

    @AfterEach
    fun stop() {
        (phones + agent).forEach(Phone::close)
        town.close()
    }

    private suspend fun granted(from: Duration = Duration.ZERO): Grant =
        agent.core.grant(email, BOX, town.pin(), Instant.now().plus(from))

    private suspend fun contractor(radio: (LockLink) -> LockLink = { it }): Phone =
        Phone(town, App.CONNECT, radio = { radio(it) }).also {
            phones += it
            it.signUp(town, email, someNumber())
        }

    @Test
    fun `the phone tells of an access that has not begun, is revoked, is for another box`() =
        runBlocking<Unit> {
            val soon = granted(Duration.ofHours(2))
            val far = granted(Duration.ofDays(3))
            val taken = granted(Duration.ofHours(4))
            val now = granted()
            agent.core.revoke(taken.id)
            val phone = contractor()

            // First, while the right box sleeps.
            assertEquals(Judge.PHONE, refused<CoreException.WrongBox> { phone.openAt(OTHER_BOX, now.uuid) }.by)
            val early = refused<CoreException.NotYetValid> { phone.openAt(BOX, soon.uuid) }
            assertEquals(soon.startsAt to Judge.PHONE, early.from to early.by)
            assertInstanceOf(Readiness.ConnectAfter::class.java, phone.core.access(far).readiness)
            assertEquals(far.startsAt, refused<CoreException.NotYetValid> { phone.openAt(BOX, far.uuid) }.from)
            assertEquals(AccessState.REVOKED, phone.core.access(taken).state)
            assertEquals(Judge.PHONE, refused<CoreException.Revoked> { phone.openAt(BOX, taken.uuid) }.by)
            refused<CoreException.NotFound> { phone.core.open(UUID.randomUUID()) }
            refused<CoreException.InvalidField> { phone.core.openOnEnt("x".repeat(1_000_000)) }
            assertEquals(0, town.control.counters(BOX).opens)
        }

    @Test
    fun `of two boxes that would open the user picks one`() = runBlocking<Unit> {
        val here = granted()
        val there = agent.core.grant(email, OTHER_BOX, town.pin())
        val phone = contractor()
        listOf(BOX, OTHER_BOX).forEach { town.control.press(it) }
        val several = refused<CoreException.SeveralLockboxes> { phone.core.open() }
        assertEquals(setOf(here.id, there.id), several.accessIds.toSet())
        assertEquals(OTHER_BOX, phone.openAt(OTHER_BOX, there.uuid).lockbox)
    }

    @Test
    fun `the lock tells of an access that is over`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        town.control.network(up = false)
        town.control.post("/lockboxes/$BOX/clock", buildJsonObject { put("ahead_seconds", 6 * 3_600) })
        val over = refused<CoreException.Expired> { phone.openAt(BOX) }
        assertEquals(Judge.LOCK, over.by)
        assertEquals(0, town.control.counters(BOX).opens)
    }

    @Test
    fun `outside of the lockbox's hours the phone says when it opens next`() = runBlocking<Unit> {
        town.control.hang(NIGHT_BOX, hoursWithoutNow())
        agent.core.syncNow()
        agent.core.grant(email, NIGHT_BOX, town.pin())
        val phone = contractor()
        val refusal = refused<CoreException.OutsideHours> { phone.openAt(NIGHT_BOX) }
        assertEquals(Judge.PHONE, refusal.by)
        val next = checkNotNull(refusal.opensNext)
        assertTrue(next > Instant.now() && next < Instant.now().plus(Duration.ofDays(1)), "$next")
    }

    @Test
    fun `an access whose credential has not been fetched asks to connect`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        // A credential is given out a day before the start: some moments after the sync, on a machine of any speed.
        var moments = 1L
        var tomorrow: Grant
        do {
            moments *= 2
            tomorrow = granted(Duration.ofDays(1).plusSeconds(moments))
            phone.core.syncNow()
        } while (phone.core.access(tomorrow).readiness !is Readiness.ConnectAfter)
        val refusal = eventually {
            runCatching { phone.openAt(BOX, tomorrow.uuid) }.exceptionOrNull() as? CoreException.NotReady
        }
        assertEquals(tomorrow.start.minus(Duration.ofDays(1)), refusal.connectFrom)
        phone.core.syncNow()
        assertEquals(tomorrow.startsAt, refused<CoreException.NotYetValid> { phone.openAt(BOX, tomorrow.uuid) }.from)
    }

    @Test
    fun `a ticket without the right to open is refused by the lock`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        phone.core.logout()
        val database = Path.of(town.control.folder(), "sentri.db").toString()
        assertEquals(0, ProcessBuilder(System.getenv("SENTRI_NARROW_RIGHTS"), database).inheritIO().start().waitFor())
        phone.core.loginContractor(email, PASSWORD)
        phone.core.syncNow()
        refused<CoreException.NoRight> { phone.openAt(BOX) }
        assertEquals(0, town.control.counters(BOX).opens)
    }

    @Test
    fun `a motor that is jammed is the lockbox's defect`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        town.control.motor(BOX, jammed = true)
        refused<CoreException.LockboxDefect> { phone.openAt(BOX) }
    }

    @Test
    fun `a wrong PIN is counted, and then waited for`() = runBlocking<Unit> {
        agent.core.startGrant(agent.core.listingWith(BOX)).use { flow ->
            val now = Instant.now()
            flow.fillForm(email, now, now.plusSeconds(600))
            repeat(5) { refused<CoreException.WrongCode> { flow.authenticate("0000") } }
            val wait = refused<CoreException.TooManyTries> { flow.authenticate(town.pin()) }.retryAfter
            assertTrue(checkNotNull(wait) > 0u)
        }
    }

    @Test
    fun `a lock without its clock opens once the phone has network`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        town.control.battery(BOX, inserted = false)
        town.control.battery(BOX, inserted = true)
        town.control.network(up = false)
        refused<CoreException.ClockUntrusted> { phone.openAt(BOX) }
        town.control.network(up = true)
        assertEquals(BOX, phone.openAt(BOX).lockbox)
    }

    @Test
    fun `one press of ENT opens once`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        phone.openAt(BOX)
        // The box still talks: it was pressed once.
        refused<CoreException.PressEntAgain> { phone.core.open() }
        assertEquals(1, town.control.counters(BOX).opens)
    }

    @Test
    fun `a link that breaks at every value is no answer`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        town.control.post("/radio/knobs", buildJsonObject { put("cut", 1_000) })
        refused<CoreException.NoAnswer> { phone.openAt(BOX) }
    }

    @Test
    fun `what the radio refuses is told, whatever it throws`() = runBlocking<Unit> {
        granted()
        var error: Throwable = LinkException.PoweredOff()
        val phone = contractor { link ->
            object : LockLink by link {
                override fun startScan() = throw error
            }
        }
        refused<CoreException.BluetoothOff> { phone.core.open() }
        refused<CoreException.BluetoothOff> { phone.core.watchNearby() }
        error = LinkException.NotAllowed()
        refused<CoreException.BluetoothNotAllowed> { phone.core.open() }
        error = LinkException.Unsupported()
        refused<CoreException.BluetoothTrouble> { phone.core.open() }
        error = IllegalStateException("a bug in the app")
        refused<CoreException.BluetoothTrouble> { phone.core.open() }
    }

    @Test
    fun `a radio that never answers is given up on`() = runBlocking<Unit> {
        granted()
        val never = java.util.concurrent.CountDownLatch(1)
        val phone = contractor { link ->
            object : LockLink by link {
                override fun startScan() = never.await()
            }
        }
        refused<CoreException.BluetoothTrouble> { phone.core.open() }
        never.countDown()
    }

    @Test
    fun `an account has so many devices`() = runBlocking<Unit> {
        granted()
        val phone = contractor()
        val limit = eventually {
            val another = Phone(town, App.CONNECT).also { phones += it }
            runCatching { another.core.loginContractor(email, PASSWORD) }.exceptionOrNull() as? CoreException
        }
        limit as CoreException.DeviceLimitReached
        assertEquals(limit.limit.toInt(), phones.size - 1)
        assertTrue(limit.support?.phones.orEmpty().isNotEmpty())
        refused<CoreException.WrongCredentials> { phone.core.loginContractor(email, "Wrong-1-word") }
        refused<CoreException.WrongCredentials> { phone.core.loginContractor("nobody@plumbing.example", PASSWORD) }
    }

    @Test
    fun `after log-out everything asks for a log-in, also what was begun before`() = runBlocking<Unit> {
        granted()
        val listing = agent.core.listingWith(BOX)
        val flow = agent.core.startGrant(listing)
        flow.fillForm(email, Instant.now().epochSecond, Instant.now().epochSecond + 600)
        agent.core.logout()
        refused<CoreException> { flow.authenticate(town.pin()) }
        flow.close()
        refused<CoreException.NotSignedIn> { agent.core.listings() }
        refused<CoreException.NotSignedIn> { agent.core.syncNow() }
        refused<CoreException.NotSignedIn> { agent.core.logout() }
    }

    /** An hour of the property's day that is not this one, and not the next. */
    private fun hoursWithoutNow(): String {
        val now = Instant.now().atZone(ZoneId.of("America/Chicago")).hour
        return if (now in 4..11) "16:00-17:00" else "08:00-09:00"
    }

    private companion object {
        const val NIGHT_BOX = "B-40001"
    }
}
