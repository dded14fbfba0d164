//! Tokens in the addresses of event streams: a browser can send no header there. A token is good for hearing of changes in
//! one place, and for nothing else.
//!
//! It is a signature under the access token, so that agents with the same one accept each other's, also after a restart.
//! **Invariants:** equal claims give equal tokens for hours, because clients take a new address for another stream;
//! another access token ends all of them.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// Tokens change this often, and are good for two to three times as long.
const PERIOD_S: i64 = 12 * 3_600;

const PURPOSE: &str = "yardarm agent event stream 1";

/// Between expiry and signature.
const SEPARATOR: char = '.';

/// The token for hearing of `subject`.
pub(super) fn seal(access_token: &Secret, subject: &[&str], now: Timestamp) -> String {
    let expires_s = now.as_second().div_euclid(PERIOD_S).saturating_add(3).saturating_mul(PERIOD_S);
    let signature = signature(access_token, subject, expires_s).finalize().into_bytes();
    format!("{expires_s}{SEPARATOR}{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Until when a token is good for hearing of `subject`, seconds since the epoch. `None`: it is not.
pub(super) fn open(access_token: &Secret, subject: &[&str], token: &str, now: Timestamp) -> Option<i64> {
    let (expires_s, signed) = token.split_once(SEPARATOR)?;
    let expires_s: i64 = expires_s.parse().ok()?;
    let signed = URL_SAFE_NO_PAD.decode(signed).ok()?;
    signature(access_token, subject, expires_s).verify_slice(&signed).ok()?;
    (now.as_second() < expires_s).then_some(expires_s)
}

#[expect(clippy::expect_used, reason = "HMAC is defined for keys of every length")]
fn signature(access_token: &Secret, subject: &[&str], expires_s: i64) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(access_token.expose().as_bytes()).expect("any length");
    for part in [PURPOSE].iter().chain(subject) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.update(&expires_s.to_be_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn a_token_is_good_where_it_was_made_for_and_for_a_day() {
        let (ours, subject) = (secret("hush"), ["shop", "prod"]);
        let token = seal(&ours, &subject, at(0));
        assert_eq!(seal(&ours, &subject, at(60)), token);
        for (second, is_good) in [(0, true), (24 * 3_600 - 1, true), (36 * 3_600, false)] {
            assert_eq!(open(&ours, &subject, &token, at(second)).is_some(), is_good, "{second}");
        }
        for other in [["shop", "test"], ["shopp", "rod"], ["", "shopprod"]] {
            assert_eq!(open(&ours, &other, &token, at(0)), None, "{other:?}");
        }
        assert_eq!(open(&ours, &["shop"], &token, at(0)), None);
        assert_eq!(open(&secret("hush!"), &subject, &token, at(0)), None);
    }

    #[test]
    fn an_altered_token_is_good_for_nothing() {
        let (ours, subject) = (secret("hush"), ["shop"]);
        let token = seal(&ours, &subject, at(0));
        for (index, byte) in token.bytes().enumerate() {
            let mut altered = token.clone().into_bytes();
            altered[index] = if byte == b'1' { b'2' } else { b'1' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(open(&ours, &subject, &altered, at(0)), None, "{altered}");
        }
        for bad in ["", ".", "1.", "9999999999.", "x.y", "\u{e4}"] {
            assert_eq!(open(&ours, &subject, bad, at(0)), None, "{bad}");
        }
    }
}
