//! Listings, lockboxes, grants.

use sentri_wire::{
    agent::{Grant, GrantResponse, GrantState, Grants, Invitee, Listing, Lockbox, Lockboxes},
    sync::{Message, MessageTopic},
};
use serde_json::{Value, json};

use crate::world::{
    ARIS_BOX, BLE, DANA, DAY, HOUR, NON_BLE, NOW, World, assignment, grant, new_listing, records,
};

const BO: &str = "bo@plumbing.example";

/// LST-2, LST-3, LST-5
#[tokio::test]
async fn a_box_hangs_at_one_listing_at_a_time() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let boxes: Lockboxes = world.get(&dana, "/v1/lockboxes").await.ok();
    assert_eq!(boxes.lockboxes.iter().map(|it| it.serial.as_str()).collect::<Vec<_>>(), [BLE, NON_BLE]);

    let (first, second) = (world.place(&dana, BLE).await, world.listing(&dana).await);
    let assign = async |serial: &str, listing: &Listing| {
        world.post(&dana, &format!("/v1/lockboxes/{serial}/assign"), &assignment(listing)).await
    };
    assign(BLE, &second).await.refused("conflict", None);
    assign(NON_BLE, &first).await.refused("conflict", Some("listing_id"));
    assert_eq!(assign(BLE, &first).await.ok::<Lockbox>().listing_id, Some(first.id));
    assign(ARIS_BOX, &second).await.refused("not-found", None);
    for (field, value) in [("region", json!("")), ("on_listing_since", json!(NOW + 2 * DAY))] {
        let mut body = assignment(&second);
        body[field] = value;
        world
            .post(&dana, &format!("/v1/lockboxes/{NON_BLE}/assign"), &body)
            .await
            .refused("invalid", Some(field));
    }

    let unassigned: Lockbox =
        world.post(&dana, &format!("/v1/lockboxes/{BLE}/unassign"), &json!({})).await.ok();
    assert_eq!(unassigned.listing_id, None);
    assert_eq!(assign(BLE, &second).await.ok::<Lockbox>().listing_id, Some(second.id));
}

/// LST-5: a box with an open access stays where it is, or its tickets would open it elsewhere.
#[tokio::test]
async fn a_box_with_an_open_access_stays() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW + HOUR, NOW + 2 * HOUR).await;
    let unassign = async || world.post(&dana, &format!("/v1/lockboxes/{BLE}/unassign"), &json!({})).await;
    unassign().await.refused("conflict", None);
    world.clock.advance(2 * HOUR);
    let dana = world.agent(DANA).await;
    let path = format!("/v1/lockboxes/{BLE}/unassign");
    world.post(&dana, &path, &json!({})).await.ok::<Lockbox>();
}

/// GRT-1
#[tokio::test]
async fn a_grant_needs_a_box_with_bluetooth() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let bare = world.listing(&dana).await;
    let ask =
        async |listing: &Listing| world.post(&dana, "/v1/grants", &grant(listing, BO, NOW, NOW + HOUR)).await;
    ask(&bare).await.refused("no-lockbox-assigned", None);
    let keypad_only = world.place(&dana, NON_BLE).await;
    ask(&keypad_only).await.refused("lockbox-without-bluetooth", None);
    let response: GrantResponse = ask(&world.place(&dana, BLE).await).await.ok();
    assert_eq!(response.invitee, Invitee::New);
    assert!(!response.grant.phone_ready);
}

