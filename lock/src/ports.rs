//! What the lock's logic needs of its device: flash, time, entropy, radio, motor, lights, battery.
//!
//! Every method returns at once. Only flash and motor can report that the power is gone; the lock then unwinds
//! with [`Halt`](crate::Halt) and touches nothing more.

use thiserror::Error;

/// Bytes of each of the two flash areas that the journal lives in.
pub const AREA_LEN: usize = 16 * 1024;

/// Writes begin and end at multiples of this, and nothing is written twice between erases: the rule of the
/// strictest microcontrollers, whose flash carries a check word for every eight bytes.
pub const PROGRAM_ALIGN: usize = 8;

/// One of the two erasable flash areas of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Area {
    /// The one that isn't this.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Why flash was not changed as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FlashError {
    /// The battery went while it was being changed; any part of the change may have happened.
    #[error("the power went during a write to flash")]
    PowerLost,
    /// The flash no longer takes what is written.
    #[error("the flash is worn")]
    Worn,
}

/// Two areas of NOR flash, [`AREA_LEN`] bytes each: erasing sets every bit, programming clears some.
pub trait Flash {
    /// Fills `into` from `offset` on; bytes past the end read as erased (`0xff`).
    fn read(&self, area: Area, offset: usize, into: &mut [u8]);
    /// Writes erased bytes. `offset` and the length are multiples of [`PROGRAM_ALIGN`].
    fn program(&mut self, area: Area, offset: usize, bytes: &[u8]) -> Result<(), FlashError>;
    /// Sets all of an area to `0xff`.
    fn erase(&mut self, area: Area) -> Result<(), FlashError>;
}

/// The counter that runs from power-on.
pub trait Uptime {
    /// Milliseconds since power-on; never falls. Drifts as the device's crystal does.
    fn uptime_ms(&self) -> u64;
}

/// The hardware's random number source. It may be weak, or repeat after a reset: it is only mixed in.
pub trait Entropy {
    /// Fills `into`.
    fn entropy(&mut self, into: &mut [u8; 32]);
}

/// Why the key bin did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MotorError {
    /// The battery went while the motor ran.
    #[error("the power went while the motor ran")]
    PowerLost,
    /// It ran against a stop, or not at all.
    #[error("the motor did not move the latch")]
    Stuck,
}

/// The motor of the key bin.
pub trait Motor {
    /// Lets the key bin open, once.
    fn open_key_bin(&mut self) -> Result<(), MotorError>;
}

/// What the lights (and beeper) tell the person at the lock. None tells a guesser how near a guess was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indication {
    /// ENT was pressed: phones may come, for half a minute.
    Awake,
    /// The wake ended.
    Asleep,
    /// A key was taken.
    KeyTaken,
    /// A card is in: its PIN is asked for. In programming: the next number is.
    Code,
    /// The card and its PIN are right, or the programming code is: a command is awaited.
    Ready,
    /// What was asked for is done, without opening.
    Done,
    /// A SmartPIN is blocked.
    Blocked,
    /// What was asked for can't be done: no such sequence, no card of this association, a PIN that is too easy.
    Error,
    /// The key bin opens, or the bolt.
    Opened,
    /// Not opened. On the keypad this is all that is ever told; a proved phone shows its own reason.
    Refused,
    /// Codes of this kind are not looked at before so many seconds have passed.
    Wait {
        /// Rounded up.
        seconds: u32,
    },
    /// Opened or not, the battery wants changing.
    BatteryLow,
    /// Motor or flash failed: the box must be seen to.
    NeedsService,
}

/// The lights of a keypad. What they are on a device without one of them is its board's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// CODE: digits are awaited.
    Code,
    /// READY: a command is awaited.
    Ready,
    /// ERROR: it can't be done, or the box must be seen to.
    Error,
    /// DND: don't disturb, no code is looked at now.
    Dnd,
    /// Green.
    Green,
    /// Red.
    Red,
}

/// A light, and how often it flashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flashes {
    /// Which.
    pub light: Light,
    /// How often; 0 it stays on until the next indication.
    pub times: u8,
}

impl Indication {
    /// How the lights show it; nothing where only the beeper or the radio tells.
    pub fn flashes(self) -> Option<Flashes> {
        let (light, times) = match self {
            Self::Awake | Self::Asleep | Self::KeyTaken => return None,
            Self::Code => (Light::Code, 0),
            Self::Ready => (Light::Ready, 0),
            Self::Opened | Self::Done => (Light::Green, 1),
            Self::Blocked => (Light::Green, 2),
            Self::Refused => (Light::Red, 1),
            Self::Wait { .. } => (Light::Dnd, 1),
            Self::Error => (Light::Error, 1),
            Self::BatteryLow => (Light::Error, 2),
            Self::NeedsService => (Light::Error, 3),
        };
        Some(Flashes { light, times })
    }
}

/// The lights.
pub trait Lights {
    /// Shows this; what was shown before ends.
    fn show(&mut self, indication: Indication);
}

/// A connection, by the radio's own handle. A handle isn't used again before both sides closed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connection(pub u16);

/// What the radio sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// The static random address of this wake, never used before.
    pub address: [u8; 6],
    /// The manufacturer data, which is also what the GATT characteristic reads.
    pub advert: [u8; sentri_protocol::advert::Advert::LEN],
    /// About every two seconds, to spare the battery: nobody stands before the lock and waits.
    pub seldom: bool,
}

/// The BLE radio, a peripheral with two links. It advertises on and takes a third connection while two are open:
/// the lock then closes one of the three at once.
pub trait Radio {
    /// Advertises this, or stops. Connections live on.
    fn advertise(&mut self, broadcast: Option<Broadcast>);
    /// Notifies one frame, at most the connection's MTU − 3 bytes. A lost link loses it silently.
    fn send(&mut self, connection: Connection, frame: &[u8]);
    /// Closes a connection; the lock hears no more of it.
    fn disconnect(&mut self, connection: Connection);
}

/// The card slot.
pub trait CardSlot {
    /// Writes the card that is in, all of it. Where it was pulled, or takes no writing, that is of no matter here: what
    /// could not be written goes with the next card.
    fn write_card(&mut self, memory: &[u8]);
}

/// The battery gauge.
pub trait Battery {
    /// 0 to 100.
    fn battery_percent(&self) -> u8;
}

/// A whole device.
pub trait Board: Flash + Uptime + Entropy + Motor + Lights + Radio + CardSlot + Battery {}

impl<T: Flash + Uptime + Entropy + Motor + Lights + Radio + CardSlot + Battery> Board for T {}
