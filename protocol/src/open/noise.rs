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

use crate::{advert::Advert, keys::Key};

const PATTERN: &str = "Noise_NKpsk2_25519_ChaChaPoly_SHA256";
const TAG: usize = 16;

/// The phone's side. `ephemeral` is 32 fresh random bytes.
pub(super) fn initiator(
    advert: &Advert,
    lock_public_key: &[u8; 32],
    psk: &Key,
    ephemeral: &[u8; 32],
) -> Result<HandshakeState, Error> {
    let prologue = advert.prologue();
    builder(ephemeral)?
        .prologue(&prologue)?
        .remote_public_key(lock_public_key)?
        .psk(2, psk.expose())?
        .build_initiator()
}

/// The lock's side; its PSK follows once message 1 has told which.
pub(super) fn responder(
    advert: &Advert,
    lock_private_key: &Key,
    ephemeral: &[u8; 32],
) -> Result<HandshakeState, Error> {
    let prologue = advert.prologue();
    builder(ephemeral)?.prologue(&prologue)?.local_private_key(lock_private_key.expose())?.build_responder()
}

fn builder<'a>(ephemeral: &[u8; 32]) -> Result<Builder<'a>, Error> {
    let params: NoiseParams = PATTERN.parse()?;
    Ok(Builder::with_resolver(params, Box::new(Primitives { ephemeral: Zeroizing::new(*ephemeral) })))
}

struct Primitives {
    ephemeral: Zeroizing<[u8; 32]>,
}

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(OneEphemeral(Some(self.ephemeral.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519).then(|| Box::new(X25519::default()) as Box<dyn Dh>)
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

#[derive(Default, Zeroize, ZeroizeOnDrop)]
struct X25519 {
    private: [u8; 32],
    public: [u8; 32],
}

/// Scalar multiplication (RFC 7748, section 5). On its own so that a profile can tell it from the rest.
#[inline(never)]
fn x25519(private: [u8; 32], public: [u8; 32]) -> [u8; 32] {
    x25519_dalek::x25519(private, public)
}

impl Dh for X25519 {
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
        for (to, from) in self.private.iter_mut().zip(privkey) {
            *to = *from;
        }
        self.public = x25519(self.private, x25519_dalek::X25519_BASEPOINT_BYTES);
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut private = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(private.as_mut_slice())?;
        self.set(private.as_slice());
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        &self.private
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public: [u8; 32] = pubkey.get(..32).and_then(|key| key.try_into().ok()).ok_or(Error::Dh)?;
        let shared = Zeroizing::new(x25519(self.private, public));
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
        let digest = core::mem::replace(&mut self.0, Sha256::new()).finalize();
        for (to, from) in out.iter_mut().zip(digest) {
            *to = from;
        }
    }

    fn hmac(&mut self, key: &[u8], data: &[u8], out: &mut [u8]) {
        // HMAC takes keys of any length, so that this can't fail.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return };
        mac.update(data);
        for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
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
            rest[..TAG].copy_from_slice(&tag);
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
