package sentri

import java.nio.file.Files
import java.nio.file.Path
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import sentri.core.PickedCodeRefusal
import sentri.core.checkPickedCode
import sentri.core.checkPin
import sentri.kit.Sentri

/** The rules for codes that people pick are the core's, against the vectors of the protocol. [PIN-5, ACC-9, BND-2] */
class PickedCodesTest {
    @Test
    fun `the protocol's vectors hold`() {
        Sentri.start()
        val file = Path.of(System.getenv("SENTRI_VECTORS"), "picked_codes.json")
        val cases = Json.parseToJsonElement(Files.readString(file)).jsonObject.getValue("cases").jsonArray
        assertTrue(cases.size >= 10)
        for (case in cases.map { it.jsonObject }) {
            val code = case.getValue("code").jsonPrimitive.content
            val lengths = case.getValue("lengths").jsonArray.map { it.jsonPrimitive.int.toUInt() }
            val refusal = case.getValue("refusal").jsonPrimitive.contentOrNull
            assertEquals(refusal, checkPickedCode(code, lengths)?.name?.camel(), code)
        }
    }

    @Test
    fun `odd input is refused, not broken`() {
        Sentri.start()
        assertEquals(PickedCodeRefusal.WRONG_LENGTH, checkPin(""))
        assertEquals(PickedCodeRefusal.NOT_DIGITS, checkPin("12\u00003"))
        assertEquals(PickedCodeRefusal.NOT_DIGITS, checkPin("١٢٣٥"))
        assertEquals(PickedCodeRefusal.WRONG_LENGTH, checkPin("7".repeat(1_000_000)))
        assertEquals(PickedCodeRefusal.WRONG_LENGTH, checkPickedCode("2580", listOf()))
        assertNull(checkPin("2580"))
    }

    private fun String.camel() = split('_').joinToString("") { it.lowercase().replaceFirstChar(Char::uppercase) }
}
