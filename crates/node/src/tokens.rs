//! Configuration tokens: sealed and stateless, so that any node answers any token and there is nothing to lose.
//!
//! What a single-use rule needs to remember is kept per node in a table of fixed size, best effort: a token that the table
//! has forgotten is accepted.

use crate::address::Address;
use crate::entropy::Entropy;
use crate::form::Form;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20::{R20, hchacha};
use jiff::Timestamp;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// What it gives access to.
    pub(crate) address: Address,
    /// What the client is bucketed with.
    pub(crate) subject: [u8; 16],
    /// Tells sessions apart, also those of one client.
    pub(crate) session: u64,
    /// Counts the answers of the session.
    pub(crate) counter: u32,
    /// The version the client has, by its mark; zero for none.
    pub(crate) version: u32,
    /// In which form it has it.
    pub(crate) form: Form,
    /// Whether it gets what clients outside a rollout get, wherever it would be drawn.
    pub(crate) outside: bool,
    /// The poll interval the client asked for, seconds; zero for none.
    pub(crate) interval_s: u32,
    /// Not to be used before, milliseconds since the epoch; zero for at once.
    pub(crate) not_before_ms: i64,
    /// Not to be used after, milliseconds since the epoch.
    pub(crate) expires_ms: i64,
}

/// The first byte says how the others are to be read, and beside that what fits into it.
const LAYOUT: u8 = 1;
const LAYOUT_BITS: u8 = 0b1111;
const FORM_BIT: u8 = 4;
const OUTSIDE_BIT: u8 = 6;
const CLAIMS: usize = 1 + 24 + 16 + 8 + 4 + 4 + 4 + 8 + 8;
const NONCE: usize = 24;
const TAG: usize = 16;
const SEALED: usize = NONCE + CLAIMS + TAG;
/// Base64 without padding: four letters for three bytes.
const TEXT: usize = (SEALED * 4).div_ceil(3);

/// Seals and opens tokens: XChaCha20-Poly1305, whose nonces are long enough to be drawn for ever.
///
/// Put together of its two halves as its definition has it, because every poll opens one token and seals another: the
/// crate that has the whole (and that the tests compare with) takes four times as long for so short a message.
pub(crate) struct TokenSealer {
    key: Zeroizing<[u8; 32]>,
}

impl TokenSealer {
    /// `None` unless `key` has 32 bytes.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        key.try_into().ok().map(|key| Self { key: Zeroizing::new(key) })
    }

    /// A key for something else, made of this one.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &*self.key);
        let mut derived = Zeroizing::new([0; 32]);
        for (slot, byte) in derived.iter_mut().zip(ring::hmac::sign(&key, purpose).as_ref()) {
            *slot = *byte;
        }
        derived
    }

    /// Seals `claims`. `None` never happens: the cipher refuses only messages of many gigabytes.
    pub(crate) fn seal(&self, entropy: &dyn Entropy, claims: &Claims) -> Option<String> {
        let mut sealed = [0; SEALED];
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE>()?;
        let (message, tag) = rest.split_first_chunk_mut::<CLAIMS>()?;
        entropy.fill(nonce);
        write(claims, message);
        let (key, nonce) = self.of_nonce(nonce)?;
        let made = key.seal_in_place_separate_tag(nonce, Aad::empty(), message).ok()?;
        tag.copy_from_slice(made.as_ref());
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a token; `None` if it was not sealed with this key, or was altered.
    pub(crate) fn open(&self, token: &str) -> Option<Claims> {
        if token.len() != TEXT {
            return None;
        }
        let mut sealed = [0; SEALED];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut sealed).ok()?;
        if length != SEALED {
            return None;
        }
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE>()?;
        let (key, nonce) = self.of_nonce(nonce)?;
        let message = key.open_in_place(nonce, Aad::empty(), rest).ok()?;
        read(message.first_chunk()?)
    }

    /// The key that HChaCha20 makes of the nonce's first 16 bytes, and what is left of the nonce for it.
    fn of_nonce(&self, nonce: &[u8; NONCE]) -> Option<(LessSafeKey, Nonce)> {
        let (head, tail) = nonce.split_first_chunk::<16>()?;
        let key = Zeroizing::new(hchacha::<R20>(&(*self.key).into(), &(*head).into()).0);
        let key = UnboundKey::new(&CHACHA20_POLY1305, &*key).ok()?;
        let mut rest = [0; 12];
        rest.last_chunk_mut::<8>()?.copy_from_slice(tail);
        Some((LessSafeKey::new(key), Nonce::assume_unique_for_key(rest)))
    }
}

