//! The one-message open, phone against lock: what proves, what does not, and how large it is. [CON-2]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]
#![allow(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

mod support;

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_protocol::{
    Generation, KeyTree, Seed,
    advert::Advert,
    clock::{FreshTime, LowerBound},
    open::{
        UNPROVED_ANSWER,
        channel::{LockMessage, PhoneMessage},
        lock,
        phone::{self, PhoneError},
    },
    ticket::DeviceKey,
};
use support::{
    LOCK_EPHEMERAL, NOW, PHONE_EPHEMERAL, advert, answer, keys, m1, request, secret, status, ticket,
};

fn device() -> (SigningKey, DeviceKey) {
    let key = SigningKey::from_slice(&[0x33; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(true);
    (key, DeviceKey(point.as_bytes().try_into().unwrap()))
}

#[test]
fn the_bin_opens_on_112_bytes_and_the_exchange_takes_204() {
    let (keys, request) = (keys(), request(ticket(None)));
    let advert = advert(&keys);
    let (waiting, m1) = m1(&keys, &advert, request.clone());
    assert_eq!(m1.len(), 112);
    let proved = lock::read_m1(&keys, &advert, &m1, &LOCK_EPHEMERAL).unwrap();
    assert_eq!(proved.request, request);
    let answered = proved.answer(&keys, &status()).unwrap();
    assert_eq!(m1.len() + answered.m2.len(), 204);
    let answer = waiting.read(&answered.m2).unwrap();
    assert_eq!(answer.status, status());
    assert_eq!(answer.signed_status, answered.signed_status);
    assert_eq!(answer.channel.handshake_hash(), answered.channel.handshake_hash());
}

#[test]
fn a_device_bound_ticket_takes_209_bytes_and_the_device_s_own_signature() {
    let keys = keys();
    let advert = advert(&keys);
    let (device, public) = device();
    let request = request(ticket(Some(public)));
    let begin = || {
        let secret = secret(&keys, &request);
        phone::begin(&advert, &keys.lock_public_key(), &secret, request.clone(), &PHONE_EPHEMERAL).unwrap()
    };
    let unsigned = begin();
    let signature: Signature = device.sign(&unsigned.to_sign().unwrap());
    let (_, m1) = unsigned.seal(Some(&signature.to_bytes().into())).unwrap();
    assert_eq!(m1.len(), 209);
    assert!(answer(&keys, &advert, &m1).is_ok());

    let stranger = SigningKey::from_slice(&[0x34; 32]).unwrap();
    let unsigned = begin();
    let signature: Signature = stranger.sign(&unsigned.to_sign().unwrap());
    let (_, m1) = unsigned.seal(Some(&signature.to_bytes().into())).unwrap();
    assert!(answer(&keys, &advert, &m1).is_err(), "a copied secret without the device's key proves nothing");
    assert_eq!(begin().seal(None).unwrap_err(), PhoneError::Signature);
}

#[test]
fn caveats_and_a_lower_bound_travel_and_are_part_of_the_proof() {
    let keys = keys();
    let advert = advert(&keys);
    let mut request = request(ticket(None));
    request.caveats = vec![support::caveat(*b"ann"), support::caveat(*b"bob")];
    request.lower_bound = Some(LowerBound::sign(&keys, NOW));
    let (_, m1) = m1(&keys, &advert, request.clone());
    assert_eq!(m1.len(), 112 + 36);
    let proved = lock::read_m1(&keys, &advert, &m1, &LOCK_EPHEMERAL).unwrap();
    assert_eq!(proved.request, request);

    // Someone who was given the narrowed secret only can't widen it again.
    let narrowed = secret(&keys, &request).narrowed(0, &request.caveats[0]);
    request.caveats.clear();
    let (_, m1) = phone::begin(&advert, &keys.lock_public_key(), &narrowed, request, &PHONE_EPHEMERAL)
        .unwrap()
        .seal(None)
        .unwrap();
    assert!(answer(&keys, &advert, &m1).is_err());
}

#[test]
fn every_flipped_bit_of_advert_m1_and_m2_is_refused() {
    let keys = keys();
    let advert = advert(&keys);
    let good = m1(&keys, &advert, request(ticket(None))).1;
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // The top bit of an X25519 public key is masked (RFC 7748), but the transcript still holds it.
        assert!(answer(&keys, &advert, &bad).is_err(), "bit {bit} of M1");
    }
    for bit in 0..Advert::LEN * 8 {
        let mut bad = advert.encode();
        bad[bit / 8] ^= 1 << (bit % 8);
        let Ok(heard) = Advert::decode(&bad) else { continue };
        assert!(!heard.is_from(&keys.advert_key(NOW.week())), "bit {bit} of the advert");
        let sent = m1(&keys, &heard, request(ticket(None))).1;
        assert!(answer(&keys, &advert, &sent).is_err(), "bit {bit} of the advert");
    }
    let m2 = answer(&keys, &advert, &good).unwrap().m2;
    for bit in 0..m2.len() * 8 {
        let mut bad = m2.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let waiting = m1(&keys, &advert, request(ticket(None))).0;
        assert_eq!(waiting.read(&bad).unwrap_err(), PhoneError::NotAuthentic, "bit {bit} of M2");
    }
}

#[test]
fn m1_of_one_press_proves_nothing_at_the_next_press_or_at_another_lock() {
    let keys = keys();
    let recorded = m1(&keys, &advert(&keys), request(ticket(None))).1;
    let flags = sentri_protocol::advert::AdvertFlags::default();
    let wake = sentri_protocol::advert::Wake { boot: 7, press: 4 };
    let next = Advert::new(&keys, wake, flags, NOW, &[0x5a; 16]);
    assert!(answer(&keys, &next, &recorded).is_err());

    let other = KeyTree::new(&Seed::new([9; 32]), Generation::FIRST);
    let there = advert(&other);
    // The thief of a ticket knows the other lock's public key, but the ticket is of the first one.
    let request = request(ticket(None));
    let stolen = secret(&keys, &request);
    let (waiting, m1) = phone::begin(&there, &other.lock_public_key(), &stolen, request, &PHONE_EPHEMERAL)
        .unwrap()
        .seal(None)
        .unwrap();
    assert!(answer(&other, &there, &m1).is_err());
    assert_eq!(waiting.read(&UNPROVED_ANSWER).unwrap_err(), PhoneError::NotProved);
}

#[test]
fn two_phones_messages_spliced_prove_nothing() {
    let keys = keys();
    let advert = advert(&keys);
    let first = m1(&keys, &advert, request(ticket(None))).1;
    let mut other = request(ticket(None));
    other.operation_id.0 = *b"oper-002";
    let secret = secret(&keys, &other);
    let second = phone::begin(&advert, &keys.lock_public_key(), &secret, other, &[0x44; 32])
        .unwrap()
        .seal(None)
        .unwrap()
        .1;
    for cut in 1..first.len() {
        let spliced = [&first[..cut], &second[cut..]].concat();
        assert!(answer(&keys, &advert, &spliced).is_err(), "cut at {cut}");
    }
}

#[test]
fn low_order_points_are_refused_on_both_sides() {
    let keys = keys();
    let advert = advert(&keys);
    let mut low = m1(&keys, &advert, request(ticket(None))).1;
    for point in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        low[..32].copy_from_slice(&point);
        assert!(answer(&keys, &advert, &low).is_err());
        let request = request(ticket(None));
        let secret = secret(&keys, &request);
        let begun = phone::begin(&advert, &point, &secret, request, &PHONE_EPHEMERAL);
        assert_eq!(begun.unwrap_err(), PhoneError::BadCredential);
    }
}

