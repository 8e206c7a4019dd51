//! A resident's own codes: viewed, generated, picked, deleted. The old one works until the lock has the new one.
//! [RES-1, RES-2, RES-4, RES-5]

use sentri_protocol::codes::{
    picked::{PickedRefusal, check_resident},
    stored::{GeneratedLength, StoredCode, generate},
    validity::Validity,
};
use sentri_wire::{
    Secret,
    residence::{CodeHolder, CodeState, DoorCode, DoorCodes, DoorKind, GenerateCode, PickCode},
};

use super::{
    super::once::Once,
    App, Caller, community,
    deliveries::{self, stored},
    guests, hubs, own_door,
};
use crate::{
    refusal::{Answer, Refusal},
    service::fault,
    store::{
        Connection, Id, Named, Writing,
        communities::CommunityRow,
        door_codes::{self, CodeStage, DoorCodeRow},
        doors::{self, DoorRow},
    },
};

/// Places in a lock's table that the backend gives out; 1 is the programming code's.
pub const PLACES: std::ops::RangeInclusive<i64> = 2..=64;
/// Random numbers for one code: each fails where its code is too easy or taken.
const DRAWS: usize = 64;

/// What a door's code is called in the API: its place, whatever its digits.
pub fn name(serial: &str, place: i64) -> String {
    format!("{serial}.{place}")
}

/// The caller's codes at a door, their own first.
pub async fn all(app: &App, caller: &Caller, serial: &str) -> Answer<DoorCodes> {
    caller.resident()?;
    let mut conn = app.store.read().await?;
    let door = doors::among(&mut conn, caller.account, &[serial]).await?;
    let door = door.into_iter().next().ok_or_else(Refusal::not_found)?;
    let mut codes = at(app, &mut conn, caller.account, &door).await?;
    codes.sort_by_key(|code| code.holder == CodeHolder::Guest);
    Ok(DoorCodes { codes })
}

/// What one account sees of a door's codes. A guest's code that is over is not shown any more.
pub async fn at(app: &App, conn: &mut Connection, account: Id, door: &DoorRow) -> Answer<Vec<DoorCode>> {
    let rows = door_codes::at_door(conn, door.id).await?;
    rows.chunk_by(|a, b| a.place == b.place)
        .filter(|place| place.last().is_some_and(|row| row.account_id == account && !is_over(app, row)))
        .map(|place| view(app, door, place))
        .collect()
}

/// A new code for the caller, generated.
pub async fn generate_own(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    request: &GenerateCode,
) -> Answer<DoorCode> {
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let door = own_door(&mut tx, caller, serial).await?;
    let length = length(&community(tx.conn(), &door).await?, request.digits)?;
    let table = Table::read(app, &mut tx, &door).await?;
    let code = table.generate(app, length)?;
    put_own(app, tx, caller, once, &door, &table, &code).await
}

/// A new code for the caller, which they picked.
pub async fn pick_own(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    request: &PickCode,
) -> Answer<DoorCode> {
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let door = own_door(&mut tx, caller, serial).await?;
    let community = community(tx.conn(), &door).await?;
    if door.kind.0 != DoorKind::Unit {
        return Err(Refusal::conflict("Codes for access points and amenities are generated, not picked."));
    }
    if community.custom_codes == 0 {
        return Err(Refusal::conflict("Your community has not enabled picking a code."));
    }
    let six_digits = community.six_digit_codes != 0;
    check_resident(request.code.expose(), six_digits).map_err(|broken| refusal(broken, six_digits))?;
    let code = stored(request.code.expose().as_bytes())?;
    let table = Table::read(app, &mut tx, &door).await?;
    if table.holds(&code) {
        return Err(Refusal::conflict("Choose another code.").field("code"));
    }
    put_own(app, tx, caller, once, &door, &table, &code).await
}

