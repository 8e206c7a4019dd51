//! One try at a lockbox, from listening for ENT to the last errand, as a task of its own.

use std::{borrow::Cow, sync::Arc, time::Duration};

use sentri_protocol::{
    advert::Advert,
    open::{Operation, OperationId, PhoneClock, Request, Verdict},
    status::{SignedStatus, Status},
    time::Time,
};
use sentri_wire::{
    Timestamp,
    event::{AccessEvent, Outcome},
};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    PhoneChecks, checks, errands,
    exchange::{Connection, Exchanged, Figures, Heard, prepare},
    held::{Held, Usable},
    hub::{LinkHub, MakesWay},
    listening::{Found, Listening, Wish},
    outcome,
    radio::Radio,
    visits,
    wakes::Wakes,
};
use crate::{
    CoreError, Ports,
    api::error::Judge,
    ports::{random_array, random_uuid},
    session::Session,
    store::LastUse,
    sync,
};

/// From the advert to the beginning of the last connection: a wake ends after 30 s. A lock holds two links at a
/// time, and gives one that a stranger only fills to the next phone after a second: so it is asked again and again.
const DECIDE: Duration = Duration::from_secs(18);
/// Between the first two connections, and at most: each pause is twice the one before.
const BETWEEN: Duration = Duration::from_millis(200);
const BETWEEN_AT_MOST: Duration = Duration::from_secs(1);

/// The bin opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// The box.
    pub lockbox: String,
    /// The access that was used.
    pub access_id: Uuid,
    /// The phone's time, set right by the backend's.
    pub at: Timestamp,
    /// Percent, as the lock told.
    pub battery_percent: u8,
    /// What went over the air.
    pub figures: Figures,
}

/// What a try comes to.
pub type Outcomed = Result<OpenReport, CoreError>;

/// A try that is going on, or over.
pub struct Attempt {
    told: watch::Receiver<Option<Outcomed>>,
    over: watch::Receiver<bool>,
    cancel: watch::Sender<bool>,
    way: MakesWay,
}

impl Attempt {
    /// Waits until the user can be told. What is told has been written down before.
    pub async fn result(&self) -> Outcomed {
        let mut told = self.told.clone();
        let result = told.wait_for(Option::is_some).await.ok().and_then(|it| it.clone());
        result.unwrap_or(Err(CoreError::DeviceTrouble))
    }

    /// Waits until the errands are done and the link is free.
    pub async fn over(&self) {
        let mut over = self.over.clone();
        let _ = over.wait_for(|over| *over).await;
    }

    /// Ends the try, as long as nothing was sent to a lock.
    pub fn cancel(&self) {
        self.cancel.send_replace(true);
        self.way.begin();
    }
}

/// Begins to listen for ENT. `wanted` names one access; without it any will do.
pub fn start(
    session: Arc<Session>,
    ports: &Ports,
    hub: &Arc<LinkHub>,
    checks: PhoneChecks,
    wanted: Option<Uuid>,
) -> Result<Attempt, CoreError> {
    let way = MakesWay::default();
    let turn = hub.turn(&way).ok_or(CoreError::AlreadyOpening)?;
    let (cancel, cancelled) = watch::channel(false);
    let (tell, told) = watch::channel(None);
    let (end, over) = watch::channel(false);
    let task = Task { session, ports: ports.clone(), checks, wanted, tell, way: way.clone() };
    ports.workers.spawn(Box::pin(async move {
        let radio = Radio::new(&task.ports, turn.come().await, cancelled);
        task.run(radio).await;
        end.send_replace(true);
    }));
    Ok(Attempt { told, over, cancel, way })
}

struct Task {
    session: Arc<Session>,
    ports: Ports,
    checks: PhoneChecks,
    wanted: Option<Uuid>,
    tell: watch::Sender<Option<Outcomed>>,
    way: MakesWay,
}

/// A lock's last word in a session.
struct Word {
    status: Status,
    signed: SignedStatus,
}

impl Task {
    async fn run(self, mut radio: Radio) {
        let opening = self.session.opening.lock().await;
        let opened = self.open(&mut radio).await;
        // Before it is told: who is told may try again at once.
        drop((radio, opening));
        if let Err(error) = opened {
            self.tell(Err(error));
        }
        // What happened goes up at once where there is network; else it waits for the next sync.
        sync::report(&self.session).await;
    }

    fn tell(&self, result: Outcomed) {
        self.tell.send_if_modified(|told| {
            let first = told.is_none();
            if let (true, Err(error)) = (first, told.get_or_insert(result)) {
                self.session.api.troubles.note(self.session.api.clock.now(), error);
            }
            first
        });
    }

    fn now(&self) -> Time {
        Time::from_unix(self.session.now()).unwrap_or_default()
    }

    /// The phone's own clock, right or wrong: the lock logs it.
    fn shown(&self) -> Time {
        Time::from_unix(self.ports.clock.now()).unwrap_or_default()
    }

