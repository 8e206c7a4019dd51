//! The Noise pattern and what it is made of: `snow` drives it, the primitives are plugged in here.
//!
//! Our own `Dh` refuses results of all zeros, which RFC 7748 leaves to the application, and takes its one
//! ephemeral key from the caller, so that nothing below needs a generator of random numbers.

use alloc::boxed::Box;

use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, aead::inout::InOutBuf};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use snow::{
    Builder, Error, HandshakeState,
    params::{CipherChoice, DHChoice, HashChoice, NoiseParams},
    resolvers::CryptoResolver,
    types::{Cipher, Dh, Hash, Random},
};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::advert::Advert;

const PATTERN: &str = "Noise_NKpsk2_25519_ChaChaPoly_SHA256";
const TAG: usize = 16;

/// The phone's side. `ephemeral` is 32 fresh random bytes.
pub(super) fn initiator(
    advert: &Advert,
    lock_public_key: &[u8; 32],
    psk: &crate::keys::Key,
    ephemeral: &[u8; 32],
) -> Result<HandshakeState, Error> {
    let prologue = advert.prologue();
    builder(ephemeral, None)?
        .prologue(&prologue)?
        .remote_public_key(lock_public_key)?
        .psk(2, psk.expose())?
        .build_initiator()
}

/// The lock's side; its PSK follows once message 1 has told which.
pub(super) fn responder(
    advert: &Advert,
    lock: &X25519,
    ephemeral: &[u8; 32],
) -> Result<HandshakeState, Error> {
    let prologue = advert.prologue();
    builder(ephemeral, Some(lock.clone()))?
        .prologue(&prologue)?
        .local_private_key(&lock.private)?
        .build_responder()
}

fn builder<'a>(ephemeral: &[u8; 32], known: Option<X25519>) -> Result<Builder<'a>, Error> {
    let params: NoiseParams = PATTERN.parse()?;
    let ephemeral = Zeroizing::new(*ephemeral);
    Ok(Builder::with_resolver(params, Box::new(Primitives { ephemeral, known })))
}

struct Primitives {
    ephemeral: Zeroizing<[u8; 32]>,
    /// A pair whose public half need not be computed again: a multiplication is what an open costs most.
    known: Option<X25519>,
}

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(OneEphemeral(Some(self.ephemeral.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        let dh = KnownX25519 { pair: X25519::default(), known: self.known.clone() };
        matches!(choice, DHChoice::Curve25519).then(|| Box::new(dh) as Box<dyn Dh>)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        matches!(choice, HashChoice::SHA256).then(|| Box::new(Sha(Sha256::new())) as Box<dyn Hash>)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        matches!(choice, CipherChoice::ChaChaPoly)
            .then(|| Box::new(ChaChaPoly(ChaCha20Poly1305::new(&[0; 32].into()))) as Box<dyn Cipher>)
    }
}

/// Gives the handed-in ephemeral key once; a second ask is an error, never a repeat.
struct OneEphemeral(Option<Zeroizing<[u8; 32]>>);

impl Random for OneEphemeral {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        let key = self.0.take().filter(|key| key.len() == dest.len()).ok_or(Error::Rng)?;
        dest.copy_from_slice(key.as_slice());
        Ok(())
    }
}

/// An X25519 key pair.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct X25519 {
    private: [u8; 32],
    public: [u8; 32],
}

impl X25519 {
    /// Computes the public half.
    pub(crate) fn from_private(private: &[u8; 32]) -> Self {
        Self { private: *private, public: x25519(*private, x25519_dalek::X25519_BASEPOINT_BYTES) }
    }

    /// The public half.
    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }
}

/// One of a handshake's key pairs, and one that it may turn out to be.
struct KnownX25519 {
    pair: X25519,
    known: Option<X25519>,
}

/// Scalar multiplication (RFC 7748, section 5). On its own so that a profile can tell it from the rest.
#[inline(never)]
fn x25519(private: [u8; 32], public: [u8; 32]) -> [u8; 32] {
    x25519_dalek::x25519(private, public)
}

impl Dh for KnownX25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, privkey: &[u8]) {
        let known = self.known.take().filter(|known| known.private.ct_eq(privkey).into());
        self.pair = known.unwrap_or_else(|| {
            let mut private = Zeroizing::new([0; 32]);
            for (to, from) in private.iter_mut().zip(privkey) {
                *to = *from;
            }
            X25519::from_private(&private)
        });
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut private = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(private.as_mut_slice())?;
        self.set(private.as_slice());
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.pair.public
    }

    fn privkey(&self) -> &[u8] {
        &self.pair.private
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public: [u8; 32] = pubkey.get(..32).and_then(|key| key.try_into().ok()).ok_or(Error::Dh)?;
        let shared = Zeroizing::new(x25519(self.pair.private, public));
        if shared.ct_eq(&[0; 32]).into() {
            return Err(Error::Dh);
        }
        out.get_mut(..32).ok_or(Error::Dh)?.copy_from_slice(shared.as_slice());
        Ok(())
    }
}

struct Sha(Sha256);

