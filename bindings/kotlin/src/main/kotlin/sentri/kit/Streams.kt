// What a screen follows, as flows. Ending the collection ends the subscription in the core.

package sentri.kit

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import sentri.core.CoreException
import sentri.core.Message
import sentri.core.NearbyLockbox
import sentri.core.SentriCore
import sentri.core.SyncStatus

/**
 * The sync status of the account in use, now and whenever it changes. Ends with [CoreException.NotSignedIn] once
 * nobody is logged in.
 */
fun SentriCore.syncStatuses(): Flow<SyncStatus> = followed({ watchSyncStatus() }) { it.next() }

/**
 * The messages of the account in use, newest first, now and whenever they change. Ends with
 * [CoreException.NotSignedIn] once nobody is logged in.
 */
fun SentriCore.messageLists(): Flow<List<Message>> = followed({ watchMessages() }) { it.next() }

/**
 * The account's lockboxes that are awake nearby, now and whenever they change. The radio searches as long as
 * somebody collects. Ends with [CoreException.BluetoothOff] and its like where the radio can't be used.
 */
fun SentriCore.nearbyLockboxes(): Flow<List<NearbyLockbox>> = followed({ watchNearby() }) { it.next() }

private fun <S : AutoCloseable, T : Any> followed(
    subscribe: suspend () -> S,
    next: suspend (S) -> T?,
): Flow<T> = flow {
    subscribe().use { subscription ->
        while (true) {
            emit(next(subscription) ?: break)
        }
    }
}
