//! Mails are sent at least once, whatever happens to the server, always under the same Message-ID. [GRT-3]

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use sentri_server::{
    Mailbox,
    outbox::{DeliveryError, Mail, MailPort},
};
use sentri_wire::account::Account;
use tokio::sync::Notify;

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
    news: Notify,
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
    let dying = Arc::new(DiesAfterTaking { taken: Mutex::default(), news: Notify::new() });
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
struct Fails(AtomicUsize, Mailbox);

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

/// Has each mail in hand until it may go.
struct Slow {
    taken: Notify,
    may_go: Notify,
    mailbox: Mailbox,
}

#[async_trait]
impl MailPort for Slow {
    async fn send_mail(&self, mail: &Mail) -> Result<(), DeliveryError> {
        self.taken.notify_one();
        self.may_go.notified().await;
        self.mailbox.send_mail(mail).await
    }
}

/// Whoever asks for all that is due waits for what the running server has in hand: nothing due means that it is out.
#[tokio::test]
async fn what_is_due_is_out_once_it_was_asked_for() {
    let mut world = World::with(|config| config.deliver = false).await;
    let mailbox = world.mailbox.clone();
    let slow = Arc::new(Slow { taken: Notify::new(), may_go: Notify::new(), mailbox });
    let port: Arc<dyn MailPort> = slow.clone();
    world.restart(|config, ports| (config.deliver, ports.mail) = (true, Some(port))).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    slow.taken.notified().await;

    let mut asked = pin!(world.server.deliver_due());
    // Long enough for many a look into the outbox.
    let meanwhile = async {
        for _ in 0..50 {
            world.get(&dana, "/v1/me").await.ok::<Account>();
        }
    };
    tokio::select! {
        early = &mut asked => panic!("{early:?}, and the mail is in hand"),
        () = meanwhile => {}
    }
    slow.may_go.notify_one();
    assert_eq!(asked.await.unwrap(), 0);
    assert_eq!(world.mailbox.mails().len(), 1);
}
