package sentri

import java.nio.file.Path
import java.util.UUID
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import sentri.core.AccessLogFilter
import sentri.core.App
import sentri.core.BoxSettings
import sentri.core.CoreConfig
import sentri.core.CoreException
import sentri.core.DisconnectReason
import sentri.core.KeyProtection
import sentri.core.Platform
import sentri.core.SentriCore
import sentri.core.SignupForm
import sentri.kit.Secret
import sentri.kit.Sentri
import sentri.sandbox.MemorySecureStore

/** What is not right comes back as an error that says so, whatever it is. No server is needed. [BND-1] */
class BadInputTest {
    @TempDir
    lateinit var folder: Path

    private fun core(config: CoreConfig = config("http://127.0.0.1:1", folder)) =
        SentriCore(config, NoLink, MemorySecureStore())

    @Test
    fun `a configuration that can't be names its field`() {
        val good = config("https://api.example.com", folder)
        val bad = mapOf(
            "base_url" to listOf("", "api.example.com", "http://api.example.com", "https://", "x".repeat(1_000_000)),
            "app_version" to listOf("", "1", "1.2.3.4", "1.2.x", "9".repeat(1_000_000)),
            "data_dir" to listOf(""),
        )
        for ((field, values) in bad) for (value in values) {
            val config = when (field) {
                "base_url" -> good.copy(baseUrl = value)
                "app_version" -> good.copy(appVersion = value)
                else -> good.copy(dataDir = value)
            }
            val error = assertThrows(CoreException.InvalidField::class.java) { core(config) }
            assertEquals(field, error.field)
            assertTrue(error.reason.isNotEmpty())
        }
    }

    @Test
    fun `a name and a version of any length are taken`() {
        core(config("https://api.example.com", folder).copy(deviceName = "\u0000Дом 🏠".repeat(100_000))).close()
    }

    @Test
    fun `empty and huge names are refused before the network is asked`() = runBlocking<Unit> {
        core().use { core ->
            for (id in listOf("", "12345678", "１０４２２７３１８", "1".repeat(1_000_000))) {
                assertEquals("sentrikey_id", refusedField { core.loginAgent(id, "x") })
                assertEquals("sentrikey_id", refusedField { core.forgotAgentPassword(id) })
                assertEquals("sentrikey_id", refusedField { core.proveAgentIdentity(id, "x") })
            }
            for (email in listOf("", "nobody", " ")) {
                assertEquals("email", refusedField { core.loginContractor(email, "x") })
                assertEquals("email", refusedField { core.forgotPassword(email) })
                assertEquals("email", refusedField { core.proveIdentity(email, "x") })
            }
        }
    }

    @Test
    fun `without a network a call that needs it says so`() = runBlocking<Unit> {
        core().use { core ->
            refused<CoreException.Offline> { core.loginAgent("104227318", "Lakeside7") }
            refused<CoreException.Offline> { core.loginContractor("a@b.example", "x".repeat(1_000_000)) }
            refused<CoreException.Offline> { core.startSignup(SignupForm(Secret(""), "", "", "", "")) }
            refused<CoreException.Offline> { core.startSignup(SignupForm(null, "", "", "", "")) }
            refused<CoreException.Offline> { core.forgotAgentPassword("104227318") }
            refused<CoreException.Offline> { core.forgotPassword("a@b.example") }
            refused<CoreException.Offline> { core.resetPassword("https://b.example/reset#x", "") }
            refused<CoreException.Offline> { core.proveAgentIdentity("104227318", "x") }
            refused<CoreException.Offline> { core.proveIdentity("a@b.example", "x".repeat(1_000_000)) }
        }
    }

    @Test
    fun `before log-in every call says so`() = runBlocking<Unit> {
        val id = UUID.randomUUID().toString()
        core().use { core ->
            val calls = listOf<suspend () -> Any?>(
                core::profile, core::accesses, core::listings, core::lockboxes, core::grants, core::messages,
                { core.addListing(newListing("A Street")) }, { core.assignLockbox(id, BOX, 0, "North Shore") },
                { core.unassignLockbox(BOX) }, { core.searchLockbox(BOX) }, core::findLockboxOnEnt,
                { core.lockboxSettings(BOX) }, { core.setLockboxSettings(BOX, null) },
                core::defaultLockboxSettings,
                { core.setDefaultLockboxSettings(BoxSettings(listOf(), false, null)) },
                { core.accessLogCsv(0, Long.MAX_VALUE, AccessLogFilter()) },
                core::syncNow, core::syncStatus, core::logout, core::watchNearby, { core.openOnEnt(null) },
                { core.openOnEnt(id) }, { core.startGrant(id) }, { core.revoke(id) }, { core.markMessageRead(id) },
                { core.deleteMessage(id) }, { core.accessLog(0, Long.MAX_VALUE, AccessLogFilter(), null) },
                { core.watchSyncStatus().use { it.next() } }, { core.watchMessages().use { it.next() } },
                core::appResumed, core::pushReceived, core::exportPersonalData, { core.proveOwnIdentity("x") },
                { core.changeProfile("x", "", "", null) }, { core.changePassword("x", "y") },
                { core.changePhone("x", "", "") }, { core.changeEmail("x", "", "") },
                { core.changeSecurityQuestions("x", listOf()) }, { core.deleteAccount("x") },
                { core.registerDeviceKey(null) },
            )
            for (call in calls) refused<CoreException.NotSignedIn>(call)
            core.appPaused()
            assertEquals(listOf<Any>(), core.accounts() + core.keysToReturn())
            assertEquals(KeyProtection.NO_KEY, core.keyProtection())
            refused<CoreException.NotFound> { core.returnKey(id) }
            refused<CoreException.NotFound> { core.switchAccount(id) }
            for (no in listOf("", "no-id", id.repeat(30_000))) {
                assertEquals("account_id", refusedField { core.switchAccount(no) })
                assertEquals("id", refusedField { core.returnKey(no) })
            }
        }
    }

    @Test
    fun `the radio's events may be anything`() {
        core().use { core ->
            core.linkEvents().use { events ->
                events.advert("", byteArrayOf(), Short.MIN_VALUE)
                events.advert("x".repeat(100_000), ByteArray(1_000_000) { it.toByte() }, Short.MAX_VALUE)
                events.connected("nobody", 0u)
                events.connected("nobody", UShort.MAX_VALUE)
                events.received("nobody", ByteArray(1_000_000))
                for (reason in DisconnectReason.entries) events.disconnected("nobody", reason)
            }
        }
    }

    @Test
    fun `an error has a text for logs, and keeps secrets out of it`() = runBlocking<Unit> {
        core().use { core ->
            val error = refused<CoreException.Offline> { core.loginAgent("104227318", "Lakeside7") }
            assertEquals("There is no connection to the service.", error.toString())
            assertFalse(error.stackTraceToString().contains("Lakeside7"))
        }
    }

    @Test
    fun `both apps and all platforms can be named`() {
        for (app in App.entries) for (platform in Platform.entries) {
            core(config("https://api.example.com", folder).copy(app = app, platform = platform)).close()
        }
    }

    companion object {
        @JvmStatic
        @BeforeAll
        fun start() {
            Sentri.start()
        }
    }
}
