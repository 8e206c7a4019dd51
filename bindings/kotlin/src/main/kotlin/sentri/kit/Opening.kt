// The open on ENT, as one call that a coroutine's cancellation ends.

package sentri.kit

import java.util.UUID
import kotlinx.coroutines.CancellationException
import sentri.core.CoreException
import sentri.core.OpenReport
import sentri.core.SentriCore

/**
 * Listens for up to a minute for a press of ENT, opens the box that was pressed, and tells how it went. Cancelling
 * the coroutine ends the try, as long as nothing was sent to a lock.
 *
 * @param access one access, or none for whichever box is pressed.
 * @throws CoreException as [sentri.core.OpenAttempt.result] tells.
 */
suspend fun SentriCore.open(access: UUID? = null): OpenReport =
    openOnEnt(access?.toString()).use { attempt ->
        try {
            attempt.result()
        } catch (ended: CancellationException) {
            attempt.cancel()
            throw ended
        }
    }
