//! Every place that holds a value sealed under a master key, for when the master key changes. [OPS-3]

use sqlx::FromRow;

use super::Connection;

/// A column of sealed values, with the name that the vault binds into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What the vault calls it.
    pub purpose: &'static str,
    table: &'static str,
    /// The column whose text the vault binds in as the value's place.
    id: &'static str,
    column: &'static str,
}

const fn place(purpose: &'static str, table: &'static str, id: &'static str, column: &'static str) -> Place {
    Place { purpose, table, id, column }
}

/// All of them. A test finds what is missing here.
pub const PLACES: &[Place] = &[
    place("seed", "lockboxes", "id", "seed"),
    place("outbox", "outbox", "id", "sealed"),
    place("once", "idempotency", "idempotency_key", "answer"),
    place("security-questions", "accounts", "id", "security_questions"),
    place("proof", "proofs", "digest", "payload"),
    place("push-token", "devices", "id", "push_token"),
    place("door-seed", "doors", "id", "seed"),
    place("door-code", "door_codes", "id", "code"),
    place("card-key", "associations", "id", "card_key"),
];

/// A sealed value.
#[derive(FromRow)]
pub struct SealedRow {
    pub id: String,
    pub sealed: String,
}

/// How many values are sealed under a key.
#[derive(FromRow)]
pub struct UnderKey {
    pub key_id: String,
    pub count: i64,
}

impl Place {
    /// Values that are not sealed under this key, some at a time.
    pub async fn under_others(
        &self,
        conn: &mut Connection,
        key_id: &str,
        limit: i64,
    ) -> sqlx::Result<Vec<SealedRow>> {
        let Self { table, id, column, .. } = self;
        let sql = format!(
            "SELECT {id} AS id, {column} AS sealed FROM {table} \
             WHERE {column} IS NOT NULL AND {column} <> '' AND {column} NOT LIKE $1 LIMIT $2"
        );
        let under = format!("{key_id}.%");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(under).bind(limit).fetch_all(conn).await
    }

    /// Puts another sealing in the place of one; nothing where somebody else changed it in between.
    pub async fn replace(&self, conn: &mut Connection, row: &SealedRow, sealed: &str) -> sqlx::Result<()> {
        let Self { table, id, column, .. } = self;
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE {id} = $2 AND {column} = $3");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(sealed).bind(row.id.as_str());
        query.bind(row.sealed.as_str()).execute(conn).await.map(drop)
    }

    /// How many values each key has here.
    pub async fn count(&self, conn: &mut Connection) -> sqlx::Result<Vec<UnderKey>> {
        let Self { table, column, .. } = self;
        let sql = format!(
            "SELECT substr({column}, 1, 8) AS key_id, COUNT(*) AS count FROM {table} \
             WHERE {column} IS NOT NULL AND {column} <> '' GROUP BY 1 ORDER BY 1"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(conn).await
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::PLACES;

    /// OPS-3: what is sealed anywhere in this crate is sealed anew when the master key changes.
    #[test]
    fn every_sealed_value_has_its_place_here() {
        let mut code = String::new();
        read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut code);
        let sealing = concat!("vault.", "seal(");
        let purposes = code.split(sealing).skip(1).map(|rest| rest.split(',').next().unwrap().trim());
        let purposes: BTreeSet<String> =
            purposes.filter(|it| *it != "place.purpose").map(|it| value(&code, it)).collect();
        let listed: BTreeSet<String> = PLACES.iter().map(|place| place.purpose.to_owned()).collect();
        assert_eq!(purposes, listed);
    }

    /// A text as it stands, or what the constant of this name holds.
    fn value(code: &str, term: &str) -> String {
        let quoted = |text: &str| text.split('"').nth(1).map(str::to_owned);
        let name = term.rsplit("::").next().unwrap_or(term);
        let constant = || code.split(&format!("const {name}: &str = ")).nth(1).and_then(quoted);
        quoted(term).or_else(constant).unwrap_or_else(|| panic!("{term} is neither a text nor a constant"))
    }

    fn read(folder: &Path, code: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                read(&path, code);
            } else {
                code.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}
