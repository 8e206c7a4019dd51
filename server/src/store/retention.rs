//! Deleting what is older than it is kept, a few rows at a time.
//!
//! What a lock's own records are checked against (its mark on the lockbox, the records themselves) is no part of
//! this, and neither is which operations of a lock were used for an event: these hold for ever.

use super::Connection;

/// Rows that nobody needs any more, by a time before which they are old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Events that phones uploaded.
    Events,
    /// Lines of the access log. A line whose event came since then stays, however old its phone's clock says it is:
    /// delete old events first.
    Log,
    /// Tickets long over.
    Credentials,
    /// Posts that were delivered.
    Posts,
    /// Counts of tries that are over.
    Tries,
    /// Answers kept for a repeated request.
    Answers,
    /// Tokens of sessions that have ended or were not renewed, and spent ones.
    Tokens,
    /// Sessions without tokens.
    Sessions,
    /// Devices that were removed and may upload no more.
    Devices,
    /// Challenges that nobody signed.
    Challenges,
    /// Links and codes that have ended.
    Proofs,
    /// Sign-ups that have ended.
    Signups,
    /// Invitations that have ended.
    Invitations,
    /// Slots of SMACs, whose records have come long since.
    SmacSlots,
    /// Codes that were made, long after their windows.
    Codes,
}

impl Old {
    /// `$1` is the time, `$2` the most rows at once.
    fn statement(self) -> &'static str {
        match self {
            Self::Events => {
                "DELETE FROM access_events WHERE id IN \
                 (SELECT id FROM access_events WHERE received_at < $1 ORDER BY received_at LIMIT $2)"
            }
            Self::Log => {
                "DELETE FROM access_log WHERE id IN (SELECT l.id FROM access_log l WHERE l.at < $1 \
                 AND NOT EXISTS (SELECT 1 FROM access_events e WHERE e.id = l.event_id) ORDER BY l.at LIMIT $2)"
            }
            Self::Credentials => {
                "DELETE FROM credentials WHERE id IN \
                 (SELECT id FROM credentials WHERE state <> 'live' AND not_after < $1 LIMIT $2)"
            }
            Self::Posts => {
                "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE delivered_at < $1 LIMIT $2)"
            }
            Self::Tries => {
                "DELETE FROM tries WHERE (purpose, subject) IN \
                 (SELECT purpose, subject FROM tries WHERE last_at < $1 AND wait_until < $1 LIMIT $2)"
            }
            Self::Answers => {
                "DELETE FROM idempotency WHERE (account_id, idempotency_key) IN \
                 (SELECT account_id, idempotency_key FROM idempotency WHERE created_at < $1 LIMIT $2)"
            }
            Self::Tokens => {
                "DELETE FROM tokens WHERE digest IN (SELECT t.digest FROM tokens t \
                 JOIN sessions s ON s.id = t.session_id WHERE s.ended_at < $1 \
                 OR (t.kind = 'refresh' AND t.expires_at < $1) OR NOT EXISTS (SELECT 1 FROM tokens r \
                 WHERE r.session_id = s.id AND r.kind = 'refresh' AND r.expires_at >= $1) LIMIT $2)"
            }
            Self::Sessions => {
                "DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s WHERE s.created_at < $1 \
                 AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.session_id = s.id) LIMIT $2)"
            }
            Self::Devices => {
                "DELETE FROM devices WHERE id IN (SELECT d.id FROM devices d WHERE d.removed_at < $1 \
                 AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.device_id = d.id) \
                 AND NOT EXISTS (SELECT 1 FROM challenges h WHERE h.device_id = d.id) \
                 AND NOT EXISTS (SELECT 1 FROM tickets_due u WHERE u.device_id = d.id) \
                 AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.device_id = d.id) LIMIT $2)"
            }
            Self::Challenges => {
                "DELETE FROM challenges WHERE (device_id, purpose) IN \
                 (SELECT device_id, purpose FROM challenges WHERE expires_at < $1 LIMIT $2)"
            }
            Self::Proofs => {
                "DELETE FROM proofs WHERE digest IN (SELECT digest FROM proofs WHERE expires_at < $1 LIMIT $2)"
            }
            Self::Signups => {
                "DELETE FROM signups WHERE digest IN \
                 (SELECT digest FROM signups WHERE code_expires_at < $1 LIMIT $2)"
            }
            Self::SmacSlots => {
                "DELETE FROM smac_slots WHERE (lockbox_id, day, slot) IN \
                 (SELECT lockbox_id, day, slot FROM smac_slots WHERE day < $1 / 86400 LIMIT $2)"
            }
            Self::Codes => {
                "DELETE FROM issued_codes WHERE id IN \
                 (SELECT id FROM issued_codes WHERE first_hour + hours < $1 / 3600 LIMIT $2)"
            }
            Self::Invitations => {
                "DELETE FROM invitations WHERE digest IN (SELECT i.digest FROM invitations i \
                 WHERE i.expires_at < $1 \
                 AND NOT EXISTS (SELECT 1 FROM signups s WHERE s.invitation = i.digest) LIMIT $2)"
            }
        }
    }
}

/// Deletes rows that are older than a time; at most so many. Says how many.
pub async fn delete(conn: &mut Connection, old: Old, before: i64, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query(old.statement()).bind(before).bind(limit).execute(conn).await?;
    Ok(deleted.rows_affected())
}

/// What tells phones that something went away, and was told before a time. `$1` is that time.
macro_rules! told_and_gone {
    () => {
        "c.at < $1 AND ((c.kind = 'credential' AND NOT EXISTS \
         (SELECT 1 FROM credentials k WHERE k.id = c.object_id AND k.state = 'live')) \
         OR (c.kind = 'message' AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = c.object_id)))"
    };
}

/// Forgets what went away and was told before a time; a phone that was away since then starts over. Says how many.
pub async fn forget_gone(conn: &mut Connection, before: i64) -> sqlx::Result<u64> {
    sqlx::query(concat!(
        "UPDATE accounts SET change_floor = (SELECT MAX(c.seq) FROM changes c \
         WHERE c.account_id = accounts.id AND ",
        told_and_gone!(),
        ") WHERE EXISTS (SELECT 1 FROM changes c WHERE c.account_id = accounts.id AND c.seq > change_floor AND ",
        told_and_gone!(),
        ")"
    ))
    .bind(before)
    .execute(&mut *conn)
    .await?;
    let forgotten = sqlx::query(concat!(
        "DELETE FROM changes WHERE (account_id, device_id, kind, object_id) IN \
         (SELECT c.account_id, c.device_id, c.kind, c.object_id FROM changes c WHERE ",
        told_and_gone!(),
        ")"
    ))
    .bind(before)
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected())
}
