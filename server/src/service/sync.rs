//! What changed for an account and device since a cursor. [SYN-2]

use std::collections::{BTreeMap, HashMap};

use sentri_wire::{
    account::Account,
    agent::{Grant, Listing, Lockbox},
    codes::{CodeDelivery, IssuedCode, Keypad},
    credential::{Access, Credential, LockSettings, RevocationList},
    problem::ProblemCode,
    residence::{Door, DoorCode},
    sync::{Message, Record},
};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use subtle::ConstantTimeEq;

use super::{
    App, Caller, blocks,
    credentials::{self, Issued},
    fault, issued_codes, keypad, login, residence, restore, revocations,
};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        self, Connection, accesses,
        changes::{self, ChangeRow, Position},
        codes, doors,
        gather::Records,
        grants, listings, lockboxes, messages,
    },
};

/// Changes on a page, where the phone does not say.
pub const PAGE: usize = 100;
/// As many as a phone may ask for: a first sync is one page then, for nearly everybody.
pub const LONGEST_PAGE: usize = 1000;

/// A page, as `sentri_wire::sync::SyncPage` describes it. Its records are texts already: those that the database puts
/// together are never taken apart here.
#[derive(Serialize)]
pub struct Page {
    cursor: String,
    restart: bool,
    more: bool,
    server_time: i64,
    changes: Changes,
}

/// One page. Fetching it changes nothing that a second fetch would not give again, but that tickets which
/// are due are issued first.
pub async fn sync(app: &App, caller: &Caller, since: Option<&str>, limit: Option<usize>) -> Answer<Page> {
    let page = limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&page) {
        return Err(Refusal::invalid("limit", "1 to 1,000.").limit(1000));
    }
    let mut conn = app.store.read().await?;
    let mut position = changes::position(&mut conn, caller.account, caller.device).await?;
    let from = since.and_then(|text| Cursor::parse(app, caller, text));
    let from = from.filter(|cursor| cursor.incarnation == position.incarnation).map(|cursor| cursor.seq);
    if from.is_some_and(|seq| seq > position.newest) {
        // We gave this number out, and know nothing of it.
        drop(conn);
        restore::noticed(app, &position.incarnation).await?;
        return Err(Refusal::new(ProblemCode::NotLoggedIn).field("authorization"));
    }
    let mut issued = Issued::default();
    let is_due = |at: Option<i64>| at.is_some_and(|at| at <= app.now());
    if is_due(position.due_at) || is_due(position.pass_due_at) {
        drop(conn);
        issued = match issue_due(app, caller, &position).await {
            // What was issued before still travels; only nothing new is signed.
            Err(Refusal::Problem(problem)) if problem.code == ProblemCode::ClockNotTrusted => issued,
            issued => issued?,
        };
        conn = app.store.read().await?;
        position = changes::position(&mut conn, caller.account, caller.device).await?;
    }
    let from = from.filter(|seq| *seq >= position.floor);
    let restart = from.is_none();
    let from = from.unwrap_or(0);

    let mut rows = Vec::new();
    if from < position.newest {
        let limit = i64::try_from(page + 1).unwrap_or(i64::MAX);
        rows = changes::page(&mut conn, caller.account, caller.device, from, limit).await?;
    }
    app.store.count_rows(rows.len());
    let more = rows.len() > page;
    rows.truncate(page);
    let seen = rows.last().map_or(from, |row| row.seq);
    // Numbers become visible in their order: past the last page, nothing up to the newest is left.
    let last = if more { seen } else { seen.max(position.newest) };

    let records = Loader { app, caller, conn: &mut conn, found: HashMap::new() }.load(&rows).await?;
    app.store.count_rows(records.values().map(HashMap::len).sum());
    Ok(Page {
        cursor: Cursor { incarnation: position.incarnation, seq: last }.text(app, caller),
        restart,
        more: more || issued.more,
        server_time: app.now(),
        changes: Changes { rows, records, restart },
    })
}

/// Issues the tickets and the passes that are due.
async fn issue_due(app: &App, caller: &Caller, position: &Position) -> Answer<Issued> {
    let mut issued = Issued::default();
    if position.due_at.is_some_and(|at| at <= app.now()) {
        issued = credentials::issue_due(app, caller).await?;
    }
    if position.pass_due_at.is_some_and(|at| at <= app.now()) {
        issued.more |= residence::passes::issue_due(app, caller).await?;
    }
    Ok(issued)
}