/// Deletes a code of the caller's. It works until the lock has heard of it. It is named by its place, where another may
/// be by the time that a copy of the request comes.
pub async fn delete(app: &App, caller: &Caller, once: &Once, id: &str) -> Answer<()> {
    caller.resident()?;
    let (serial, place) = id.rsplit_once('.').ok_or_else(Refusal::not_found)?;
    let place: i64 = place.parse().map_err(|_| Refusal::not_found())?;
    let mut tx = app.store.write().await?;
    if once.earlier::<()>(app, &mut tx, caller).await?.is_some() {
        return Ok(());
    }
    let door = own_door(&mut tx, caller, serial).await?;
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    let own = deliveries::newest(&rows).find(|row| row.place == place && row.account_id == caller.account);
    if own.ok_or_else(Refusal::not_found)?.out_version.is_none() {
        hubs::reachable(app, tx.conn(), &door).await?;
        take_out(app, &mut tx, serial, place, false).await?;
    }
    once.keep(app, &mut tx, caller, &()).await?;
    Ok(tx.commit().await?)
}

/// Orders a place to be emptied.
pub async fn take_out(app: &App, tx: &mut Writing, serial: &str, place: i64, forget: bool) -> Answer<()> {
    let door = doors::by_serial(tx.conn(), serial).await?.ok_or_else(Refusal::not_found)?;
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    let Some(last) = deliveries::newest(&rows).find(|row| row.place == place) else { return Ok(()) };
    let version = door.codes_version + 1;
    door_codes::take_out(tx.conn(), door.id, place, version, forget).await?;
    deliveries::seal(app, tx, &door, version).await?;
    tx.touch::<DoorCode>(last.account_id, name(serial, place));
    Ok(())
}

/// How many digits a new code has: what is asked for, where the community offers it.
pub fn length(community: &CommunityRow, asked: Option<u8>) -> Answer<GeneratedLength> {
    match (asked, community.six_digit_codes != 0) {
        (Some(4), _) | (None, false) => Ok(GeneratedLength::Four),
        (Some(6) | None, true) => Ok(GeneratedLength::Six),
        (Some(6), false) => {
            Err(Refusal::invalid("digits", "Your community has not enabled codes of six digits."))
        }
        _ => Err(Refusal::invalid("digits", "A code has 4 or 6 digits.")),
    }
}

/// Each broken rule by its name. [RES-2]
fn refusal(broken: PickedRefusal, six_digits: bool) -> Refusal {
    let detail = match (broken, six_digits) {
        (PickedRefusal::NotDigits, _) => "Use digits only.",
        (PickedRefusal::WrongLength, false) => "A code has 4 digits.",
        (PickedRefusal::WrongLength, true) => "A code has 4 or 6 digits.",
        (PickedRefusal::OneDigitRepeated, _) => "Don't repeat one digit, like 1111.",
        (PickedRefusal::ConsecutiveRun, _) => "Don't use digits in sequence, like 1234 or 4321.",
    };
    Refusal::invalid("code", detail)
}

/// All codes that a lock holds, or may come to hold.
pub struct Table {
    rows: Vec<DoorCodeRow>,
    codes: Vec<StoredCode>,
}

impl Table {
    /// Reads a door's.
    pub async fn read(app: &App, tx: &mut Writing, door: &DoorRow) -> Answer<Self> {
        let rows = door_codes::at_door(tx.conn(), door.id).await?;
        let codes = rows.iter().map(|row| digits(app, row)).collect::<Answer<_>>()?;
        Ok(Self { rows, codes })
    }

    fn holds(&self, code: &StoredCode) -> bool {
        self.codes.iter().fold(false, |found, held| found | held.matches(code.as_ascii()))
    }

    /// A code that none of them is.
    pub fn generate(&self, app: &App, length: GeneratedLength) -> Answer<StoredCode> {
        let draws = std::iter::repeat_with(|| u32::from_be_bytes(app.random())).take(DRAWS);
        generate(length, draws, |code| self.holds(code)).map_err(|_| fault("no free code was found"))
    }

    /// Where the caller's own code is.
    fn own(&self, account: Id) -> Option<i64> {
        let own = |row: &&DoorCodeRow| row.account_id == account && row.holder.0 == CodeHolder::Resident;
        deliveries::newest(&self.rows).find(own).map(|row| row.place)
    }

