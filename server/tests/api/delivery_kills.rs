//! The server is killed at every step of assign and of deliver, before and after each commit: settings of a lockbox, the
//! block of a SmartPIN and the code of a door, from the call that makes them to the lock's own word that it has them.
//! Nothing that was acknowledged is lost, and nothing happens twice. [LST-3, LST-4, LST-6, PIN-7, RES-5]
//!
//! `SENTRI_KILLS=1000` kills it more often.

use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    audit::{Batch, CHAIN_START, Entry, Kind, Record as AuditRecord},
    codes::delivery::{Delivery, Order},
    settings::Settings,
};
use sentri_wire::{
    Binary, Secret,
    agent::Lockbox,
    codes::{Blocked, CodeDelivery, IssuedCode},
    credential::LockSettings,
    event::AuditReceipt,
    residence::{CodeState, DoorCode, DoorCodes, DoorKind},
    settings::LockboxSettings,
    sync::{Change, SyncPage},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    box_settings::of,
    codes::of_box,
    log_and_records::visit,
    mortal::{Mortal, kills, play_in},
    residents::door,
    world::{BLE, HOUR, NON_BLE, NOW, World, assignment, community, person, records},
};

/// In `cargo test`; `cargo xtask test faults` asks for more.
const LEAST_KILLS: u64 = 60;
/// Step by step: before and after each commit of a life, from hanging a box up to taking it down.
const LEAST_STEPS: u64 = 18;
const EMAIL: &str = "rae@home.example";
const DOOR: &str = "DOOR-001";

/// A lock as the documents say: it takes what follows on what it has, and writes that down.
struct Lock {
    serial: &'static str,
    keys: KeyTree,
    settings: u32,
    codes: u32,
    who: [u8; 8],
    log: Vec<AuditRecord>,
}

impl Lock {
    fn new(serial: &'static str, keys: KeyTree, who: [u8; 8]) -> Self {
        Self { serial, keys, settings: 1, codes: 0, who, log: Vec::new() }
    }

    /// Settings that a phone brings: the next ones, and nothing in between.
    fn takes_settings(&mut self, sealed: &[u8]) -> Settings {
        let settings = Settings::open(&self.keys, sealed).expect("this lock's own");
        assert_eq!(settings.version, self.settings + 1, "set once");
        self.settings = settings.version;
        self.writes(Kind::Settings, self.who, settings.version.to_be_bytes());
        settings
    }

    /// Codes that a phone brings, whose orders nobody gave twice.
    fn takes_codes(&mut self, sealed: &[u8]) -> Vec<Order> {
        let delivery = Delivery::open(&self.keys, sealed).expect("this lock's own");
        assert_eq!((delivery.from, delivery.version), (self.codes, self.codes + 1), "ordered once");
        self.codes = delivery.version;
        let mut who = [0; 8];
        who[..4].copy_from_slice(&self.codes.to_be_bytes());
        self.writes(Kind::Codes, who, [0; 4]);
        delivery.orders().to_vec()
    }

    fn writes(&mut self, kind: Kind, who: [u8; 8], operation: [u8; 4]) {
        let time = Time::from_unix(NOW + 60).unwrap();
        let entry = Entry { time, kind, clock_lost: false, result: 0, who, operation, skew: 0 };
        let previous = self.log.last().map_or(CHAIN_START, AuditRecord::tag);
        let number = u32::try_from(self.log.len()).unwrap() + 1;
        self.log.push(AuditRecord::seal(&self.keys, number, &previous, &entry));
    }

    /// The last records, up to so many.
    fn tells(&self, most: usize) -> Binary {
        let first = self.log.len().saturating_sub(most);
        let previous = first.checked_sub(1).map_or(CHAIN_START, |before| self.log[before].tag());
        let (records, first) = (self.log[first..].to_vec(), u32::try_from(first).unwrap() + 1);
        Batch { first, lost: 0, previous, records }.sign(&self.keys).into()
    }
}

/// An agent's lockbox and a resident's door, each with a phone that comes by.
struct Street {
    dana: String,
    bo: String,
    rae: String,
    assigned: Value,
    lockbox: Lock,
    door: Lock,
}

