//! A log of opaque entries on two flash areas in turn, whole or absent whatever the battery does.
//!
//! An area is a header, then entries, then erased bytes. Entries are appended in one program operation each,
//! guarded by a CRC over the area's sequence number, their offset and their bytes, so that neither a torn entry
//! nor a leftover of a half erase is ever taken for one. An area counts once its header is written, which happens
//! after its entries; a second header at the area's end stands in for one that decays. Of two areas that count, the
//! higher sequence number does. A torn end is never written over: the next write turns the page.

use alloc::vec::Vec;

use crc::{CRC_32_ISO_HDLC, Crc};
use sentri_protocol::Malformed;
use zeroize::Zeroize;

use crate::ports::{AREA_LEN, Area, Flash, FlashError, PROGRAM_ALIGN};

/// The longest entry, in bytes.
pub const ENTRY_MOST: usize = 1024;

const MAGIC: &[u8; 8] = b"SENTRIJ1";
const HEADER_LEN: usize = 16;
/// Where the second header is; entries end before it.
const SECOND_HEADER: usize = AREA_LEN - HEADER_LEN;
/// What is kept free for those who wait at the lock, in bytes: some ten opens.
const RESERVE: usize = 1024;
const LENGTH_LEN: usize = 2;
const CRC_LEN: usize = 4;
const ERASED: u8 = 0xff;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Why an entry was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// It doesn't fit, or the area's end is torn: turn the page.
    PageOver,
    /// Flash refused.
    Flash(FlashError),
}

/// Where an entry was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// After whole entries only.
    InOrder,
    /// After one that is broken, though others follow it: no power cut does that.
    PastGap,
}

/// An area that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    sequence: u32,
    area: Area,
}

/// The open log.
#[derive(Debug)]
pub struct Log {
    page: Page,
    end: usize,
    /// Everything from `end` on is erased.
    clean: bool,
    /// Whole entries follow one that is not.
    gap: bool,
    /// Where the page's first entries end, those of its turn; unknown of a page that was opened.
    turned_to: usize,
    scratch: Vec<u8>,
}

impl Log {
    /// The areas that count, the newest first.
    pub fn pages(flash: &impl Flash) -> impl Iterator<Item = Page> {
        let page = |area| header(flash, area).map(|sequence| Page { sequence, area });
        let [first, second] = [Area::First, Area::Second].map(page);
        let first_is_newer = first.map(|it| it.sequence) > second.map(|it| it.sequence);
        let pages = if first_is_newer { [first, second] } else { [second, first] };
        pages.into_iter().flatten()
    }

    /// Opens a page and shows each of its whole entries, oldest first.
    pub fn open(
        flash: &impl Flash,
        page: Page,
        mut visit: impl FnMut(&[u8], Found) -> Result<(), Malformed>,
    ) -> Result<Self, Malformed> {
        let mut log = Self {
            page,
            end: HEADER_LEN,
            clean: false,
            gap: false,
            turned_to: HEADER_LEN,
            scratch: scratch(),
        };
        loop {
            while let Some(stored) = log.read_entry(flash) {
                let found = if log.gap { Found::PastGap } else { Found::InOrder };
                visit(log.scratch.get(LENGTH_LEN..stored).unwrap_or_default(), found)?;
                log.end += padded(stored + CRC_LEN);
            }
            let Some(next) = log.next_whole(flash) else { break };
            (log.end, log.gap) = (next, true);
        }
        log.clean = !log.gap && is_erased(flash, page.area, log.end);
        // The seed went through it.
        log.scratch.zeroize();
        Ok(log)
    }

