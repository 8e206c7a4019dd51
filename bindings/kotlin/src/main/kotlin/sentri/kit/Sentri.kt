// The start of the core: finds the native library, and refuses one that is not the bindings' own.

package sentri.kit

import sentri.core.coreVersion
import sentri.core.uniffiEnsureInitialized

/** The native library is missing, or is not the one that these bindings were made from. The app can't run with it. */
class WrongLibraryException(why: String, cause: Throwable) : IllegalStateException(why, cause)

/** The core as a whole. */
object Sentri {
    /**
     * Loads the native library. Call it first, once, at the app's start: no other call checks that library and
     * bindings belong together, and wrong ones would misread each other's data.
     *
     * @return the core's version, as `0.1.0`.
     * @throws WrongLibraryException where the library is missing or another version's.
     */
    fun start(): String {
        try {
            uniffiEnsureInitialized()
        } catch (error: Throwable) {
            throw refusal(error)
        }
        return coreVersion()
    }

    private fun refusal(error: Throwable): Throwable {
        val cause = (error as? ExceptionInInitializerError)?.exception ?: error
        val mismatch = cause is RuntimeException && cause.message.orEmpty().contains("mismatch")
        return when {
            mismatch -> WrongLibraryException(STALE, cause)
            cause is UnsatisfiedLinkError -> WrongLibraryException(MISSING, cause)
            cause is NoClassDefFoundError -> WrongLibraryException(STALE, cause)
            else -> error
        }
    }

    private const val STALE =
        "The Sentri library on this device is not the one that the app was built for. " +
            "Take the library and the bindings from the same release."
    private const val MISSING =
        "The Sentri library is not on this device, or it is older than the app. " +
            "Take the library and the bindings from the same release."
}
