//! Mails are sent at least once, whatever happens to the server, always under the same Message-ID. [GRT-3]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use sentri_server::outbox::{DeliveryError, Mail, MailPort};

use crate::world::{BLE, DANA, HOUR, NOW, World};

const BO: &str = "bo@plumbing.example";

/// Killed after the grant's commit and before its mail: the mail goes out once the server is back.
#[tokio::test]
async fn a_mail_is_sent_by_the_next_start() {
    let mut world = World::with(|config| config.deliver = false).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    assert!(world.mailbox.mails().is_empty());

    world.restart(|config, _| config.deliver = true).await;
    let mail = world.mailbox.mail_to(BO).await;
    assert!(mail.body.contains("/join#"), "{}", mail.body);
    world.sign_up(BO, "503-555-0199").await;
    assert_eq!(world.mailbox.mails().len(), 1);
}

/// Takes each mail, and then never comes back: the server is killed while it waits.
struct DiesAfterTaking {
    taken: Mutex<Vec<Mail>>,
    news: tokio::sync::Notify,
}

#[async_trait]
impl MailPort for DiesAfterTaking {
    async fn send_mail(&self, mail: &Mail) -> Result<(), DeliveryError> {
        self.taken.lock().unwrap().push(mail.clone());
        self.news.notify_one();
        std::future::pending().await
    }
}

/// Killed between the delivery and its note: the mail goes out twice, with one Message-ID.
#[tokio::test]
async fn a_repeated_mail_has_the_same_message_id() {
    let mut world = World::with(|config| config.deliver = false).await;
    let dying = Arc::new(DiesAfterTaking { taken: Mutex::default(), news: tokio::sync::Notify::new() });
    let port = dying.clone();
    world
        .restart(|config, ports| {
            config.deliver = true;
            ports.mail = Some(port);
        })
        .await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    dying.news.notified().await;

    // Another instance leaves it alone while it may still be in hand; the one that had it takes it up at once.
    world.restart(|config, _| (config.deliver, config.instance) = (false, "other".into())).await;
    assert_eq!(world.server.deliver_due().await.unwrap(), 0);
    world.restart(|config, _| config.deliver = true).await;
    let mail = world.mailbox.mail_to(BO).await;
    let first = dying.taken.lock().unwrap()[0].clone();
    assert_eq!(mail.message_id, first.message_id);
    assert_eq!((mail.to, mail.body), (first.to, first.body));
}

/// Fails a number of times.
struct Fails(AtomicUsize, sentri_server::Mailbox);

#[async_trait]
impl MailPort for Fails {
    async fn send_mail(&self, mail: &Mail) -> Result<(), DeliveryError> {
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(DeliveryError("the mail server is away".into()));
        }
        self.1.send_mail(mail).await
    }
}

/// Tried again after growing waits, by the injected clock.
#[tokio::test]
async fn a_mail_that_fails_is_tried_again_later() {
    let mut world = World::with(|config| config.deliver = false).await;
    let port = Arc::new(Fails(AtomicUsize::new(2), world.mailbox.clone()));
    world.restart(|_, ports| ports.mail = Some(port)).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    let mut delivered = Vec::new();
    for wait in [0, 0, 9, 1, 19, 1] {
        world.clock.advance(wait);
        delivered.push(world.server.deliver_due().await.unwrap());
    }
    assert_eq!(delivered, [0, 0, 0, 0, 0, 1]);
    assert_eq!(world.mailbox.mails().len(), 1);
}