    /// A free place, or that of a guest's code which is long over.
    pub fn place(&self, app: &App) -> Answer<i64> {
        let free = PLACES.clone().find(|place| !self.rows.iter().any(|row| row.place == *place));
        let over = || {
            let day_ago = app.now() - 86_400;
            let old = deliveries::newest(&self.rows).filter(|row| row.ends_at.is_some_and(|at| at < day_ago));
            old.min_by_key(|row| row.ends_at).map(|row| row.place)
        };
        free.or_else(over).ok_or_else(|| {
            Refusal::conflict("The lock has no room for another code. Delete one that is not needed.")
        })
    }
}

async fn put_own(
    app: &App,
    mut tx: Writing,
    caller: &Caller,
    once: &Once,
    door: &DoorRow,
    table: &Table,
    code: &StoredCode,
) -> Answer<DoorCode> {
    let place = table.own(caller.account).map_or_else(|| table.place(app), Ok)?;
    let new = New { place, holder: CodeHolder::Resident, guest: None, code, validity: Validity::Permanent };
    let made = put(app, &mut tx, caller, door, &new).await?;
    once.keep(app, &mut tx, caller, &made).await?;
    tx.commit().await?;
    Ok(made)
}

/// A code on its way into a place.
pub struct New<'a> {
    pub place: i64,
    pub holder: CodeHolder,
    pub guest: Option<String>,
    pub code: &'a StoredCode,
    pub validity: Validity,
}

/// Orders a code into a place; whatever is there works until then.
pub async fn put(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    door: &DoorRow,
    new: &New<'_>,
) -> Answer<DoorCode> {
    hubs::reachable(app, tx.conn(), door).await?;
    let version = door.codes_version + 1;
    let id = app.new_id();
    let row = DoorCodeRow {
        id,
        door_id: door.id,
        account_id: caller.account,
        place: new.place,
        holder: Named(new.holder),
        guest: new.guest.clone(),
        code: app.vault.seal("door-code", &id.to_string(), new.code.as_ascii())?,
        validity: hex::encode(new.validity.encode()),
        ends_at: guests::end(new.validity),
        state: Named(CodeStage::Ordered),
        put_version: version,
        out_version: None,
        created_at: app.now(),
    };
    door_codes::insert(tx.conn(), &row).await?;
    deliveries::seal(app, tx, door, version).await?;
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    let place = rows.chunk_by(|a, b| a.place == b.place).find(|place| place.iter().any(|it| it.id == id));
    let place = place.unwrap_or_default();
    // Whose code was there, and is over, hears of it as well.
    for row in place {
        tx.touch::<DoorCode>(row.account_id, name(&door.serial, new.place));
    }
    view(app, door, place)
}

/// A place as its holder sees it: the newest code, and beside it the one that works until then.
fn view(app: &App, door: &DoorRow, place: &[DoorCodeRow]) -> Answer<DoorCode> {
    let last = place.last().ok_or_else(|| fault("a place without a code"))?;
    let shown = |row: &DoorCodeRow| -> Answer<Secret> { Ok(Secret::new(digits(app, row)?.as_str())) };
    // A place that was another's before shows nothing of that.
    let is_own = |row: &&DoorCodeRow| row.account_id == last.account_id && row.holder == last.holder;
    let working = place.iter().rfind(|row| is_own(row) && row.state.0 == CodeStage::Works);
    let (state, next) = match (last.out_version, last.state.0) {
        (Some(_), _) => (CodeState::Leaving, None),
        (None, CodeStage::Works) => (CodeState::Works, None),
        (None, CodeStage::Ordered) => (CodeState::Pending, Some(shown(last)?)),
        (None, CodeStage::NotTaken) => (CodeState::NotTaken, Some(shown(last)?)),
    };
    Ok(DoorCode {
        id: name(&door.serial, last.place),
        lock: door.serial.clone(),
        holder: last.holder.0,
        guest: last.guest.clone(),
        validity: guests::to_wire(deliveries::validity(last)?),
        state,
        progress: hubs::progress(app, door, last),
        working: working.map(shown).transpose()?,
        next,
    })
}

fn is_over(app: &App, row: &DoorCodeRow) -> bool {
    row.ends_at.is_some_and(|at| at <= app.now())
}

/// The digits of a code.
pub fn digits(app: &App, row: &DoorCodeRow) -> Answer<StoredCode> {
    stored(&app.vault.open("door-code", &row.id.to_string(), &row.code)?)
}
