// Instants and UUIDs for what the core hands over as seconds and texts.

package sentri.kit

import java.time.Instant
import java.util.UUID
import sentri.core.Access
import sentri.core.AccessLogEntry
import sentri.core.AccessLogFilter
import sentri.core.AccessLogPage
import sentri.core.AccountOnPhone
import sentri.core.CoreException
import sentri.core.Grant
import sentri.core.GrantFlow
import sentri.core.GrantStep
import sentri.core.IdentityProof
import sentri.core.KeyToReturn
import sentri.core.Listing
import sentri.core.Lockbox
import sentri.core.Message
import sentri.core.OpenReport
import sentri.core.OwnDevice
import sentri.core.PendingChange
import sentri.core.Profile
import sentri.core.Readiness
import sentri.core.SentriCore
import sentri.core.Signup
import sentri.core.SyncState
import sentri.core.SyncStatus
import sentri.core.WillItOpen

/** From whole seconds since 1970-01-01 UTC. What no instant can hold becomes the first or the last one. */
fun instantOf(seconds: Long): Instant =
    Instant.ofEpochSecond(seconds.coerceIn(Instant.MIN.epochSecond, Instant.MAX.epochSecond))

private fun uuidOf(id: String): UUID = UUID.fromString(id)

/** The account's id. */
val Profile.uuid: UUID get() = uuidOf(accountId)

/** The account's id. */
val AccountOnPhone.uuid: UUID get() = uuidOf(accountId)

/** The registration's id. */
val OwnDevice.uuid: UUID get() = uuidOf(deviceId)

/** When it was registered. */
val OwnDevice.registered: Instant get() = instantOf(registeredAt)

/** When it last logged in or renewed its session. */
val OwnDevice.lastSeen: Instant get() = instantOf(lastSeenAt)

/** Names it for [SentriCore.returnKey]. */
val KeyToReturn.uuid: UUID get() = uuidOf(id)

/** First instant that is too late. */
val KeyToReturn.end: Instant get() = instantOf(until)

/** The access's id. */
val Access.uuid: UUID get() = uuidOf(id)

/** First second of the window. */
val Access.start: Instant get() = instantOf(startsAt)

/** First second after the window. */
val Access.end: Instant get() = instantOf(endsAt)

/** The grant's id. */
val Grant.uuid: UUID get() = uuidOf(id)

/** The listing's id. */
val Grant.listing: UUID get() = uuidOf(listingId)

/** First second of the window. */
val Grant.start: Instant get() = instantOf(startsAt)

/** First second after the window. */
val Grant.end: Instant get() = instantOf(endsAt)

/** When it was last used. */
val Grant.lastUsed: Instant? get() = lastUsedAt?.let(::instantOf)

/** When it was taken back. */
val Grant.revoked: Instant? get() = revokedAt?.let(::instantOf)

/** Our id of the listing. */
val Listing.uuid: UUID get() = uuidOf(id)

/** The listing that it hangs at. */
val Lockbox.listing: UUID? get() = listingId?.let(::uuidOf)

/** When a phone last brought word from the box. */
val Lockbox.lastHeard: Instant? get() = lastHeardAt?.let(::instantOf)

/** The message's id. */
val Message.uuid: UUID get() = uuidOf(id)

/** The grant or access that it is about. */
val Message.access: UUID? get() = accessId?.let(::uuidOf)

/** When the message was made. */
val Message.time: Instant get() = instantOf(at)

/** The entry's id. */
val AccessLogEntry.uuid: UUID get() = uuidOf(id)

/** The listing that the box hung at. */
val AccessLogEntry.listing: UUID? get() = listingId?.let(::uuidOf)

/** Who: the same for all that one person did; absent where nobody knows any more. */
val AccessLogEntry.person: UUID? get() = personId?.let(::uuidOf)

/** When: the lock's clock where its word is there, the phone's otherwise. */
val AccessLogEntry.time: Instant get() = instantOf(at)

/** The access that was used. */
val OpenReport.access: UUID get() = uuidOf(accessId)

/** When the bin opened, by the phone's clock. */
val OpenReport.time: Instant get() = instantOf(at)

/** When the texted code stops working. */
val Signup.codeExpires: Instant get() = instantOf(codeExpiresAt())

/** When the mailed code stops working. */
val IdentityProof.codeExpires: Instant get() = instantOf(codeExpiresAt())