/// GRT-2
#[tokio::test]
async fn bad_windows_name_the_field() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    for (from, to, field) in [
        (NOW + HOUR, NOW, "ends_at"),
        (NOW, NOW, "ends_at"),
        (NOW - 2 * HOUR, NOW - HOUR, "ends_at"),
        (NOW - 2 * HOUR, NOW + HOUR, "starts_at"),
        (NOW, NOW + 90 * DAY + 1, "ends_at"),
        (NOW + 400 * DAY, NOW + 401 * DAY, "starts_at"),
        (-1, NOW, "starts_at"),
        (NOW, i64::MAX, "ends_at"),
        (i64::MIN, i64::MAX, "starts_at"),
    ] {
        let reply = world.post(&dana, "/v1/grants", &grant(&listing, BO, from, to)).await;
        assert_eq!(reply.status, 422, "{from} {to}");
        reply.refused("invalid", Some(field));
    }
    world
        .post(&dana, "/v1/grants", &grant(&listing, "bo", NOW, NOW + HOUR))
        .await
        .refused("invalid", Some("email"));
    world.grant(&dana, &listing, BO, NOW, NOW + 90 * DAY).await;
}

/// ACC-12: tries at the PIN are counted by the server.
#[tokio::test]
async fn five_wrong_pins_make_the_granter_wait() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    let ask = async |pin: &str| {
        let mut body = grant(&listing, BO, NOW, NOW + HOUR);
        body["pin"] = json!(pin);
        world.post(&dana, "/v1/grants", &body).await
    };
    for _ in 0..5 {
        ask("0000").await.refused("wrong-code", Some("pin"));
    }
    let waits = ask("2580").await.refused("too-many-tries", Some("pin"));
    assert_eq!(waits.retry_after, Some(300));
    world.clock.advance(300);
    ask("2580").await.ok::<GrantResponse>();
    // A right one starts the count over.
    ask("0000").await.refused("wrong-code", Some("pin"));
    ask("2580").await.ok::<GrantResponse>();
}

/// GRT-3, GRT-5
#[tokio::test]
async fn granter_and_contractor_are_told() {
    let world = World::new().await;
    let ready = world.ready().await;
    let second: GrantResponse = world
        .post(&ready.dana, "/v1/grants", &grant(&ready.listing, BO, NOW + DAY, NOW + 2 * DAY))
        .await
        .ok();
    assert_eq!(second.invitee, Invitee::Existing);
    assert_eq!(second.grant.state, GrantState::Granted);

    let (changes, _) = world.sync(&ready.dana, None).await;
    let messages = records::<Message>(&changes);
    assert_eq!(messages.len(), 2);
    for message in &messages {
        assert_eq!(message.title, "SentriConnect Access Granted");
        assert_eq!(message.topic, MessageTopic::AccessGranted);
        assert!(message.body.contains("12 Oak St"), "{}", message.body);
    }
    let (changes, _) = world.sync(&ready.bo, None).await;
    let messages = records::<Message>(&changes);
    assert_eq!(messages[0].access_id, Some(second.grant.id));
    assert!(messages[0].body.contains("Dana Reyes gave you access"), "{}", messages[0].body);
    world.server.deliver_due().await.unwrap();
    assert_eq!(world.mailbox.pushes()[0].account, ready.bo.account.id);
    // No second invitation.
    assert_eq!(world.mailbox.mails().len(), 1);

    let path = format!("/v1/grants?listing_id={}", ready.listing.id);
    let history: Grants = world.get(&ready.dana, &path).await.ok();
    assert_eq!(history.grants.len(), 2);
}

/// GRT-4
#[tokio::test]
async fn what_has_not_begun_is_revoked_and_what_has_begun_is_not() {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = world.grant(&ready.dana, &ready.listing, BO, NOW + HOUR, NOW + DAY).await;
    let revoke = async |id| world.post(&ready.dana, &format!("/v1/grants/{id}/revoke"), &json!({})).await;

    let refused = revoke(ready.grant.id).await.refused("already-begun", None);
    assert_eq!(refused.at, Some(NOW));
    assert_eq!(revoke(later.id).await.ok::<Grant>().state, GrantState::Revoked);
    // Again changes nothing.
    assert_eq!(revoke(later.id).await.ok::<Grant>().state, GrantState::Revoked);

    for (phone, told) in [(&ready.dana, 1), (&ready.bo, 1)] {
        let (changes, _) = world.sync(phone, None).await;
        let revoked = records::<Message>(&changes)
            .into_iter()
            .filter(|message| message.title == "SentriConnect Access Revoked")
            .count();
        assert_eq!(revoked, told);
    }
    let (changes, _) = world.sync(&ready.bo, None).await;
    let accesses = records::<sentri_wire::credential::Access>(&changes);
    assert_eq!(accesses.iter().filter(|access| access.revoked).count(), 1);
}

