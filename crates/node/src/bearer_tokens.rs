//! Bearer tokens: drawn, and recognised.
//!
//! A token's text is `ydm_`, its id, `_`, and 256 random bits. **Invariants:** nothing but its hash is kept; hashes are
//! compared in constant time; recognising one reads the world in memory, so no failing log makes a good token a bad one.

use crate::entropy::Entropy;
use crate::error::Error;
use crate::node::{Cause, Node};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use yardarm_domain::{BearerToken, BearerTokenId, CreateBearerToken, TokenHash, WantedBearerToken};
use zeroize::Zeroizing;

/// What every token begins with, so that it is recognised where it should not be.
const PREFIX: &str = "ydm_";

/// Letters of an id.
const ID: usize = 12;

/// 32 bytes in base64.
const SECRET: usize = 43;

/// A token just made: the only time its text is shown.
pub struct NewBearerToken {
    /// The part of it that may be known.
    pub id: BearerTokenId,
    /// All of it.
    pub text: Zeroizing<String>,
}

impl Node {
    /// Makes a bearer token.
    ///
    /// # Errors
    /// There is no such environment, the expiry has passed, there are too many, or the log does not answer.
    pub async fn create_bearer_token(
        &self,
        wanted: WantedBearerToken,
        cause: Cause,
    ) -> Result<NewBearerToken, Error> {
        let new = draw(self.shared().entropy.as_ref())?;
        let command = CreateBearerToken { id: new.id.clone(), wanted, hash: hash(&new.text) };
        self.execute(command, cause).await?;
        Ok(new)
    }

    /// The token that `text` is. `None`: it is none, or not accepted any more.
    #[must_use]
    pub fn bearer_token(&self, text: &str) -> Option<Arc<BearerToken>> {
        let view = self.shared().view.load();
        let token = view.world.bearer_tokens().get(id(text)?)?;
        let is_it = bool::from(hash(text).0.ct_eq(&token.hash.0));
        (is_it && !token.is_expired(self.now())).then(|| token.clone())
    }
}

/// The id in a token's text.
fn id(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?;
    let (id, secret) = rest.split_once('_')?;
    (id.len() == ID && secret.len() == SECRET).then_some(id)
}

fn hash(text: &str) -> TokenHash {
    let mut hash = [0; 32];
    let digest = digest(&SHA256, text.as_bytes());
    for (slot, byte) in hash.iter_mut().zip(digest.as_ref()) {
        *slot = *byte;
    }
    TokenHash(hash)
}

fn draw(entropy: &dyn Entropy) -> Result<NewBearerToken, Error> {
    // 32 letters and digits, so that each is as likely as any other.
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; ID];
    entropy.fill(&mut bytes);
    let id: String = bytes
        .iter()
        .filter_map(|byte| DIGITS.get(usize::from(byte % 32)))
        .map(|digit| char::from(*digit))
        .collect();
    let mut secret = Zeroizing::new([0; 32]);
    entropy.fill(&mut *secret);
    let text = Zeroizing::new(format!("{PREFIX}{id}_{}", *Zeroizing::new(URL_SAFE_NO_PAD.encode(*secret))));
    let id = id.parse().map_err(|_| Error::Internal("a token's id cannot be drawn".into()))?;
    Ok(NewBearerToken { id, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn a_drawn_token_has_its_id_in_it() {
        let new = draw(&OsEntropy).unwrap();
        assert_eq!(id(&new.text), Some(new.id.as_str()));
        assert_eq!(new.text.len(), PREFIX.len() + ID + 1 + SECRET);
        assert_ne!(draw(&OsEntropy).unwrap().text, new.text);
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = draw(&OsEntropy).unwrap().text;
        let long = format!("{}x", *good);
        for text in ["", "ydm_", "ydm__", "Bearer", &good[1..], &good[..good.len() - 1], &long] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
