//! What is done to a database that came back from a backup: no number that it gave out since is given out again.
//! [OPS-3]

use super::{Connection, Id, doors::DoorRow};

/// How far numbers jump: further than they can have come since the backup, and small enough to jump often.
const CHANGES: i64 = 1 << 32;
const SUBJECTS: i64 = 1 << 20;
/// Of revocation lists, of settings, and of codes.
pub const VERSIONS: u32 = 1 << 16;
const EPOCHS: i64 = 1 << 8;
/// Records of a lock that may be missing here, since the lock freed them after the backup.
const RECORDS: i64 = 1 << 20;

/// Raises every number that phones and locks have seen.
pub async fn raise_numbers(conn: &mut Connection) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET change_seq = change_seq + $1").bind(CHANGES).execute(&mut *conn).await?;
    sqlx::query("UPDATE counters SET n = n + $1 WHERE name = 'subject'")
        .bind(SUBJECTS)
        .execute(&mut *conn)
        .await?;
    // Blocks that a lock has not told of are ordered anew.
    sqlx::query(
        "UPDATE issued_codes SET blocked_in = blocked_in + $1 WHERE blocked_in > \
         (SELECT heard_codes_version FROM lockboxes b WHERE b.id = issued_codes.lockbox_id)",
    )
    .bind(i64::from(VERSIONS))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE lockboxes SET revocation_version = revocation_version + $1, codes_version = codes_version + $1, \
         epoch = epoch + $2, audit_lost = audit_lost - $3",
    )
    .bind(i64::from(VERSIONS))
    .bind(EPOCHS)
    .bind(RECORDS)
    .execute(&mut *conn)
    .await?;
    sqlx::query("UPDATE doors SET audit_lost = audit_lost - $1").bind(RECORDS).execute(conn).await?;
    Ok(())
}

/// All doors. What is ordered of their codes has further to jump than a number.
pub async fn doors(conn: &mut Connection) -> sqlx::Result<Vec<DoorRow>> {
    sqlx::query_as("SELECT * FROM doors ORDER BY serial").fetch_all(conn).await
}

/// Each lock's settings, in hex, to be given a version that no lock has seen.
pub async fn settings(conn: &mut Connection) -> sqlx::Result<Vec<(Id, String)>> {
    sqlx::query_as("SELECT id, settings FROM lockboxes ORDER BY id").fetch_all(conn).await
}

/// Takes back what a backup must not bring back: tickets, half-proven requests. What stands is due anew, and the
/// former epoch is dead, so that lists of single credentials are empty.
pub async fn take_back(conn: &mut Connection, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE tickets_due SET due_at = $1 WHERE due_at > $1 AND EXISTS (SELECT 1 FROM credentials c \
         WHERE c.device_id = tickets_due.device_id AND c.grant_id = tickets_due.grant_id AND c.state = 'live')",
    )
    .bind(now)
    .execute(&mut *conn)
    .await?;
    for statement in [
        "UPDATE credentials SET state = 'replaced' WHERE state = 'live'",
        "DELETE FROM revocations",
        "DELETE FROM proofs",
        "DELETE FROM challenges",
    ] {
        sqlx::query(statement).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Tickets under a granter's grants, held back since the restore, are due where their time has come.
pub async fn release(conn: &mut Connection, granter: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE tickets_due SET due_at = $1 WHERE due_at > $1 AND grant_id IN (SELECT g.id FROM grants g \
         JOIN lockboxes b ON b.id = g.lockbox_id JOIN associations s ON s.id = b.association_id \
         WHERE g.granter_id = $2 AND g.state = 'granted' AND g.ends_at > $1 \
         AND g.starts_at - s.lead_seconds <= $1)",
    )
    .bind(now)
    .bind(granter)
    .execute(conn)
    .await?;
    Ok(())
}
