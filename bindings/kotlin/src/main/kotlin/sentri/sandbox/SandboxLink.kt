// The sandbox's simulated air as a phone's Bluetooth: carries frames over its WebSocket. For development only.

package sentri.sandbox

import java.net.URI
import java.net.http.HttpClient
import java.net.http.WebSocket
import java.util.HexFormat
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import sentri.core.DisconnectReason
import sentri.core.LinkEvents
import sentri.core.LinkException
import sentri.core.LockLink

/**
 * One phone on the sandbox's air. Make it, make the core with it, then [attach] the core's events.
 *
 * @param control the control API's address, `http://127.0.0.1:…`.
 */
class SandboxLink(control: URI) : LockLink, AutoCloseable {
    /** Values written to locks, for a look from outside. */
    val written = AtomicInteger()

    @Volatile private var events: LinkEvents? = null
    private val hex = HexFormat.of()
    private val socket: WebSocket
    private var sending: CompletableFuture<*> = CompletableFuture.completedFuture(Unit)

    init {
        val address = URI("ws", null, control.host, control.port, "/radio", null, null)
        socket = HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(address, Listener()).join()
    }

    /** Where to tell what the radio hears: `core.linkEvents()`. */
    fun attach(events: LinkEvents) {
        this.events = events
    }

    override fun startScan() = ask("scan") { put("on", true) }

    override fun stopScan() = ask("scan") { put("on", false) }

    override fun connect(peer: String) = ask("connect") { put("peer", peer) }

    override fun write(peer: String, value: ByteArray) {
        written.incrementAndGet()
        ask("write") {
            put("peer", peer)
            put("value", hex.formatHex(value))
        }
    }

    override fun disconnect(peer: String) = ask("disconnect") { put("peer", peer) }

    override fun close() {
        socket.abort()
        events?.close()
    }

    /** One message after the other, in the order of the calls. */
    @Synchronized
    private fun ask(what: String, more: JsonObjectBuilder.() -> Unit) {
        val message = buildJsonObject {
            put("do", what)
            more()
        }
        try {
            sending.join()
            sending = socket.sendText(message.toString(), true)
        } catch (_: CompletionException) {
            throw LinkException.Failed()
        }
    }

    private fun tell(event: JsonObject) {
        val events = events ?: return
        fun text(name: String) = event.getValue(name).jsonPrimitive.content
        fun number(name: String) = event.getValue(name).jsonPrimitive.int
        when (text("event")) {
            "advert" -> events.advert(text("peer"), hex.parseHex(text("payload")), number("rssi").toShort())
            "connected" -> events.connected(text("peer"), number("mtu").toUShort())
            "received" -> events.received(text("peer"), hex.parseHex(text("value")))
            "disconnected" -> events.disconnected(text("peer"), reason(text("reason")))
            else -> System.err.println("The sandbox's radio: $event")
        }
    }

    private fun reason(name: String): DisconnectReason = when (name) {
        "requested" -> DisconnectReason.REQUESTED
        "by_lock" -> DisconnectReason.BY_LOCK
        "not_connected" -> DisconnectReason.NOT_CONNECTED
        else -> DisconnectReason.LOST
    }

    private inner class Listener : WebSocket.Listener {
        private val text = StringBuilder()

        override fun onText(webSocket: WebSocket, data: CharSequence, last: Boolean): CompletionStage<*>? {
            text.append(data)
            if (last) {
                val event = Json.parseToJsonElement(text.toString()).jsonObject
                text.clear()
                tell(event)
            }
            webSocket.request(1)
            return null
        }
    }
}