fn write(claims: &Claims, message: &mut [u8; CLAIMS]) {
    let parts: [&[u8]; 9] = [
        &[LAYOUT | claims.form.number() << FORM_BIT | u8::from(claims.outside) << OUTSIDE_BIT],
        claims.address.bytes(),
        &claims.subject,
        &claims.session.to_be_bytes(),
        &claims.counter.to_be_bytes(),
        &claims.version.to_be_bytes(),
        &claims.interval_s.to_be_bytes(),
        &claims.not_before_ms.to_be_bytes(),
        &claims.expires_ms.to_be_bytes(),
    ];
    let mut rest = message.as_mut_slice();
    for part in parts {
        let Some((slot, after)) = rest.split_at_mut_checked(part.len()) else { return };
        slot.copy_from_slice(part);
        rest = after;
    }
}

fn read(message: &[u8; CLAIMS]) -> Option<Claims> {
    let (layout, rest) = message.split_first()?;
    let (address, rest) = rest.split_first_chunk::<24>()?;
    let (subject, rest) = rest.split_first_chunk::<16>()?;
    let (session, rest) = rest.split_first_chunk::<8>()?;
    let (counter, rest) = rest.split_first_chunk::<4>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (interval_s, rest) = rest.split_first_chunk::<4>()?;
    let (not_before_ms, rest) = rest.split_first_chunk::<8>()?;
    let (expires_ms, _) = rest.split_first_chunk::<8>()?;
    let form = Form::numbered(*layout >> FORM_BIT & 0b11)?;
    (*layout & LAYOUT_BITS == LAYOUT).then(|| Claims {
        address: Address::from_bytes(*address),
        subject: *subject,
        session: u64::from_be_bytes(*session),
        counter: u32::from_be_bytes(*counter),
        version: u32::from_be_bytes(*version),
        form,
        outside: *layout >> OUTSIDE_BIT & 1 == 1,
        interval_s: u32::from_be_bytes(*interval_s),
        not_before_ms: i64::from_be_bytes(*not_before_ms),
        expires_ms: i64::from_be_bytes(*expires_ms),
    })
}

/// Remembers how far sessions have come, to refuse tokens that were used long ago.
///
/// One word a slot, no lock: 24 bits of the session, 20 bits of its counter, 20 bits of seconds. Sessions that fall on
/// the same slot push each other out; then an old token passes, which is the documented best effort.
pub(crate) struct UsedTokens {
    slots: Box<[AtomicU64]>,
}

const SLOTS: usize = 1 << 16;
const COUNTER_BITS: u32 = 20;
const TIME_BITS: u32 = 20;

impl UsedTokens {
    pub(crate) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Whether the session's token number `counter` may be used: it is the newest one, or it was the newest until at most
    /// `tolerance_s` ago, because the answer that carried its successor may have been lost.
    pub(crate) fn admits(&self, session: u64, counter: u32, now: Timestamp, tolerance_s: i64) -> bool {
        let Some((slot, tag)) = self.place(session) else { return true };
        let word = slot.load(Ordering::Relaxed);
        if word >> (COUNTER_BITS + TIME_BITS) != tag {
            return true;
        }
        let newest = (word >> TIME_BITS) & ((1 << COUNTER_BITS) - 1);
        let counter = u64::from(counter) & ((1 << COUNTER_BITS) - 1);
        // Counters and seconds wrap; what is more than half the circle ahead is behind.
        let behind = newest.wrapping_sub(counter) & ((1 << COUNTER_BITS) - 1);
        if behind == 0 || behind >= 1 << (COUNTER_BITS - 1) {
            return true;
        }
        let age = seconds(now).wrapping_sub(word) & ((1 << TIME_BITS) - 1);
        behind == 1 && tolerance_s > 0 && i64::try_from(age).is_ok_and(|age| age <= tolerance_s)
    }

    /// Notes that the session has been given token number `counter`.
    pub(crate) fn note(&self, session: u64, counter: u32, now: Timestamp) {
        let Some((slot, tag)) = self.place(session) else { return };
        let counter = u64::from(counter) & ((1 << COUNTER_BITS) - 1);
        let word = slot.load(Ordering::Relaxed);
        let same = word >> (COUNTER_BITS + TIME_BITS) == tag
            && (word >> TIME_BITS) & ((1 << COUNTER_BITS) - 1) == counter;
        // The time is that of the first answer: repeating it must not prolong the tolerance.
        if !same {
            slot.store(
                (tag << (COUNTER_BITS + TIME_BITS)) | (counter << TIME_BITS) | seconds(now),
                Ordering::Relaxed,
            );
        }
    }

