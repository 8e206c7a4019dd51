// What the tests stand on: the sandbox as a process of its own, and phones in it.

package sentri

import java.io.BufferedReader
import java.net.URI
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.UUID
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteRecursively
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.fail
import sentri.core.Access
import sentri.core.App
import sentri.core.CoreConfig
import sentri.core.CoreException
import sentri.core.DeviceKey
import sentri.core.Grant
import sentri.core.GrantStep
import sentri.core.LockLink
import sentri.core.NewListing
import sentri.core.NewPerson
import sentri.core.Platform
import sentri.core.QuestionAndAnswer
import sentri.core.SecureStore
import sentri.core.SentriCore
import sentri.core.SignupForm
import sentri.kit.Secret
import sentri.kit.Sentri
import sentri.kit.fillForm
import sentri.sandbox.Letter
import sentri.sandbox.MemorySecureStore
import sentri.sandbox.SandboxControl
import sentri.sandbox.SandboxLink

/** The Bluetooth lockbox that the tests open. */
const val BOX = "B-20417"

/** A Bluetooth lockbox next door. */
const val OTHER_BOX = "B-20418"

/** The lockbox without Bluetooth. */
const val KEYPAD_BOX = "K-00731"

/** The agent's cell phone. */
const val AGENTS_NUMBER = "(312) 555-0142"

const val PASSWORD = "Wrench42"

/** A sandbox of the test's own: `sentri serve` on free ports, with data that go with it. */
class Town : AutoCloseable {
    private val process: Process
    private val output: BufferedReader

    /** The control API. */
    val control: SandboxControl

    /** Where phones reach the backend. */
    val backend: String

    init {
        val sandbox = System.getenv("SENTRI_SANDBOX") ?: fail("SENTRI_SANDBOX must name the sandbox's program.")
        process = ProcessBuilder(sandbox, "serve").redirectError(ProcessBuilder.Redirect.INHERIT).start()
        output = process.inputReader()
        val line = generateSequence { output.readLine() }.first { it.contains("Control API") }
        control = SandboxControl(URI(line.substringAfter("Control API").trim()))
        backend = runBlocking { control.backend() }
        Thread({ runCatching { output.forEachLine { } } }, "sandbox output").apply { isDaemon = true }.start()
    }

    /** A phone with nothing on it. */
    fun phone(app: App): Phone = Phone(this, app)

    /** The agent's phone, logged in and synced. */
    suspend fun agentPhone(): Phone {
        val phone = phone(App.AGENT)
        val agent = control.people().first { it.kind == "agent" }
        phone.core.loginAgent(agent.login, agent.password)
        phone.core.syncNow()
        return phone
    }

    /** The agent's PIN. */
    suspend fun pin(): String = control.people().first { it.kind == "agent" }.pin

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly()
    }
}

/** A phone: a folder, a key store, a radio, and the core on them. */
class Phone(
    val town: Town,
    private val app: App,
    val store: SecureStore = MemorySecureStore(),
    private val radio: (SandboxLink) -> LockLink = { it },
    private val folder: Path = Files.createTempDirectory("sentri-phone"),
    private val key: DeviceKey? = null,
) : AutoCloseable {
    val link = SandboxLink(town.control.address)
    val core: SentriCore

    init {
        Sentri.start()
        val config = config(town.backend, folder, app)
        core = key?.let { SentriCore.withDeviceKey(config, radio(link), store, it) } ?: SentriCore(config, radio(link), store)
        link.attach(core.linkEvents())
    }

    /** The same phone, with the app started anew; what it had in memory is gone. */
    fun restarted(radio: (SandboxLink) -> LockLink = this.radio): Phone {
        core.close()
        link.close()
        return Phone(town, app, store, radio, folder, key)
    }

    @OptIn(kotlin.io.path.ExperimentalPathApi::class)
    override fun close() {
        core.close()
        link.close()
        folder.deleteRecursively()
    }
}

fun config(backend: String, folder: Path, app: App = App.CONNECT) =
    CoreConfig(backend, folder.toString(), app, "1.0.0", "A phone of the tests", Platform.ANDROID)

/** Makes a listing, puts a lockbox on it, and grants access to it, all as the app would. */
suspend fun SentriCore.grant(
    email: String,
    box: String,
    pin: String,
    start: Instant = Instant.now(),
    length: Duration = Duration.ofHours(2),
): Grant {
    startGrant(listingWith(box)).use { flow ->
        flow.fillForm(email, start, start.plus(length))
        val done = flow.authenticate(pin)
        return (done as GrantStep.Done).grant
    }
}

fun newListing(address: String) = NewListing(address, "Evanston", "IL", "60201", 489_000, "America/Chicago")

/** The token in the last invitation to an address. */
suspend fun Town.invitation(email: String): String {
    val mail = eventually { control.mails(email).lastOrNull { it.body.contains("/join#") } }
    return mail.body.substringAfter("/join#").takeWhile { !it.isWhitespace() }
}

/** The mail that comes to an address for what is done. */
suspend fun <T> Town.mailed(address: String, act: suspend () -> T): Pair<T, Letter> {
    val before = control.mails(address).size
    return act() to eventually { control.mails(address).drop(before).firstOrNull() }
}

/** The text that comes to a number for what is done. */
suspend fun <T> Town.texted(number: String, act: suspend () -> T): Pair<T, Letter> {
    val before = control.texts(number).size
    return act() to eventually { control.texts(number).drop(before).firstOrNull() }
}

/** Who signs up. */
fun somebody(): NewPerson {
    val question = QuestionAndAnswer("What was your first tool?", Secret("A pipe wrench"))
    return NewPerson("Pat", "Moreno", "Plumber", Secret(PASSWORD), Secret("7301"), listOf(question))
}

/** Signs up with the invitation in the mail, logs in, and syncs. */
suspend fun Phone.signUp(town: Town, email: String, number: String) {
    val token = town.invitation(email)
    core.startSignup(SignupForm(Secret(token), email, email, number, number)).use { signup ->
        val text = eventually { town.control.texts(number).lastOrNull() }
        signup.verify(text.body.takeWhile(Char::isDigit))
        signup.complete(somebody())
    }
    core.loginContractor(email, PASSWORD)
    core.syncNow()
}

/** The access to a grant, as the contractor's phone holds it. */
suspend fun SentriCore.access(grant: Grant): Access = accesses().first { it.id == grant.id }

/** Waits for what another process brings about, half a minute at most. */
suspend fun <T : Any> eventually(look: suspend () -> T?): T = withTimeout(30_000) {
    var seen = look()
    while (seen == null) {
        delay(10)
        seen = look()
    }
    seen
}

/** The field that the core finds wrong. */
suspend fun refusedField(call: suspend () -> Any?): String = refused<CoreException.InvalidField> { call() }.field

/** The error that the core answers with, of the kind that is expected. */
suspend inline fun <reified E : CoreException> refused(crossinline call: suspend () -> Any?): E {
    try {
        call()
    } catch (error: CoreException) {
        return error as? E ?: fail("${E::class.simpleName} was expected, not $error", error)
    }
    fail<Unit>("${E::class.simpleName} was expected")
    throw IllegalStateException()
}

fun someEmail() = "pat-${UUID.randomUUID()}@plumbing.example"

/** Belongs to nobody: 555-0100 to 555-0199, without the agent's. */
fun someNumber(): String =
    generateSequence { "(312) 555-01%02d".format(numbers.getAndIncrement() % 100) }.first { it != AGENTS_NUMBER }

private val numbers = java.util.concurrent.atomic.AtomicInteger()
