//! Tokens of event streams: what a browser can carry in an address, good for hearing of changes and for nothing else.
//!
//! A token says where its bearer may listen, on whose credential, and until when. **Invariants:** sealing the same claims
//! gives the same token, because clients take a new address for another stream; a token ends with the bearer token it was
//! made for.

use crate::node::Node;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use jiff::Timestamp;
use ring::hmac;
use yardarm_domain::{ApplicationId, BearerTokenId, EnvironmentId};
use zeroize::Zeroizing;

/// What a stream's token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamClaims {
    /// Of which application.
    pub application: ApplicationId,
    /// In which environment.
    pub environment: EnvironmentId,
    /// The token that it was given for, if any.
    pub bearer: Option<BearerTokenId>,
    /// From when on it is not accepted, seconds since the epoch.
    pub expires_s: i64,
}

/// Tokens change this often, and are good for two to three times as long.
const PERIOD_S: i64 = 12 * 3_600;

const PURPOSE: &[u8] = b"yardarm event stream 1";
const NONCE: usize = 24;

/// Longer texts are no tokens.
const MOST_TEXT: usize = 512;

impl Node {
    /// A token for hearing of changes in an environment. `None`: the node has no key yet.
    #[must_use]
    pub fn seal_stream(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
        bearer: Option<&BearerTokenId>,
    ) -> Option<String> {
        let period = self.now().as_second().div_euclid(PERIOD_S);
        let claims = StreamClaims {
            application: application.clone(),
            environment: environment.clone(),
            bearer: bearer.cloned(),
            expires_s: period.saturating_add(3).saturating_mul(PERIOD_S),
        };
        seal(&*self.stream_key()?, &claims)
    }

    /// What a stream's token says. `None`: it is none, or not accepted any more.
    #[must_use]
    pub fn open_stream(&self, text: &str) -> Option<StreamClaims> {
        let claims = open(&*self.stream_key()?, text)?;
        self.admits_stream(&claims).then_some(claims)
    }

    /// Whether a stream may still be listened to.
    #[must_use]
    pub fn admits_stream(&self, claims: &StreamClaims) -> bool {
        let view = self.view();
        let now: Timestamp = self.now();
        let vouched = claims
            .bearer
            .as_ref()
            .is_none_or(|id| view.world.bearer_tokens().get(id).is_some_and(|token| !token.is_expired(now)));
        let exists = view.world.environment(&claims.application, &claims.environment).is_ok();
        vouched && exists && now.as_second() < claims.expires_s
    }

    fn stream_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.shared().sessions.sealer.load().as_deref().map(|sealer| sealer.derive(PURPOSE))
    }
}

/// Sealed with a nonce that is made of the message, so that equal claims give equal tokens and no other message ever has
/// the same nonce.
fn seal(key: &[u8; 32], claims: &StreamClaims) -> Option<String> {
    let message = write(claims);
    let made = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    let nonce: &[u8; NONCE] = made.as_ref().first_chunk()?;
    let cipher = XChaCha20Poly1305::new_from_slice(key).ok()?;
    let sealed = cipher.encrypt(&XNonce::from(*nonce), message.as_bytes()).ok()?;
    Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
}

fn open(key: &[u8; 32], text: &str) -> Option<StreamClaims> {
    if text.len() > MOST_TEXT {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
    let cipher = XChaCha20Poly1305::new_from_slice(key).ok()?;
    let message = cipher.decrypt(&XNonce::from(*nonce), sealed).ok()?;
    read(std::str::from_utf8(&message).ok()?)
}

fn write(claims: &StreamClaims) -> String {
    let bearer = claims.bearer.as_ref().map_or("", BearerTokenId::as_str);
    format!("{}/{}/{bearer}/{}", claims.application, claims.environment, claims.expires_s)
}

fn read(message: &str) -> Option<StreamClaims> {
    let mut parts = message.split('/');
    let (application, environment) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let bearer = match parts.next()? {
        "" => None,
        id => Some(id.parse().ok()?),
    };
    Some(StreamClaims { application, environment, bearer, expires_s: parts.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(bearer: Option<&str>) -> StreamClaims {
        StreamClaims {
            application: "abcd123".parse().unwrap(),
            environment: "efgh".parse().unwrap(),
            bearer: bearer.map(|id| id.parse().unwrap()),
            expires_s: 1_800_000_000,
        }
    }

    #[test]
    fn a_token_says_what_was_sealed_and_is_always_the_same() {
        for claims in [claims(None), claims(Some("abcdef234567"))] {
            let token = seal(&[1; 32], &claims).unwrap();
            assert_eq!(open(&[1; 32], &token), Some(claims.clone()));
            assert_eq!(seal(&[1; 32], &claims).unwrap(), token);
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            assert!(!token.contains("abcd"));
        }
        assert_ne!(seal(&[1; 32], &claims(None)), seal(&[1; 32], &claims(Some("abcdef234567"))));
    }

    #[test]
    fn an_altered_or_foreign_token_opens_nothing() {
        let token = seal(&[1; 32], &claims(None)).unwrap();
        for index in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(altered == token || open(&[1; 32], &altered).is_none(), "letter {index}");
        }
        assert_eq!(open(&[2; 32], &token), None);
        for bad in ["", "A", "ä", &"A".repeat(100), &"A".repeat(100_000)] {
            assert_eq!(open(&[1; 32], bad), None);
        }
    }
}