    fn place(&self, session: u64) -> Option<(&AtomicU64, u64)> {
        let index = usize::try_from(session % SLOTS as u64).ok()?;
        Some((self.slots.get(index)?, session >> 40))
    }
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0) & ((1 << TIME_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    fn claims() -> Claims {
        Claims {
            address: Address::new(
                &"abcd123".parse().unwrap(),
                &"efgh456".parse().unwrap(),
                &"ijkl789".parse().unwrap(),
            ),
            subject: [7; 16],
            session: 7,
            counter: 3,
            version: 12,
            form: Form::Ion,
            outside: true,
            interval_s: 15,
            not_before_ms: -1,
            expires_ms: i64::MAX,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_token_says_what_was_sealed_and_fits_a_query() {
        let sealer = TokenSealer::new(&[1; 32]).unwrap();
        let token = sealer.seal(&OsEntropy, &claims()).unwrap();
        assert_eq!(sealer.open(&token), Some(claims()));
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_ne!(sealer.seal(&OsEntropy, &claims()).unwrap(), token, "each sealing has its own nonce");
    }

    #[test]
    fn a_token_is_xchacha20_poly1305_as_everybody_has_it() {
        use chacha20poly1305::aead::{Aead, KeyInit};
        use chacha20poly1305::{XChaCha20Poly1305, XNonce};

        let theirs = XChaCha20Poly1305::new(&[1; 32].into());
        let sealer = TokenSealer::new(&[1; 32]).unwrap();
        let mut message = [0; CLAIMS];
        write(&claims(), &mut message);

        let token = URL_SAFE_NO_PAD.decode(sealer.seal(&OsEntropy, &claims()).unwrap()).unwrap();
        let (nonce, sealed) = token.split_first_chunk::<NONCE>().unwrap();
        assert_eq!(theirs.decrypt(&XNonce::from(*nonce), sealed).unwrap(), message);

        let nonce: [u8; NONCE] = std::array::from_fn(|index| index as u8);
        let sealed = theirs.encrypt(&XNonce::from(nonce), message.as_slice()).unwrap();
        let token = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        assert_eq!(sealer.open(&token), Some(claims()));
    }

    #[test]
    fn a_token_says_what_kind_of_client_it_is_of() {
        let sealer = TokenSealer::new(&[1; 32]).unwrap();
        for form in [Form::Plain, Form::Stored, Form::Ion] {
            for outside in [false, true] {
                let claims = Claims { form, outside, ..claims() };
                assert_eq!(sealer.open(&sealer.seal(&OsEntropy, &claims).unwrap()), Some(claims));
            }
        }
    }

    #[test]
    fn an_altered_or_foreign_token_opens_nothing() {
        let sealer = TokenSealer::new(&[1; 32]).unwrap();
        let token = sealer.seal(&OsEntropy, &claims()).unwrap();
        for index in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            if altered != token {
                assert_eq!(sealer.open(&altered), None, "letter {index}");
            }
        }
        assert_eq!(TokenSealer::new(&[2; 32]).unwrap().open(&token), None);
        assert_eq!(sealer.open(""), None);
        assert_eq!(sealer.open(&"A".repeat(100_000)), None);
        assert_eq!(sealer.open(&"ä".repeat(token.len() / 2)), None);
    }

    #[test]
    fn the_token_before_the_newest_is_tolerated_for_a_while_and_older_ones_are_not() {
        let used = UsedTokens::new();
        assert!(used.admits(0x0900_0000_0000_0001, 0, at(0), 10), "an unknown session");
        used.note(0x0900_0000_0000_0001, 1, at(0));
        assert!(used.admits(0x0900_0000_0000_0001, 1, at(500), 10), "the newest");
        assert!(used.admits(0x0900_0000_0000_0001, 0, at(10), 10), "the one before, in time");
        used.note(0x0900_0000_0000_0001, 1, at(10));
        assert!(!used.admits(0x0900_0000_0000_0001, 0, at(11), 10), "repeating does not prolong");
        used.note(0x0900_0000_0000_0001, 2, at(12));
        assert!(!used.admits(0x0900_0000_0000_0001, 0, at(12), 10), "two before");
        assert!(!used.admits(0x0900_0000_0000_0001, 1, at(12), 0), "no tolerance at all");
        assert!(used.admits(0x0800_0000_0000_0001, 0, at(12), 10), "another session");
    }
}
