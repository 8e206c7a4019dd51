// Instants and UUIDs for what the core hands over as seconds and texts.

package sentri.kit

import java.time.Instant
import java.util.UUID
import sentri.core.Access
import sentri.core.AccessLogEntry
import sentri.core.CoreException
import sentri.core.Grant
import sentri.core.GrantFlow
import sentri.core.GrantStep
import sentri.core.Listing
import sentri.core.Message
import sentri.core.OpenReport
import sentri.core.Readiness
import sentri.core.SentriCore
import sentri.core.SyncState
import sentri.core.SyncStatus

/** The access's id. */
val Access.uuid: UUID get() = UUID.fromString(id)

/** First second of the window. */
val Access.start: Instant get() = Instant.ofEpochSecond(startsAt)

/** First second after the window. */
val Access.end: Instant get() = Instant.ofEpochSecond(endsAt)

/** The grant's id. */
val Grant.uuid: UUID get() = UUID.fromString(id)

/** First second of the window. */
val Grant.start: Instant get() = Instant.ofEpochSecond(startsAt)

/** First second after the window. */
val Grant.end: Instant get() = Instant.ofEpochSecond(endsAt)

/** When it was last used. */
val Grant.lastUsed: Instant? get() = lastUsedAt?.let(Instant::ofEpochSecond)

/** Our id of the listing. */
val Listing.uuid: UUID get() = UUID.fromString(id)

/** The message's id. */
val Message.uuid: UUID get() = UUID.fromString(id)

/** When the message was made. */
val Message.time: Instant get() = Instant.ofEpochSecond(at)

/** When: the lock's clock where its word is there, the phone's otherwise. */
val AccessLogEntry.time: Instant get() = Instant.ofEpochSecond(at)

/** When the bin opened, by the phone's clock. */
val OpenReport.time: Instant get() = Instant.ofEpochSecond(at)

/** From when on the phone opens something without network. */
val SyncStatus.opensFromInstant: Instant? get() = opensFrom?.let(Instant::ofEpochSecond)

/** Until when the last of its credentials lasts. */
val SyncStatus.opensUntilInstant: Instant? get() = opensUntil?.let(Instant::ofEpochSecond)

/** When the data came, where that is known. */
val SyncState.dataFrom: Instant?
    get() = when (this) {
        is SyncState.Current -> at
        is SyncState.StaleSince -> at
        is SyncState.Offline -> at
        is SyncState.Syncing, is SyncState.Blocked -> null
    }?.let(Instant::ofEpochSecond)

/** The span in which the phone opens the box without network. */
val Readiness.Ready.span: ClosedRange<Instant> get() = Instant.ofEpochSecond(from)..Instant.ofEpochSecond(until)

/** When the access begins. */
val CoreException.NotYetValid.begins: Instant get() = Instant.ofEpochSecond(from)

/** Takes whom and when, in whole seconds. As [GrantFlow.fillForm]. */
fun GrantFlow.fillForm(email: String, start: Instant, end: Instant): GrantStep =
    fillForm(email, start.epochSecond, end.epochSecond)

/** Begins to grant access to a listing. As [SentriCore.startGrant]. */
suspend fun SentriCore.startGrant(listing: UUID): GrantFlow = startGrant(listing.toString())

/** Revokes an access that has not begun. As [SentriCore.revoke]. */
suspend fun SentriCore.revoke(grant: UUID): Grant = revoke(grant.toString())
