//! Codes that a phone brings: each order is carried out or named, all in one write. [RES-5, PIN-7]

use alloc::vec::Vec;

use sentri_protocol::{
    codes::{
        delivery::{Delivery, Holder, Order},
        validity::Validity,
    },
    open::channel::Applied,
};

use crate::{
    journal::{
        state::{Change, State},
        tables::{DELIVERED_IDS, HeldCode, PROGRAMMING_ID, Role, Tables},
    },
    keypad::fits,
    lock::{Halt, Lock},
    ports::Board,
    records,
};

impl<B: Board> Lock<B> {
    /// Takes what follows on the version that the lock has; bit n of the answer: order n was not carried out.
    pub(crate) fn take_codes(&mut self, sealed: &[u8]) -> Result<(Applied, u16), Halt> {
        let Some(delivery) = Delivery::open(&self.keys, sealed) else { return Ok((Applied::Refused, 0)) };
        let held = self.journal.state().codes_version;
        if delivery.version <= held {
            return Ok((Applied::Already, 0));
        }
        if delivery.from > held {
            return Ok((Applied::Refused, 0));
        }
        let (orders, not_done) = self.carry_out(delivery.orders());
        let mut draft = self.draft();
        for change in orders {
            draft.change(change);
        }
        draft.change(Change::CodesVersion(delivery.version));
        draft.event(&records::codes(delivery.version, not_done, self.now()));
        let changes = draft.into_changes();
        Ok((self.store(&changes)?.into(), not_done))
    }

    /// The changes that the orders make, each seen by those after it, and which make none.
    fn carry_out(&self, orders: &[Order]) -> (Vec<Change>, u16) {
        let state = self.journal.state();
        let mut tables = state.tables.clone();
        let mut changes = Vec::with_capacity(orders.len());
        let mut not_done = 0;
        for (place, order) in orders.iter().enumerate() {
            match self.change_of(order, &tables, state) {
                Some(change) => {
                    tables.change(&change, state.stamp.floor);
                    changes.push(change);
                }
                None => not_done |= 1 << place,
            }
        }
        (changes, not_done)
    }

    fn change_of(&self, order: &Order, tables: &Tables, state: &State) -> Option<Change> {
        let held = match order {
            Order::TakeOut(id) => return DELIVERED_IDS.contains(id).then_some(Change::Dropped(*id)),
            Order::Block(pin) => return self.to_block(pin.clone(), tables).map(Change::Blocked),
            Order::Put { place, holder, code, validity } => {
                let role = match holder {
                    Holder::Resident => Role::Resident,
                    Holder::Guest => Role::Guest,
                };
                HeldCode { id: *place, role, code: code.clone(), validity: *validity }
            }
            Order::Programming(code) => HeldCode {
                id: PROGRAMMING_ID,
                role: Role::Programming,
                code: code.clone(),
                validity: Validity::Permanent,
            },
        };
        fits(tables, state.profile, &held).is_ok().then_some(Change::Held(held))
    }
}
