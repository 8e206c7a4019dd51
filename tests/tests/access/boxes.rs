//! Two boxes awake at once: the right one opens, or the user is asked.

use std::{sync::Arc, time::Duration};

use sentri_core::{
    CoreError,
    api::{contractor::OpenReport, error::Judge},
};
use sentri_sandbox::{lockbox::Lockbox, story::cast};
use sentri_tests::{HOUR, House};

use crate::{grant_at, next_door};

/// After a while in which every box has gone to sleep, ENT is pressed on all of these; the app listens for one access, or
/// for any.
async fn pressed(
    house: &House,
    boxes: &[&Arc<Lockbox>],
    access: Option<&str>,
) -> Result<OpenReport, CoreError> {
    let core = &house.contractor.core;
    if !boxes.is_empty() {
        house.town.clock.advance(Duration::from_secs(60));
    }
    let scene = async {
        let attempt = core.open_on_ent(access.map(str::to_owned)).await?;
        for lockbox in boxes {
            lockbox.press_ent();
        }
        let told = attempt.result().await;
        attempt.finished().await;
        told
    };
    house.town.clock.scene(scene).await
}

/// CON-2: from an access's page its own box opens, whatever else is awake; without one of them the user picks.
#[tokio::test(flavor = "multi_thread")]
async fn con_2_of_two_boxes_that_would_open_the_user_picks_one() {
    let house = House::build(611).await.unwrap();
    let (other_box, other_listing) = next_door(&house).await;
    let now = house.town.clock.now();
    let here = house.open_house(5).await.unwrap();
    let there = grant_at(&house, &other_listing, now, now + 5 * HOUR).await.id;
    house.sync().await.unwrap();
    house.town.cut_network().await;

    for boxes in [[&house.lockbox, &other_box], [&other_box, &house.lockbox]] {
        let told = pressed(&house, &boxes, None).await;
        let Err(CoreError::SeveralLockboxes { access_ids }) = told else { panic!("{told:?}") };
        let mut expected = [here.clone(), there.clone()];
        let mut named = access_ids;
        expected.sort();
        named.sort();
        assert_eq!(named, expected);
    }
    assert_eq!((house.lockbox.motor_drives(), other_box.motor_drives()), (0, 0), "nothing opens unasked");
    // Both are awake still: whichever the user picks opens, with no other press.
    let picked = pressed(&house, &[], Some(&here)).await.unwrap();
    assert_eq!(picked.lockbox, cast::BOX);
    let opened = pressed(&house, &[&house.lockbox, &other_box], Some(&there)).await.unwrap();
    assert_eq!(opened.lockbox, cast::OTHER_BOX);
    let opened = pressed(&house, &[&other_box, &house.lockbox], Some(&here)).await.unwrap();
    assert_eq!(opened.lockbox, cast::BOX);
    // One of them alone needs no question.
    assert_eq!(pressed(&house, &[&other_box], None).await.unwrap().lockbox, cast::OTHER_BOX);
}

/// CON-2: one active access is opened by ENT from anywhere in the app, with another box of the contractor's awake too.
#[tokio::test(flavor = "multi_thread")]
async fn con_2_the_only_active_access_opens_from_anywhere() {
    let house = House::build(612).await.unwrap();
    let (other_box, other_listing) = next_door(&house).await;
    let now = house.town.clock.now();
    // The phone knows this box, and holds nothing that opens it before tonight.
    grant_at(&house, &other_listing, now + 10 * HOUR, now + 11 * HOUR).await;
    let here = house.open_house(5).await.unwrap();
    house.town.cut_network().await;
    for boxes in [[&house.lockbox, &other_box], [&other_box, &house.lockbox]] {
        let opened = pressed(&house, &boxes, None).await.unwrap();
        assert_eq!((opened.lockbox.as_str(), opened.access_id.as_str()), (cast::BOX, here.as_str()));
    }
    // The other one alone is refused, with its own reason.
    let refused = pressed(&house, &[&other_box], None).await;
    assert_eq!(refused.err(), Some(CoreError::NotYetValid { from: now + 10 * HOUR, by: Judge::Phone }));
    // So it is from the page of an access that is for another box.
    let wrong = pressed(&house, &[&other_box], Some(&here)).await;
    assert_eq!(wrong.err(), Some(CoreError::WrongBox { by: Judge::Phone }));
}
