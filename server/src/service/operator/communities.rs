//! Communities. [OPS-1, RES-0]

use sentri_wire::residence::Door;
use serde::{Deserialize, Serialize};

use super::Operator;
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::{
        Connection,
        communities::{self, CommunityRow},
        doors,
    },
};

/// A new community.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCommunity {
    /// Its name, unique.
    pub name: String,
    /// The company that manages it.
    pub management: String,
    /// IANA zone of its buildings.
    pub time_zone: String,
    /// Whether codes have six digits.
    #[serde(default)]
    pub six_digit_codes: bool,
    /// Whether residents may pick their codes.
    #[serde(default)]
    pub custom_codes: bool,
}

/// What is to be changed about a community; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct CommunityChange {
    /// The company that manages it from now on.
    pub management: Option<String>,
    /// Whether codes have six digits.
    pub six_digit_codes: Option<bool>,
    /// Whether residents may pick their codes.
    pub custom_codes: Option<bool>,
}

/// A community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Community {
    /// Its name.
    pub name: String,
    /// The company that manages it.
    pub management: String,
    /// IANA zone.
    pub time_zone: String,
    /// Whether codes have six digits.
    pub six_digit_codes: bool,
    /// Whether residents may pick their codes.
    pub custom_codes: bool,
    /// In good standing.
    pub active: bool,
}

impl Operator<'_> {
    /// Makes a community.
    pub async fn add_community(&self, new: &NewCommunity) -> Answer<Community> {
        let row = CommunityRow {
            id: self.app.new_id(),
            name: rules::text(&new.name, 100, "name")?,
            management: rules::text(&new.management, 100, "management")?,
            time_zone: rules::time_zone(&new.time_zone, "time_zone")?.name().to_owned(),
            six_digit_codes: new.six_digit_codes.into(),
            custom_codes: new.custom_codes.into(),
            suspended_at: None,
            created_at: self.app.now(),
        };
        let mut tx = self.app.store.write().await?;
        if communities::by_name(tx.conn(), &row.name).await?.is_some() {
            return Err(Refusal::conflict("There is a community of this name.").field("name"));
        }
        communities::insert(tx.conn(), &row).await?;
        tx.commit().await?;
        Ok(community_of(&row))
    }

    /// All communities.
    pub async fn communities(&self) -> Answer<Vec<Community>> {
        let mut conn = self.app.store.read().await?;
        Ok(communities::all(&mut conn).await?.iter().map(community_of).collect())
    }

    /// Transfers a community to another management, or changes what its residents may.
    pub async fn change_community(&self, name: &str, change: &CommunityChange) -> Answer<Community> {
        let mut tx = self.app.store.write().await?;
        let mut row = find_community(tx.conn(), name).await?;
        if let Some(management) = &change.management {
            row.management = rules::text(management, 100, "management")?;
        }
        row.six_digit_codes = change.six_digit_codes.map_or(row.six_digit_codes, i64::from);
        row.custom_codes = change.custom_codes.map_or(row.custom_codes, i64::from);
        communities::change(tx.conn(), &row).await?;
        for door in doors::of_community(tx.conn(), row.id).await? {
            for account in doors::passers(tx.conn(), &door).await? {
                tx.touch::<Door>(account, &door.serial);
            }
        }
        tx.commit().await?;
        Ok(community_of(&row))
    }
}

fn community_of(row: &CommunityRow) -> Community {
    Community {
        name: row.name.clone(),
        management: row.management.clone(),
        time_zone: row.time_zone.clone(),
        six_digit_codes: row.six_digit_codes != 0,
        custom_codes: row.custom_codes != 0,
        active: row.suspended_at.is_none(),
    }
}

/// The community of this name.
pub(super) async fn find_community(conn: &mut Connection, name: &str) -> Answer<CommunityRow> {
    communities::by_name(conn, name.trim())
        .await?
        .ok_or_else(|| Refusal::not_found().field("community").detail("There is no community of this name."))
}
