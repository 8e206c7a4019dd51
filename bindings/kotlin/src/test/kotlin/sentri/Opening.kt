// Opening as a user does: the app listens, then a finger presses ENT.

package sentri

import java.util.UUID
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import sentri.core.OpenAttempt
import sentri.core.OpenReport
import sentri.core.SentriCore

/** Listens, presses ENT at the box, and tells how it went. */
suspend fun Phone.openAt(box: String, access: UUID? = null): OpenReport =
    pressAt(box, core.openOnEnt(access?.toString()))

/** Presses ENT at the box for a try that listens, and tells how it went. */
suspend fun Phone.pressAt(box: String, attempt: OpenAttempt): OpenReport = coroutineScope {
    attempt.use {
        // An error is handed on below: here it would end the wait for the rest as well.
        val result = async(start = CoroutineStart.UNDISPATCHED) { runCatching { attempt.result() } }
        town.control.press(box)
        val told = result.await()
        // The phone may still be handing things over, and does one open at a time.
        attempt.finished()
        told.getOrThrow()
    }
}

/** The listing that a box hangs at, made where there is none. */
suspend fun SentriCore.listingWith(box: String): String =
    listings().firstOrNull { it.lockbox == box }?.id ?: addListing(newListing("$box Street")).also {
        assignLockbox(it.id, box, java.time.Instant.now().epochSecond, "North Shore")
    }.id
