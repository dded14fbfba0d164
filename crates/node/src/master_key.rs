//! Master keys: what secrets in the log are sealed with. They live outside the database, in a file or the environment.
//!
//! The text form is one key a line: eight hexadecimal digits of key id, a colon, 64 hexadecimal digits of key. The first
//! line seals; all of them open. Rotating means putting a new line in front, letting the server seal its secrets anew at
//! its next start, and then removing the old line.

use crate::entropy::Entropy;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use yardarm_domain::SealedSecret;
use zeroize::Zeroizing;

/// The keys that open what is sealed, the first of which seals.
#[derive(Clone)]
pub struct MasterKeys {
    keys: Vec<MasterKey>,
}

#[derive(Clone)]
struct MasterKey {
    id: [u8; 4],
    cipher: XChaCha20Poly1305,
}

/// Not the text of master keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the master key is not `8 hexadecimal digits:64 hexadecimal digits`")]
pub struct InvalidMasterKey {
    /// Counted from 1; 0 when there is no key at all.
    pub line: usize,
}

const NONCE: usize = 24;

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeys({} keys)", self.keys.len())
    }
}

impl MasterKeys {
    /// Reads the text form. Blank lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// A line that is no key, or no key at all.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let mut keys = vec![];
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            keys.push(read_key(line).ok_or(InvalidMasterKey { line: index + 1 })?);
        }
        if keys.is_empty() { Err(InvalidMasterKey { line: 0 }) } else { Ok(Self { keys }) }
    }

    /// A line for a new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
        let (mut id, mut key) = ([0; 4], Zeroizing::new([0; 32]));
        entropy.fill(&mut id);
        entropy.fill(&mut *key);
        Zeroizing::new(format!("{}:{}", hex(&id), hex(&*key)))
    }

    /// Seals `secret` for one `purpose` (for example `access-key:NAME`): it cannot be passed off for another.
    #[must_use]
    pub fn seal(&self, entropy: &dyn Entropy, purpose: &str, secret: &[u8]) -> Option<SealedSecret> {
        let key = self.keys.first()?;
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: secret, aad: purpose.as_bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        let text = STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat());
        Some(SealedSecret(format!("v1.{}.{text}", hex(&key.id))))
    }

    /// Opens what [`MasterKeys::seal`] sealed for the same purpose. `None`: another key, another purpose, or damaged.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &SealedSecret) -> Option<Zeroizing<Vec<u8>>> {
        let (id, text) = parts(sealed)?;
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let (nonce, message) = bytes.split_first_chunk::<NONCE>()?;
        let key = self.keys.iter().find(|key| hex(&key.id) == id)?;
        let payload = Payload { msg: message, aad: purpose.as_bytes() };
        key.cipher.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }

    /// Whether `sealed` was sealed with the key that seals today.
    #[must_use]
    pub fn is_current(&self, sealed: &SealedSecret) -> bool {
        let current = self.keys.first().map(|key| hex(&key.id));
        parts(sealed).map(|(id, _)| id) == current.as_deref()
    }
}

fn parts(sealed: &SealedSecret) -> Option<(&str, &str)> {
    sealed.0.strip_prefix("v1.")?.split_once('.')
}

fn read_key(line: &str) -> Option<MasterKey> {
    let (id, key) = line.split_once(':')?;
    let key = Zeroizing::new(unhex::<32>(key)?);
    Some(MasterKey { id: unhex(id)?, cipher: XChaCha20Poly1305::new_from_slice(&*key).ok()? })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    fn keys() -> MasterKeys {
        MasterKeys::parse(&MasterKeys::generate(&OsEntropy)).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_purpose_only() {
        let keys_a = keys();
        let sealed = keys_a.seal(&OsEntropy, "token-key", b"secret").unwrap();
        assert!(!sealed.0.contains("secret"));
        assert_eq!(keys_a.open("token-key", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(keys_a.open("access-key:x", &sealed), None);
        assert_eq!(keys().open("token-key", &sealed), None);
        let mut damaged = sealed.clone();
        damaged.0.pop();
        assert_eq!(keys_a.open("token-key", &damaged), None);
    }

    #[test]
    fn after_rotation_old_secrets_open_and_new_ones_use_the_new_key() {
        let (old, new) = (MasterKeys::generate(&OsEntropy), MasterKeys::generate(&OsEntropy));
        let before = MasterKeys::parse(&old).unwrap();
        let sealed = before.seal(&OsEntropy, "p", b"s").unwrap();
        let both = MasterKeys::parse(&format!("# rotated\n{}\n\n{}\n", *new, *old)).unwrap();
        assert!(both.open("p", &sealed).is_some());
        assert!(!both.is_current(&sealed));
        let resealed = both.seal(&OsEntropy, "p", b"s").unwrap();
        assert!(both.is_current(&resealed));
        assert!(MasterKeys::parse(&new).unwrap().open("p", &resealed).is_some());
        assert!(before.open("p", &resealed).is_none());
    }

    #[test]
    fn a_line_that_is_no_key_is_named() {
        assert_eq!(MasterKeys::parse("").unwrap_err(), InvalidMasterKey { line: 0 });
        assert_eq!(MasterKeys::parse("# c\nhello").unwrap_err(), InvalidMasterKey { line: 2 });
    }
}