    async fn open(&self, radio: &mut Radio) -> Result<(), CoreError> {
        let held = self.session.read(Held::read).await?;
        if let Some(id) = self.wanted
            && held.access(id).is_none()
        {
            return Err(CoreError::NotFound);
        }
        let Found { heard, lockbox } = self.hear(radio, &held).await?;
        let picked = match self.pick(&held, lockbox.as_deref()) {
            Err(why) => visits::fetch(&self.session, &heard.advert, why).await.map(Cow::Owned),
            Ok(usable) => Ok(Cow::Borrowed(usable)),
        };
        match picked {
            Ok(usable) => {
                let fetched = matches!(usable, Cow::Owned(_));
                // What was fetched came with the keys of the box's adverts.
                let held = if fetched { &self.session.read(Held::read).await? } else { &held };
                let is_it = |advert: &Advert| held.recognise(advert) == Some(usable.lockbox.as_str());
                let mut wakes = Wakes::new(heard, is_it);
                let asked = self.ask_lock(radio, &mut wakes, &usable, fetched || lockbox.is_some()).await;
                radio.stop_scan().await;
                if asked.is_err() {
                    radio.disconnect(&wakes.now().peer).await;
                }
                asked
            }
            Err(error) => {
                self.write_down_refusal(&held, lockbox, &error).await?;
                Err(error)
            }
        }
    }

    /// Listens until it is clear which box is meant.
    async fn hear(&self, radio: &mut Radio, held: &Held) -> Result<Found, CoreError> {
        let visits = visits::are_possible(&self.session).await;
        let wish = Wish { wanted: self.wanted, checks: self.checks, visits, now: self.now() };
        radio.start_scan().await?;
        let found = Listening::new(held, wish).listen(radio).await;
        radio.stop_scan().await;
        found
    }

