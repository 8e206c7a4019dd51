//! What is decided for the odd cases of an access: granted twice, taken back at its start, given by somebody whose
//! standing or whose box is lost, and how far a revocation has come. (`docs/adr/0065`)

use sentri_protocol::{open::Verdict, status::Status};
use sentri_wire::{
    agent::{Grant, GrantResponse, GrantState, Grants, Invitee, RevocationReach},
    credential::{Access, Credential},
    sync::{Change, Message, MessageTopic},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    accounts::join_all,
    events::{status, upload},
    world::{ARI, BLE, DANA, DAY, HOUR, NOW, Phone, Ready, World, grant, records},
};

const BO: &str = "bo@plumbing.example";

async fn ask(world: &World, ready: &Ready, email: &str, from: i64, to: i64) -> GrantResponse {
    world.post(&ready.dana, "/v1/grants", &grant(&ready.listing, email, from, to)).await.ok()
}

async fn revoke(world: &World, phone: &Phone, id: Uuid) -> crate::world::Reply {
    world.post(phone, &format!("/v1/grants/{id}/revoke"), &json!({})).await
}

/// How many mails or pushes went out, or are about to.
async fn posts(world: &World, kind: &str) -> i64 {
    use sqlx::Connection;
    let mut conn = sqlx::AnyConnection::connect(&world.config.database).await.unwrap();
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE kind = $1").bind(kind.to_owned());
    count.fetch_one(&mut conn).await.unwrap()
}

/// The newest state of a grant in what its granter's phone was sent.
fn newest(changes: &[Change], id: Uuid) -> Option<Grant> {
    records::<Grant>(changes).into_iter().rfind(|grant| grant.id == id)
}

async fn told(world: &World, phone: &Phone, topic: MessageTopic) -> Vec<Message> {
    let (changes, _) = world.sync(phone, None).await;
    records::<Message>(&changes).into_iter().filter(|message| message.topic == topic).collect()
}

/// An open under a grant, in the lock's own word: at its clock, with the list that it has.
fn opened(world: &World, grant: &Grant, at: i64, list: u32) -> Value {
    let told = Status {
        clock: sentri_protocol::Time::from_unix(at).unwrap(),
        revocation_version: list,
        ..status(Verdict::Opened)
    };
    let signed = sentri_wire::Binary::from(told.sign(&world.keys(BLE)).to_vec());
    json!({ "id": Uuid::new_v4(), "at": at, "lockbox": BLE, "access_id": grant.id, "outcome": "opened",
        "operation": sentri_wire::Binary::from(told.operation_id.0), "status": signed })
}

/// GRT-3: asked for once more, with the same window, it is the same access; only the invitation goes out again.
#[tokio::test]
async fn grt_3_the_same_window_twice_is_one_access() {
    let world = World::new().await;
    let ready = world.ready().await;
    let new = "al@paint.example";
    let first = ask(&world, &ready, new, NOW + HOUR, NOW + DAY).await;
    let again = ask(&world, &ready, "AL@paint.example", NOW + HOUR, NOW + DAY).await;
    assert_eq!((again.grant.id, again.invitee), (first.grant.id, Invitee::New));
    assert_eq!(posts(&world, "mail").await, 3, "to Bo, and to Al twice");
    world.sign_up(new, "503-555-0188").await;

    let known = ask(&world, &ready, BO, NOW + HOUR, NOW + DAY).await;
    let before = posts(&world, "push").await;
    let again = ask(&world, &ready, BO, NOW + HOUR, NOW + DAY).await;
    assert_eq!((again.grant.id, again.invitee), (known.grant.id, Invitee::Existing));
    assert_eq!((before, posts(&world, "push").await), (1, 1), "nobody is told twice");
    assert_eq!(told(&world, &ready.dana, MessageTopic::AccessGranted).await.len(), 3, "and the granter once");

    // Another window is another access; so is the same one after it was taken back.
    let longer = ask(&world, &ready, BO, NOW + HOUR, NOW + DAY + 1).await;
    assert_ne!(longer.grant.id, known.grant.id);
    revoke(&world, &ready.dana, known.grant.id).await.ok::<Grant>();
    let anew = ask(&world, &ready, BO, NOW + HOUR, NOW + DAY).await;
    assert_ne!(anew.grant.id, known.grant.id);
}

/// GRT-3: the same, asked for at one moment.
#[tokio::test]
async fn grt_3_the_same_window_at_one_moment_is_one_access() {
    let world = World::new().await;
    let ready = world.ready().await;
    let all = join_all((0..6).map(|_| ask(&world, &ready, BO, NOW + HOUR, NOW + DAY))).await;
    assert!(all.iter().all(|it| it.grant.id == all[0].grant.id), "{all:?}");
    let path = format!("/v1/grants?listing_id={}", ready.listing.id);
    assert_eq!(world.get(&ready.dana, &path).await.ok::<Grants>().grants.len(), 2);
}

