//! Whatever carries a MAC: checked, told field by field, and made again from what was told.

use sentri_protocol::{
    KeyTree,
    audit::{Acknowledgement, Batch, CHAIN_START, Entry, Record},
    card::SentriKeyId,
    clock::{FreshTime, LowerBound},
    revocation::{RevocationList, Revoked},
    settings::Settings,
    status::Status,
};
use serde_json::{Value, json};

use crate::{
    Failure,
    command::{Signed, StatusFields},
};

/// Refuses what is not authentic; otherwise `fields` as read and `bytes` as made again.
pub fn resign(
    keys: &KeyTree,
    handshake_hash: Option<&[u8; 32]>,
    what: Signed,
    bytes: &[u8],
) -> Result<Value, Failure> {
    let (fields, again) = match what {
        Signed::LowerBound => lower_bound(keys, bytes)?,
        Signed::Fresh => fresh(keys, handshake_hash.ok_or(Failure("no session".into()))?, bytes)?,
        Signed::Revocations => revocations(keys, bytes)?,
        Signed::Settings => settings(keys, bytes)?,
        Signed::Status => {
            let status = Status::verify(keys, bytes).ok_or_else(not_authentic)?;
            (json!(StatusFields::from(&status)), status.sign(keys).to_vec())
        }
        Signed::Batch => batch(keys, bytes)?,
        Signed::Acknowledgement => acknowledgement(keys, bytes)?,
    };
    Ok(json!({ "fields": fields, "bytes": hex::encode(again) }))
}

fn not_authentic() -> Failure {
    Failure("not authentic".into())
}

fn lower_bound(keys: &KeyTree, bytes: &[u8]) -> Result<(Value, Vec<u8>), Failure> {
    let token = LowerBound::decode(bytes)?;
    if !token.verify(keys) {
        return Err(not_authentic());
    }
    Ok((json!({ "time": token.time.0 }), LowerBound::sign(keys, token.time).encode().to_vec()))
}

fn fresh(keys: &KeyTree, handshake_hash: &[u8; 32], bytes: &[u8]) -> Result<(Value, Vec<u8>), Failure> {
    let token = FreshTime::decode(bytes)?;
    if !token.verify(keys, handshake_hash) {
        return Err(not_authentic());
    }
    let again = FreshTime::sign(keys, handshake_hash, token.time, token.repair);
    Ok((json!({ "time": token.time.0, "repair": token.repair }), again.encode().to_vec()))
}

fn revocations(keys: &KeyTree, bytes: &[u8]) -> Result<(Value, Vec<u8>), Failure> {
    let list = RevocationList::open(keys, bytes).ok_or_else(not_authentic)?;
    let entry = |entry: &sentri_protocol::revocation::Entry| {
        let (kind, id) = match entry.what {
            Revoked::Credential(id) => (0, hex::encode(id.0)),
            Revoked::Worker(id) => (1, hex::encode(id)),
            Revoked::Card(id) => (2, hex::encode(id)),
        };
        json!({ "kind": kind, "id": id, "until": entry.until.0 })
    };
    let fields = json!({
        "version": list.version,
        "epoch_floor": list.epoch_floor.0,
        "entries": list.entries().iter().map(entry).collect::<Vec<_>>(),
    });
    let again = RevocationList::new(list.version, list.epoch_floor, list.entries().to_vec())?;
    Ok((fields, again.sign(keys)))
}

fn settings(keys: &KeyTree, bytes: &[u8]) -> Result<(Value, Vec<u8>), Failure> {
    let settings = Settings::open(keys, bytes).ok_or_else(not_authentic)?;
    let switches = settings.switches;
    let days: Vec<_> = settings
        .access_hours
        .0
        .iter()
        .map(|span| span.map_or([0, 0], |span| [span.from(), span.to()]))
        .collect();
    let fields = json!({
        "version": settings.version,
        "generation": settings.generation.0,
        "zone": hex::encode(settings.zone.encode()),
        "hours": days,
        "contractor_mode": switches.contractor_mode,
        "returns": switches.returns,
        "smart_pins": switches.smart_pins,
        "one_day_ends_with_day": switches.one_day_ends_with_day,
        "forbids_one_day": switches.forbids_one_day,
        "forbids_contractor": switches.forbids_contractor,
        "contractor_generations": settings.contractor_generations,
        "smart_pin_rules": hex::encode(settings.smart_pin_rules.encode()),
        "owner": settings.owner.map_or(0, SentriKeyId::number),
    });
    Ok((fields, settings.sign(keys)))
}

/// Records are opened and sealed again one by one, so that the chain is made anew as well.
fn batch(keys: &KeyTree, bytes: &[u8]) -> Result<(Value, Vec<u8>), Failure> {
    let (batch, entries) = Batch::open(keys, bytes)?;
    let mut previous = batch.previous;
    let records = (batch.first..)
        .zip(&entries)
        .map(|(number, entry)| {
            let record = Record::seal(keys, number, &previous, entry);
            previous = record.tag();
            record
        })
        .collect();
    let again = Batch { records, ..batch };
    let fields = json!({
        "first": again.first,
        "lost": again.lost,
        "previous": hex::encode(again.previous),
        "last": again.last().map_or(hex::encode(CHAIN_START), |(_, tag)| hex::encode(tag)),
        "events": entries.iter().map(event).collect::<Vec<_>>(),
    });
    Ok((fields, again.sign(keys)))
}

fn event(entry: &Entry) -> Value {
    json!({
        "time": entry.time.0,
        "kind": entry.kind as u8,
        "clock_lost": entry.clock_lost,
        "result": entry.result,
        "who": hex::encode(entry.who),
        "operation": hex::encode(entry.operation),
        "skew": entry.skew,
    })
}

fn acknowledgement(keys: &KeyTree, bytes: &[u8]) -> Result<(Value, Vec<u8>), Failure> {
    let said = Acknowledgement::decode(bytes)?;
    if !said.verify(keys) {
        return Err(not_authentic());
    }
    let again = Acknowledgement::sign(keys, said.up_to, said.tag);
    Ok((json!({ "up_to": said.up_to, "tag": hex::encode(said.tag) }), again.encode().to_vec()))
}