    /// The credential to show, or why none. `lockbox` is absent where the box is not one of ours.
    fn pick<'h>(&self, held: &'h Held, lockbox: Option<&str>) -> Result<&'h Usable, CoreError> {
        let now = self.now();
        if self.checks == PhoneChecks::SkippedForDiagnosis {
            return self.pick_unchecked(held, lockbox).ok_or(CoreError::NotReady { connect_after: None });
        }
        if let Some(lockbox) = lockbox {
            return checks::pick(held, lockbox, self.wanted, now);
        }
        // A box that the phone can't recognise: perhaps one whose keys it does not hold yet.
        let unknown = held.accesses.iter().filter(|it| !held.knows(&it.lockbox));
        let mut wanted = unknown.filter(|it| self.wanted.is_none_or(|id| it.id == id));
        let reason = wanted.find(|it| self.wanted.is_some() || it.ends_at > now.unix() && !it.revoked);
        Err(reason.map_or(CoreError::WrongBox { by: Judge::Phone }, |it| checks::without_credential(it, now)))
    }

    /// What a phone without checks would show: the wanted access's credential, the box's, or just any.
    fn pick_unchecked<'h>(&self, held: &'h Held, lockbox: Option<&str>) -> Option<&'h Usable> {
        let by_access = held.usable.iter().find(|it| self.wanted == Some(it.access_id));
        let by_box = || held.usable.iter().find(|it| Some(it.lockbox.as_str()) == lockbox);
        by_access.or_else(by_box).or_else(|| held.usable.first())
    }

    /// Puts the credential to the lock, in as many wakes as it takes: who is impatient presses ENT again.
    async fn ask_lock<I: Fn(&Advert) -> bool>(
        &self,
        radio: &mut Radio,
        wakes: &mut Wakes<I>,
        usable: &Usable,
        recognised: bool,
    ) -> Result<(), CoreError> {
        while !self.ask_in_wake(radio, wakes, usable, recognised).await? {}
        Ok(())
    }

    /// In one wake: as many connections as it takes, under one operation id, since a wake opens once for it. Whether the
    /// lock has answered; if not, another wake has begun.
    async fn ask_in_wake<I: Fn(&Advert) -> bool>(
        &self,
        radio: &mut Radio,
        wakes: &mut Wakes<I>,
        usable: &Usable,
        recognised: bool,
    ) -> Result<bool, CoreError> {
        let deadline = radio.now() + DECIDE;
        let operation_id = OperationId(random_array(&*self.ports.random)?);
        let event = self.event(usable, operation_id)?;
        let mut figures = Figures::default();
        let (mut draft, mut another) = (false, false);
        let mut pause = BETWEEN;
        while radio.now() < deadline && !another {
            let heard = wakes.now();
            figures.tries += 1;
            let request = self.request(heard, usable, operation_id).await?;
            let prepared =
                prepare(heard, usable, request, &*self.ports.random, &self.session.device_keys).await?;
            if let Some(mut connection) = wakes.connect(radio).await? {
                if !draft {
                    // Written before anything is sent: a kill from here on leaves "unanswered", never nothing.
                    self.write_down(&event, true, None).await?;
                    draft = true;
                }
                match connection.prove(prepared, &mut figures).await {
                    Exchanged::Answered(answer) => {
                        return self
                            .answered(connection, usable, event, *answer, figures)
                            .await
                            .map(|()| true);
                    }
                    Exchanged::NotProved => return self.not_proved(event, recognised).await.map(|()| true),
                    Exchanged::Broken => connection.end().await,
                }
            }
            another = wakes.rest(radio, pause).await;
            pause = (pause * 2).min(BETWEEN_AT_MOST);
        }
        if draft {
            self.write_down(&event, false, None).await?;
        }
        if another { Ok(false) } else { Err(CoreError::NoAnswer) }
    }

    async fn request(
        &self,
        heard: &Heard,
        usable: &Usable,
        operation_id: OperationId,
    ) -> Result<Request, CoreError> {
        let mark = self.session.sync_mark().await?;
        let uncertainty = match mark.finished_at {
            Some(_) => u8::try_from(mark.skew.unsigned_abs()).unwrap_or(u8::MAX),
            None => u8::MAX,
        };
        Ok(Request {
            ticket: usable.ticket.clone(),
            operation: Operation::OpenKeyBin,
            operation_id,
            clock: PhoneClock { time: self.shown(), uncertainty },
            caveats: Vec::new(),
            lower_bound: usable.lower_bound.filter(|_| heard.advert.flags.clock_lost),
        })
    }

    /// The lock has answered: bring it the time where it asks, write down, tell, and run the errands.
    async fn answered(
        &self,
        mut connection: Connection<'_>,
        usable: &Usable,
        event: AccessEvent,
        answer: sentri_protocol::open::phone::Answer,
        figures: Figures,
    ) -> Result<(), CoreError> {
        let mut channel = answer.channel;
        let mut word = Word { status: answer.status, signed: answer.signed_status };
        if word.status.verdict == Verdict::ClockLost
            && let Some((status, signed)) =
                errands::bring_time(&self.session, &mut connection, &mut channel, &usable.lockbox).await
            && status.operation_id == word.status.operation_id
        {
            word = Word { status, signed };
        }
        let at = event.at;
        let outcome = Outcome::from(word.status.verdict);
        let event = AccessEvent { outcome, status: Some(word.signed.into()), ..event };
        let used = (outcome == Outcome::Opened).then_some(LastUse { access_id: usable.access_id, at });
        self.write_down(&event, false, used).await?;
        let report = OpenReport {
            lockbox: usable.lockbox.clone(),
            access_id: usable.access_id,
            at,
            battery_percent: word.status.battery,
            figures,
        };
        self.way.begin();
        self.tell(outcome::refusal(&word.status, usable).map_or(Ok(report), Err));
        connection.stop_scan().await;
        errands::run(&self.session, connection, &mut channel, &word.status, &usable.lockbox).await;
        Ok(())
    }

    /// The lock does not know the credential: another lock, or one whose keys were changed since the last sync.
    async fn not_proved(&self, event: AccessEvent, recognised: bool) -> Result<(), CoreError> {
        let (outcome, error) = if recognised {
            (Outcome::Refused, CoreError::NotReady { connect_after: Some(event.at) })
        } else {
            (Outcome::WrongBox, CoreError::WrongBox { by: Judge::Lock })
        };
        self.write_down(&AccessEvent { outcome, ..event }, false, None).await?;
        Err(error)
    }

    fn event(&self, usable: &Usable, operation_id: OperationId) -> Result<AccessEvent, CoreError> {
        Ok(AccessEvent {
            id: random_uuid(&*self.ports.random)?,
            at: self.session.now(),
            lockbox: usable.lockbox.clone(),
            access_id: Some(usable.access_id),
            operation: Some(operation_id.0.into()),
            outcome: Outcome::Unanswered,
            status: None,
        })
    }

    async fn write_down(
        &self,
        event: &AccessEvent,
        draft: bool,
        used: Option<LastUse>,
    ) -> Result<(), CoreError> {
        let event = event.clone();
        let name = if draft { "outbox.draft" } else { "outbox.settle" };
        self.session
            .write(name, move |rows| {
                rows.queue(&event, draft)?;
                used.iter().try_for_each(|used| rows.put(used))
            })
            .await
    }

    /// A refusal by the phone is in the log too, where it is about a box that the account has to do with. [CON-3]
    async fn write_down_refusal(
        &self,
        held: &Held,
        lockbox: Option<String>,
        error: &CoreError,
    ) -> Result<(), CoreError> {
        let access = self.wanted.and_then(|id| held.access(id));
        let Some(lockbox) = lockbox.or_else(|| access.map(|it| it.lockbox.clone())) else { return Ok(()) };
        let event = AccessEvent {
            id: random_uuid(&*self.ports.random)?,
            at: self.session.now(),
            access_id: self.access_for(held, &lockbox),
            lockbox,
            operation: None,
            outcome: outcome::of_error(error),
            status: None,
        };
        self.write_down(&event, false, None).await
    }

    fn access_for(&self, held: &Held, lockbox: &str) -> Option<Uuid> {
        let of_box = || held.accesses.iter().filter(|it| it.lockbox == lockbox).max_by_key(|it| it.ends_at);
        self.wanted.or_else(|| of_box().map(|it| it.id))
    }
}
