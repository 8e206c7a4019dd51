//! The key tree: every key of a lock comes from its one seed (`docs/protocol.md`, section 2).

use core::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{open::X25519, time::Week};

const SALT: &[u8] = b"sentri/v1";

/// What a lock and the backend share: 32 random bytes, made at provisioning.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Wraps the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for sealed storage.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// Which keys of a lock count: raised when the box is transferred or a leak is known. Begins at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

impl Generation {
    /// A new lock's.
    pub const FIRST: Self = Self(1);
    /// Under this one are the keys that never leave lock and backend and outlive every transfer.
    const FOR_LIFE: Self = Self(0);
}

/// A 32-byte symmetric key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Wraps the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a cipher or for sealed storage.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 of the joined parts.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.prepared().mac(parts)
    }

    /// HMAC-SHA256 with the key taken in: for many messages, each at half the cost.
    pub(crate) fn prepared(&self) -> PreparedKey {
        // HMAC takes keys of any length, so that this can't fail.
        PreparedKey(<Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).ok())
    }

    /// The first `N` bytes of [`Key::mac`].
    pub fn tag<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        let full = self.mac(parts);
        let mut out = [0; N];
        for (to, from) in out.iter_mut().zip(full) {
            *to = from;
        }
        out
    }

    /// Whether `tag` is the one of the joined parts, in constant time.
    #[must_use]
    pub fn verify<const N: usize>(&self, parts: &[&[u8]], tag: &[u8; N]) -> bool {
        self.tag::<N>(parts).ct_eq(tag).into()
    }

    /// A key derived by HMAC.
    pub(crate) fn derive(&self, parts: &[&[u8]]) -> Self {
        Self(self.mac(parts))
    }
}

/// A [`Key`] that HMAC has taken in.
pub(crate) struct PreparedKey(Option<Hmac<Sha256>>);

impl PreparedKey {
    /// HMAC-SHA256 of the joined parts.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Some(mut mac) = self.0.clone() else { return [0; 32] };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// All keys of one lock at one generation, derived when it is made.
#[derive(Clone)]
pub struct KeyTree {
    root: Zeroizing<[u8; 32]>,
    generation: Generation,
    noise_static: X25519,
    pub(crate) cred: Key,
    pub(crate) nonce: Key,
    pub(crate) rng: Key,
    pub(crate) time_lb: Key,
    pub(crate) time_fresh: Key,
    pub(crate) revoke: Key,
    pub(crate) cfg: Key,
    pub(crate) ack: Key,
    pub(crate) status: Key,
    pub(crate) audit_mac: Key,
    pub(crate) audit_enc: Key,
    pub(crate) audit_head: Key,
}

impl fmt::Debug for KeyTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTree").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl KeyTree {
    /// Derives the keys of `generation` from the lock's seed.
    pub fn new(seed: &Seed, generation: Generation) -> Self {
        let (root, _) = Hkdf::<Sha256>::extract(Some(SALT), seed.expose());
        let root: Zeroizing<[u8; 32]> = Zeroizing::new(root.into());
        let now = |label: &str| expand(&root, label, generation, b"");
        let for_life = |label: &str, ctx: &[u8]| expand(&root, label, Generation::FOR_LIFE, ctx);
        Self {
            generation,
            noise_static: X25519::from_private(now("noise-static").expose()),
            cred: now("cred"),
            nonce: now("nonce"),
            rng: now("rng"),
            time_lb: now("time-lb"),
            time_fresh: now("time-fresh"),
            revoke: now("revoke"),
            cfg: now("cfg"),
            ack: for_life("ack", b""),
            status: for_life("status", b""),
            audit_mac: for_life("audit", b"mac"),
            audit_enc: for_life("audit", b"enc"),
            audit_head: for_life("audit", b"head"),
            root,
        }
    }

    /// The same lock's keys of another generation.
    #[must_use]
    pub fn at(&self, seed: &Seed, generation: Generation) -> Self {
        if generation == self.generation { self.clone() } else { Self::new(seed, generation) }
    }

    /// Which generation these are.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The public half of the lock's static Noise key: what a phone encrypts M1 to.
    pub fn lock_public_key(&self) -> [u8; 32] {
        *self.noise_static.public()
    }

    pub(crate) fn noise_static(&self) -> &X25519 {
        &self.noise_static
    }

    /// What recognises this lock's adverts in `week`.
    pub fn advert_key(&self, week: Week) -> Key {
        self.expand("adv", &week.to_bytes())
    }

    /// What recognises this lock's adverts while its clock is lost.
    pub fn advert_key_lost(&self) -> Key {
        self.expand("adv", b"lost")
    }

    /// A key of a keypad code: `smartpin`, `oneday`, `contractor`, `smac` or `codes` (`docs/codes.md`).
    pub(crate) fn expand(&self, label: &str, ctx: &[u8]) -> Key {
        expand(&self.root, label, self.generation, ctx)
    }
}

fn expand(root: &[u8; 32], label: &str, generation: Generation, ctx: &[u8]) -> Key {
    // Labels and contexts are ours and short, and 32 bytes are within HKDF's reach: neither step can fail.
    let length = |bytes: &[u8]| [u8::try_from(bytes.len()).unwrap_or(u8::MAX)];
    let generation = generation.0.to_be_bytes();
    let info: [&[u8]; 6] =
        [&length(label.as_bytes()), label.as_bytes(), &[4], &generation, &length(ctx), ctx];
    let mut out = [0; 32];
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(root) {
        let _ = hkdf.expand_multi_info(&info, &mut out);
    }
    Key(out)
}
