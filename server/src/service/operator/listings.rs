//! Importing the listings of an association when an operator says so. [LST-1]

use serde::Serialize;

use super::{Operator, find_agent};
pub use crate::service::reso::{ListingsImported, SkippedListing, Wanted};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    service::reso,
    store::feed_listings,
};

/// Longest member id of the Data Dictionary.
const LONGEST_MEMBER_ID: usize = 255;

/// What an MLS calls an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MlsMember {
    /// Nine digits.
    pub sentrikey_id: String,
    /// `ListAgentMlsId` of the agent's listings.
    pub mls_id: String,
}

impl Operator<'_> {
    /// Reads an association's feed from where it stopped to its end, or until the feed can't be read further: then the
    /// report says when to go on.
    pub async fn import_listings(&self, association: &str, wanted: Wanted) -> Answer<ListingsImported> {
        let source = self.app.sources.of(association).ok_or_else(|| {
            Refusal::not_found()
                .field("association")
                .detail("The configuration has no listings_feed of this association.")
        })?;
        // A name of its own: a server under the instance's name may be at it.
        let holder = format!("command {}", self.app.new_id());
        reso::import(self.app, source, &holder, wanted).await
    }

    /// Notes what the MLS calls an agent, where that is not the SentriKey ID.
    pub async fn set_mls_id(&self, sentrikey_id: &str, mls_id: &str) -> Answer<MlsMember> {
        let mls_id = rules::text(mls_id, LONGEST_MEMBER_ID, "mls_id")?;
        let mut tx = self.app.store.write().await?;
        let agent = find_agent(tx.conn(), sentrikey_id).await?;
        let association = agent.association_id.ok_or_else(Refusal::not_found)?;
        if !feed_listings::name_member(tx.conn(), association, &mls_id, agent.id).await? {
            return Err(
                Refusal::conflict("The association has another agent of this member id.").field("mls_id")
            );
        }
        tx.commit().await?;
        Ok(MlsMember { sentrikey_id: agent.sentrikey_id.unwrap_or_default(), mls_id })
    }
}
