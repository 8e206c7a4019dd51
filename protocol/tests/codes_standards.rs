//! What others published: FF1 of NIST SP 800-38G and Wycheproof, HOTP of RFC 4226, TOTP of RFC 6238.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use aes::{Aes128, Aes192, Aes256};
use fpe::ff1::{FF1, FlexibleNumeralString};
use hmac::{Hmac, KeyInit, Mac};
use sentri_protocol::{
    codes::{
        Digits,
        otp::{hotp, truncate},
        smart_pin::ff1::Ff1,
    },
    keys::Key,
};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use wycheproof::{TestResult, fpe_list};

/// The cipher as `SmartPINs` use it.
fn ours(key: &[u8]) -> Ff1 {
    Ff1::new(&Key::new(key.try_into().unwrap()))
}

/// NIST's samples 7 and 8: AES-256, ten decimal digits, without and with a tweak.
#[test]
fn ff1_is_that_of_nist_sp_800_38g() {
    let cipher =
        ours(&hex::decode("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94").unwrap());
    let cases = [("", "0123456789", "6657667009"), ("39383736353433323130", "0123456789", "1001623463")];
    for (tweak, plain, sealed) in cases {
        let tweak = hex::decode(tweak).unwrap();
        let [plain, sealed] = [plain, sealed].map(|it| Digits::parse(it.as_bytes()).unwrap());
        assert_eq!(cipher.encrypt(&tweak, &plain).as_str(), sealed.as_str());
        assert_eq!(cipher.decrypt(&tweak, &sealed).as_str(), plain.as_str());
    }
}

