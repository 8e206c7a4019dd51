// A hand on the sandbox that `cargo run -- serve` keeps running: presses keys, reads mails. For development only.

package sentri.sandbox

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import kotlinx.coroutines.future.await
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put

/** The sandbox did not do what it was asked for. */
class SandboxException(message: String) : Exception(message)

/** Somebody whom one can log in as. */
class Person(val name: String, val kind: String, val login: String, val password: String, val pin: String)

/** A mail or a text message that the backend sent. */
class Letter(val to: String, val subject: String?, val body: String) {
    /** The code that a mail's subject or a text begins with. */
    val code: String get() = (subject ?: body).takeWhile(Char::isDigit)

    /** The link in it. */
    val link: String? get() = body.split(Regex("\\s+")).firstOrNull { "://" in it && "#" in it }
}

/** What a virtual lockbox counted since its battery went in. */
class BoxCounters(private val seen: JsonObject) {
    /** Connections of phones. */
    val connections get() = count("connections")

    /** Frames that came over the air. */
    val framesIn get() = count("frames_in")

    /** Opens of the key bin. */
    val opens get() = count("opens")

    private fun count(name: String) = seen.getValue(name).jsonPrimitive.int
}

/** The control API; `docs/sandbox.md` tells all of it. */
class SandboxControl(val address: URI) {
    private val http = HttpClient.newHttpClient()

    /** Where phones reach the backend. */
    suspend fun backend(): String = state().text("backend")

    /** Who can log in. */
    suspend fun people(): List<Person> = state().getValue("people").jsonArray.map { person(it.jsonObject) }

    /** Serial numbers of the lockboxes. */
    suspend fun lockboxes(): List<String> = state().getValue("lockboxes").jsonArray.map { it.jsonPrimitive.content }

    /** Where the sandbox keeps its data. */
    suspend fun folder(): String = state().text("folder")

    /** What a lockbox counted. */
    suspend fun counters(serial: String): BoxCounters =
        BoxCounters(get("/lockboxes/$serial").jsonObject.getValue("counters").jsonObject)

    /** Presses keys, as `ENT` or `1234567 ENT`. */
    suspend fun press(serial: String, keys: String = "ENT") {
        post("/lockboxes/$serial/keys", buildJsonObject { put("keys", keys) })
    }

    /** Pulls a lockbox's battery, or puts it in. */
    suspend fun battery(serial: String, inserted: Boolean) {
        val doing = if (inserted) "insert" else "pull"
        post("/lockboxes/$serial/battery", buildJsonObject { put("battery", doing) })
    }

    /** Hangs one more Bluetooth lockbox of the agent's, open within these hours: `08:00-20:00`, or `always`. */
    suspend fun hang(serial: String, accessHours: String = "always") {
        val box = buildJsonObject {
            put("serial", serial)
            put("access_hours", accessHours)
        }
        post("/lockboxes", box)
    }

    /** Jams a lockbox's motor, or frees it. */
    suspend fun motor(serial: String, jammed: Boolean) {
        post("/lockboxes/$serial/motor", buildJsonObject { put("motor", if (jammed) "jammed" else "free") })
    }

    /** Makes one more agent, as an operator does. */
    suspend fun addAgent(sentrikeyId: String, email: String): Person {
        val agent = buildJsonObject {
            put("sentrikey_id", sentrikeyId)
            put("email", email)
        }
        return person(post("/agents", agent).jsonObject)
    }

    /** Has somebody move in behind a door that this hub reaches, as an operator does. The hub is offline. */
    suspend fun moveIn(email: String, phone: String, door: String, hub: String): Person {
        val resident = buildJsonObject {
            put("email", email)
            put("phone", phone)
            put("door", door)
            put("hub", hub)
        }
        return person(post("/residents", resident).jsonObject)
    }

    /** Suspends an agent, or puts them back into good standing, as an operator does. */
    suspend fun standing(sentrikeyId: String, good: Boolean) {
        val standing = if (good) "good" else "suspended"
        post("/agents/$sentrikeyId/standing", buildJsonObject { put("standing", standing) })
    }

    /** Cuts the network between phones and backend, or mends it. */
    suspend fun network(up: Boolean) {
        post("/network", buildJsonObject { put("network", if (up) "up" else "down") })
    }

    /** Lets time pass for everything in the sandbox, lockboxes too. */
    suspend fun advance(seconds: Int) {
        post("/clock", buildJsonObject { put("advance_seconds", seconds) })
    }

    /** The mails to an address, oldest first. */
    suspend fun mails(to: String): List<Letter> = letters("/mails").filter { it.to.equals(to, ignoreCase = true) }

    /** The text messages to a number, oldest first. */
    suspend fun texts(to: String): List<Letter> = letters("/texts").filter { it.to == to }

    /** The whole answer of a route that is read. */
    suspend fun get(path: String): JsonElement = answer(HttpRequest.newBuilder(address.resolve(path)).build())

    /** The whole answer of a route that does something. */
    suspend fun post(path: String, body: JsonObject): JsonElement {
        val request = HttpRequest.newBuilder(address.resolve(path)).header("Content-Type", "application/json")
        return answer(request.POST(HttpRequest.BodyPublishers.ofString(body.toString())).build())
    }

    private fun person(it: JsonObject) =
        Person(it.text("name"), it.text("kind"), it.text("login"), it.text("password"), it.text("pin"))

    private suspend fun state(): JsonObject = get("/state").jsonObject

    private suspend fun letters(path: String): List<Letter> = (get(path) as JsonArray).map {
        val letter = it.jsonObject
        Letter(letter.text("to"), letter["subject"]?.jsonPrimitive?.content, letter.text("body"))
    }

    private suspend fun answer(request: HttpRequest): JsonElement {
        val answer = http.sendAsync(request, HttpResponse.BodyHandlers.ofString()).await()
        if (answer.statusCode() != 200) {
            throw SandboxException("${request.uri()}: ${answer.statusCode()} ${answer.body()}")
        }
        return Json.parseToJsonElement(answer.body())
    }
}

private fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content
