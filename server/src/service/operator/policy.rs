//! What a brokerage forbids at the lockboxes of its agents. [COD-6]

use super::{Brokerage, Operator, brokerage_of, find_association, find_brokerage};
use crate::{refusal::Answer, service::forbidden, store::brokerages};

/// Which codes a brokerage allows. What is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodePolicy {
    /// One day codes.
    pub one_day_codes: Option<bool>,
    /// Contractor codes.
    pub contractor_codes: Option<bool>,
}

impl Operator<'_> {
    /// Sets which codes a brokerage allows. Its agents' apps say so at once; a lockbox takes them until it hears of it.
    pub async fn set_code_policy(
        &self,
        association: &str,
        brokerage: &str,
        policy: CodePolicy,
    ) -> Answer<Brokerage> {
        let mut tx = self.app.store.write().await?;
        let association = find_association(tx.conn(), association).await?;
        let mut row = find_brokerage(tx.conn(), &association, brokerage).await?;
        let forbids =
            |allowed: Option<bool>, so_far: i64| allowed.map_or(so_far, |allowed| i64::from(!allowed));
        row.forbids_one_day = forbids(policy.one_day_codes, row.forbids_one_day);
        row.forbids_contractor = forbids(policy.contractor_codes, row.forbids_contractor);
        brokerages::forbid(tx.conn(), &row).await?;
        for agent in brokerages::agents(tx.conn(), row.id).await? {
            forbidden::follow_brokerage(self.app, &mut tx, agent.id).await?;
        }
        tx.commit().await?;
        Ok(brokerage_of(row, &association.name))
    }
}
