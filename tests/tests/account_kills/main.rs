//! A phone is killed at every step of what people do with their accounts: at each write, each use of the key store,
//! each call and each answer. Whoever starts the app again gets on, and nothing has happened twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod flows;
mod stage;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use flows::FLOWS;
use sentri_core::CoreError;
use sentri_sandbox::{
    chance::Chance,
    phone::{Between, Phone},
};
use sentri_tests::{fuse::Fuse, template::Template};
use stage::{Flow, Stage};

/// No flow has more steps than this.
const LONGEST: u64 = 400;
/// How often a phone that was killed is killed again as it recovers.
const AGAIN: usize = 2;
/// Within so many steps of its start.
const RECOVERING: u64 = 12;
/// Kills in all, at least.
const KILLS: usize = 500;

/// One run, killed at that step, and again as it recovers. Gives how often it was killed; 0 where it lived to the end.
async fn killed(template: &Template, flow: &Flow, step: u64) -> usize {
    let mut stage = Stage::set(template, step).await;
    // A phone waits between its tries: time may pass.
    let clock = stage.copy.town.clock.clone();
    clock.scene((flow.before)(&mut stage)).await.unwrap();
    let fuse = Fuse::after(step);
    let phone = stage.start_fused(flow.whose, &fuse);
    let lived = clock.scene((flow.live)(&stage, &phone)).await;
    drop(phone);
    let mut places = Vec::from_iter(fuse.burned_at());
    if places.is_empty() {
        lived.unwrap();
    } else {
        let mut chance = Chance::new(step);
        for _ in 0..AGAIN {
            let fuse = Fuse::after(chance.below(RECOVERING));
            let phone = stage.start_fused(flow.whose, &fuse);
            let _ = clock.scene(recovers(&phone)).await;
            places.extend(fuse.burned_at());
        }
    }
    println!("{}, step {step}: {places:?}", flow.name);
    let phone = stage.start(flow.whose, Between::default());
    clock.scene((flow.after)(&mut stage, &phone)).await.unwrap();
    places.len()
}

/// What an app does by itself when it is started.
async fn recovers(phone: &Phone) -> Result<(), CoreError> {
    phone.core.accounts().await?;
    phone.core.keys_to_return().await?;
    phone.core.sync_now().await?;
    Ok(())
}

#[test]
fn a_phone_dies_at_each_step_of_what_is_done_with_an_account() {
    let template = runtime().block_on(Template::build(78)).unwrap();
    let (kills, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let flows = Mutex::new(FLOWS.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(flow) = flows.lock().unwrap().next() else { return };
                    for step in 0..LONGEST {
                        let run = AssertUnwindSafe(|| runtime().block_on(killed(&template, flow, step)));
                        match std::panic::catch_unwind(run) {
                            Ok(0) => break,
                            Ok(times) => {
                                kills.fetch_add(times, Ordering::SeqCst);
                            }
                            Err(_) => {
                                failed.lock().unwrap().push((flow.name, step));
                                break;
                            }
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "the first of each flow that failed: {failed:?}");
    let kills = kills.into_inner();
    println!("killed {kills} times");
    assert!(kills >= KILLS, "{kills}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
