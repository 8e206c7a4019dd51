//! A phone's store with accesses, their credentials and messages in it, made without a backend: for measurements.
#![allow(dead_code, reason = "each example uses its part")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sentri_core::{
    api::ports::SecureStore,
    keys::{AccountIndex, Keys, KnownAccount},
    ports::{SystemRandom, TokioWorkers},
    store::{AlwaysOpen, KnownBox, Store, StoreSettings, SyncMark},
};
use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    clock::LowerBound,
    hours::{AccessHours, Schedule},
    ticket::{CredentialId, Epoch, Rights, SubjectId, Ticket},
    time::Window,
};
use sentri_wire::{
    account::{Account, AccountKind, PasswordRule, Standing},
    credential::{Access, AdvertKey, Credential, Zone},
    sync::{Message, MessageTopic},
};
use uuid::Uuid;

/// Any failure: these programs only tell it.
pub type Trouble = Box<dyn std::error::Error>;

/// Long ago, so that nothing that is told changes from run to run.
const BEGAN: i64 = 1_700_000_000;
/// Far ahead.
const ENDS: i64 = 4_000_000_000;
const ACCOUNT: Uuid = Uuid::from_u128(0xACC0);

/// Stores that many accesses with a credential each, and messages, below `folder`. Answers the database's file.
pub async fn fill(
    folder: &Path,
    key_store: Arc<dyn SecureStore>,
    accesses: u32,
    messages: u32,
) -> Result<PathBuf, Trouble> {
    let keys = Keys::new(key_store, Arc::new(SystemRandom), Arc::new(TokioWorkers));
    let path = folder.join("accounts").join(format!("{ACCOUNT}.db"));
    let key = keys.make_data_key(ACCOUNT, 1).await?;
    let known = KnownAccount {
        id: ACCOUNT,
        kind: AccountKind::Contractor,
        name: "Pat Moreno".into(),
        signed_in: true,
        leaving: false,
    };
    let index = AccountIndex { accounts: vec![known], active: Some(ACCOUNT), ..AccountIndex::default() };
    keys.set_index(&index).await?;

    let settings = StoreSettings {
        path: path.clone(),
        key,
        random: Arc::new(SystemRandom),
        workers: Arc::new(TokioWorkers),
        gate: Arc::new(AlwaysOpen),
    };
    let credentials = (1..=accesses).map(granted).collect::<Result<Vec<_>, _>>()?;
    Store::open(&settings)?.write("fill", |rows| {
        rows.put(&account())?;
        rows.set_meta("sync", &SyncMark { finished_at: Some(BEGAN), ..SyncMark::default() })?;
        for (access, credential) in &credentials {
            rows.put(access)?;
            rows.put(credential)?;
            rows.put(&KnownBox::of(credential))?;
        }
        (1..=messages).try_for_each(|number| rows.put(&message(number)))
    })?;
    Ok(path)
}

fn account() -> Account {
    Account {
        id: ACCOUNT,
        kind: AccountKind::Contractor,
        sentrikey_id: None,
        first_name: "Pat".into(),
        last_name: "Moreno".into(),
        email: "pat@moreno-plumbing.example".into(),
        phone: "(312) 555-0177".into(),
        role: Some("Plumber".into()),
        standing: Standing::default(),
        grant_approval: None,
        password_rule: PasswordRule::default(),
    }
}

/// An access to a lockbox of its own, and the credential for it.
fn granted(number: u32) -> Result<(Access, Credential), Trouble> {
    let time = |at: i64| Time::from_unix(at).ok_or("no time");
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    let keys = KeyTree::new(&Seed::new(seed), Generation::FIRST);
    let ticket = Ticket {
        credential: CredentialId(u64::from(number).to_be_bytes()),
        subject: SubjectId([1; 4]),
        epoch: Epoch(1),
        issued_at: time(BEGAN)?,
        window: Window::new(time(BEGAN)?, time(ENDS)?).ok_or("no window")?,
        schedule: Schedule::ALWAYS,
        rights: Rights::OPEN,
        device_key: None,
    }
    .encode();
    let access = Access {
        id: Uuid::from_u128(number.into()),
        lockbox: format!("B-{:05}", 20_000 + number),
        address: format!("{number} Orchard Lane"),
        locality: "Evanston, IL 60201".into(),
        time_zone: "America/Chicago".into(),
        granted_by: "Dana Reyes".into(),
        starts_at: BEGAN,
        ends_at: ENDS,
        revoked: false,
        on_hold: false,
        battery_percent: None,
        ready_from: BEGAN,
    };
    let week = time(BEGAN)?.week();
    let advert_keys = (week.0..week.0 + 3).map(|number| AdvertKey {
        week: Some(number),
        key: keys.advert_key(sentri_protocol::time::Week(number)).expose().to_vec().into(),
    });
    let credential = Credential {
        id: format!("{number:016x}"),
        access_id: access.id,
        lockbox: access.lockbox.clone(),
        secret: keys.ticket_secret(&ticket).expose().to_vec().into(),
        ticket: ticket.into(),
        lock_public_key: keys.lock_public_key().into(),
        advert_keys: advert_keys.collect(),
        lower_bound: LowerBound::sign(&keys, time(BEGAN)?).encode().into(),
        zone: Zone { offset: -24, next_at: 0, next_offset: 0, after_at: 0, after_offset: 0 },
        access_hours: AccessHours::ALWAYS.encode().into(),
        renew_at: ENDS,
    };
    Ok((access, credential))
}

fn message(number: u32) -> Message {
    Message {
        id: Uuid::from_u128(u128::from(number)),
        at: BEGAN + i64::from(number),
        topic: MessageTopic::AccessGranted,
        title: "SentriConnect Access Granted".into(),
        body: format!("You have access to {number} Orchard Lane, Evanston, from Monday 8 AM to Friday 6 PM."),
        access_id: Some(Uuid::from_u128(u128::from(number))),
        read: false,
    }
}
