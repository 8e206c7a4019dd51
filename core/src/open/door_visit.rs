//! A visit at a door's lock: the phone shows its pass and hands over what it carries. It opens nothing. [RES-5]

use std::{sync::Arc, time::Duration};

use sentri_protocol::{
    advert::Advert,
    keys::Key,
    open::{Operation, OperationId, PhoneClock, Request, Verdict, phone::Answer},
    status::ClockQuality,
    time::Time,
};
use sentri_wire::residence::Door;
use tokio::sync::watch;

use super::{
    errands::{self, Handed},
    exchange::{Connection, Exchanged, Figures, Heard, prepare},
    held::{Usable, key},
    hub::{LinkEvent, LinkHub, MakesWay},
    outcome,
    radio::{Radio, Silence},
    wakes::Wakes,
};
use crate::{CoreError, Ports, ports::random_array, session::Session, sync};

/// How long a press of ENT is waited for.
const LISTEN: Duration = Duration::from_secs(60);
/// From the advert to the beginning of the last connection.
const DECIDE: Duration = Duration::from_secs(18);
const BETWEEN: Duration = Duration::from_millis(500);

/// What a visit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitReport {
    /// Serial number of the lock.
    pub lock: String,
    /// What the phone handed over.
    pub handed: Handed,
}

/// A visit that goes on, or is over.
pub struct Visit {
    told: watch::Receiver<Option<Result<VisitReport, CoreError>>>,
    over: watch::Receiver<bool>,
    cancel: watch::Sender<bool>,
    way: MakesWay,
}

impl Visit {
    /// Waits until the lock has what the phone carries, or why it has not.
    pub async fn result(&self) -> Result<VisitReport, CoreError> {
        let mut told = self.told.clone();
        let result = told.wait_for(Option::is_some).await.ok().and_then(|it| it.clone());
        result.unwrap_or(Err(CoreError::DeviceTrouble))
    }

    /// Waits until the lock's word of it is uploaded, where there is network.
    pub async fn over(&self) {
        let mut over = self.over.clone();
        let _ = over.wait_for(|over| *over).await;
    }

    /// Ends the visit, as long as nothing was sent to a lock.
    pub fn cancel(&self) {
        self.cancel.send_replace(true);
        self.way.begin();
    }
}

/// Begins to listen for ENT at a door. `wanted` names its lock; without it any of the account's will do.
pub fn visit(
    session: Arc<Session>,
    ports: &Ports,
    hub: &Arc<LinkHub>,
    wanted: Option<String>,
) -> Result<Visit, CoreError> {
    let way = MakesWay::default();
    let turn = hub.turn(&way).ok_or(CoreError::AlreadyOpening)?;
    let (cancel, cancelled) = watch::channel(false);
    let (tell, told) = watch::channel(None);
    let (end, over) = watch::channel(false);
    let task = Task { session, ports: ports.clone(), wanted };
    ports.workers.spawn(Box::pin(async move {
        let mut radio = Radio::new(&task.ports, turn.come().await, cancelled);
        let visited = task.visit(&mut radio).await;
        drop(radio);
        tell.send_replace(Some(visited));
        // What the lock said of itself goes up at once where there is network, and what follows from it comes back.
        let _ = sync::run(&task.session).await;
        end.send_replace(true);
    }));
    Ok(Visit { told, over, cancel, way })
}

struct Task {
    session: Arc<Session>,
    ports: Ports,
    wanted: Option<String>,
}

/// A door whose adverts the phone recognises.
struct Known {
    usable: Usable,
    keys: Vec<Key>,
}

impl Known {
    fn of(door: &Door) -> Option<Self> {
        let pass = door.pass.as_ref()?;
        Some(Self { usable: Usable::parse(pass)?, keys: pass.advert_keys.iter().filter_map(key).collect() })
    }

    fn is(&self, advert: &Advert) -> bool {
        self.keys.iter().any(|key| advert.is_from(key))
    }
}

impl Task {
    async fn visit(&self, radio: &mut Radio) -> Result<VisitReport, CoreError> {
        let mut doors: Vec<Door> = self.session.all().await?;
        if let Some(lock) = &self.wanted {
            doors.retain(|door| door.lock == *lock);
            if doors.is_empty() {
                return Err(CoreError::NotFound);
            }
        }
        let known: Vec<Known> = doors.iter().filter_map(Known::of).collect();
        if known.is_empty() {
            return Err(CoreError::NotReady { connect_after: None });
        }
        radio.start_scan().await?;
        let heard = listen(radio, &known).await;
        radio.stop_scan().await;
        let (heard, door) = heard?;
        let mut wakes = Wakes::new(heard, |advert: &Advert| door.is(advert));
        let visited = self.ask_lock(radio, &mut wakes, &door.usable).await;
        radio.stop_scan().await;
        if visited.is_err() {
            radio.disconnect(&wakes.now().peer).await;
        }
        visited
    }

