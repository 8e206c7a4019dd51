// Text that must not be shown: what the core's records hold in place of plain passwords.

package sentri.kit

/** A password, PIN, answer or token. No text of a record or log ever shows it. */
class Secret(private val text: String) {
    /** For the generated code, which hands it to the core. */
    internal fun reveal(): String = text

    override fun toString(): String = "Secret(…)"

    override fun equals(other: Any?): Boolean = other is Secret && other.text == text

    override fun hashCode(): Int = text.hashCode()
}
