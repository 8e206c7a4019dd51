//! FF1 (NIST SP 800-38G) with AES-256 over ten decimal digits: a cipher whose output is ten digits again.

use aes::Aes256;
use fpe::ff1::{FF1, NumeralString, Operations};

use crate::{codes::digits::Digits, keys::Key};

/// Digits of text and of cipher text.
pub const DIGITS: usize = 10;
/// Each round works on half of them.
const HALF_DIGITS: usize = DIGITS / 2;
const HALF_MODULUS: u64 = 10_u64.pow(5);
const RADIX: u32 = 10;

/// The cipher under one key.
pub struct Ff1(FF1<Aes256>);

impl core::fmt::Debug for Ff1 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ff1(…)")
    }
}

/// The number that was given to or comes from the cipher; ten digits write it.
#[derive(Clone, Copy)]
struct TenDigits(u64);

/// Five digits as the number they write.
#[derive(Clone, Copy)]
struct Half(u64);

impl Ff1 {
    /// Sets up AES-256 with this key.
    #[allow(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the length of the key and the radix are constants"
    )]
    pub fn new(key: &Key) -> Self {
        Self(FF1::new(key.expose(), RADIX).expect("ten is a radix of FF1"))
    }

    /// Enciphers ten digits under a tweak.
    #[allow(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "ten decimal digits are within what FF1 takes"
    )]
    pub fn encrypt(&self, tweak: &[u8], text: &Digits<DIGITS>) -> Digits<DIGITS> {
        let text = TenDigits(text.number());
        Digits::from_number(self.0.encrypt(tweak, &text).expect("ten digits are enough for FF1").0)
    }

    /// Deciphers ten digits under the same tweak.
    #[allow(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "ten decimal digits are within what FF1 takes"
    )]
    pub fn decrypt(&self, tweak: &[u8], text: &Digits<DIGITS>) -> Digits<DIGITS> {
        let text = TenDigits(text.number());
        Digits::from_number(self.0.decrypt(tweak, &text).expect("ten digits are enough for FF1").0)
    }
}

impl NumeralString for TenDigits {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        radix == RADIX
    }

    fn numeral_count(&self) -> usize {
        DIGITS
    }

    fn split(&self) -> (Half, Half) {
        (Half(self.0 / HALF_MODULUS % HALF_MODULUS), Half(self.0 % HALF_MODULUS))
    }

    fn concat(a: Half, b: Half) -> Self {
        Self(a.0 * HALF_MODULUS + b.0)
    }
}

impl Operations for Half {
    /// 10^5 is below 2^24.
    type Bytes = [u8; 3];

    fn numeral_count(&self) -> usize {
        HALF_DIGITS
    }

    fn to_be_bytes(&self, _radix: u32, _b: usize) -> [u8; 3] {
        let [.., a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, _m: usize) -> Self {
        Self((self.0 + reduced(other)) % HALF_MODULUS)
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, _m: usize) -> Self {
        Self((self.0 + HALF_MODULUS - reduced(other)) % HALF_MODULUS)
    }
}

/// A big-endian number of eight bytes, modulo 10^5.
fn reduced(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0, |number, byte| number << 8 | u64::from(byte)) % HALF_MODULUS
}
