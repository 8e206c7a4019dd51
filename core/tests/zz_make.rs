#![allow(clippy::unwrap_used)]
mod support;
use support::{World, lock::Granted, press_ent, backend::ACCOUNT};
#[tokio::test(start_paused = true)]
async fn zz_make() {
    let world = World::new();
    let granted = Granted::now();
    world.backend.grant(&granted);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.backend.online(false);
    press_ent(&world, &core, None).await.unwrap();
    drop(core);
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    std::fs::copy(world.database(), "/tmp/store1.db").unwrap();
    let mut out = String::new();
    for (k, v) in world.keys.items.lock().unwrap().iter() {
        out += &format!("{k} {}\n", v.iter().map(|b| format!("{b:02x}")).collect::<String>());
    }
    std::fs::write("/tmp/store1.keys", out).unwrap();
    println!("{ACCOUNT}");
}
