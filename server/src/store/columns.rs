//! How values lie in columns: ids and names as text, lists as JSON.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::{
    Any, Decode, Encode, Type,
    any::{AnyTypeInfo, AnyValueRef},
    encode::IsNull,
    error::BoxDynError,
};
use uuid::Uuid;

use super::Connection;

/// The id of a row. Text in the database, so that one schema serves SQLite and PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Id(pub Uuid);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

/// A value of an enum, stored under its JSON name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Named<T>(pub T);

/// A value stored as a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// A row that does not hold what it must.
#[derive(Debug, thiserror::Error)]
#[error("the database holds a bad {0}")]
pub struct Corrupt(pub &'static str);

type Buffer = <Any as sqlx::Database>::ArgumentBuffer;

macro_rules! text_column {
    ($($generics:ident)?, $type:ty, $bound:path, |$it:ident| $write:expr, |$text:ident| $read:expr) => {
        impl$(<$generics>)? Type<Any> for $type {
            fn type_info() -> AnyTypeInfo {
                <String as Type<Any>>::type_info()
            }

            fn compatible(info: &AnyTypeInfo) -> bool {
                <String as Type<Any>>::compatible(info)
            }
        }

        impl<'q, $($generics: $bound)?> Encode<'q, Any> for $type {
            fn encode_by_ref(&self, buffer: &mut Buffer) -> Result<IsNull, BoxDynError> {
                let $it = self;
                let text: String = $write;
                Encode::<Any>::encode(text, buffer)
            }
        }

        impl<'r, $($generics: $bound)?> Decode<'r, Any> for $type {
            fn decode(value: AnyValueRef<'r>) -> Result<Self, BoxDynError> {
                let $text = <String as Decode<Any>>::decode(value)?;
                $read
            }
        }
    };
}

/// What JSON can hold.
pub trait JsonValue: Serialize + DeserializeOwned {}
impl<T: Serialize + DeserializeOwned> JsonValue for T {}

text_column!(, Id, JsonValue, |id| id.0.to_string(), |text| Ok(Self(text.parse()?)));
text_column!(
    T,
    Named<T>,
    JsonValue,
    |named| match serde_json::to_value(&named.0)? {
        serde_json::Value::String(name) => name,
        _ => return Err("not a name".into()),
    },
    |text| Ok(Self(serde_json::from_value(serde_json::Value::String(text))?))
);
text_column!(T, Json<T>, JsonValue, |json| serde_json::to_string(&json.0)?, |text| Ok(Self(
    serde_json::from_str(&text)?
)));

/// A number as the database stores it, in the type that it has here.
pub fn number<N: TryFrom<i64>>(value: i64, what: &'static str) -> Result<N, Corrupt> {
    N::try_from(value).map_err(|_| Corrupt(what))
}

/// `(…), (…)` for rows of so many values, whose places come in order.
pub fn rows(conn: &Connection, count: usize, values: usize) -> String {
    // SQLite's driver looks each named place up among all of them.
    let places = |n: usize| {
        if is_sqlite(conn) { vec!["?"; values].join(", ") } else { placeholders(n * values + 1, values) }
    };
    (0..count).map(|n| format!("({})", places(n))).collect::<Vec<_>>().join(", ")
}

/// Where the two databases are asked in ways of their own.
pub fn is_sqlite(conn: &Connection) -> bool {
    conn.backend_name() == "SQLite"
}

/// In pieces of which there are few lengths: the database knows the statement for each already.
pub fn pieces<T>(mut all: &[T]) -> impl Iterator<Item = &[T]> {
    const LONGEST: usize = 64;
    std::iter::from_fn(move || {
        let length = (all.len().min(LONGEST) + 1).next_power_of_two() / 2;
        let (piece, rest) = all.split_at_checked(length)?;
        all = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// `$from, $from+1, …` for a list of values in a query.
pub fn placeholders(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
