//! Codes on their way into a lock's own table, and blocks of SmartPINs: any phone that passes carries them, and can
//! neither read nor forge them. [RES-5, PIN-7]

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{
    digits::Digits,
    smart_pin::{self, SmartPin},
    stored::StoredCode,
    validity::Validity,
};
use crate::{
    bytes::{Malformed, Reader},
    keys::{KeyTree, PreparedKey},
};

/// The most orders in one delivery, so that its answer names each by a bit.
pub const MAX_ORDERS: usize = 16;

const FORMAT: u8 = 1;
const HEAD: usize = 9;
const TAG: usize = 16;

/// Whose a delivered code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A resident's. [RES-1]
    Resident,
    /// A guest's. [RES-3]
    Guest,
}

/// One change of a lock's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The code in this place goes.
    TakeOut(u8),
    /// A code takes this place; until then the one that was there works.
    Put {
        /// Where, 2 to 64.
        place: u8,
        /// Whose it is.
        holder: Holder,
        /// The digits.
        code: StoredCode,
        /// When it works.
        validity: Validity,
    },
    /// The programming code becomes this one.
    Programming(StoredCode),
    /// A SmartPIN, and the short PIN made from it, opens no more.
    Block(SmartPin),
}

impl Order {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::TakeOut(place) => out.extend_from_slice(&[0, *place]),
            Self::Put { place, holder, code, validity } => {
                let holder = match holder {
                    Holder::Resident => 1,
                    Holder::Guest => 2,
                };
                out.extend_from_slice(&[holder, *place]);
                out.extend_from_slice(&code.encode());
                out.extend_from_slice(&validity.encode());
            }
            Self::Programming(code) => {
                out.push(3);
                out.extend_from_slice(&code.encode());
            }
            Self::Block(pin) => {
                out.push(4);
                let [_, _, _, number @ ..] = pin.digits().number().to_be_bytes();
                out.extend_from_slice(&number);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.u8()? {
            0 => Self::TakeOut(reader.u8()?),
            holder @ (1 | 2) => Self::Put {
                place: reader.u8()?,
                holder: if holder == 1 { Holder::Resident } else { Holder::Guest },
                code: StoredCode::decode(reader.array()?)?,
                validity: Validity::decode(&reader.array()?)?,
            },
            3 => Self::Programming(StoredCode::decode(reader.array()?)?),
            4 => {
                let bytes = reader.array::<5>()?;
                let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                let digits = Digits::<{ smart_pin::DIGITS }>::from_number(number);
                let pin = SmartPin::parse(digits.as_ascii()).map_err(|_| reader.malformed())?;
                // Ten digits have one form.
                if digits.number() == number { Self::Block(pin) } else { return Err(reader.malformed()) }
            }
            _ => return Err(reader.malformed()),
        })
    }
}

/// All that changed in a lock's codes between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// A lock that holds this version, or a later one before [`Self::version`], takes it.
    pub from: u32,
    /// What the lock holds afterwards.
    pub version: u32,
    orders: Vec<Order>,
}

impl Delivery {
    /// From one to [`MAX_ORDERS`] orders, carried out in turn; nothing where they are more or none, or the versions don't
    /// rise.
    pub fn new(from: u32, version: u32, orders: Vec<Order>) -> Option<Self> {
        let fits = (1..=MAX_ORDERS).contains(&orders.len()) && from < version;
        fits.then_some(Self { from, version, orders })
    }

    /// The orders, in turn.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Sealed by the backend: the bytes that phones carry.
    pub fn seal(&self, keys: &KeyTree) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + TAG + 18 * self.orders.len());
        out.push(FORMAT);
        out.extend_from_slice(&self.from.to_be_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        let mut plain = Zeroizing::new(Vec::with_capacity(18 * self.orders.len()));
        self.orders.iter().for_each(|order| order.encode(&mut plain));
        let tag: [u8; TAG] = keys.expand("codes", b"mac").tag(&[&out, &plain]);
        out.extend_from_slice(&tag);
        stream(&keys.expand("codes", b"enc").prepared(), &tag, &mut plain);
        out.extend_from_slice(&plain);
        out
    }

    /// Opened by the lock. Nothing where it is malformed or not authentic.
    pub fn open(keys: &KeyTree, sealed: &[u8]) -> Option<Self> {
        let (head, rest) = sealed.split_at_checked(HEAD)?;
        let (tag, orders) = rest.split_first_chunk::<TAG>()?;
        let mut plain = Zeroizing::new(orders.to_vec());
        stream(&keys.expand("codes", b"enc").prepared(), tag, &mut plain);
        let is_authentic = keys.expand("codes", b"mac").verify(&[head, &plain], tag);
        is_authentic.then(|| Self::decode(head, &plain).ok()).flatten()
    }

    fn decode(head: &[u8], plain: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(head, "delivery of codes");
        let malformed = reader.malformed();
        let (format, from, version) = (reader.u8()?, reader.u32()?, reader.u32()?);
        let mut orders = Vec::new();
        let mut rest = plain;
        while !rest.is_empty() && orders.len() <= MAX_ORDERS {
            let mut reader = Reader::new(rest, "delivery of codes");
            orders.push(Order::read(&mut reader)?);
            rest = reader.rest();
        }
        Self::new(from, version, orders).filter(|_| format == FORMAT).ok_or(malformed)
    }
}

/// Adds the key stream that a tag gives, or takes it off.
fn stream(key: &PreparedKey, tag: &[u8; TAG], bytes: &mut [u8]) {
    for (index, block) in (0_u32..).zip(bytes.chunks_mut(32)) {
        let stream = Zeroizing::new(key.mac(&[tag, &index.to_be_bytes()]));
        for (byte, stream) in block.iter_mut().zip(stream.iter()) {
            *byte ^= stream;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_are_authentic_and_not_of_the_form_are_malformed() {
        let head = [FORMAT, 0, 0, 0, 0, 0, 0, 0, 1];
        let permanent = [0x12, 0x35, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let put: Vec<u8> = [&[1, 2], &permanent[..]].concat();
        assert!(Delivery::decode(&head, &put).is_ok());
        let mut no_code = put.clone();
        no_code[2] = 0xfa;
        let bad: [&[u8]; 8] = [
            &[],
            &[5],
            &[0],
            &put[..17],
            &no_code,
            &[0, 9].repeat(MAX_ORDERS + 1),
            // 10^10 has eleven digits.
            &[4, 0x02, 0x54, 0x0b, 0xe4, 0x00],
            &[3, 0x12, 0x3f, 0xff, 0xff],
        ];
        for orders in bad {
            assert!(Delivery::decode(&head, orders).is_err(), "{orders:02x?}");
        }
        assert!(Delivery::decode(&[2, 0, 0, 0, 0, 0, 0, 0, 1], &put).is_err(), "another format");
        assert!(Delivery::decode(&[1, 0, 0, 0, 1, 0, 0, 0, 1], &put).is_err(), "versions that don't rise");
    }
}
