//! The server is killed at each step while lockboxes are assigned and set: what was acknowledged stays, and nothing happens
//! twice. [LST-3, LST-4]

use sentri_server::ports::Fate;
use sentri_wire::{
    agent::Lockboxes,
    settings::{BoxSettings, LockboxSettings},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    box_settings::{carried, of},
    feed_kills::Killer,
    log_and_records::visit,
    world::{BLE, NON_BLE, Phone, World, assignment},
};

fn settings(from: u64) -> Value {
    json!({ "access_hours": [{ "weekday": "monday", "from": from, "to": 1440 }], "contractor_mode": false })
}

/// Asks under one key until an answer comes, though the server may die of it. Says whether it did.
async fn ask(world: &mut World, killer: &Killer, phone: &Phone, path: &str, body: &Value) -> bool {
    let key = Uuid::new_v4().to_string();
    let reply = world.post_once(phone, path, &key, body).await;
    if !killer.has_killed() {
        reply.ok::<Value>();
        return false;
    }
    assert_eq!(reply.status, 500, "nobody hears from a dead server");
    world.restart(|config, _| config.deliver = false).await;
    world.post_once(phone, path, &key, body).await.ok::<Value>();
    true
}

#[tokio::test]
async fn lst_4_settings_and_assignments_outlive_every_death_of_the_server() {
    let (mut world, ready, _) = visit().await;
    let other = world.listing(&ready.dana).await;
    let box_at = |action: &str| format!("/v1/lockboxes/{NON_BLE}/{action}");
    let mut rounds = 0;
    for fate in [Fate::DiesBefore, Fate::DiesAfter] {
        for at in 0.. {
            rounds += 1;
            let before = carried(&world, &ready.bo).await.map_or(1, |it| it.version);
            let (mut killer, dana) = (Killer::at(at, fate), ready.dana.clone());
            let ours = killer.clone();
            world.restart(|config, ports| (config.deliver, ports.crashes) = (false, ours)).await;
            let (default, own) = (15 * rounds, 15 * rounds + 720);
            let mut died = false;
            for (path, body) in [
                ("/v1/lockbox-settings".to_owned(), settings(default)),
                (of(BLE), json!({})),
                (of(BLE), json!({ "custom": settings(own) })),
                (box_at("assign"), assignment(&other)),
                (box_at("unassign"), json!({})),
            ] {
                if ask(&mut world, &killer, &dana, &path, &body).await {
                    (died, killer) = (true, Killer::at(u64::MAX, fate));
                }
            }
            world.restart(|config, _| config.deliver = false).await;

            let defaults: BoxSettings = world.get(&dana, "/v1/lockbox-settings").await.ok();
            assert_eq!(u64::from(defaults.access_hours[0].from), default, "{fate:?} {at}");
            let page: LockboxSettings = world.get(&dana, &of(BLE)).await.ok();
            assert_eq!((u64::from(page.set.access_hours[0].from), page.follows_default), (own, false));
            let told = carried(&world, &ready.bo).await.unwrap();
            assert_eq!(told.version, before + 2, "{fate:?} {at}: once to the default ones, once to its own");
            let boxes: Lockboxes = world.get(&dana, "/v1/lockboxes").await.ok();
            assert_eq!(boxes.lockboxes[1].listing_id, None, "{fate:?} {at}");
            if !died {
                assert!(at >= 5, "each call commits: {at}");
                break;
            }
        }
    }
}
