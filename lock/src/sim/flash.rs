//! Simulated NOR flash: programming clears bits, erasing sets them, and the power may go during either.

use std::{vec, vec::Vec};

use crate::ports::{AREA_LEN, Area, FlashError, PROGRAM_ALIGN};

/// How far an operation gets when the power goes during it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing of it happens.
    Before,
    /// A quarter of a program is written; the first half of an area is erased.
    TornEarly,
    /// All but the last byte is written, and of that some bits; all but the header of an area is erased.
    TornLate,
    /// All of it happens, and nobody hears of it.
    After,
}

impl Cut {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Before, Self::TornEarly, Self::TornLate, Self::After];
}

/// How flash that is worn takes a write of which nothing stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wear {
    /// It reports an error.
    Told,
    /// It says nothing.
    Silent,
}

impl Wear {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Told, Self::Silent];
}

/// Two areas of flash, and what is to go wrong with them. A clone is the same flash in another board.
#[derive(Clone, Debug)]
pub struct SimFlash {
    areas: [Vec<u8>; 2],
    operations: u64,
    erases: u64,
    cut: Option<(u64, Cut)>,
    worn: Option<(u64, Wear)>,
    overwritten: u64,
}

impl Default for SimFlash {
    fn default() -> Self {
        Self {
            areas: [vec![0xff; AREA_LEN], vec![0xff; AREA_LEN]],
            operations: 0,
            erases: 0,
            cut: None,
            worn: None,
            overwritten: 0,
        }
    }
}

impl SimFlash {
    /// Flash that holds what [`SimFlash::image`] gave; nothing where the length is another.
    pub fn from_image(image: &[u8]) -> Option<Self> {
        let (first, second) = image.split_at_checked(AREA_LEN)?;
        (second.len() == AREA_LEN)
            .then(|| Self { areas: [first.to_vec(), second.to_vec()], ..Self::default() })
    }

    /// All of its bytes, to be kept between runs.
    pub fn image(&self) -> Vec<u8> {
        self.areas.concat()
    }

    /// Programs and erases so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Erases so far: each turn of the page begins with one.
    pub fn erases(&self) -> u64 {
        self.erases
    }

    /// Bytes programmed twice between erases, or across the alignment: what strict flash would not take. 0 in
    /// firmware that is right.
    pub fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Cuts the power at the operation with this number, counted from the first ever as 0.
    pub fn cut_at(&mut self, operation: u64, cut: Cut) {
        self.cut = Some((operation, cut));
    }

    /// Takes back a cut that has not happened.
    pub fn cut_nowhere(&mut self) {
        self.cut = None;
    }

    /// From now on nothing that is written stays.
    pub fn wear_out(&mut self) {
        self.wear_out_at(self.operations, Wear::Told);
    }

    /// From the operation with this number on, counted from the first ever as 0, nothing that is written stays.
    pub fn wear_out_at(&mut self, operation: u64, wear: Wear) {
        self.worn = Some((operation, wear));
    }

    pub(super) fn read(&self, area: Area, offset: usize, into: &mut [u8]) {
        let [first, second] = &self.areas;
        let cells = match area {
            Area::First => first,
            Area::Second => second,
        };
        into.fill(0xff);
        into.iter_mut().zip(cells.iter().skip(offset)).for_each(|(to, held)| *to = *held);
    }

    pub(super) fn program(&mut self, area: Area, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
        let cut = self.next_operation();
        if let Some(wear) = self.wear() {
            return wear;
        }
        if !offset.is_multiple_of(PROGRAM_ALIGN) || !bytes.len().is_multiple_of(PROGRAM_ALIGN) {
            self.overwritten += 1;
        }
        let written = match cut {
            Some(Cut::Before) => 0,
            Some(Cut::TornEarly) => bytes.len() / 4,
            Some(Cut::TornLate) => bytes.len().saturating_sub(1),
            Some(Cut::After) | None => bytes.len(),
        };
        for (at, byte) in (offset..).zip(bytes).take(written) {
            self.clear_bits(area, at, *byte);
        }
        if let (Some(Cut::TornLate), Some(last)) = (cut, bytes.last()) {
            // Some of its bits are cleared already, others not yet.
            self.clear_bits(area, offset + written, last | 0b0101_1010);
        }
        cut.map_or(Ok(()), |_| Err(FlashError::PowerLost))
    }

    pub(super) fn erase(&mut self, area: Area) -> Result<(), FlashError> {
        let cut = self.next_operation();
        self.erases += 1;
        if let Some(wear) = self.wear() {
            return wear;
        }
        let erased = match cut {
            Some(Cut::Before) => 0..0,
            Some(Cut::TornEarly) => 0..AREA_LEN / 2,
            Some(Cut::TornLate) => PROGRAM_ALIGN * 2..AREA_LEN,
            Some(Cut::After) | None => 0..AREA_LEN,
        };
        if let Some(cells) = self.cells(area).get_mut(erased) {
            cells.fill(0xff);
        }
        cut.map_or(Ok(()), |_| Err(FlashError::PowerLost))
    }

    /// What worn flash answers to the operation that was counted last.
    fn wear(&self) -> Option<Result<(), FlashError>> {
        match self.worn {
            Some((from, wear)) if self.operations > from => Some(match wear {
                Wear::Told => Err(FlashError::Worn),
                Wear::Silent => Ok(()),
            }),
            _ => None,
        }
    }

    fn next_operation(&mut self) -> Option<Cut> {
        let number = self.operations;
        self.operations += 1;
        self.cut.take_if(|(at, _)| *at == number).map(|(_, cut)| cut)
    }

    fn cells(&mut self, area: Area) -> &mut Vec<u8> {
        let [first, second] = &mut self.areas;
        match area {
            Area::First => first,
            Area::Second => second,
        }
    }

    fn clear_bits(&mut self, area: Area, at: usize, byte: u8) {
        let again = self.cells(area).get_mut(at).is_none_or(|cell| {
            let again = *cell != 0xff;
            *cell &= byte;
            again
        });
        self.overwritten += u64::from(again);
    }
}
