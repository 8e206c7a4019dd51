//! Delivers what is due: after each commit that put something in, and by the clock.

use std::{sync::Arc, time::Duration};

use sentri_wire::device::PushAddress;
use tokio::sync::{Mutex, Notify, watch};

use super::{Content, DeliveryError, Mail, MailPort, Push, PushPort, TextMessage, TextPort};
use crate::{
    metrics::Metrics,
    refusal::Answer,
    service::{App, fault, guessing::growing_wait, pushes},
    store::{
        Id,
        outbox::{self, PostKind, PostRow},
    },
};

/// What is taken at once: so little that all of it is delivered, or has failed, before the lease ends.
const BATCH: i64 = 5;
/// How long one delivery may take.
pub const LONGEST_DELIVERY: Duration = Duration::from_secs(20);
/// For how long what was taken is left to this server, in seconds.
const LEASE: i64 = 120;
const FIRST_RETRY: i64 = 10;
const LONGEST_RETRY: i64 = 3600;
/// How often the clock is looked at for what waits to be tried again.
const LOOK: Duration = Duration::from_secs(5);

/// Who carries what. A kind without a carrier stays in the outbox.
#[derive(Clone)]
pub struct Carriers {
    pub mail: Option<Arc<dyn MailPort>>,
    pub text: Option<Arc<dyn TextPort>>,
    pub push: Option<Arc<dyn PushPort>>,
    pub metrics: Arc<Metrics>,
    /// Whoever delivers has it: somebody else who then finds nothing due knows that it is out, not in another's hand.
    pub turn: Arc<Mutex<()>>,
}

impl Carriers {
    fn kinds(&self) -> Vec<PostKind> {
        [
            (self.mail.is_some(), PostKind::Mail),
            (self.text.is_some(), PostKind::Text),
            (self.push.is_some(), PostKind::Push),
        ]
        .into_iter()
        .filter_map(|(there, kind)| there.then_some(kind))
        .collect()
    }
}

/// Delivers until it is told to stop; what it has in hand then is delivered to its end.
pub async fn run(app: Arc<App>, carriers: Carriers, posted: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = deliver_until(&app, &carriers, &stop).await {
            tracing::error!(%error, "the outbox can't be read");
        }
        tokio::select! {
            () = posted.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            // Also where whoever could say so is gone.
            _ = stop.changed() => {}
        }
    }
}

/// Delivers all that is due now, after what this server has in hand. Says how many were delivered.
pub async fn deliver_due(app: &App, carriers: &Carriers) -> Answer<usize> {
    let (_say, never) = watch::channel(false);
    deliver_until(app, carriers, &never).await
}

async fn deliver_until(app: &App, carriers: &Carriers, stop: &watch::Receiver<bool>) -> Answer<usize> {
    let _turn = carriers.turn.lock().await;
    let kinds = carriers.kinds();
    let mut count = 0;
    loop {
        let now = app.now();
        let mut tx = app.store.write().await?;
        let (instance, until) = (&app.config.instance, now + LEASE);
        let leased = outbox::lease(tx.conn(), instance, &kinds, (now, until), BATCH).await?;
        tx.commit().await?;
        if leased.is_empty() {
            return Ok(count);
        }
        for row in leased {
            if *stop.borrow() {
                return Ok(count);
            }
            match deliver(app, carriers, &row).await {
                Ok(delivered) => count += usize::from(delivered),
                // It stays leased for a while; the others go on.
                Err(error) => tracing::error!(post = %row.id, %error, "a post can't be delivered"),
            }
        }
    }
}

async fn deliver(app: &App, carriers: &Carriers, row: &PostRow) -> Answer<bool> {
    let sealed = app.vault.open("outbox", &row.id.to_string(), &row.sealed)?;
    let content: Content = serde_json::from_slice(&sealed)?;
    let outcome = hand_over(app, carriers, row, &content).await;
    carriers.metrics.delivery(row.kind.0, outcome.is_ok());
    let mut tx = app.store.write().await?;
    match &outcome {
        Ok(()) => outbox::delivered(tx.conn(), row.id, app.now()).await?,
        Err(error) => {
            let wait = growing_wait(row.attempts, FIRST_RETRY, LONGEST_RETRY);
            tracing::warn!(post = %row.id, kind = ?row.kind.0, %error, wait, "to be tried again");
            outbox::retry_at(tx.conn(), row.id, app.now() + wait).await?;
        }
    }
    tx.commit().await?;
    Ok(outcome.is_ok())
}

async fn hand_over(
    app: &App,
    carriers: &Carriers,
    row: &PostRow,
    content: &Content,
) -> Result<(), DeliveryError> {
    let nobody = || DeliveryError("nobody carries this".into());
    match row.kind.0 {
        PostKind::Mail => {
            let mail = Mail {
                message_id: row.message_id.clone(),
                from: app.config.mail_from.clone(),
                to: content.to.clone(),
                subject: content.title.clone(),
                body: content.body.clone(),
            };
            carriers.mail.as_ref().ok_or_else(nobody)?.send_mail(&mail).await
        }
        PostKind::Text => {
            let text = TextMessage {
                id: row.message_id.clone(),
                to: content.to.clone(),
                body: content.body.clone(),
            };
            carriers.text.as_ref().ok_or_else(nobody)?.send_text(&text).await
        }
        PostKind::Push => {
            let account = account(&content.to).map_err(|error| DeliveryError(error.to_string()))?;
            let push = Push {
                id: row.message_id.clone(),
                account: account.0,
                to: addresses(app, account).await.map_err(|error| DeliveryError(error.to_string()))?,
                title: content.title.clone(),
            };
            carriers.push.as_ref().ok_or_else(nobody)?.send_push(&push).await
        }
    }
}

/// As they are now, not as they were when the push was put in.
async fn addresses(app: &App, account: Id) -> Answer<Vec<PushAddress>> {
    let mut conn = app.store.read().await?;
    pushes::of_account(app, &mut conn, account).await
}

fn account(text: &str) -> Answer<Id> {
    text.parse().map(Id).map_err(|_| fault("a push to no account"))
}
