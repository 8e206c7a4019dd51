//! The main job, played in this process and asserted step by step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::sync::Arc;

use sentri_sandbox::{
    cli::StoryArgs,
    story::{Chapter, Played, Script, Stage, cast, play},
    town::Town,
};

/// November 20, 2026, around noon in Chicago.
const NOW: i64 = 1_795_200_000;

/// Plays the story; `meddle` is called after each step.
async fn played(args: &StoryArgs, seed: u64, meddle: impl Fn(&Arc<Town>, usize)) -> Played {
    let mut stage = Stage::set(Script::new(args, NOW).unwrap(), seed).await.unwrap();
    let town = stage.town.clone();
    let told = play(&mut stage, |step| {
        meddle(&town, step.number);
        Ok(())
    });
    told.await.unwrap()
}

fn what_failed(played: &Played) -> Vec<String> {
    let facts = played.steps.iter().flat_map(|step| step.facts.iter().map(move |fact| (step, fact)));
    facts
        .filter(|(_, fact)| !fact.holds)
        .map(|(step, fact)| format!("{}: {} {:?}", step.title, fact.claim, fact.instead))
        .collect()
}

/// The whole main job: ACC-1, LST-1, LST-3, GRT-1, GRT-3, ACC-8, SYN-3, CON-1, CON-2, CON-3, CON-4, GRT-4, GRT-6.
#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_main_job_does_what_it_says() {
    let played = played(&StoryArgs::default(), 1, |_, _| {}).await;
    assert_eq!(what_failed(&played), Vec::<String>::new());
    assert!(played.passed && played.steps.len() == 23);
    let open = &played.steps[8];
    assert_eq!(open.title, "ENT: the key bin opens");
    let (there, back) = (open.took.radio.to_lock, open.took.radio.to_phone);
    assert!(there.fragments > 0 && back.fragments > 0, "the radio counts what the step took");
    assert_eq!(open.took.network.requests, 0, "opened with no network");
}

/// The longer story, whose chapters follow the main job: LST-1, LST-4, LST-6, GRT-1, GRT-3 to GRT-6, CON-1 to CON-3, CON-5,
/// AGT-1, COD-1 to COD-5, PIN-0, RES-0, RES-1, RES-4, RES-5.
#[tokio::test(flavor = "multi_thread")]
async fn every_chapter_does_what_it_says() {
    let all = StoryArgs { all: true, ..StoryArgs::default() };
    let played = played(&all, 5, |_, _| {}).await;
    assert_eq!(what_failed(&played), Vec::<String>::new());
    assert!(played.passed);
    let titles: Vec<_> = played.steps[23..].iter().map(|step| step.title.as_str()).collect();
    assert_eq!(titles, Chapter::ALL.map(Chapter::title));
}

/// The same with the reader's own input, months ahead and over days: sessions end in between, tickets are renewed.
#[tokio::test(flavor = "multi_thread")]
async fn any_window_the_reader_enters_is_played() {
    for (start, end) in [
        ("2026-11-20 20:45", "2026-11-20 21:30"),
        ("2027-03-13 22:00", "2027-03-20 08:00"),
        ("2027-11-01 05:00", "2027-11-01 07:30"),
    ] {
        let at = |text: &str| chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok();
        let args = StoryArgs {
            email: Some("Lee.Brandt@Roofing.example".into()),
            address: Some("7 Élm Street, Apt. 3".into()),
            start: at(start),
            end: at(end),
            ..StoryArgs::default()
        };
        let played = played(&args, 2, |_, _| {}).await;
        assert_eq!(what_failed(&played), Vec::<String>::new(), "{start} to {end}");
    }
}

/// A story that can't fail would prove nothing: with a jammed latch it says so at the open, and is not passed.
#[tokio::test(flavor = "multi_thread")]
async fn a_jammed_latch_is_told() {
    let jam = |town: &Arc<Town>, step| {
        if step == 8 {
            town.lockbox(cast::BOX).unwrap().board().set_jammed(true);
        }
    };
    let played = played(&StoryArgs::default(), 3, jam).await;
    assert!(!played.passed);
    let open = &played.steps[8];
    let failed: Vec<_> =
        open.facts.iter().filter(|fact| !fact.holds).map(|fact| fact.claim.as_str()).collect();
    assert!(failed.iter().any(|claim| claim.contains("motor ran once")), "{failed:?}");
    assert!(failed.iter().any(|claim| claim.contains("defect")), "{failed:?}");
}

/// A backend that dies in the middle ends the story, and is not passed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_backend_ends_the_story() {
    let (dead, told) = std::sync::mpsc::channel();
    let kill = move |town: &Arc<Town>, step| {
        if step == 2 {
            let town = town.clone();
            let dead = dead.clone();
            tokio::task::block_in_place(move || {
                tokio::runtime::Handle::current().block_on(town.kill_backend());
                dead.send(()).unwrap();
            });
        }
    };
    let played = played(&StoryArgs::default(), 4, kill).await;
    told.recv().unwrap();
    assert!(!played.passed);
    assert_eq!(played.steps.len(), 3, "nothing after it has anything to stand on");
}
