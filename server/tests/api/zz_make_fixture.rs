use crate::world::{BLE, NOW, World, DAY, HOUR};
#[tokio::test]
async fn zz_make() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let event = serde_json::json!({ "events": [{ "id": uuid::Uuid::new_v4(), "at": NOW, "lockbox": BLE,
        "access_id": ready.grant.id, "outcome": "unanswered" }] });
    world.post(&ready.bo, "/v1/events", &event).await.ok::<serde_json::Value>();
    world.grant(&ready.dana, &ready.listing, "al@paint.example", NOW + DAY, NOW + DAY + HOUR).await;
    world.server.deliver_due().await.unwrap();
    let path = world.folder.keep();
    world.server.stop().await;
    std::fs::write("/tmp/fixture_path", path.to_str().unwrap()).unwrap();
}