/// GRT-3: somebody without an account is told by mail.
#[tokio::test]
async fn a_revoked_invitation_is_told_by_mail() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    let later = world.grant(&dana, &listing, BO, NOW + HOUR, NOW + DAY).await;
    world.deliver_all().await;
    world.post(&dana, &format!("/v1/grants/{}/revoke", later.id), &json!({})).await.ok::<Grant>();
    world.server.deliver_due().await.unwrap();
    let subjects: Vec<String> = world.mailbox.mails().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(
        subjects,
        ["Dana Reyes gave you access to 12 Oak St", "Your access to 12 Oak St was taken back"]
    );
}

/// CON-5
#[tokio::test]
async fn messages_are_read_and_deleted() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (changes, cursor) = world.sync(&ready.dana, None).await;
    let message = &records::<Message>(&changes)[0];
    assert!(!message.read);
    let path = format!("/v1/messages/{}/read", message.id);
    assert_eq!(world.post(&ready.dana, &path, &json!({})).await.status, 204);
    let (changes, cursor) = world.sync(&ready.dana, Some(&cursor)).await;
    assert!(records::<Message>(&changes)[0].read);
    let path = format!("/v1/messages/{}", message.id);
    assert_eq!(world.send("DELETE", &path, Some(&ready.dana.access), &[], None).await.status, 204);
    let (changes, _) = world.sync(&ready.dana, Some(&cursor)).await;
    assert!(changes.iter().any(|change| change.id == message.id.to_string() && change.record.is_none()));
}

/// A retry gets the first answer; the key with another body is refused.
#[tokio::test]
async fn an_idempotency_key_makes_a_request_happen_once() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let key = "5f0c0c0e-0000-4000-8000-000000000001";
    let first: Listing = world.post_once(&dana, "/v1/listings", key, &new_listing()).await.ok();
    let again: Listing = world.post_once(&dana, "/v1/listings", key, &new_listing()).await.ok();
    assert_eq!(first, again);
    let mut other = new_listing();
    other["City"] = json!("Salem");
    let refused = world.post_once(&dana, "/v1/listings", key, &other).await;
    refused.refused("conflict", Some("idempotency-key"));

    let path = format!("/v1/lockboxes/{BLE}/assign");
    for _ in 0..2 {
        world.post_once(&dana, &path, "assign-1", &assignment(&first)).await.ok::<Lockbox>();
    }
    let body = grant(&first, BO, NOW + HOUR, NOW + DAY);
    let granted: GrantResponse = world.post_once(&dana, "/v1/grants", "grant-01", &body).await.ok();
    let again: GrantResponse = world.post_once(&dana, "/v1/grants", "grant-01", &body).await.ok();
    assert_eq!(granted, again);
    world.server.deliver_due().await.unwrap();
    assert_eq!(world.mailbox.mails().len(), 1);

    let path = format!("/v1/grants/{}/revoke", granted.grant.id);
    let revoked: Value = world.post_once(&dana, &path, "revoke-1", &json!({})).await.ok();
    world.clock.advance(2 * HOUR);
    let dana = world.agent(DANA).await;
    // Long after its start, the retry of what was done in time is told so.
    assert_eq!(world.post_once(&dana, &path, "revoke-1", &json!({})).await.ok::<Value>(), revoked);
    world.post_once(&dana, &path, "short", &json!({})).await.refused("invalid", Some("idempotency-key"));
}
