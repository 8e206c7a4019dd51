//! A device's own key: registered with proof, in tickets, and in the place of a PIN. [ACC-12]

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_protocol::ticket::{DeviceKey, Ticket};
use sentri_server::operator::AssociationRules;
use sentri_wire::{
    Binary,
    account::GrantApproval,
    agent::{GrantRequest, GrantResponse, Listing},
    credential::Credential,
    device::{Challenge, register_key_message},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{BLE, DANA, DAY, HOUR, NOW, PASSWORD, PIN, Phone, Reply, World, records};

const BO: &str = "bo@plumbing.example";

/// A phone's key store.
struct Store(SigningKey);

impl Store {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    fn public(&self) -> [u8; 33] {
        self.0.verifying_key().to_sec1_point(true).as_bytes().try_into().unwrap()
    }

    fn sign(&self, message: &[u8]) -> Binary {
        let signature: Signature = self.0.sign(message);
        Binary::from(signature.to_bytes().to_vec())
    }

    fn registration(&self, device: Uuid, challenge: &Binary, kind: &str) -> Value {
        let message = register_key_message(device, challenge.as_ref(), &self.public());
        json!({ "public_key": Binary::from(self.public()), "kind": kind, "challenge": challenge,
            "signature": self.sign(&message) })
    }
}

async fn challenge(world: &World, phone: &Phone, purpose: &str) -> Binary {
    let body = json!({ "purpose": purpose });
    let challenge: Challenge = world.post(phone, "/v1/me/device/challenge", &body).await.ok();
    assert_eq!(challenge.expires_at, NOW + 300);
    challenge.challenge
}

async fn register(world: &World, phone: &Phone, store: &Store, kind: &str) -> Reply {
    let challenge = challenge(world, phone, "register_key").await;
    world.post(phone, "/v1/me/device/key", &store.registration(phone.device, &challenge, kind)).await
}

async fn tickets(world: &World, phone: &Phone) -> Vec<Ticket> {
    let (changes, _) = world.sync(phone, None).await;
    let credentials = records::<Credential>(&changes);
    credentials.iter().map(|it| Ticket::decode(it.ticket.as_ref()).unwrap()).collect()
}

/// From its registration on, a device's tickets are bound to its key.
#[tokio::test]
async fn tickets_are_bound_to_the_key_that_the_device_proved() {
    let world = World::new().await;
    let ready = world.ready().await;
    let [before] = &tickets(&world, &ready.bo).await[..] else { panic!("one ticket") };
    assert_eq!(before.device_key, None);
    let store = Store::new(7);
    assert_eq!(register(&world, &ready.bo, &store, "software").await.status, 204);
    let [bound] = &tickets(&world, &ready.bo).await[..] else { panic!("one ticket") };
    assert_eq!(bound.device_key, Some(DeviceKey(store.public())));
    assert_eq!(bound.encode().len(), 65);
    // The same key again changes nothing; no password is asked for it.
    assert_eq!(register(&world, &ready.bo, &store, "software").await.status, 204);
    assert_eq!(tickets(&world, &ready.bo).await[0].credential, bound.credential);
}

/// Longer tickets are for hardware keys: up to 72 hours where the association says so, else a day.
#[tokio::test]
async fn only_a_hardware_key_makes_tickets_last_longer() {
    for (kind, days) in [(Some("hardware"), 3), (Some("software"), 1), (None, 1)] {
        let world = World::new().await;
        let rules = AssociationRules { ticket_hours: Some(72), ..AssociationRules::default() };
        world.server.operator().set_rules("Cascade Realtors", &rules).await.unwrap();
        let dana = world.agent(DANA).await;
        let listing = world.place(&dana, BLE).await;
        world.grant(&dana, &listing, BO, NOW, NOW + 10 * DAY).await;
        let bo = world.sign_up(BO, "503-555-0199").await;
        if let Some(kind) = kind {
            assert_eq!(register(&world, &bo, &Store::new(7), kind).await.status, 204);
        }
        let end = tickets(&world, &bo).await[0].window.not_after().unix();
        assert_eq!(end, NOW + days * DAY, "{kind:?}");
    }
}

/// A challenge works once, for its device, its purpose and five minutes; the signature is over it and the key.
#[tokio::test]
async fn a_key_needs_a_fresh_proof() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (bo, store) = (&ready.bo, Store::new(7));
    let send = async |body: &Value| world.post(bo, "/v1/me/device/key", body).await;
    let good = challenge(&world, bo, "register_key").await;

    let mut altered = store.registration(bo.device, &good, "hardware");
    altered["public_key"] = json!(Binary::from(Store::new(8).public()));
    send(&altered).await.refused("wrong-code", Some("signature"));
    let mut none = store.registration(bo.device, &good, "hardware");
    none["public_key"] = json!(Binary::from([2; 33]));
    assert!(send(&none).await.problem().field.is_some());
    none["public_key"] = json!(Binary::from([2; 5]));
    send(&none).await.refused("invalid", Some("public_key"));
    let for_another = store.registration(Uuid::new_v4(), &good, "hardware");
    send(&for_another).await.refused("wrong-code", Some("signature"));

    let guessed = store.registration(bo.device, &Binary::from([0; 32]), "hardware");
    send(&guessed).await.refused("expired", Some("challenge"));
    let foreign = challenge(&world, &ready.dana, "register_key").await;
    send(&store.registration(bo.device, &foreign, "hardware")).await.refused("expired", Some("challenge"));
    let grants = challenge(&world, bo, "grant").await;
    send(&store.registration(bo.device, &grants, "hardware")).await.refused("expired", Some("challenge"));

    let right = store.registration(bo.device, &good, "hardware");
    assert_eq!(send(&right).await.status, 204);
    send(&right).await.refused("expired", Some("challenge"));
    let late = challenge(&world, bo, "register_key").await;
    world.clock.advance(300);
    send(&store.registration(bo.device, &late, "hardware")).await.refused("expired", Some("challenge"));
}

