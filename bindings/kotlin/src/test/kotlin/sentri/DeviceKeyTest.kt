package sentri

import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import java.time.Instant
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import sentri.core.App
import sentri.core.CoreException
import sentri.core.DeviceKey
import sentri.core.DeviceKeyException
import sentri.core.GrantStep
import sentri.core.KeyProtection
import sentri.core.SigningReason
import sentri.core.SyncState
import sentri.kit.fillForm

/** The device's own key: a port written in Kotlin, well-behaved and not. [ACC-12, BND-4] */
class DeviceKeyTest {
    /** A key in hardware that is simulated: real P-256, used only while its owner looks. */
    private open class HardwareKey : DeviceKey {
        private val pair =
            KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()
        val asked = CopyOnWriteArrayList<SigningReason>()

        @Volatile var ownerLooks = true

        override suspend fun publicKey(): ByteArray = pair.public.encoded

        override suspend fun sign(message: ByteArray, reason: SigningReason): ByteArray {
            asked += reason
            if (!ownerLooks) throw DeviceKeyException.NotRecognised()
            return Signature.getInstance("SHA256withECDSA").run {
                initSign(pair.private)
                update(message)
                sign()
            }
        }
    }

    /** A key that does the same for both calls. */
    private class Answering(private val answer: suspend () -> ByteArray) : DeviceKey {
        override suspend fun publicKey(): ByteArray = answer()

        override suspend fun sign(message: ByteArray, reason: SigningReason): ByteArray = answer()
    }

    private suspend fun contractor(key: DeviceKey): Phone {
        val email = someEmail()
        agent.core.grant(email, BOX, town.pin())
        return Phone(town, App.CONNECT, key = key).also { it.signUp(town, email, someNumber()) }
    }

    @Test
    fun `an open is signed by the key in hardware, and only while its owner looks`() = runBlocking<Unit> {
        val key = HardwareKey()
        contractor(key).use { phone ->
            assertEquals(KeyProtection.HARDWARE, phone.core.keyProtection())
            assertEquals(listOf(SigningReason.REGISTER), key.asked)
            assertEquals(209u, phone.openAt(BOX).figures.m1Bytes)
            assertEquals(listOf(SigningReason.REGISTER, SigningReason.OPEN), key.asked)
            key.ownerLooks = false
            refused<CoreException.Cancelled> { phone.openAt(BOX) }
            phone.core.registerDeviceKey(null)
        }
    }

    @Test
    fun `without such hardware the core makes a key, says so, and opens with it`() = runBlocking<Unit> {
        contractor(Answering { throw DeviceKeyException.NoHardware() }).use { phone ->
            assertEquals(KeyProtection.SOFTWARE, phone.core.keyProtection())
            assertEquals(209u, phone.openAt(BOX).figures.m1Bytes)
        }
    }

    @Test
    fun `a grant is approved by the key in hardware, and by no other`() = runBlocking<Unit> {
        val hardware = HardwareKey()
        val keys = listOf(hardware, Answering { throw DeviceKeyException.NoHardware() }, null)
        Town().use { town ->
            for (key in keys) Phone(town, App.AGENT, key = key).use { phone ->
                phone.core.loginAgent("104227318", "Lakeside7")
                phone.core.syncNow()
                assertTrue(phone.core.profile().deviceKeyApproves)
                phone.core.startGrant(phone.core.listingWith(BOX)).use { flow ->
                    flow.fillForm(someEmail(), Instant.now(), Instant.now().plusSeconds(3_600))
                    if (key == hardware) {
                        hardware.ownerLooks = false
                        refused<CoreException.Cancelled> { flow.authenticateByDeviceKey() }
                        hardware.ownerLooks = true
                        assertInstanceOf(GrantStep.Done::class.java, flow.authenticateByDeviceKey())
                        refused<CoreException.WrongStep> { flow.authenticateByDeviceKey() }
                    } else {
                        refused<CoreException.PinNeeded> { flow.authenticateByDeviceKey() }
                        assertInstanceOf(GrantStep.Done::class.java, flow.authenticate(town.pin()))
                    }
                }
            }
        }
        assertEquals(2, hardware.asked.count { it == SigningReason.APPROVE })
    }

    @Test
    fun `whatever the key throws is an error of the call, and no login fails by it`() = runBlocking<Unit> {
        var answer: suspend () -> ByteArray = { throw IllegalStateException("a bug in the app") }
        contractor(Answering { answer() }).use { phone ->
            val core = phone.core
            refused<CoreException.DeviceTrouble> { core.keyProtection() }
            refused<CoreException.DeviceTrouble> { core.registerDeviceKey(PASSWORD) }
            answer = { throw DeviceKeyException.Failed() }
            refused<CoreException.DeviceTrouble> { core.keyProtection() }
            answer = { throw DeviceKeyException.KeyLost() }
            refused<CoreException.PinNeeded> { core.keyProtection() }
            answer = { throw DeviceKeyException.NotRecognised() }
            refused<CoreException.Cancelled> { core.keyProtection() }
            for (odd in listOf(byteArrayOf(), ByteArray(33) { -1 }, ByteArray(1_000_000))) {
                answer = { odd }
                refused<CoreException.DeviceTrouble> { core.keyProtection() }
            }
            // Tickets are bound to no key, and open all the same.
            assertEquals(112u, phone.openAt(BOX).figures.m1Bytes)
        }
    }

    @Test
    fun `a signature that is none registers nothing`() = runBlocking<Unit> {
        val forging = object : HardwareKey() {
            override suspend fun sign(message: ByteArray, reason: SigningReason) = ByteArray(64) { 1 }
        }
        contractor(forging).use { phone ->
            refused<CoreException> { phone.core.registerDeviceKey(PASSWORD) }
            assertEquals(112u, phone.openAt(BOX).figures.m1Bytes)
        }
    }

    @Test
    fun `a key that never answers is given up on, and holds nothing up`() = runBlocking<Unit> {
        contractor(Answering { awaitCancellation() }).use { phone ->
            val silence = async(start = CoroutineStart.UNDISPATCHED) {
                refused<CoreException.Cancelled> { phone.core.keyProtection() }
            }
            assertInstanceOf(SyncState.Current::class.java, phone.core.syncNow().state)
            assertEquals(BOX, phone.openAt(BOX).lockbox)
            silence.await()
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
