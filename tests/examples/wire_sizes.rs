//! Measures an open on the air: each message's bytes, fragments and ATT bytes at three MTUs, as the simulated
//! radio counts them between a phone and the real lock logic. Prints one JSON object (see `bench/README.md`).

use std::{error::Error, sync::Arc};

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_lock::{
    Provisioning,
    sim::{SimBoard, SimPhone},
};
use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    codes::{kind::Profile, smart_pin::LockId},
    hours::Schedule,
    open::Operation,
    settings::Settings,
    ticket::{CredentialId, DeviceKey, Epoch, Rights, SubjectId, Ticket},
    time::Window,
};
use sentri_sandbox::{
    clock::Clock,
    lockbox::Lockbox,
    phone::BarePhone,
    radio::{Air, Knobs, Traffic},
};
use sentri_wire::agent::LockboxGeneration;
use serde_json::{Value, json};

const NOW: u32 = 1_800_000_000;
const MTUS: [u16; 3] = [23, 185, 247];
const MOST_M1: usize = 112;
const MOST_M1_WITH_DEVICE_KEY: usize = 209;
const MOST_EXCHANGE: usize = 204;

/// One open at one MTU.
struct Measured {
    traffic: Traffic,
    m1: usize,
    m2: usize,
    /// Whether the motor ran after M1 alone, before anything else was sent.
    opened_on_m1: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut passed = true;
    for device in [false, true] {
        let opens = MTUS.iter().map(|mtu| open(*mtu, device)).collect::<Result<Vec<_>, _>>()?;
        let most = if device { MOST_M1_WITH_DEVICE_KEY } else { MOST_M1 };
        passed &= opens.iter().all(|it| it.opened_on_m1 && it.m1 <= most);
        passed &= device || opens.iter().all(|it| it.m1 + it.m2 <= MOST_EXCHANGE);
        rows.push(row(if device { "M1, with a device key" } else { "M1" }, &opens, |it| {
            (it.m1, it.traffic.to_lock.fragments, it.traffic.to_lock.att_bytes)
        }));
        if !device {
            rows.push(row("M2", &opens, |it| {
                (it.m2, it.traffic.to_phone.fragments, it.traffic.to_phone.att_bytes)
            }));
            rows.push(row("M1 and M2", &opens, |it| {
                let (there, back) = (it.traffic.to_lock, it.traffic.to_phone);
                (it.m1 + it.m2, there.fragments + back.fragments, there.att_bytes + back.att_bytes)
            }));
        }
    }
    let columns: Vec<String> = ["message", "application bytes"]
        .map(String::from)
        .into_iter()
        .chain(
            MTUS.iter()
                .flat_map(|mtu| [format!("fragments at MTU {mtu}"), format!("ATT bytes at MTU {mtu}")]),
        )
        .collect();
    let report = json!({
        "title": "Messages of an open",
        "columns": columns,
        "rows": rows,
        "notes": [
            "Counted at the simulated radio, between a phone and the real lock logic. ATT bytes: each value with its three bytes of ATT header; the frames' one byte each is in them.",
            "The motor is driven after M1, one message, before anything else is sent; M2 is the answer to it.",
            format!("Figure: M1 at most {MOST_M1} bytes ({MOST_M1_WITH_DEVICE_KEY} with a device key), M1 and M2 at most {MOST_EXCHANGE}."),
        ],
        "passed": passed,
    });
    println!("{report}");
    Ok(())
}

fn row(name: &str, opens: &[Measured], of: impl Fn(&Measured) -> (usize, usize, usize)) -> Vec<Value> {
    let bytes = opens.first().map_or(0, |it| of(it).0);
    let measured = opens.iter().map(of).flat_map(|(_, fragments, att)| [json!(fragments), json!(att)]);
    [json!(name), json!(bytes)].into_iter().chain(measured).collect()
}

/// A press of ENT and an open, with everything that went over the air counted.
fn open(mtu: u16, with_device_key: bool) -> Result<Measured, Box<dyn Error>> {
    let clock = Clock::simulated(NOW.into());
    let air = Air::new(&clock, 1);
    air.set_knobs(Knobs { mtu, ..Knobs::default() })?;
    let seed = Seed::new([7; 32]);
    let lockbox = lockbox(&seed, &clock, &air)?;
    let device = SigningKey::from_slice(&[5; 32])?;
    let ticket = ticket(with_device_key.then(|| device_key(&device)).transpose()?);
    let keys = KeyTree::new(&seed, Generation::FIRST);
    let secret = keys.ticket_secret(&ticket.encode());
    let mut holder = SimPhone::new(ticket, secret, keys.lock_public_key(), Time(NOW));
    let phone = BarePhone::on_air(&air, &clock);

    lockbox.press_ent();
    let (peer, advert) = phone.hear().ok_or("no advert was heard")?;
    phone.connect(&peer).ok_or("the lock took no link")?;
    let request = holder.request(Operation::OpenKeyBin);
    let sign = |message: &[u8]| -> [u8; 64] {
        let signature: Signature = device.sign(message);
        signature.to_bytes().into()
    };
    let (waiting, m1) = holder.signed_m1(&advert, request, sign)?;
    air.take_traffic();
    let m2 = phone.ask(&m1).ok_or("the lock did not answer")?;
    let answer = waiting.read(&m2)?;
    let opened_on_m1 = lockbox.motor_drives() == 1 && answer.status.flags.motor_driven;
    Ok(Measured { traffic: air.take_traffic(), m1: m1.len(), m2: m2.len(), opened_on_m1 })
}

fn lockbox(seed: &Seed, clock: &Clock, air: &Air) -> Result<Arc<Lockbox>, Box<dyn Error>> {
    let provisioning = Provisioning {
        seed: seed.clone(),
        id: LockId([1; 16]),
        profile: Profile::Lockbox,
        association: None,
        programming_code: None,
        settings: Settings::default(),
        time: Time(NOW),
    };
    Ok(Lockbox::provisioned("B-1", LockboxGeneration::Ble, SimBoard::new(1), provisioning, (clock, air))?)
}

fn ticket(device_key: Option<DeviceKey>) -> Ticket {
    Ticket {
        credential: CredentialId([1; 8]),
        subject: SubjectId([0, 0, 0, 1]),
        epoch: Epoch(0),
        issued_at: Time(NOW - 60),
        window: Window::new(Time(NOW - 60), Time(NOW + 3600))
            .unwrap_or_else(|| unreachable!("a minute ago is before an hour ahead")),
        schedule: Schedule::ALWAYS,
        rights: Rights::OPEN,
        device_key,
    }
}

fn device_key(key: &SigningKey) -> Result<DeviceKey, Box<dyn Error>> {
    let point = key.verifying_key().to_sec1_point(true);
    Ok(DeviceKey(point.as_bytes().try_into()?))
}