/// What changed, and the objects as they now are, by their kinds.
struct Changes {
    rows: Vec<ChangeRow>,
    records: HashMap<&'static str, Records>,
    restart: bool,
}

/// A change on its way.
#[derive(Serialize)]
struct Sent<'a> {
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a RawValue>,
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = self.rows.iter().map(|row| {
            let record = self.records.get(row.kind.as_str()).and_then(|found| found.get(&row.object_id));
            Sent { kind: &row.kind, id: &row.object_id, record: record.map(Box::as_ref) }
        });
        // A phone that starts over has nothing that could go away.
        serializer.collect_seq(changes.filter(|change| !self.restart || change.record.is_some()))
    }
}

/// Where an account's phone has got to, in a database. Nobody but us can make one: one that we gave out and can't
/// remember shows that the database came back from a backup.
struct Cursor {
    incarnation: String,
    seq: i64,
}

impl Cursor {
    /// Of fixed length, so that a page's size says nothing of how much the account has.
    fn text(&self, app: &App, caller: &Caller) -> String {
        format!("{}.{:016x}.{}", self.incarnation, self.seq, self.tag(app, caller))
    }

    fn parse(app: &App, caller: &Caller, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (incarnation, seq, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let seq = i64::from_str_radix(seq, 16).ok().filter(|seq| *seq >= 0)?;
        let cursor = Self { incarnation: incarnation.to_owned(), seq };
        let right = cursor.tag(app, caller);
        (parts.next().is_none() && bool::from(right.as_bytes().ct_eq(tag.as_bytes()))).then_some(cursor)
    }

    fn tag(&self, app: &App, caller: &Caller) -> String {
        let text = format!("{}.{}.{}", caller.account, self.incarnation, self.seq);
        let mut tag = app.vault.fingerprint("cursor", text.as_bytes());
        tag.truncate(32);
        tag
    }
}

/// Fetches the objects of a page, kind after kind. Each query carries whose the objects must be, so that a
/// change row alone shows nobody anything: what is not the caller's is told as gone.
struct Loader<'a> {
    app: &'a App,
    caller: &'a Caller,
    conn: &'a mut Connection,
    found: HashMap<&'static str, Records>,
}

