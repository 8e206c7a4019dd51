package sentri

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.newSingleThreadContext
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.CoreException
import sentri.core.LinkEvents
import sentri.core.LockLink
import sentri.core.PresenceException
import sentri.core.SecureStore
import sentri.core.SecureStoreException
import sentri.core.SentriCore
import sentri.core.UserPresence
import sentri.core.keepPin
import sentri.kit.Sentri

/** Ports written in Kotlin, well-behaved and not. [BND-4] */
class PortsTest {
    @TempDir
    lateinit var folder: Path

    private fun core(store: SecureStore) = SentriCore(config("http://127.0.0.1:1", folder), NoLink, store)

    @Test
    fun `what a key store says is what the app is told`() = runBlocking<Unit> {
        core(failing { SecureStoreException.Locked() }).use { refused<CoreException.DeviceLocked> { it.profile() } }
        core(failing { SecureStoreException.Failed() }).use { refused<CoreException.DeviceTrouble> { it.profile() } }
    }

    @Test
    fun `a key store that throws something of its own breaks one call, not the app`() = runBlocking<Unit> {
        core(failing { IllegalStateException("a bug in the app") }).use { core ->
            refused<CoreException.DeviceTrouble> { core.profile() }
            refused<CoreException.DeviceTrouble> { core.accounts() }
        }
        core(failing { OutOfMemoryError("a worse one") }).use { refused<CoreException.DeviceTrouble> { it.profile() } }
    }

    @Test
    fun `a key store that never answers is given up on`() = runBlocking<Unit> {
        val never = CountDownLatch(1)
        core(failing { never.await(); SecureStoreException.Failed() }).use { core ->
            refused<CoreException.DeviceTrouble> { core.accounts() }
        }
        never.countDown()
    }

    @Test
    @OptIn(DelicateCoroutinesApi::class, ExperimentalCoroutinesApi::class)
    fun `a call leaves its thread free, and the port is called on another one`() = runBlocking<Unit> {
        val released = CountDownLatch(1)
        val calledOn = AtomicReference<Thread>()
        val store = failing {
            calledOn.set(Thread.currentThread())
            released.await()
            SecureStoreException.Locked()
        }
        newSingleThreadContext("as the main thread").use { main ->
            withContext(main) {
                core(store).use { core ->
                    val waiting = async { refused<CoreException.DeviceLocked> { core.accounts() } }
                    // Runs on the one thread only if the call above does not sit on it.
                    async { released.countDown() }.await()
                    waiting.await()
                    assertNotEquals(Thread.currentThread(), calledOn.get())
                }
            }
        }
    }

    @Test
    fun `a port may call the core from within a call`() = runBlocking<Unit> {
        var events: LinkEvents? = null
        val again = failing {
            // While the core waits for this very answer.
            events?.advert("someone", byteArrayOf(1, 2, 3), -40)
            SecureStoreException.Locked()
        }
        core(again).use { core ->
            events = core.linkEvents()
            refused<CoreException.DeviceLocked> { core.profile() }
            refused<CoreException.DeviceLocked> { core.accounts() }
        }
        events?.close()
    }

    @Test
    fun `a port that waits for the core that waits for it is given up on, and nothing hangs`() = runBlocking<Unit> {
        var core: SentriCore? = null
        val first = AtomicBoolean(true)
        val again = AtomicReference<Throwable>()
        val waiting = failing {
            if (first.compareAndSet(true, false)) {
                runBlocking { again.set(runCatching { core?.profile() }.exceptionOrNull()) }
            }
            SecureStoreException.Locked()
        }
        core(waiting).use {
            core = it
            refused<CoreException.DeviceTrouble> { it.profile() }
            // The call from within came to its turn after that, and to its own end.
            assertInstanceOf(CoreException.DeviceLocked::class.java, eventually { again.get() })
            refused<CoreException.DeviceLocked> { it.accounts() }
        }
    }

    @Test
    fun `a cancelled coroutine does not wait for a port that is silent`() = runBlocking<Unit> {
        val (entered, never) = CountDownLatch(1) to CountDownLatch(1)
        val silent = failing {
            entered.countDown()
            never.await()
            SecureStoreException.Failed()
        }
        core(silent).use { core ->
            val call = launch(Dispatchers.Default) { core.accounts() }
            entered.await()
            call.cancelAndJoin()
            assertTrue(call.isCancelled)
        }
        never.countDown()
    }

    @Test
    fun `a suspending port written in Kotlin keeps what it is given`() = runBlocking<Unit> {
        val kept = AtomicReference<ByteArray>()
        val presence = object : UserPresence {
            override suspend fun keep(secret: ByteArray) = kept.set(secret)

            override suspend fun release(): ByteArray = kept.get() ?: throw PresenceException.NothingKept()
        }
        keepPin(presence, "2580")
        assertEquals("2580", kept.get().decodeToString())
        assertEquals("pin", refused<CoreException.InvalidField> { keepPin(presence, "") }.field)
        assertEquals("pin", refused<CoreException.InvalidField> { keepPin(presence, "7".repeat(1_000)) }.field)
    }

    @Test
    fun `a suspending port that throws is an error of the call`() = runBlocking<Unit> {
        fun throwing(error: Throwable) = object : UserPresence {
            override suspend fun keep(secret: ByteArray) = throw error

            override suspend fun release(): ByteArray = throw error
        }
        refused<CoreException.Cancelled> { keepPin(throwing(PresenceException.NotRecognised()), "2580") }
        refused<CoreException.PinNeeded> { keepPin(throwing(PresenceException.Failed()), "2580") }
        assertNotNull(refused<CoreException.PinNeeded> { keepPin(throwing(IllegalStateException("a bug")), "2580") })
    }

    companion object {
        @JvmStatic
        @BeforeAll
        fun start() {
            Sentri.start()
        }

        /** A key store that does something, then throws what that gives, at every call. */
        fun failing(what: () -> Throwable) = object : SecureStore {
            override fun get(key: String): ByteArray? = throw what()

            override fun put(key: String, value: ByteArray) = throw what()

            override fun remove(key: String) = throw what()
        }
    }
}

/** A radio that hears nothing. */
object NoLink : LockLink {
    override fun startScan() = Unit

    override fun stopScan() = Unit

    override fun connect(peer: String) = Unit

    override fun write(peer: String, value: ByteArray) = Unit

    override fun disconnect(peer: String) = Unit
}
