package sentri

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import sentri.core.NewPerson
import sentri.core.QuestionAndAnswer
import sentri.core.SignupForm
import sentri.kit.Secret

/** What is secret is in no text of the records that carry it. [ACC-8, BND-1] */
class SecretsTest {
    @Test
    fun `records that carry secrets don't show them`() {
        val secrets = listOf("Wrench42", "7301", "A pipe wrench", "tokenOfTheInvitation")
        val question = QuestionAndAnswer("What was your first tool?", Secret(secrets[2]))
        val person = NewPerson("Pat", "Moreno", "Plumber", Secret(secrets[0]), Secret(secrets[1]), listOf(question))
        val form = SignupForm(Secret(secrets[3]), "pat@plumbing.example", "pat@plumbing.example", "1", "1")
        val shown = listOf(question, person, form, listOf(person), mapOf("form" to form)).joinToString()
        assertTrue(shown.contains("Pat") && shown.contains("pat@plumbing.example"), shown)
        for (secret in secrets) assertFalse(shown.contains(secret), shown)
    }

    @Test
    fun `secrets compare by what they hold`() {
        assertEquals(Secret("a"), Secret("a"))
        assertEquals(Secret("a").hashCode(), Secret("a").hashCode())
        assertNotEquals(Secret("a"), Secret("b"))
    }
}
