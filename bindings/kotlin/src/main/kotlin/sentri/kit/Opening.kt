// The open on ENT, as one call that a coroutine's cancellation ends.

package sentri.kit

import java.util.UUID
import kotlinx.coroutines.CancellationException
import sentri.core.CoreException
import sentri.core.KeyToReturn
import sentri.core.OpenAttempt
import sentri.core.OpenReport
import sentri.core.SentriCore

/**
 * Listens for up to a minute for a press of ENT, opens the box that was pressed, and tells how it went. Cancelling
 * the coroutine ends the try, as long as nothing was sent to a lock.
 *
 * @param access one access, or none for whichever box is pressed.
 * @throws CoreException as [sentri.core.OpenAttempt.result] tells.
 */
suspend fun SentriCore.open(access: UUID? = null): OpenReport = openOnEnt(access?.toString()).told()

/**
 * As [open], once, to return the key of an account that was deleted on this phone; nobody needs to be logged in.
 *
 * @throws CoreException as [SentriCore.returnKey] and [sentri.core.OpenAttempt.result] tell.
 */
suspend fun SentriCore.open(toReturn: KeyToReturn): OpenReport = returnKey(toReturn.id).told()

private suspend fun OpenAttempt.told(): OpenReport = use { attempt ->
    try {
        attempt.result()
    } catch (ended: CancellationException) {
        attempt.cancel()
        throw ended
    }
}
