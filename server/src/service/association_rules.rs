//! What an association decides for its members: devices, tickets, grants, passwords.

use sentri_wire::{
    account::{GrantApproval, PasswordRule},
    problem::SupportContact,
};

use crate::store::{Json, Named, associations::AssociationRow};

/// The rules that an association sets for itself. What is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AssociationRules {
    /// Devices an account may register. [ACC-4]
    pub device_limit: Option<u32>,
    /// How long before its start an access's ticket can be fetched, in hours.
    pub lead_hours: Option<u32>,
    /// Longest life of a ticket that is not renewed, in hours; at most 72, and 24 on phones without secure hardware.
    pub ticket_hours: Option<u32>,
    /// Longest window of an access, in days.
    pub longest_grant_days: Option<u32>,
    /// What a grant asks of its granter. [ACC-12]
    pub grant_approval: Option<GrantApproval>,
    /// Which passwords its members may have. [ACC-9]
    pub password_rule: Option<PasswordRule>,
    /// Whom its members call.
    pub support: Option<SupportContact>,
}

impl AssociationRules {
    /// Puts them in the place of those so far.
    pub(super) fn apply(&self, row: &mut AssociationRow) {
        let seconds =
            |count: Option<u32>, unit: i64, so_far: i64| count.map_or(so_far, |it| i64::from(it) * unit);
        row.device_limit = seconds(self.device_limit, 1, row.device_limit);
        row.lead_seconds = seconds(self.lead_hours, 3600, row.lead_seconds);
        row.ticket_seconds = seconds(self.ticket_hours, 3600, row.ticket_seconds);
        row.longest_grant_seconds = seconds(self.longest_grant_days, 86_400, row.longest_grant_seconds);
        row.grant_approval = Named(self.grant_approval.unwrap_or(row.grant_approval.0));
        row.password_rule = Named(self.password_rule.unwrap_or(row.password_rule.0));
        if let Some(support) = &self.support {
            row.support = Json(support.clone());
        }
    }
}