#[test]
fn every_length_but_the_right_ones_is_refused_without_a_panic() {
    let keys = keys();
    let advert = advert(&keys);
    let good = m1(&keys, &advert, request(ticket(None))).1;
    for length in 0..300 {
        let mut cut = good.clone();
        cut.resize(length, 0xaa);
        assert_eq!(answer(&keys, &advert, &cut).is_ok(), length == good.len(), "{length} bytes");
    }
}

#[test]
fn the_channel_carries_time_and_refuses_what_was_altered_or_repeated() {
    let keys = keys();
    let advert = advert(&keys);
    let (waiting, m1) = m1(&keys, &advert, request(ticket(None)));
    let mut lock = answer(&keys, &advert, &m1).unwrap();
    let mut phone = waiting.read(&lock.m2).unwrap();

    let token = FreshTime::sign(&keys, phone.channel.handshake_hash(), NOW, false);
    assert!(token.verify(&keys, lock.channel.handshake_hash()));
    assert!(!token.verify(&keys, &[0; 32]), "a token of another session");
    let sealed = phone.channel.seal(&PhoneMessage::FreshTime(token)).unwrap();
    let mut altered = sealed.clone();
    altered[3] ^= 1;
    assert!(lock.channel.open(&altered).is_err());
    assert_eq!(lock.channel.open(&sealed).unwrap(), Ok(PhoneMessage::FreshTime(token)));
    assert!(lock.channel.open(&sealed).is_err(), "the same once more");

    let judged = LockMessage::Judged(lock.signed_status);
    let sealed = lock.channel.seal(&judged).unwrap();
    assert_eq!(phone.channel.open(&sealed).unwrap(), judged);
}
