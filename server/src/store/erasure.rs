//! Taking out of the database what is personal about one account. [ACC-11]

use super::{Connection, Id};

/// Messages of other people that may name the account: those about its accesses. Whose, and their ids.
pub async fn messages_naming(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<(Id, Id)>> {
    sqlx::query_as(
        "SELECT m.account_id, m.id FROM messages m JOIN grants g ON g.id = m.access_id \
         WHERE g.grantee_id = $1 AND m.account_id <> $1",
    )
    .bind(account)
    .fetch_all(conn)
    .await
}

/// Keeps what an account was called until now, so that it can be found in others' messages.
pub async fn keep_former_name(conn: &mut Connection, account: Id, name: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO former_names (account_id, name) VALUES ($1, $2) ON CONFLICT (account_id, name) DO NOTHING",
    )
    .bind(account)
    .bind(name)
    .execute(conn)
    .await?;
    Ok(())
}

/// All that an account was called, besides its name and address of now: former ones, and addresses as granters typed
/// them. The longest first, since one can be part of another.
pub async fn other_names(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT name FROM (SELECT name FROM former_names WHERE account_id = $1 \
         UNION SELECT email AS name FROM grants WHERE grantee_id = $1) AS names ORDER BY LENGTH(name) DESC",
    )
    .bind(account)
    .fetch_all(conn)
    .await
}

/// Puts a pseudonym in the place of names in a message.
pub async fn rename_in(
    conn: &mut Connection,
    message: Id,
    names: &[String],
    pseudonym: &str,
) -> sqlx::Result<()> {
    for name in names.iter().filter(|name| !name.is_empty()) {
        sqlx::query(
            "UPDATE messages SET title = REPLACE(title, $1, $2), body = REPLACE(body, $1, $2) WHERE id = $3",
        )
        .bind(name.as_str())
        .bind(pseudonym)
        .bind(message)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Puts a pseudonym in the place of the address that accesses were granted to.
pub async fn grants(conn: &mut Connection, account: Id, pseudonym: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE grants SET email = $1, email_key = $2 WHERE grantee_id = $3")
        .bind(pseudonym)
        .bind(format!("deleted:{account}"))
        .bind(account)
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes what belongs to the account alone.
pub async fn belongings(conn: &mut Connection, account: Id, email_key: &str) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM messages WHERE account_id = $1",
        "DELETE FROM proofs WHERE account_id = $1",
        "DELETE FROM idempotency WHERE account_id = $1",
        "DELETE FROM changes WHERE account_id = $1",
        "DELETE FROM tries WHERE subject = $1",
        "DELETE FROM former_names WHERE account_id = $1",
        "DELETE FROM residents WHERE account_id = $1",
        "DELETE FROM suspensions WHERE account_id = $1",
    ] {
        sqlx::query(statement).bind(account).execute(&mut *conn).await?;
    }
    for statement in [
        "DELETE FROM signups WHERE invitation IN (SELECT digest FROM invitations WHERE email_key = $1)",
        "DELETE FROM signups WHERE LOWER(email) = $1",
        "DELETE FROM invitations WHERE email_key = $1",
    ] {
        sqlx::query(statement).bind(email_key).execute(&mut *conn).await?;
    }
    Ok(())
}