/// GRT-4: up to the last second before the start it can be taken back, from its first second on it can't.
#[tokio::test]
async fn grt_4_the_second_of_the_start_decides() {
    let world = World::new().await;
    let ready = world.ready().await;
    let starts = NOW + 600;
    let in_time = ask(&world, &ready, BO, starts, NOW + DAY).await.grant;
    let too_late = ask(&world, &ready, BO, starts, NOW + 2 * DAY).await.grant;
    world.clock.advance(599);
    let revoked: Grant = revoke(&world, &ready.dana, in_time.id).await.ok();
    assert_eq!(revoked.revocation.unwrap().at, Some(starts - 1));
    world.clock.advance(1);
    let refused = revoke(&world, &ready.dana, too_late.id).await.refused("already-begun", None);
    assert_eq!(refused.at, Some(starts));
}

/// GRT-4: a lock lets in some minutes early. Whoever was let in has begun, and that can't be taken back.
#[tokio::test]
async fn grt_4_who_was_let_in_early_has_begun() {
    let world = World::new().await;
    let ready = world.ready().await;
    let soon = ask(&world, &ready, BO, NOW + 240, NOW + DAY).await.grant;
    world.sync(&ready.bo, None).await;
    world.clock.advance(60);
    upload(&world, &ready.bo, &[&opened(&world, &soon, NOW + 30, 0)]).await;
    revoke(&world, &ready.dana, soon.id).await.refused("already-begun", None);
}

/// GRT-4, CON-4: taken back in time, and used all the same, since neither phone nor box had heard of it: the granter
/// is told both, and when.
#[tokio::test]
async fn grt_4_what_was_used_although_it_was_taken_back_is_told_so() {
    let world = World::new().await;
    let ready = world.ready().await;
    let soon = ask(&world, &ready, BO, NOW + 240, NOW + DAY).await.grant;
    world.sync(&ready.bo, None).await;
    world.clock.advance(60);
    revoke(&world, &ready.dana, soon.id).await.ok::<Grant>();
    world.clock.advance(60);
    upload(&world, &ready.bo, &[&opened(&world, &soon, NOW + 100, 0)]).await;
    let used = told(&world, &ready.dana, MessageTopic::AccessUsed).await;
    assert!(used[0].body.contains("You took this access back on Fri, Nov 20, 2026, 9:01 AM PST"), "{used:?}");
    let (changes, _) = world.sync(&ready.dana, None).await;
    let seen = newest(&changes, soon.id).unwrap();
    assert_eq!((seen.state, seen.last_used_at), (GrantState::Revoked, Some(NOW + 100)));
}

/// GRT-6: nothing out, on its way, at the box; and the phone that lost its ticket is ready no more.
#[tokio::test]
async fn grt_6_the_granter_sees_how_far_a_revocation_has_come() {
    let world = World::new().await;
    let ready = world.ready().await;
    let far = ask(&world, &ready, BO, NOW + 3 * DAY, NOW + 4 * DAY).await.grant;
    let nothing_out: Grant = revoke(&world, &ready.dana, far.id).await.ok();
    assert_eq!(nothing_out.revocation.unwrap().reach, RevocationReach::NothingOut);
    assert_eq!(nothing_out.revocation.unwrap().opens_until, None);

    let near = ask(&world, &ready, BO, NOW + HOUR, NOW + 2 * HOUR).await.grant;
    world.sync(&ready.bo, None).await;
    let (changes, cursor) = world.sync(&ready.dana, None).await;
    assert!(newest(&changes, near.id).unwrap().phone_ready);
    let revoked: Grant = revoke(&world, &ready.dana, near.id).await.ok();
    let on_its_way = revoked.revocation.unwrap();
    assert_eq!(on_its_way.reach, RevocationReach::OnItsWay);
    assert_eq!(on_its_way.opens_until, Some(NOW + 2 * HOUR + 1800), "its end, and the lock's tolerance");
    assert!(!revoked.phone_ready);

    // Another visit: the box says that it has the list by now.
    world.clock.advance(120);
    upload(&world, &ready.bo, &[&opened(&world, &ready.grant, NOW + 60, 1)]).await;
    let (changes, _) = world.sync(&ready.dana, Some(&cursor)).await;
    let reached = newest(&changes, near.id).expect("the granter's next sync tells it").revocation.unwrap();
    assert_eq!(reached.reach, RevocationReach::AtTheBox);
}

