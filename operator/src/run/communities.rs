//! Communities, residents, hubs, support users.

use sentri_server::operator::{self, CommunityChange, NewCommunity, NewDoor, Operator};
use sentri_wire::{account::AccountKind, residence};

use serde_json::json;

use super::{
    members::{read, secret_line},
    out::Out,
};
use crate::args::{Community, Door, DoorKind, Hub, OwnersCall, Permission, Resident, Support};

/// Communities.
pub async fn communities(operator: &Operator<'_>, command: Community, out: &Out) -> anyhow::Result<()> {
    match command {
        Community::Add { name, management, time_zone, six_digit_codes, custom_codes } => {
            let new = NewCommunity { name, management, time_zone, six_digit_codes, custom_codes };
            out.print(&operator.add_community(&new).await?)
        }
        Community::List => out.print(&operator.communities().await?),
        Community::Set { name, six_digit_codes, custom_codes } => {
            let change = CommunityChange { management: None, six_digit_codes, custom_codes };
            out.print(&operator.change_community(&name, &change).await?)
        }
        Community::Transfer { name, management } => {
            let change = CommunityChange { management: Some(management), ..CommunityChange::default() };
            out.print(&operator.change_community(&name, &change).await?)
        }
        Community::Suspend { name } => out.print(&operator.suspend_community(&name).await?),
        Community::Reinstate { name } => out.print(&operator.reinstate_community(&name).await?),
    }
}

/// Residents.
pub async fn residents(operator: &Operator<'_>, command: Resident, out: &Out) -> anyhow::Result<()> {
    const KIND: AccountKind = AccountKind::Resident;
    match command {
        Resident::Add { community, unit, person } => {
            out.print(&operator.add_resident(&community, &unit, &read(person)?).await?)
        }
        Resident::List { community } => out.print(&operator.residents(&community).await?),
        Resident::Suspend { email } => out.print(&operator.suspend_person(KIND, &email).await?),
        Resident::Reinstate { email } => out.print(&operator.reinstate_person(KIND, &email).await?),
        Resident::Transfer { email, community, unit } => {
            out.print(&operator.transfer_resident(&email, &community, &unit).await?)
        }
    }
}

/// Doors.
pub async fn doors(operator: &Operator<'_>, command: Door, out: &Out) -> anyhow::Result<()> {
    match command {
        Door::Provision { serial, community, kind, unit, name, hub } => {
            let kind = match kind {
                DoorKind::Unit => residence::DoorKind::Unit,
                DoorKind::AccessPoint => residence::DoorKind::AccessPoint,
                DoorKind::Amenity => residence::DoorKind::Amenity,
            };
            let new = NewDoor { serial, community, kind, unit, name, hub };
            out.print(&operator.provision_door(&new).await?)
        }
        Door::Reach { serial, hub } => out.print(&operator.reach_door(&serial, hub.as_deref()).await?),
        Door::List { community } => out.print(&operator.doors(&community).await?),
    }
}

/// Hubs.
pub async fn hubs(operator: &Operator<'_>, command: Hub, out: &Out) -> anyhow::Result<()> {
    match command {
        Hub::Add { serial, community } => out.print(&operator.add_hub(&serial, &community).await?),
        Hub::List { community } => out.print(&operator.hubs(&community).await?),
        Hub::RenewKey { serial } => out.print(&operator.renew_hub_key(&serial).await?),
        Hub::Retire { serial } => out.print(&operator.retire_hub(&serial).await?),
        Hub::Suspend { serial } => out.print(&operator.suspend_hub(&serial).await?),
        Hub::Reinstate { serial } => out.print(&operator.reinstate_hub(&serial).await?),
        Hub::Transfer { serial, community } => out.print(&operator.transfer_hub(&serial, &community).await?),
    }
}

/// Support users.
pub async fn support(operator: &Operator<'_>, command: Support, out: &Out) -> anyhow::Result<()> {
    const KIND: AccountKind = AccountKind::Support;
    match command {
        Support::Add { permission, person } => {
            out.print(&operator.add_support_user(named(permission), &read(person)?).await?)
        }
        Support::List => out.print(&operator.support_users().await?),
        Support::Suspend { email } => out.print(&operator.suspend_person(KIND, &email).await?),
        Support::Reinstate { email } => out.print(&operator.reinstate_person(KIND, &email).await?),
        Support::Questions { support, owner } => {
            let questions = operator.security_questions(&support, &owner).await?;
            out.print(&json!({ "questions": questions }))
        }
        Support::OneDayCode { call, day } => {
            out.print(&operator.one_day_code_by_phone(&read_call(call)?, &day).await?)
        }
        Support::ContractorCodes(call) => {
            out.print(&operator.contractor_codes_by_phone(&read_call(call)?).await?)
        }
        Support::Set { email, permission } => {
            out.print(&operator.set_permission(&email, named(permission)).await?)
        }
    }
}

fn read_call(call: OwnersCall) -> anyhow::Result<operator::OwnersCall> {
    let OwnersCall { support, owner, lockbox } = call;
    Ok(operator::OwnersCall { support, owner, lockbox, answer: secret_line("answer")? })
}

fn named(permission: Permission) -> operator::Permission {
    match permission {
        Permission::Support => operator::Permission::Support,
        Permission::SysAdmin => operator::Permission::SysAdmin,
    }
}
