//! A press of ENT names the box to its owner, and to nobody else. [LST-3]

use sentri_protocol::{
    KeyTree, Time,
    advert::{Advert, AdvertFlags, Wake},
};
use sentri_wire::{Binary, agent::Lockbox};
use serde_json::json;

use crate::world::{ARI, ARIS_BOX, BLE, DANA, DAY, NON_BLE, NOW, Phone, Reply, World};

/// What a lock sends when its clock says this time.
fn advert(keys: &KeyTree, at: i64) -> Advert {
    let wake = Wake { boot: 1, press: 7 };
    Advert::new(keys, wake, AdvertFlags::default(), Time::from_unix(at).unwrap(), &[5; 16])
}

async fn search(world: &World, phone: &Phone, advert: &[u8]) -> Reply {
    let body = json!({ "advert": Binary::from(advert.to_vec()) });
    world.post(phone, "/v1/lockbox-search", &body).await
}

/// LST-3: the box that was pressed is found among several, by a clock that is a week off or lost too.
#[tokio::test]
async fn lst_3_ent_finds_the_owners_box() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    for at in [NOW, NOW - 7 * DAY, NOW + 7 * DAY] {
        let sent = advert(&world.keys(BLE), at).encode();
        let found: Lockbox = search(&world, &dana, &sent).await.ok();
        assert_eq!((found.serial.as_str(), found.listing_id), (BLE, None));
    }
    let flags = AdvertFlags { clock_lost: true, ..AdvertFlags::default() };
    let lost =
        Advert::new(&world.keys(NON_BLE), Wake::default(), flags, Time::from_unix(0).unwrap(), &[5; 16]);
    assert_eq!(search(&world, &dana, &lost.encode()).await.ok::<Lockbox>().serial, NON_BLE);
}

/// LST-5: another's box, a retired one, one of long ago and bytes of anything are no box of the caller's.
#[tokio::test]
async fn lst_5_ent_finds_nobody_elses_box() {
    let world = World::new().await;
    let (dana, ari) = (world.agent(DANA).await, world.agent(ARI).await);
    let (hers, his) = (advert(&world.keys(BLE), NOW).encode(), advert(&world.keys(ARIS_BOX), NOW).encode());
    search(&world, &ari, &hers).await.refused("not-found", None);
    search(&world, &dana, &his).await.refused("not-found", None);
    let old = advert(&world.keys(BLE), NOW - 30 * DAY).encode();
    search(&world, &dana, &old).await.refused("not-found", None);
    let mut altered = hers;
    altered[17] ^= 1;
    search(&world, &dana, &altered).await.refused("not-found", None);
    world.server.operator().retire_lockbox(BLE).await.unwrap();
    search(&world, &dana, &hers).await.refused("not-found", None);
    for bytes in [&[][..], &hers[..17], &[0; 18], &[1; 40]] {
        search(&world, &dana, bytes).await.refused("invalid", Some("advert"));
    }
}