    /// Shows the pass, in as many wakes as it takes: who is impatient presses ENT again.
    async fn ask_lock<I: Fn(&Advert) -> bool>(
        &self,
        radio: &mut Radio,
        wakes: &mut Wakes<I>,
        usable: &Usable,
    ) -> Result<VisitReport, CoreError> {
        loop {
            if let Some(report) = self.ask_in_wake(radio, wakes, usable).await? {
                return Ok(report);
            }
        }
    }

    /// In one wake: as many connections as it takes, under one operation id. Nothing where another wake has begun.
    async fn ask_in_wake<I: Fn(&Advert) -> bool>(
        &self,
        radio: &mut Radio,
        wakes: &mut Wakes<I>,
        usable: &Usable,
    ) -> Result<Option<VisitReport>, CoreError> {
        let mut until = radio.now() + DECIDE;
        let operation_id = OperationId(random_array(&*self.ports.random)?);
        let mut figures = Figures::default();
        while radio.now() < until {
            let heard = wakes.now();
            let request = self.request(heard, usable, operation_id);
            let prepared =
                prepare(heard, usable, request, &*self.ports.random, &self.session.device_keys).await?;
            if let Some(mut connection) = wakes.connect(radio).await? {
                match connection.prove(prepared, &mut figures).await {
                    Exchanged::Answered(answer) => {
                        let served = self.served(connection, usable, *answer).await?;
                        if served.is_some() {
                            return Ok(served);
                        }
                        // Lost midway: only another press of ENT goes on from there.
                        until = radio.now();
                    }
                    Exchanged::NotProved => return Err(CoreError::NotReady { connect_after: None }),
                    Exchanged::Broken => connection.end().await,
                }
            }
            if wakes.rest(radio, BETWEEN).await {
                return Ok(None);
            }
        }
        Err(CoreError::NoAnswer)
    }

    fn request(&self, heard: &Heard, usable: &Usable, operation_id: OperationId) -> Request {
        let shown = Time::from_unix(self.ports.clock.now()).unwrap_or_default();
        Request {
            ticket: usable.ticket.clone(),
            operation: Operation::Service,
            operation_id,
            clock: PhoneClock { time: shown, uncertainty: u8::MAX },
            caveats: Vec::new(),
            lower_bound: usable.lower_bound.filter(|_| heard.advert.flags.clock_lost),
        }
    }

    /// The lock has let the phone in: hand over what it carries, and the time where the lock has lost that, since no
    /// guest's code that is bound to time works then. Nothing where the link did not hold until all was handed over.
    async fn served(
        &self,
        mut connection: Connection<'_>,
        usable: &Usable,
        answer: Answer,
    ) -> Result<Option<VisitReport>, CoreError> {
        let (mut channel, mut status) = (answer.channel, answer.status);
        let lock = usable.lockbox.clone();
        if status.quality == ClockQuality::Lost
            && let Some((judged, _)) =
                errands::bring_time(&self.session, &mut connection, &mut channel, &lock).await
        {
            status = judged;
        }
        if status.verdict != Verdict::Served {
            connection.end().await;
            return Err(outcome::refusal(&status, usable).unwrap_or(CoreError::NoRight));
        }
        let handed = errands::run(&self.session, connection, &mut channel, &status, &lock).await;
        Ok(handed.complete.then_some(VisitReport { lock, handed }))
    }
}

/// Listens until a door of ours is heard.
async fn listen<'k>(radio: &mut Radio, known: &'k [Known]) -> Result<(Heard, &'k Known), CoreError> {
    let deadline = radio.now() + LISTEN;
    loop {
        match radio.next_or_cancel(deadline).await {
            Ok(LinkEvent::Advert { peer, payload, .. }) => {
                let Ok(advert) = Advert::decode(&payload) else { continue };
                // ENT says which door is meant, and ends whatever was begun without it.
                if advert.flags.service_only {
                    continue;
                }
                if let Some(door) = known.iter().find(|door| door.is(&advert)) {
                    return Ok((Heard { peer, advert }, door));
                }
            }
            Ok(_) => {}
            Err(Silence::Cancelled) => return Err(CoreError::Cancelled),
            Err(Silence::Overrun) => return Err(CoreError::BluetoothTrouble),
            Err(Silence::Deadline) => return Err(CoreError::NoLockboxHeard),
        }
    }
}