impl Street {
    async fn build() -> (World, Self) {
        let (world, ready, who) = visit().await;
        let on = json!({ "smart_pins": true });
        world.post(&ready.dana, &of_box("keypad"), &on).await.ok::<Value>();
        let operator = world.server.operator();
        operator.add_community(&community("Maple Court")).await.unwrap();
        let made = operator.provision_door(&door(DOOR, DoorKind::Unit, Some("1"), None)).await.unwrap();
        operator.add_resident("Maple Court", "1", &person(EMAIL, "503-555-0171")).await.unwrap();
        let keys = KeyTree::new(&Seed::new(made.seed.array().unwrap()), Generation::FIRST);
        let street = Self {
            rae: world.contractor(EMAIL).await.access,
            assigned: assignment(&world.listing(&ready.dana).await),
            lockbox: Lock::new(BLE, world.keys(BLE), who),
            door: Lock::new(DOOR, keys, [0; 8]),
            dana: ready.dana.access,
            bo: ready.bo.access,
        };
        (world, street)
    }
}

/// One round through the street.
struct Life<'a> {
    mortal: &'a mut Mortal,
    street: &'a mut Street,
    number: u64,
}

impl Life<'_> {
    async fn live(&mut self) {
        let place = format!("/v1/lockboxes/{NON_BLE}");
        let assigned = self.street.assigned.clone();
        let hung: Lockbox = self.dana_once(&format!("{place}/assign"), &assigned).await;
        assert!(hung.listing_id.is_some());
        self.settings_reach_the_box().await;
        self.a_block_reaches_the_box().await;
        self.a_code_reaches_the_door().await;
        let free: Lockbox = self.dana_once(&format!("{place}/unassign"), &json!({})).await;
        assert_eq!(free.listing_id, None);
    }

    /// LST-4, LST-6
    async fn settings_reach_the_box(&mut self) {
        let from = 15 * (self.number % 40);
        let hours = json!([{ "weekday": "monday", "from": from, "to": 1440 }]);
        let custom = json!({ "custom": { "access_hours": hours, "contractor_mode": false } });
        let page: LockboxSettings = self.dana_once(&of(BLE), &custom).await;
        assert!(page.pending);
        let bo = self.street.bo.clone();
        let carried: Vec<LockSettings> = self.carries(&bo).await;
        self.street.lockbox.takes_settings(carried[0].settings.as_ref());
        self.lockbox_tells().await;
        let dana = self.street.dana.clone();
        let page: LockboxSettings = self.get(&dana, &of(BLE)).await;
        assert!(!page.pending && page.working == page.set);
        assert_eq!(u64::from(page.set.access_hours[0].from), from);
        assert!(self.carries::<LockSettings>(&bo).await.is_empty(), "nothing is left to carry");
    }

    /// PIN-7
    async fn a_block_reaches_the_box(&mut self) {
        let starts_at = NOW + HOUR * i64::try_from(self.number % 300).unwrap();
        let hours = 1 + i64::try_from(self.number / 300).unwrap();
        let gus = json!({ "guest": "Gus", "starts_at": starts_at, "ends_at": starts_at + hours * HOUR });
        let pin: IssuedCode = self.dana_once(&of_box("smart-pins"), &gus).await;
        let block = format!("/v1/codes/{}/block", pin.id);
        let dana = self.street.dana.clone();
        let blocked: IssuedCode = self.mortal.call("POST", &block, Some(&dana), &Value::Null).await.0.ok();
        assert_eq!((blocked.blocked, blocked.code), (Blocked::Pending, pin.code));
        let bo = self.street.bo.clone();
        let carried: Vec<CodeDelivery> = self.carries(&bo).await;
        let orders = self.street.lockbox.takes_codes(carried[0].deliveries[0].as_ref());
        assert!(matches!(orders[..], [Order::Block(_)]), "one order");
        self.lockbox_tells().await;
        let known: IssuedCode = self.mortal.call("POST", &block, Some(&dana), &Value::Null).await.0.ok();
        assert_eq!(known.blocked, Blocked::AtLock);
        assert!(self.carries::<CodeDelivery>(&bo).await.is_empty(), "nothing is left to carry");
    }

    /// RES-5
    async fn a_code_reaches_the_door(&mut self) {
        let (rae, path) = (self.street.rae.clone(), format!("/v1/doors/{DOOR}/codes"));
        let before = self.get::<DoorCodes>(&rae, &path).await.codes;
        let made: DoorCode = self.once(&rae, &format!("{path}/generate"), &json!({})).await;
        assert_eq!(made.state, CodeState::Pending);
        assert_eq!(made.working, before.first().and_then(|it| it.working.clone()), "the old one works");
        let carried: Vec<CodeDelivery> = self.carries(&rae).await;
        let orders = self.street.door.takes_codes(carried[0].deliveries[0].as_ref());
        let [Order::Put { code, .. }] = &orders[..] else { panic!("one order: {}", orders.len()) };
        assert_eq!(Some(code.as_str()), made.next.as_ref().map(Secret::expose));
        // What it wrote before comes once more, too.
        for most in [1, 3] {
            let told = self.street.door.tells(most);
            self.told(&rae, DOOR, told).await;
        }
        let codes = self.get::<DoorCodes>(&rae, &path).await.codes;
        assert_eq!((codes.len(), codes[0].state, &codes[0].working), (1, CodeState::Works, &made.next));
        assert!(self.carries::<CodeDelivery>(&rae).await.is_empty(), "nothing is left to carry");
    }

    /// Bo's phone brings the box's own word.
    async fn lockbox_tells(&mut self) {
        let (told, bo, serial) =
            (self.street.lockbox.tells(2), self.street.bo.clone(), self.street.lockbox.serial);
        self.told(&bo, serial, told).await;
    }

    async fn told(&mut self, token: &str, serial: &str, batch: Binary) {
        let path = format!("/v1/locks/{serial}/audit");
        let body = json!({ "batch": batch });
        self.mortal.call("POST", &path, Some(token), &body).await.0.ok::<AuditReceipt>();
    }

    async fn dana_once<T: DeserializeOwned>(&mut self, path: &str, body: &Value) -> T {
        let dana = self.street.dana.clone();
        self.once(&dana, path, body).await
    }

    /// Calls under a key of this life's own: whatever is lost on the way, the answer is that of the one time it happened.
    async fn once<T: DeserializeOwned>(&mut self, token: &str, path: &str, body: &Value) -> T {
        let key = format!("life-{}-{path}", self.number).replace('/', "-");
        self.mortal.once(path, token, &key, body).await.ok()
    }

    async fn get<T: DeserializeOwned>(&mut self, token: &str, path: &str) -> T {
        self.mortal.call("GET", path, Some(token), &Value::Null).await.0.ok()
    }

    /// What a phone that starts over is given to carry.
    async fn carries<R: sentri_wire::sync::Record>(&mut self, token: &str) -> Vec<R> {
        let (mut changes, mut path) = (Vec::<Change>::new(), "/v1/sync".to_owned());
        loop {
            let page: SyncPage = self.get(token, &path).await;
            changes.extend(page.changes);
            if !page.more {
                return records(&changes);
            }
            path = format!("/v1/sync?cursor={}", page.cursor);
        }
    }
}

/// LST-3, LST-4, LST-6, PIN-7, RES-5
#[tokio::test]
async fn res_5_what_is_assigned_or_delivered_holds_wherever_the_server_dies() {
    let (world, mut street) = Street::build().await;
    // The lock has the settings that switched SmartPINs on.
    let mut mortal = Mortal::around(world);
    let mut first = Life { mortal: &mut mortal, street: &mut street, number: 0 };
    let bo = first.street.bo.clone();
    let carried: Vec<LockSettings> = first.carries(&bo).await;
    first.street.lockbox.takes_settings(carried[0].settings.as_ref());
    first.lockbox_tells().await;
    let live = async |mortal: &mut Mortal, number: u64| {
        Life { mortal, street: &mut street, number }.live().await;
    };
    play_in(mortal, kills(LEAST_KILLS), LEAST_STEPS, live).await;
}
