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
use sentri_sandbox::phone::Between;
use sentri_tests::{fuse::Fuse, template::Template};
use stage::{Flow, Stage};

/// No flow has more steps than this; one that fails without an end is given up.
const LONGEST: u64 = 400;
/// Kills in all, at least.
const KILLS: usize = 240;

/// One run, killed at that step. False where the phone lived to the end.
async fn killed(template: &Template, flow: &Flow, step: u64) -> bool {
    let mut stage = Stage::set(template, step).await;
    // A phone waits between its tries: time may pass.
    let clock = stage.copy.town.clock.clone();
    clock.scene((flow.before)(&mut stage)).await.unwrap();
    let fuse = Fuse::after(step);
    let phone = stage.start_fused(flow.whose, &fuse);
    let lived = clock.scene((flow.live)(&stage, &phone)).await;
    drop(phone);
    let place = fuse.burned_at();
    if place.is_none() {
        lived.unwrap();
    }
    let phone = stage.start(flow.whose, Between::default());
    println!("{}, step {step}: {place:?}", flow.name);
    clock.scene((flow.after)(&mut stage, &phone)).await.unwrap();
    place.is_some()
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
                    for step in 0.. {
                        let run = AssertUnwindSafe(|| runtime().block_on(killed(&template, flow, step)));
                        match std::panic::catch_unwind(run) {
                            Ok(true) => {
                                kills.fetch_add(1, Ordering::SeqCst);
                            }
                            Ok(false) => break,
                            Err(_) => failed.lock().unwrap().push((flow.name, step)),
                        }
                        if step > LONGEST {
                            break;
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of the kills: {failed:?}", failed.len());
    let kills = kills.into_inner();
    println!("killed {kills} times");
    assert!(kills >= KILLS, "{kills}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