    /// Begins a log on flash that holds none.
    pub fn format(
        flash: &mut impl Flash,
        fill: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> Result<Self, FlashError> {
        let page = Page { sequence: 0, area: Area::Second };
        let (end, turned_to) = (SECOND_HEADER, HEADER_LEN);
        let mut log = Self { page, end, clean: false, gap: false, turned_to, scratch: scratch() };
        log.turn(flash, fill)?;
        Ok(log)
    }

    /// Appends the entry that `write` puts together.
    pub fn append(
        &mut self,
        flash: &mut impl Flash,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), AppendError> {
        self.begin_entry();
        write(&mut self.scratch);
        self.seal_entry(self.page.sequence, self.end);
        if !self.clean || self.end + self.scratch.len() > SECOND_HEADER {
            return Err(AppendError::PageOver);
        }
        program(flash, self.page.area, self.end, &self.scratch).map_err(|error| {
            self.clean = false;
            AppendError::Flash(error)
        })?;
        self.end += self.scratch.len();
        Ok(())
    }

    /// Turns the page: writes the entries that `fill` puts together, until it has no more, to the other area, and
    /// then has that one count. Up to the last operation the log is what it was.
    pub fn turn(
        &mut self,
        flash: &mut impl Flash,
        mut fill: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> Result<(), FlashError> {
        let (area, sequence) = (self.page.area.other(), self.page.sequence.wrapping_add(1));
        let mut end = HEADER_LEN;
        flash.erase(area)?;
        loop {
            self.begin_entry();
            if !fill(&mut self.scratch) {
                break;
            }
            self.seal_entry(sequence, end);
            if end + self.scratch.len() > SECOND_HEADER {
                return Err(FlashError::Worn);
            }
            program(flash, area, end, &self.scratch)?;
            end += self.scratch.len();
        }
        program(flash, area, 0, &encode_header(sequence))?;
        (self.page, self.end, self.clean, self.turned_to) = (Page { sequence, area }, end, true, end);
        self.scratch.zeroize();
        match program(flash, area, SECOND_HEADER, &encode_header(sequence)) {
            Err(FlashError::PowerLost) => Err(FlashError::PowerLost),
            // The page counts without it.
            Err(FlashError::Worn) | Ok(()) => Ok(()),
        }
    }

    /// Whether the page has little room left, and turning it would make much: else it would turn again and again.
    pub fn is_nearly_full(&self) -> bool {
        self.clean && self.end + RESERVE > SECOND_HEADER && self.end >= self.turned_to + 2 * RESERVE
    }

    /// Whether the log was opened with whole entries past one that is not. The next write turns the page.
    pub fn has_gap(&self) -> bool {
        self.gap
    }

    /// Where the next whole entry begins, past one that is not.
    fn next_whole(&mut self, flash: &impl Flash) -> Option<usize> {
        let end = self.end;
        let mut found = None;
        while found.is_none() && self.end + PROGRAM_ALIGN < SECOND_HEADER {
            self.end += PROGRAM_ALIGN;
            found = self.read_entry(flash).map(|_| self.end);
        }
        self.end = end;
        found
    }

    /// Reads the entry at the end so far into the scratch buffer; its length with the length field, if it is whole.
    fn read_entry(&mut self, flash: &impl Flash) -> Option<usize> {
        let mut length = [0; LENGTH_LEN];
        flash.read(self.page.area, self.end, &mut length);
        let length = usize::from(u16::from_be_bytes(length));
        let stored = LENGTH_LEN + length;
        if length > ENTRY_MOST || self.end + stored + CRC_LEN > SECOND_HEADER {
            return None;
        }
        self.scratch.resize(stored + CRC_LEN, 0);
        flash.read(self.page.area, self.end, &mut self.scratch);
        let (bytes, crc) = self.scratch.split_at_checked(stored)?;
        (crc == checksum(self.page.sequence, self.end, bytes)).then_some(stored)
    }

    fn begin_entry(&mut self) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&[0; LENGTH_LEN]);
    }

    /// Fills in the length, appends CRC and padding.
    fn seal_entry(&mut self, sequence: u32, offset: usize) {
        debug_assert!(self.scratch.len() <= LENGTH_LEN + ENTRY_MOST);
        let length = u16::try_from(self.scratch.len() - LENGTH_LEN).unwrap_or(u16::MAX);
        for (to, from) in self.scratch.iter_mut().zip(length.to_be_bytes()) {
            *to = from;
        }
        let crc = checksum(sequence, offset, &self.scratch);
        self.scratch.extend_from_slice(&crc);
        self.scratch.resize(padded(self.scratch.len()), ERASED);
    }
}

fn scratch() -> Vec<u8> {
    Vec::with_capacity(padded(LENGTH_LEN + ENTRY_MOST + CRC_LEN))
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(PROGRAM_ALIGN)
}

fn checksum(sequence: u32, offset: usize, bytes: &[u8]) -> [u8; CRC_LEN] {
    let mut digest = CRC.digest();
    digest.update(&sequence.to_be_bytes());
    digest.update(&(offset as u64).to_be_bytes());
    digest.update(bytes);
    digest.finalize().to_be_bytes()
}

fn encode_header(sequence: u32) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&sequence.to_be_bytes());
    header[12..].copy_from_slice(&checksum(sequence, 0, MAGIC));
    header
}

/// The sequence number of an area that counts, by either header.
fn header(flash: &impl Flash, area: Area) -> Option<u32> {
    [0, SECOND_HEADER].into_iter().find_map(|offset| {
        let mut stored = [0; HEADER_LEN];
        flash.read(area, offset, &mut stored);
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = stored;
        let sequence = u32::from_be_bytes([a, b, c, d]);
        (stored == encode_header(sequence)).then_some(sequence)
    })
}

/// Programs and reads back: worn flash may take a write without a word.
fn program(flash: &mut impl Flash, area: Area, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
    flash.program(area, offset, bytes)?;
    let mut stored = [0; 64];
    for (index, expected) in bytes.chunks(stored.len()).enumerate() {
        let stored = stored.get_mut(..expected.len()).ok_or(FlashError::Worn)?;
        flash.read(area, offset + index * 64, stored);
        if stored != expected {
            return Err(FlashError::Worn);
        }
    }
    Ok(())
}

fn is_erased(flash: &impl Flash, area: Area, from: usize) -> bool {
    let mut stored = [0; 64];
    (from..SECOND_HEADER).step_by(stored.len()).all(|offset| {
        stored.get_mut(..(SECOND_HEADER - offset).min(64)).is_some_and(|stored| {
            flash.read(area, offset, stored);
            stored.iter().all(|byte| *byte == ERASED)
        })
    })
}