/** When the code that was sent stops working. */
val PendingChange.codeExpires: Instant get() = instantOf(codeExpiresAt())

/** From when on the phone opens something without network. */
val SyncStatus.opensFromInstant: Instant? get() = opensFrom?.let(::instantOf)

/** Until when it does, without a gap. */
val SyncStatus.opensUntilInstant: Instant? get() = opensUntil?.let(::instantOf)

/** When the data came, where that is known. */
val SyncState.dataFrom: Instant?
    get() = when (this) {
        is SyncState.Current -> at
        is SyncState.StaleSince -> at
        is SyncState.Offline -> at
        is SyncState.Syncing, is SyncState.Blocked -> null
    }?.let(::instantOf)

/** The span in which the phone opens the box without network. */
val Readiness.Ready.span: ClosedRange<Instant> get() = instantOf(from)..instantOf(until)

/** From when on a credential can be fetched. */
val Readiness.ConnectAfter.time: Instant get() = instantOf(at)

/** When the access begins. */
val CoreException.NotYetValid.begins: Instant get() = instantOf(from)

/** When the access ended, where the phone knows. */
val CoreException.Expired.ended: Instant? get() = since?.let(::instantOf)

/** When the lockbox opens next, within a week. */
val CoreException.OutsideHours.opensNext: Instant? get() = next?.let(::instantOf)

/** From when on connecting helps. */
val CoreException.NotReady.connectFrom: Instant? get() = connectAfter?.let(::instantOf)

/** When the access began. */
val CoreException.AlreadyBegun.began: Instant? get() = since?.let(::instantOf)

/** Puts a box on the listing. As [GrantFlow.chooseLockbox], in whole seconds. */
suspend fun GrantFlow.chooseLockbox(serial: String, onListingSince: Instant, region: String): GrantStep =
    chooseLockbox(serial, onListingSince.epochSecond, region)

/** Takes whom and when, in whole seconds. As [GrantFlow.fillForm]. */
fun GrantFlow.fillForm(email: String, start: Instant, end: Instant): GrantStep =
    fillForm(email, start.epochSecond, end.epochSecond)

/** Begins to grant access to a listing. As [SentriCore.startGrant]. */
suspend fun SentriCore.startGrant(listing: UUID): GrantFlow = startGrant(listing.toString())

/** Revokes an access that has not begun. As [SentriCore.revoke]. */
suspend fun SentriCore.revoke(grant: UUID): Grant = revoke(grant.toString())

/** Whether an access will open its box. As [SentriCore.willItOpen], in whole seconds. */
suspend fun SentriCore.willItOpen(access: UUID, at: Instant? = null): WillItOpen =
    willItOpen(access.toString(), at?.epochSecond)

/** Puts a lockbox on a listing. As [SentriCore.assignLockbox], in whole seconds. */
suspend fun SentriCore.assignLockbox(
    listing: UUID,
    serial: String,
    onListingSince: Instant,
    region: String,
): Lockbox = assignLockbox(listing.toString(), serial, onListingSince.epochSecond, region)

/** The access log between two instants, newest first, in pages. As [SentriCore.accessLog], in whole seconds. */
suspend fun SentriCore.accessLog(
    from: Instant,
    to: Instant,
    filter: AccessLogFilter = AccessLogFilter(),
    after: String? = null,
): AccessLogPage = accessLog(from.epochSecond, to.epochSecond, filter, after)

/** The access log between two instants as a CSV document. As [SentriCore.accessLogCsv], in whole seconds. */
suspend fun SentriCore.accessLogCsv(
    from: Instant,
    to: Instant,
    filter: AccessLogFilter = AccessLogFilter(),
): String = accessLogCsv(from.epochSecond, to.epochSecond, filter)

/** Marks a message as read. As [SentriCore.markMessageRead]. */
suspend fun SentriCore.markMessageRead(message: UUID) = markMessageRead(message.toString())

/** Deletes a message. As [SentriCore.deleteMessage]. */
suspend fun SentriCore.deleteMessage(message: UUID) = deleteMessage(message.toString())

/** Puts another account of this phone in use. As [SentriCore.switchAccount]. */
suspend fun SentriCore.switchAccount(account: UUID): Profile = switchAccount(account.toString())

/** Removes a device of one's own. As [IdentityProof.removeDevice]. */
suspend fun IdentityProof.removeDevice(device: UUID) = removeDevice(device.toString())