/// Whoever has stolen a token does not put their own key in the place of the phone's.
#[tokio::test]
async fn another_key_needs_the_password() {
    let world = World::new().await;
    let ready = world.ready().await;
    assert_eq!(register(&world, &ready.bo, &Store::new(7), "hardware").await.status, 204);
    let thief = Store::new(8);
    register(&world, &ready.bo, &thief, "hardware").await.refused("conflict", Some("password"));
    let fresh = challenge(&world, &ready.bo, "register_key").await;
    let mut body = thief.registration(ready.bo.device, &fresh, "hardware");
    body["password"] = json!("Wrong1pass");
    let path = "/v1/me/device/key";
    world.post(&ready.bo, path, &body).await.refused("wrong-credentials", Some("password"));
    body["password"] = json!(PASSWORD);
    assert_eq!(world.post(&ready.bo, path, &body).await.status, 204);
    assert_eq!(tickets(&world, &ready.bo).await[0].device_key, Some(DeviceKey(thief.public())));
}

/// A grant that the device's key has signed.
async fn approved(world: &World, phone: &Phone, store: &Store, listing: &Listing, email: &str) -> Value {
    let challenge = challenge(world, phone, "grant").await;
    let mut body = json!({ "listing_id": listing.id, "email": email, "starts_at": NOW + HOUR, "ends_at": NOW + 2 * HOUR });
    let request: GrantRequest = serde_json::from_value(body.clone()).unwrap();
    let signature = store.sign(&request.presence_message(challenge.as_ref()));
    body["presence"] = json!({ "challenge": challenge, "signature": signature });
    body
}

/// ACC-12: a fingerprint in the place of the PIN is a signature over this very grant, not a word of the shell.
#[tokio::test]
async fn a_grant_is_approved_by_the_hardware_key() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    let store = Store::new(7);
    let ask = async |body: &Value| world.post(&dana, "/v1/grants", body).await;
    // Without a key, or with one that is no hardware's.
    ask(&approved(&world, &dana, &store, &listing, BO).await).await.refused("pin-required", None);
    register(&world, &dana, &store, "software").await;
    ask(&approved(&world, &dana, &store, &listing, BO).await).await.refused("pin-required", None);
    register(&world, &dana, &store, "hardware").await;

    let body = approved(&world, &dana, &store, &listing, BO).await;
    for (field, value) in [("email", json!("x@y.example")), ("ends_at", json!(NOW + 3 * HOUR))] {
        let mut altered = body.clone();
        altered[field] = value;
        ask(&altered).await.refused("wrong-code", Some("presence.signature"));
    }
    ask(&body).await.ok::<GrantResponse>();
    // One touch, one grant.
    ask(&body).await.refused("expired", Some("presence.challenge"));
    // A retry of a grant whose answer was lost is answered again.
    let body = approved(&world, &dana, &store, &listing, BO).await;
    let key = Uuid::new_v4().to_string();
    let lost: GrantResponse = world.post_once(&dana, "/v1/grants", &key, &body).await.ok();
    let again: GrantResponse = world.post_once(&dana, "/v1/grants", &key, &body).await.ok();
    assert_eq!(lost, again);

    // Neither, or both.
    let mut both = approved(&world, &dana, &store, &listing, BO).await;
    both["pin"] = json!(PIN);
    ask(&both).await.refused("invalid", Some("pin"));
    let mut neither = both.clone();
    neither["pin"] = Value::Null;
    neither["presence"] = Value::Null;
    ask(&neither).await.refused("invalid", Some("pin"));
}

/// ACC-12: an association may ask for the PIN, always.
#[tokio::test]
async fn an_association_can_ask_for_the_pin() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    assert_eq!(dana.account.grant_approval, Some(GrantApproval::PinOrPresence));
    let listing = world.place(&dana, BLE).await;
    let store = Store::new(7);
    register(&world, &dana, &store, "hardware").await;
    let rules = AssociationRules { grant_approval: Some(GrantApproval::Pin), ..AssociationRules::default() };
    world.server.operator().set_rules("Cascade Realtors", &rules).await.unwrap();
    let body = approved(&world, &dana, &store, &listing, BO).await;
    world.post(&dana, "/v1/grants", &body).await.refused("pin-required", None);
    let me: sentri_wire::account::Account = world.get(&dana, "/v1/me").await.ok();
    assert_eq!(me.grant_approval, Some(GrantApproval::Pin));
    world.grant(&dana, &listing, BO, NOW + HOUR, NOW + 2 * HOUR).await;
}
