//! Time tokens and audit records.

use sentri_protocol::{
    KeyTree, Time,
    audit::{Acknowledgement, Batch, CHAIN_START, ChainTag, Entry, Kind, Record},
    clock::FreshTime,
};
use sentri_wire::{Binary, credential::TimeResponse, event::AuditReceipt};
use serde_json::json;

use crate::world::{BLE, NOW, Phone, World};

/// Section 8 of `docs/protocol.md`: bound to the session that asked.
#[tokio::test]
async fn a_fresh_time_token_is_bound_to_its_session() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let hash = [9; 32];
    let body = json!({ "handshake_hash": Binary::from(hash) });
    let path = format!("/v1/locks/{BLE}/time");
    let answer: TimeResponse = world.post(&ready.bo, &path, &body).await.ok();
    let token = FreshTime::decode(answer.token.as_ref()).unwrap();
    let keys = world.keys(BLE);
    assert!(token.verify(&keys, &hash));
    assert!(!token.verify(&keys, &[8; 32]));
    assert_eq!((token.time, token.repair), (Time::from_unix(NOW).unwrap(), false));
    let short = json!({ "handshake_hash": Binary::from([9; 31]) });
    world.post(&ready.bo, &path, &short).await.refused("invalid", Some("handshake_hash"));
}

/// A lock's log: its records and the tags between them.
pub struct Log {
    keys: KeyTree,
    records: Vec<Record>,
}

impl Log {
    pub fn of(keys: KeyTree, count: u32) -> Self {
        let entry = |number: u32| Entry {
            time: Time::from_unix(NOW + i64::from(number)).unwrap(),
            kind: Kind::Boot,
            clock_lost: false,
            result: 0,
            who: [1; 8],
            operation: [2; 4],
            skew: 0,
        };
        Self::with(keys, &(1..=count).map(entry).collect::<Vec<_>>())
    }

    pub fn with(keys: KeyTree, entries: &[Entry]) -> Self {
        let mut records: Vec<Record> = Vec::new();
        for (number, entry) in (1..).zip(entries) {
            let previous = records.last().map_or(CHAIN_START, Record::tag);
            records.push(Record::seal(&keys, number, &previous, entry));
        }
        Self { keys, records }
    }

    /// All of it, as one batch.
    pub fn all(&self) -> Vec<u8> {
        self.batch(1, u32::try_from(self.records.len()).unwrap(), 0)
    }

    fn tag(&self, number: u32) -> ChainTag {
        if number == 0 { CHAIN_START } else { self.records[number as usize - 1].tag() }
    }

    pub fn batch(&self, first: u32, last: u32, overwritten: u32) -> Vec<u8> {
        let records = self.records[first as usize - 1..last as usize].to_vec();
        Batch { first, lost: overwritten, previous: self.tag(first - 1), records }.sign(&self.keys)
    }
}

pub async fn acknowledged(world: &World, phone: &Phone, log: &Log, batch: Vec<u8>) -> u32 {
    let body = json!({ "batch": Binary::from(batch) });
    let receipt: AuditReceipt = world.post(phone, &format!("/v1/locks/{BLE}/audit"), &body).await.ok();
    let receipt = Acknowledgement::decode(receipt.acknowledgement.as_ref()).unwrap();
    assert!(receipt.verify(&log.keys));
    assert_eq!(receipt.tag, log.tag(receipt.up_to));
    receipt.up_to
}

/// Section 10: acknowledged up to where nothing is missing, so that a phone that withholds records can't
/// have them freed.
#[tokio::test]
async fn audit_records_are_acknowledged_without_a_gap() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let log = Log::of(world.keys(BLE), 40);
    assert_eq!(acknowledged(&world, &ready.bo, &log, log.batch(1, 10, 0)).await, 10);
    // Again, and an overlap.
    assert_eq!(acknowledged(&world, &ready.bo, &log, log.batch(1, 10, 0)).await, 10);
    assert_eq!(acknowledged(&world, &ready.bo, &log, log.batch(5, 12, 0)).await, 12);
    // 13 to 19 were withheld.
    assert_eq!(acknowledged(&world, &ready.bo, &log, log.batch(20, 24, 0)).await, 12);
    // The lock itself says that it overwrote them.
    assert_eq!(acknowledged(&world, &ready.bo, &log, log.batch(20, 30, 7)).await, 30);
    assert_eq!(acknowledged(&world, &ready.bo, &log, log.batch(31, 40, 7)).await, 40);
}

#[tokio::test]
async fn forged_audit_records_are_refused() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let log = Log::of(world.keys(BLE), 3);
    let good = log.batch(1, 3, 0);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let body = json!({ "batch": Binary::from(bad) });
        let reply = world.post(&ready.bo, &format!("/v1/locks/{BLE}/audit"), &body).await;
        reply.refused("invalid", Some("batch"));
    }
}
