//! Whether an account may be used: suspended, unpaid, locked, and in good standing again. [ACC-7]

use sentri_wire::account::{Account, Standing};

use super::{App, devices, grants};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        self, Writing,
        accounts::{self, AccountRow, Status},
        credentials,
    },
};

/// Sets it. Out of good standing, what the account's phones hold is taken back, on the phones by sync and at the locks
/// by their lists, and what they have granted rests; in good standing again, tickets are due anew.
pub async fn set(app: &App, tx: &mut Writing, account: &AccountRow, standing: Standing) -> Answer<()> {
    let status = match standing {
        Standing::Active => Status::Active,
        Standing::Suspended => Status::Suspended,
        Standing::Lapsed => Status::Lapsed,
        Standing::Locked => Status::Locked,
        Standing::Unknown => return Err(Refusal::invalid("standing", "There is no such state.")),
    };
    if account.status.0 == Status::Deleted {
        return Err(Refusal::not_found().detail("This account was deleted."));
    }
    // Lockboxes before accounts: whoever writes to both does it in this order.
    match (account.status.0 == Status::Active, status == Status::Active) {
        (true, false) => grants::hold(app, tx, account.id).await?,
        (false, true) => grants::resume(app, tx, account).await?,
        _ => {}
    }
    for device in store::devices::of_account(tx.conn(), account.id).await? {
        if status == Status::Active {
            credentials::set_all_due(tx.conn(), device, account.id, app.now()).await?;
        } else {
            devices::take_back(app, tx, account.id, device).await?;
        }
    }
    accounts::set_status(tx.conn(), account.id, status).await?;
    tx.touch::<Account>(account.id, account.id);
    Ok(())
}
