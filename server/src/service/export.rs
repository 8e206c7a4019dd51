//! A person's own data, for them to read and take along.

use sentri_wire::{export::PersonalData, residence::DoorCode};

use super::{App, Caller, fault, login, residence};
use crate::{
    refusal::Answer,
    store::{
        Connection, Id, access_log, accesses,
        accounts::{self, AccountRow},
        doors, export, feed_listings,
        grants::{self, GrantRow},
        messages::{self, MessageRow},
    },
};

/// The caller's.
pub async fn own(app: &App, caller: &Caller) -> Answer<PersonalData> {
    let mut conn = app.store.read().await?;
    of(app, &mut conn, caller.account).await
}

/// An account's.
pub async fn of(app: &App, conn: &mut Connection, account: Id) -> Answer<PersonalData> {
    let row: AccountRow =
        accounts::by_id(conn, account).await?.ok_or_else(|| fault("an account that vanished"))?;
    let given = grants::given_by(conn, account).await?;
    let received = accesses::held_by(conn, account).await?;
    let messages = messages::of_account(conn, account).await?;
    Ok(PersonalData {
        exported_at: app.now(),
        account: login::profile_of(app, conn, account).await?,
        mls_id: feed_listings::member_id(conn, account).await?,
        created_at: row.created_at,
        devices: export::devices(conn, account).await?,
        grants_given: given.iter().map(GrantRow::to_wire).collect(),
        grants_received: received,
        events: access_log::of_account(conn, account).await?,
        messages: messages.iter().map(MessageRow::to_wire).collect(),
        door_codes: door_codes(app, conn, account).await?,
    })
}

/// Their digits are for the app alone: an operator may be who asks for this.
async fn door_codes(app: &App, conn: &mut Connection, account: Id) -> Answer<Vec<DoorCode>> {
    let mut found = Vec::new();
    for door in doors::with_codes_of(conn, account).await? {
        let codes = residence::codes::at(app, conn, account, &door).await?;
        found.extend(codes.into_iter().map(|code| DoorCode { working: None, next: None, ..code }));
    }
    Ok(found)
}