impl Hash for Sha {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Sha256::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        copy(out, &core::mem::replace(&mut self.0, Sha256::new()).finalize());
    }

    fn hmac(&mut self, key: &[u8], data: &[u8], out: &mut [u8]) {
        // HMAC takes keys of any length, so that this can't fail.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return };
        mac.update(data);
        copy(out, &mac.finalize().into_bytes());
    }

    /// Noise's HKDF (revision 34, section 4.3). The default would hash the temporary key's padding once for each
    /// output; a lock pays for that in battery.
    fn hkdf(
        &mut self,
        chaining_key: &[u8],
        input_key_material: &[u8],
        outputs: usize,
        out1: &mut [u8],
        out2: &mut [u8],
        out3: &mut [u8],
    ) {
        let mut temp_key = Zeroizing::new([0; 32]);
        self.hmac(chaining_key, input_key_material, temp_key.as_mut_slice());
        let Ok(keyed) = <Hmac<Sha256> as KeyInit>::new_from_slice(temp_key.as_slice()) else { return };
        let mut previous: &[u8] = &[];
        for (number, out) in (1_u8..).zip([out1, out2, out3]).take(outputs) {
            let mut mac = keyed.clone();
            mac.update(previous);
            mac.update(&[number]);
            copy(out, &mac.finalize().into_bytes());
            previous = out.get(..32).unwrap_or_default();
        }
    }
}

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

struct ChaChaPoly(ChaCha20Poly1305);

/// Noise's nonce: 32 zero bits, then the counter, little-endian.
fn nonce(counter: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    nonce
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = ChaCha20Poly1305::new(key.into());
    }

    fn encrypt(&self, counter: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let length = plaintext.len();
        let (body, rest) = out.split_at_mut(length);
        body.copy_from_slice(plaintext);
        // Only a message of over 256 GB can fail here.
        if let Ok(tag) = self.0.encrypt_inout_detached(&nonce(counter).into(), authtext, InOutBuf::from(body))
        {
            rest.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
        }
        length + TAG
    }

    fn decrypt(
        &self,
        counter: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let (body, tag) = ciphertext.split_last_chunk::<TAG>().ok_or(Error::Decrypt)?;
        let out = out.get_mut(..body.len()).ok_or(Error::Decrypt)?;
        out.copy_from_slice(body);
        self.0
            .decrypt_inout_detached(&nonce(counter).into(), authtext, InOutBuf::from(out), tag.into())
            .map_err(|_| Error::Decrypt)?;
        Ok(body.len())
    }
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex).unwrap()
    }

    fn array(hex: &str) -> [u8; 32] {
        bytes(hex).try_into().unwrap()
    }

    /// The cacophony vector of this pattern: the first two messages are the handshake, the rest transport.
    const MESSAGES: [(&str, &str); 6] = [
        (
            "4c756477696720766f6e204d69736573",
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944\
             acda3057fb216b0fb4c6d571e776b426612636e99cf4ac1de41442fb2128ca29",
        ),
        (
            "4d757272617920526f746862617264",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843\
             30fcb4ab2b68a6f612414145258aa079533be57174ec7ae7c76845312a3f07",
        ),
        ("462e20412e20486179656b", "129789ee959ffef891a580c6fc073cf91d706e26602cc096c35d84"),
        ("4361726c204d656e676572", "36b35298bc84e0a24644e309563b2d6c3f9a31dc142b122e0266db"),
        (
            "4a65616e2d426170746973746520536179",
            "4b080dfd53e42e3f45d96f75f15fdbcce95a75fb83c51ee366281528204c1bf0b4",
        ),
        (
            "457567656e2042f6686d20766f6e2042617765726b",
            "0bce31a0c1c37626c3e4a0000afa7e4e06636e1bbc44fc1a24e18e373f07c8ad6e3a03b877",
        ),
    ];

    #[test]
    fn the_pattern_agrees_with_the_cacophony_vector() {
        let prologue = bytes("4a6f686e2047616c74");
        let psk = array("54686973206973206d7920417573747269616e20706572737065637469766521");
        let mut phone =
            builder(&array("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"), None)
                .unwrap()
                .prologue(&prologue)
                .unwrap()
                .remote_public_key(&array("31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62"))
                .unwrap()
                .psk(2, &psk)
                .unwrap()
                .build_initiator()
                .unwrap();
        let lock_static = array("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893");
        let known = X25519::from_private(&lock_static);
        let mut lock =
            builder(&array("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"), Some(known))
                .unwrap()
                .prologue(&prologue)
                .unwrap()
                .local_private_key(&lock_static)
                .unwrap()
                .build_responder()
                .unwrap();

        let (mut out, mut read) = (vec![0; 256], vec![0; 256]);
        for (turn, (payload, ciphertext)) in MESSAGES.iter().take(2).enumerate() {
            let (from, to) = if turn == 0 { (&mut phone, &mut lock) } else { (&mut lock, &mut phone) };
            let length = from.write_message(&bytes(payload), &mut out).unwrap();
            assert_eq!(out[..length], bytes(ciphertext), "message {turn}");
            let length = to.read_message(&out[..length], &mut read).unwrap();
            assert_eq!(read[..length], bytes(payload), "message {turn}");
            if turn == 0 {
                lock.set_psk(2, &psk).unwrap();
            }
        }
        let hash = "5a0c1a79a0b863fe5d000e829b7e4ffc76200e5c08082d4494968e3f47d0ff61";
        assert_eq!(phone.get_handshake_hash(), bytes(hash));
        let (mut phone, mut lock) =
            (phone.into_transport_mode().unwrap(), lock.into_transport_mode().unwrap());
        for (turn, (payload, ciphertext)) in MESSAGES.iter().skip(2).enumerate() {
            let (from, to) = if turn % 2 == 0 { (&mut phone, &mut lock) } else { (&mut lock, &mut phone) };
            let length = from.write_message(&bytes(payload), &mut out).unwrap();
            assert_eq!(out[..length], bytes(ciphertext), "transport message {turn}");
            let length = to.read_message(&out[..length], &mut read).unwrap();
            assert_eq!(read[..length], bytes(payload), "transport message {turn}");
        }
    }
}