/// All nine of NIST's samples through the same crate: three key sizes, and 19 digits of base 36 as well.
#[test]
fn the_ff1_crate_agrees_with_all_nist_samples() {
    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";
    let samples = [
        (128, "", "0123456789", "2433477484"),
        (128, "39383736353433323130", "0123456789", "6124200773"),
        (128, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
        (192, "", "0123456789", "2830668132"),
        (192, "39383736353433323130", "0123456789", "2496655549"),
        (192, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
        (256, "", "0123456789", "6657667009"),
        (256, "39383736353433323130", "0123456789", "1001623463"),
        (256, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
    ];
    for (bits, tweak, plain, sealed) in samples {
        let radix = if plain.len() == 10 { 10 } else { 36 };
        let numerals = |text: &str| -> Vec<usize> {
            text.chars().map(|it| usize::try_from(it.to_digit(36).unwrap()).unwrap()).collect()
        };
        let case =
            Case { key: &hex::decode(KEY).unwrap()[..bits / 8], tweak: &hex::decode(tweak).unwrap(), radix };
        assert_eq!(case.encrypt(&numerals(plain)), Some(numerals(sealed)));
        assert_eq!(case.decrypt(&numerals(sealed)), Some(numerals(plain)));
    }
}

/// FF1 of any key size and radix, through the crate's own numeral strings.
struct Case<'a> {
    key: &'a [u8],
    tweak: &'a [u8],
    radix: u32,
}

impl Case<'_> {
    fn encrypt(&self, text: &[usize]) -> Option<Vec<usize>> {
        self.run(text, true)
    }

    fn decrypt(&self, text: &[usize]) -> Option<Vec<usize>> {
        self.run(text, false)
    }

    fn run(&self, text: &[usize], encrypt: bool) -> Option<Vec<usize>> {
        macro_rules! with {
            ($cipher:ty) => {{
                let text: Option<Vec<u16>> = text.iter().map(|it| u16::try_from(*it).ok()).collect();
                let text = FlexibleNumeralString::from(text?);
                let ff1 = FF1::<$cipher>::new(self.key, self.radix).ok()?;
                let out =
                    if encrypt { ff1.encrypt(self.tweak, &text) } else { ff1.decrypt(self.tweak, &text) };
                Some(Vec::<u16>::from(out.ok()?).into_iter().map(usize::from).collect())
            }};
        }
        match self.key.len() {
            16 => with!(Aes128),
            24 => with!(Aes192),
            32 => with!(Aes256),
            _ => None,
        }
    }
}

fn wycheproof(name: fpe_list::TestName, mut each: impl FnMut(&fpe_list::TestGroup, &fpe_list::Test)) {
    for group in fpe_list::TestSet::load(name).unwrap().test_groups {
        for test in &group.tests {
            each(&group, test);
        }
    }
}

#[test]
fn wycheproof_ff1_of_ten_digits_under_aes_256() {
    let mut checked = 0;
    wycheproof(fpe_list::TestName::AesFf1Radix10, |group, test| {
        if (group.key_size, group.msg_size) != (256, 10) {
            return;
        }
        let ascii = |digits: Vec<Option<u8>>| digits.into_iter().map(|it| it.map_or(b'?', |it| it + b'0'));
        let plain: Vec<u8> = ascii(test.pt.iter().map(|it| u8::try_from(*it).ok()).collect()).collect();
        if let Ok(plain) = Digits::parse(&plain) {
            assert_eq!(test.result, TestResult::Valid, "case {}", test.tc_id);
            let sealed: Vec<u8> = ascii(test.ct.iter().map(|it| u8::try_from(*it).ok()).collect()).collect();
            let sealed = Digits::parse(&sealed).unwrap();
            let cipher = ours(&test.key);
            assert_eq!(cipher.encrypt(&test.tweak, &plain), sealed, "case {}", test.tc_id);
            assert_eq!(cipher.decrypt(&test.tweak, &sealed), plain, "case {}", test.tc_id);
        } else {
            assert_eq!(test.result, TestResult::Invalid, "case {}", test.tc_id);
        }
        checked += 1;
    });
    assert_eq!(checked, 34);
}

/// The crate's limits are those of the standard's first revision: a domain below 10^6 is too small, which older
/// cases call valid.
#[test]
fn wycheproof_ff1_of_every_radix_and_length() {
    use fpe_list::TestName::{
        AesFf1Radix10, AesFf1Radix16, AesFf1Radix26, AesFf1Radix32, AesFf1Radix36, AesFf1Radix45,
        AesFf1Radix62, AesFf1Radix64, AesFf1Radix85, AesFf1Radix255, AesFf1Radix256,
    };
    let names = [
        AesFf1Radix10,
        AesFf1Radix16,
        AesFf1Radix26,
        AesFf1Radix32,
        AesFf1Radix36,
        AesFf1Radix45,
        AesFf1Radix62,
        AesFf1Radix64,
        AesFf1Radix85,
        AesFf1Radix255,
        AesFf1Radix256,
    ];
    let (mut valid, mut invalid, mut too_small) = (0, 0, 0);
    for name in names {
        wycheproof(name, |group, test| {
            let case =
                Case { key: &test.key, tweak: &test.tweak, radix: u32::try_from(group.radix).unwrap() };
            let plain: Option<Vec<usize>> = test.pt.iter().map(|it| usize::try_from(*it).ok()).collect();
            let sealed = plain.and_then(|plain| Some((case.encrypt(&plain)?, plain)));
            let small = domain_below_a_million(group.radix, test.pt.len());
            match (test.result, sealed) {
                (TestResult::Valid, Some((sealed, plain))) => {
                    assert_eq!(sealed, test.ct, "{name:?} case {}", test.tc_id);
                    assert_eq!(case.decrypt(&sealed), Some(plain), "{name:?} case {}", test.tc_id);
                    valid += 1;
                }
                (TestResult::Valid, None) if small => too_small += 1,
                (TestResult::Invalid, None) => invalid += 1,
                (result, sealed) => {
                    panic!("{name:?} case {}: {result:?}, made: {}", test.tc_id, sealed.is_some())
                }
            }
        });
    }
    println!("Wycheproof FF1: {valid} valid, {invalid} invalid, {too_small} of a domain below 10^6");
    assert!(valid > 20_000 && invalid > 1_000, "{valid} valid, {invalid} invalid");
}

fn domain_below_a_million(radix: usize, length: usize) -> bool {
    u32::try_from(length).ok().and_then(|length| radix.checked_pow(length)).is_some_and(|it| it < 1_000_000)
}

fn decimal(mac: &[u8], digits: u32) -> u32 {
    truncate(mac) % 10_u32.pow(digits)
}

macro_rules! mac {
    ($hash:ty, $key:expr, $counter:expr) => {{
        let mut mac = <Hmac<$hash> as KeyInit>::new_from_slice($key).unwrap();
        mac.update(&u64::to_be_bytes($counter));
        mac.finalize().into_bytes().to_vec()
    }};
}

/// RFC 4226, appendix D.
#[test]
fn hotp_is_that_of_rfc_4226() {
    let table = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
    for (counter, expected) in (0..).zip(table) {
        assert_eq!(decimal(&mac!(Sha1, b"12345678901234567890", counter), 6), expected);
    }
    // Its worked example of the truncation, section 5.4.
    let example = hex::decode("1f8698690e02ca16618550ef7f19da8e945b555a").unwrap();
    assert_eq!(truncate(&example), 0x50ef_7f19);
}

/// RFC 6238, appendix B: eight digits, steps of 30 seconds, all three hashes.
#[test]
fn totp_is_that_of_rfc_6238() {
    const SEED: &[u8; 64] = b"1234567890123456789012345678901234567890123456789012345678901234";
    let table = [
        (59, 94_287_082, 46_119_246, 90_693_936),
        (1_111_111_109, 7_081_804, 68_084_774, 25_091_201),
        (1_111_111_111, 14_050_471, 67_062_674, 99_943_326),
        (1_234_567_890, 89_005_924, 91_819_424, 93_441_116),
        (2_000_000_000, 69_279_037, 90_698_825, 38_618_901),
        (20_000_000_000, 65_353_130, 77_737_706, 47_863_826),
    ];
    let key = Key::new(SEED[..32].try_into().unwrap());
    for (time, sha1, sha256, sha512) in table {
        let step = time / 30;
        assert_eq!(decimal(&mac!(Sha1, &SEED[..20], step), 8), sha1);
        assert_eq!(decimal(&mac!(Sha256, &SEED[..32], step), 8), sha256);
        assert_eq!(decimal(&mac!(Sha512, SEED, step), 8), sha512);
        // The whole of it as SMACs are made.
        assert_eq!(hotp::<8>(&key, step).number(), u64::from(sha256));
    }
}