impl Loader<'_> {
    async fn load(mut self, rows: &[ChangeRow]) -> Answer<HashMap<&'static str, Records>> {
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in rows {
            kinds.entry(&row.kind).or_default().push(&row.object_id);
        }
        for (kind, ids) in kinds {
            match kind {
                Account::KIND => self.account().await?,
                Listing::KIND => self.listings(&ids).await?,
                Lockbox::KIND => self.lockboxes(&ids).await?,
                Grant::KIND => self.grants(&ids).await?,
                Access::KIND => self.accesses(&ids).await?,
                Credential::KIND => self.credentials(&ids).await?,
                Message::KIND => self.messages(&ids).await?,
                RevocationList::KIND => self.revocations(&ids).await?,
                LockSettings::KIND => self.settings(&ids).await?,
                Keypad::KIND => self.keypads(&ids).await?,
                CodeDelivery::KIND => self.deliveries(&ids).await?,
                IssuedCode::KIND => self.codes(&ids).await?,
                Door::KIND => self.doors(&ids).await?,
                DoorCode::KIND => self.door_codes(&ids).await?,
                _ => return Err(fault("a change of an unknown kind")),
            }
        }
        Ok(self.found)
    }

    fn add<R: Record>(&mut self, record: &R) -> Answer<()> {
        self.found.entry(R::KIND).or_default().insert(record.id(), to_raw_value(record)?);
        Ok(())
    }

    async fn account(&mut self) -> Answer<()> {
        let profile = login::profile_of(self.app, self.conn, self.caller.account).await?;
        self.add(&profile)
    }

    async fn listings(&mut self, ids: &[&str]) -> Answer<()> {
        let rows = listings::owned_among(self.conn, self.caller.account, ids).await?;
        rows.iter().try_for_each(|row| self.add(&row.to_wire()))
    }

    async fn lockboxes(&mut self, serials: &[&str]) -> Answer<()> {
        let rows = lockboxes::owned_among(self.conn, self.caller.account, serials).await?;
        rows.iter().try_for_each(|row| self.add(&row.to_wire()))
    }

    async fn grants(&mut self, ids: &[&str]) -> Answer<()> {
        let rows = grants::given_among(self.conn, self.caller.account, ids).await?;
        rows.iter().try_for_each(|row| self.add(&row.to_wire()))
    }

    async fn accesses(&mut self, ids: &[&str]) -> Answer<()> {
        let held = accesses::held_among(self.conn, self.caller.account, ids).await?;
        self.found.insert(Access::KIND, held);
        Ok(())
    }

    async fn credentials(&mut self, ids: &[&str]) -> Answer<()> {
        for row in store::credentials::live_among(self.conn, self.caller.device, ids).await? {
            let lockbox = lockboxes::by_id(self.conn, row.lockbox_id)
                .await?
                .ok_or_else(|| fault("a credential without its lockbox"))?;
            self.add(&credentials::to_wire(self.app, &row, &lockbox)?)?;
        }
        Ok(())
    }

    async fn messages(&mut self, ids: &[&str]) -> Answer<()> {
        let rows = messages::among(self.conn, self.caller.account, ids).await?;
        rows.iter().try_for_each(|row| self.add(&row.to_wire()))
    }

    async fn revocations(&mut self, serials: &[&str]) -> Answer<()> {
        for lockbox in lockboxes::carried_to(self.conn, self.caller.account, serials).await? {
            if revocations::is_pending(&lockbox) {
                let list = revocations::signed(self.app, self.conn, &lockbox).await?;
                self.add(&list)?;
            }
        }
        Ok(())
    }

    async fn settings(&mut self, serials: &[&str]) -> Answer<()> {
        for lockbox in lockboxes::carried_to(self.conn, self.caller.account, serials).await? {
            if lockbox.has_pending_settings() {
                self.add(&credentials::signed_settings(self.app, &lockbox)?)?;
            }
        }
        Ok(())
    }

    async fn keypads(&mut self, serials: &[&str]) -> Answer<()> {
        for lockbox in lockboxes::owned_among(self.conn, self.caller.account, serials).await? {
            let keypad = keypad::seen(self.app, self.conn, &lockbox).await?;
            self.add(&keypad)?;
        }
        Ok(())
    }

    async fn doors(&mut self, serials: &[&str]) -> Answer<()> {
        for door in doors::among(self.conn, self.caller.account, serials).await? {
            let door = residence::to_wire(self.app, self.conn, self.caller, &door).await?;
            self.add(&door)?;
        }
        Ok(())
    }

    async fn door_codes(&mut self, ids: &[&str]) -> Answer<()> {
        let mut serials: Vec<&str> = ids.iter().filter_map(|id| Some(id.rsplit_once('.')?.0)).collect();
        serials.sort_unstable();
        serials.dedup();
        for door in doors::among(self.conn, self.caller.account, &serials).await? {
            let codes = residence::codes::at(self.app, self.conn, self.caller.account, &door).await?;
            codes
                .iter()
                .filter(|code| ids.contains(&code.id.as_str()))
                .try_for_each(|code| self.add(code))?;
        }
        Ok(())
    }

    async fn deliveries(&mut self, serials: &[&str]) -> Answer<()> {
        for lockbox in lockboxes::carried_to(self.conn, self.caller.account, serials).await? {
            if let Some(delivery) = blocks::delivery(self.app, self.conn, &lockbox).await? {
                self.add(&delivery)?;
            }
        }
        for door in doors::among(self.conn, self.caller.account, serials).await? {
            if let Some(delivery) = residence::deliveries::to_wire(self.conn, &door).await? {
                self.add(&delivery)?;
            }
        }
        Ok(())
    }

    async fn codes(&mut self, ids: &[&str]) -> Answer<()> {
        for row in codes::owned_among(self.conn, self.caller.account, ids).await? {
            let lockbox = lockboxes::by_id(self.conn, row.lockbox_id)
                .await?
                .ok_or_else(|| fault("a code without its lockbox"))?;
            let code = issued_codes::to_wire(self.app, self.conn, &lockbox, &row).await?;
            self.add(&code)?;
        }
        Ok(())
    }
}