/// GRT-3: a phone that was removed is ready no more.
#[tokio::test]
async fn grt_3_the_granter_sees_that_no_phone_is_ready_any_more() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let (changes, cursor) = world.sync(&ready.dana, None).await;
    assert!(newest(&changes, ready.grant.id).unwrap().phone_ready);
    let proven = world.prove(&json!({ "email": BO }), BO).await;
    let path = format!("/v1/identity/devices/{}", ready.bo.device);
    assert_eq!(world.delete(&proven, &path).await.status, 204);
    let (changes, _) = world.sync(&ready.dana, Some(&cursor)).await;
    assert!(!newest(&changes, ready.grant.id).unwrap().phone_ready);
}

/// The tickets and accesses that a phone has after everything it was sent.
async fn held(world: &World, phone: &Phone) -> (Vec<Credential>, Vec<Access>) {
    let (changes, _) = world.sync(phone, None).await;
    (records(&changes), records(&changes))
}

/// ACC-7, GRT-6: a granter out of good standing lets nobody in. What has not begun rests, what has begun is not
/// renewed; all of it goes on with the standing.
#[tokio::test]
async fn grt_6_what_a_suspended_agent_granted_rests_until_they_are_reinstated() {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = ask(&world, &ready, BO, NOW + HOUR, NOW + 2 * HOUR).await.grant;
    let days = ask(&world, &ready, BO, NOW, NOW + 5 * DAY).await.grant;
    assert_eq!(held(&world, &ready.bo).await.0.len(), 3);

    world.server.operator().suspend_agent(DANA).await.unwrap();
    let (tickets, accesses) = held(&world, &ready.bo).await;
    let of = |id: Uuid| tickets.iter().filter(|it| it.access_id == id).count();
    assert_eq!((of(later.id), of(days.id), of(ready.grant.id)), (0, 1, 1), "the key may be out");
    assert!(accesses.iter().all(|it| it.on_hold && !it.revoked));
    // Neither renewed, nor given to a new phone.
    world.clock.advance(20 * HOUR);
    let bo = world.again(&ready.bo).await;
    let before = held(&world, &bo).await.0.into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert!(before.iter().all(|id| tickets.iter().any(|it| it.id == *id)), "nothing new");
    let another = world.contractor(BO).await;
    assert_eq!(held(&world, &another).await.0.len(), 0);

    world.server.operator().reinstate_agent(DANA).await.unwrap();
    let (tickets, accesses) = held(&world, &another).await;
    assert!(tickets.iter().any(|it| it.access_id == days.id));
    assert!(accesses.iter().all(|it| !it.on_hold));
}

/// ACC-7: reinstated before it begins, it opens as if nothing had been.
#[tokio::test]
async fn grt_6_what_rested_goes_on_in_time() {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = ask(&world, &ready, BO, NOW + HOUR, NOW + 2 * HOUR).await.grant;
    world.sync(&ready.bo, None).await;
    for _ in 0..2 {
        world.server.operator().suspend_association("Cascade Realtors").await.unwrap();
        let (tickets, _) = held(&world, &ready.bo).await;
        assert!(tickets.iter().all(|it| it.access_id != later.id));
        world.server.operator().reinstate_association("Cascade Realtors").await.unwrap();
        let (tickets, accesses) = held(&world, &ready.bo).await;
        assert!(tickets.iter().any(|it| it.access_id == later.id));
        assert!(accesses.iter().all(|it| !it.on_hold && !it.revoked));
    }
    let (changes, _) = world.sync(&world.agent(DANA).await, None).await;
    assert!(newest(&changes, later.id).unwrap().phone_ready);
}

/// OPS-2: with the box goes what was granted at it, begun or not; both are told, and the former owner sees how far it has
/// come.
#[tokio::test]
async fn grt_4_a_box_that_changes_hands_ends_what_was_granted_at_it() {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = ask(&world, &ready, BO, NOW + HOUR, NOW + 2 * HOUR).await.grant;
    world.sync(&ready.bo, None).await;
    world.server.operator().transfer_lockbox(BLE, ARI).await.unwrap();
    let (tickets, accesses) = held(&world, &ready.bo).await;
    assert_eq!(tickets.len(), 0);
    assert!(accesses.len() == 2 && accesses.iter().all(|it| it.revoked));
    assert_eq!(told(&world, &ready.bo, MessageTopic::AccessRevoked).await.len(), 2);
    let (changes, _) = world.sync(&ready.dana, None).await;
    for id in [ready.grant.id, later.id] {
        let reach = newest(&changes, id).unwrap().revocation.unwrap().reach;
        assert_eq!(reach, RevocationReach::OnItsWay);
    }
    let ari = world.agent(ARI).await;
    let (changes, _) = world.sync(&ari, None).await;
    assert!(records::<Grant>(&changes).is_empty(), "they were never Ari's");
}
