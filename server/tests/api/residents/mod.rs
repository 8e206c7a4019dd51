//! Residents at their doors: codes viewed, generated, picked, for guests; Pending until the lock's log says otherwise.

mod codes;
mod delivered;
mod hubs;
mod restored;

use std::collections::BTreeMap;

use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    audit::{Batch, CHAIN_START, Entry, Kind, Record as AuditRecord},
    codes::delivery::{Delivery, Order},
};
use sentri_server::operator::{CommunityChange, NewDoor, ProvisionedDoor};
use sentri_wire::{
    Binary, Secret,
    codes::CodeDelivery,
    event::AuditReceipt,
    residence::{DoorCode, DoorCodes, DoorKind},
};
use serde_json::{Value, json};

use crate::world::{NOW, Phone, Reply, World, community, person, records};

const RAE: &str = "rae@home.example";
const MAX: &str = "max@home.example";
const UNIT: &str = "DOOR-001";
const NEXT_DOOR: &str = "DOOR-002";
const POOL: &str = "POOL-001";
const APP: (&str, &str) = ("sentri-client", "connect/2.8.0");

/// A community of two units and a pool, with Rae in the one and Max in the other.
struct Maple {
    world: World,
    doors: BTreeMap<&'static str, ProvisionedDoor>,
    rae: Phone,
    max: Phone,
}

impl Maple {
    async fn new() -> Self {
        let world = World::new().await;
        let operator = world.server.operator();
        operator.add_community(&community("Maple Court")).await.unwrap();
        operator.add_hub("HUB-001", "Maple Court").await.unwrap();
        let mut doors = BTreeMap::new();
        for (serial, kind, unit) in [
            (UNIT, DoorKind::Unit, Some("1")),
            (NEXT_DOOR, DoorKind::Unit, Some("2")),
            (POOL, DoorKind::Amenity, None),
        ] {
            doors.insert(serial, operator.provision_door(&door(serial, kind, unit, None)).await.unwrap());
        }
        for (email, unit, phone) in [(RAE, "1", "503-555-0171"), (MAX, "2", "503-555-0172")] {
            operator.add_resident("Maple Court", unit, &person(email, phone)).await.unwrap();
        }
        let (rae, max) = (world.contractor(RAE).await, world.contractor(MAX).await);
        Self { world, doors, rae, max }
    }

    async fn change(&self, change: CommunityChange) {
        self.world.server.operator().change_community("Maple Court", &change).await.unwrap();
    }

    async fn codes(&self, phone: &Phone, serial: &str) -> Vec<DoorCode> {
        let path = format!("/v1/doors/{serial}/codes");
        self.world.get(phone, &path).await.ok::<DoorCodes>().codes
    }

    async fn generate(&self, phone: &Phone, serial: &str) -> DoorCode {
        let path = format!("/v1/doors/{serial}/codes/generate");
        self.world.post(phone, &path, &json!({})).await.ok()
    }

    async fn pick(&self, phone: &Phone, serial: &str, code: &str) -> Reply {
        let path = format!("/v1/doors/{serial}/codes/pick");
        let body = json!({ "code": code }).to_string().into_bytes();
        self.world.send("POST", &path, Some(&phone.access), &[APP], Some(body)).await
    }

    async fn guest(&self, phone: &Phone, validity: Value) -> Reply {
        let path = format!("/v1/doors/{UNIT}/codes/guests");
        self.world.post(phone, &path, &json!({ "guest": "Kim", "validity": validity })).await
    }

    /// What a phone is given to carry to a lock.
    async fn parcel(&self, phone: &Phone, serial: &str) -> Option<CodeDelivery> {
        let (changes, _) = self.world.sync(phone, None).await;
        records::<CodeDelivery>(&changes).into_iter().find(|it| it.lock == serial)
    }

    fn lock(&self, serial: &str) -> Lock {
        Lock::of(&self.doors[serial])
    }

    /// A phone brings the lock what it carries, and then its log to the backend.
    async fn deliver(&self, phone: &Phone, serial: &str, lock: &mut Lock, not_done: u16) {
        for delivery in self.parcel(phone, serial).await.expect("something to carry").deliveries {
            lock.take(delivery.as_ref(), not_done);
        }
        self.upload(phone, serial, lock).await;
    }

    async fn upload(&self, phone: &Phone, serial: &str, lock: &Lock) {
        let body = json!({ "batch": Binary::from(lock.batch()) });
        let path = format!("/v1/locks/{serial}/audit");
        self.world.post(phone, &path, &body).await.ok::<AuditReceipt>();
    }
}

pub fn door(serial: &str, kind: DoorKind, unit: Option<&str>, hub: Option<&str>) -> NewDoor {
    NewDoor {
        serial: serial.into(),
        community: "Maple Court".into(),
        kind,
        unit: unit.map(str::to_owned),
        name: format!("Door {serial}"),
        hub: hub.map(str::to_owned),
    }
}

/// A lock as the documents say: it takes what follows on its version, and writes that down.
struct Lock {
    keys: KeyTree,
    version: u32,
    table: BTreeMap<u8, String>,
    log: Vec<AuditRecord>,
}

impl Lock {
    fn of(door: &ProvisionedDoor) -> Self {
        let seed = Seed::new(door.seed.array().unwrap());
        Self { keys: KeyTree::new(&seed, Generation::FIRST), version: 0, table: BTreeMap::new(), log: vec![] }
    }

    fn take(&mut self, sealed: &[u8], not_done: u16) -> bool {
        let delivery = Delivery::open(&self.keys, sealed).expect("what this lock can open");
        if delivery.from > self.version || delivery.version <= self.version {
            return false;
        }
        for (n, order) in delivery.orders().iter().enumerate() {
            match order {
                _ if not_done >> n & 1 == 1 => {}
                Order::TakeOut(place) => drop(self.table.remove(place)),
                Order::Put { place, code, .. } => drop(self.table.insert(*place, code.as_str().to_owned())),
                other => panic!("{other:?}"),
            }
        }
        self.version = delivery.version;
        let mut who = [0; 8];
        who[..4].copy_from_slice(&self.version.to_be_bytes());
        who[4..6].copy_from_slice(&not_done.to_be_bytes());
        let number = u32::try_from(self.log.len()).unwrap() + 1;
        let time = Time::from_unix(NOW).unwrap();
        let (kind, operation) = (Kind::Codes, [0; 4]);
        let entry = Entry { time, kind, clock_lost: false, result: 0, who, operation, skew: 0 };
        let previous = self.log.last().map_or(CHAIN_START, AuditRecord::tag);
        self.log.push(AuditRecord::seal(&self.keys, number, &previous, &entry));
        true
    }

    fn batch(&self) -> Vec<u8> {
        let records = self.log.clone();
        Batch { first: 1, lost: 0, previous: CHAIN_START, records }.sign(&self.keys)
    }

    fn holds(&self, code: Option<&Secret>) -> bool {
        code.is_some_and(|code| self.table.values().any(|held| held == code.expose()))
    }
}
