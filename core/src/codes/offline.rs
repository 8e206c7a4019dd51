//! SmartPINs with no network: what makes them is on the phone by its owner's choice alone, and for a while. [PIN-1]

use sentri_protocol::{
    Time,
    codes::smart_pin::{
        LockId, Rules, SmartPinKey as LockKey, Variant,
        window::{PinWindow, WindowRefusal},
    },
    keys::Key,
};
use sentri_wire::{
    Secret, Timestamp,
    codes::{
        Blocked, CodeKind, IssuedCode, LONGEST_GUEST, MadeOffline, OfflinePinsRequest, SmartPinKey,
        SmartPinRequest,
    },
    problem::ProblemCode,
};
use uuid::Uuid;

use super::{issued, path, wall};
use crate::{
    CoreError,
    http::Call,
    session::{Session, SessionError},
    store::PinMade,
};

/// Has this phone make SmartPINs of a lockbox with no network, against the owner's PIN. Until when.
pub async fn allow(session: &Session, lockbox: &str, pin: Secret) -> Result<Timestamp, CoreError> {
    let path = path(lockbox, "smart-pins/offline");
    let key: SmartPinKey = session.call(&Call::post(&path, &OfflinePinsRequest { pin })?).await?;
    let until = key.until;
    session.write("smart-pin-key", move |rows| rows.put(&key)).await?;
    Ok(until)
}

/// Wipes what makes them, with or without network; the backend hears of it where there is some.
pub async fn end(session: &Session, lockbox: &str) -> Result<(), CoreError> {
    let serial = lockbox.trim().to_owned();
    session.write("smart-pin-key.wipe", move |rows| rows.remove::<SmartPinKey>(&serial)).await?;
    // What it made is told first: afterwards nobody would believe it. Where neither can be, the key counts as out, which
    // costs something only if the phone is removed from the account.
    if upload(session).await.is_ok() {
        let _ = session.tell(&Call::delete(&path(lockbox, "smart-pins/offline"))).await;
    }
    Ok(())
}

/// Until when this phone makes SmartPINs of a lockbox by itself.
pub async fn until(session: &Session, lockbox: &str) -> Result<Option<Timestamp>, CoreError> {
    Ok(key(session, lockbox).await?.map(|key| key.until))
}

async fn key(session: &Session, lockbox: &str) -> Result<Option<SmartPinKey>, CoreError> {
    let (serial, now) = (lockbox.trim().to_owned(), session.now());
    let key = session.read(move |rows| rows.get::<SmartPinKey>(&serial)).await?;
    Ok(key.filter(|key| now < key.until))
}

/// Makes one, and keeps it until the backend has heard of it.
pub(super) async fn make(
    session: &Session,
    lockbox: &str,
    id: Uuid,
    request: SmartPinRequest,
) -> Result<IssuedCode, CoreError> {
    let key = key(session, lockbox).await?.ok_or(CoreError::Offline)?;
    let trouble = CoreError::ServiceTrouble { retry_after: None, support: None };
    let maker = Maker::parse(&key).ok_or(trouble)?;
    let window = maker.window(&request)?;
    if request.ends_at <= session.now() {
        return Err(invalid("ends_at", "This time is over."));
    }
    let guest = request.guest.trim();
    if guest.is_empty() || guest.chars().count() > LONGEST_GUEST || guest.chars().any(char::is_control) {
        return Err(invalid("guest", "A name of 1 to 64 characters."));
    }
    let taken = issued(session, lockbox).await?;
    let number = maker.free_number(&taken, &request).ok_or_else(|| CoreError::Conflict {
        reason: "Every SmartPIN of this window is given to somebody. Choose an hour more or less.".into(),
    })?;
    let pin = maker.key.generate(window, number);
    let code = IssuedCode {
        id,
        lockbox: key.lockbox.clone(),
        kind: CodeKind::SmartPin,
        code: Secret::new(pin.digits().as_str()),
        guest: Some(guest.to_owned()),
        starts_at: request.starts_at,
        ends_at: request.ends_at,
        time_zone: key.time_zone.clone(),
        zone: key.zone,
        number: number.number(),
        shared: false,
        by_support: false,
        blocked: Blocked::No,
        made_at: session.now(),
    };
    let made = PinMade { code: code.clone() };
    session.write("pin.made", move |rows| rows.put(&made)).await?;
    Ok(code)
}

/// What a key makes, and by which rules.
struct Maker {
    key: LockKey,
    rules: Rules,
    zone: sentri_protocol::zone::Zone,
}

impl Maker {
    fn parse(key: &SmartPinKey) -> Option<Self> {
        let lock = LockId(key.lock_id.array()?);
        Some(Self {
            key: LockKey::from_parts(&Key::new(key.key.array()?), lock),
            rules: Rules::decode(key.rules.array()?).ok()?,
            zone: wall::zone(&key.zone)?,
        })
    }

    fn window(&self, request: &SmartPinRequest) -> Result<PinWindow, CoreError> {
        let refused = |refusal: WindowRefusal| invalid(refusal.field(), &format!("{refusal}."));
        let instant = |at| Time::from_unix(at).ok_or(WindowRefusal::PastHorizon).map_err(refused);
        let (start, end) = (instant(request.starts_at)?, instant(request.ends_at)?);
        PinWindow::between(start, end, self.zone, self.rules.daily).map_err(refused)
    }

    fn free_number(&self, taken: &[IssuedCode], request: &SmartPinRequest) -> Option<Variant> {
        let window = |it: &&IssuedCode| {
            it.kind == CodeKind::SmartPin
                && (it.starts_at, it.ends_at) == (request.starts_at, request.ends_at)
        };
        let taken: Vec<u8> = taken.iter().filter(window).map(|it| it.number).collect();
        let free = (0..=self.rules.variants.number()).find(|number| !taken.contains(number))?;
        Variant::new(free)
    }
}

fn invalid(field: &str, reason: &str) -> CoreError {
    CoreError::InvalidField { field: field.into(), reason: reason.into() }
}

/// Tells the backend of what the phone made: its log names the guest then, and the owner's other phones show it.
pub async fn upload(session: &Session) -> Result<(), SessionError> {
    let made: Vec<PinMade> = session.vault.run(|store| store.read().all()).await?;
    for PinMade { code } in made {
        let request = SmartPinRequest {
            id: Some(code.id),
            guest: code.guest.clone().unwrap_or_default(),
            starts_at: code.starts_at,
            ends_at: code.ends_at,
            made: Some(MadeOffline { number: code.number, at: code.made_at }),
        };
        let call_path = path(&code.lockbox, "smart-pins");
        let noted = match session.call(&Call::post(&call_path, &request)?.repeatable()).await {
            Ok(noted) => Some(noted),
            // The lock has other keys by now, or another owner: it opens nothing.
            Err(error) if is_for_nothing(&error) => None,
            Err(error) => return Err(error),
        };
        let id = code.id.to_string();
        let kept = move |rows: &crate::store::Rows<'_>| {
            rows.remove::<PinMade>(&id)?;
            noted.iter().try_for_each(|noted: &IssuedCode| rows.put(noted))
        };
        session.vault.run(move |store| store.write("pin.noted", |rows| kept(rows))).await?;
        session.changes.note();
    }
    Ok(())
}

fn is_for_nothing(error: &SessionError) -> bool {
    matches!(
        error.code(),
        Some(ProblemCode::NotFound | ProblemCode::Conflict | ProblemCode::Invalid | ProblemCode::Forbidden)
    )
}
