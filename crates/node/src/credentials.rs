//! Access keys with their secrets opened, for checking signatures; and the making of new ones.

use crate::entropy::Entropy;
use crate::error::Error;
use crate::master_key::MasterKeys;
use crate::node::{Cause, Node};
use crate::tokens::TokenSealer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use yardarm_domain::{
    AccessKeyId, CreateAccessKey, CreateSigningKey, CreateTokenKey, Description, Name, ResealSecrets,
    SealedSecret, World,
};
use yardarm_signature::{Credential, SecretKey};
use zeroize::Zeroizing;

/// The secret half of an access key, opened. Never printed.
pub struct AccessSecret {
    id: AccessKeyId,
    secret: Zeroizing<String>,
    credential: Credential,
}

impl AccessSecret {
    fn new(id: AccessKeyId, secret: Zeroizing<String>) -> Self {
        let credential = Credential::new(SecretKey::new(&secret));
        Self { id, secret, credential }
    }

    /// Whose secret it is.
    #[must_use]
    pub fn id(&self) -> &AccessKeyId {
        &self.id
    }

    /// What signatures are checked with. It remembers the keys derived from the secret.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

impl fmt::Debug for AccessSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessSecret(…)")
    }
}

/// An access key just made: the only time its secret is shown.
pub struct NewAccessKey {
    /// Its public half.
    pub id: AccessKeyId,
    /// Its secret half.
    pub secret: Zeroizing<String>,
}

/// Secrets by access key id: those that are enabled and can be opened.
pub(crate) type Ring = HashMap<Box<str>, Arc<AccessSecret>>;

const TOKEN_KEY: &str = "token-key";
const SIGNING_KEY: &str = "signing-key";

/// The key that the secrets of calls to the outside are derived from. Never printed.
pub(crate) struct SigningKey(Zeroizing<Vec<u8>>);

impl SigningKey {
    /// The secret that is shared with `receiver`. Who knows one knows no other.
    pub(crate) fn secret_of(&self, receiver: &str) -> Zeroizing<[u8; 32]> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.0);
        let mut secret = Zeroizing::new([0; 32]);
        for (to, from) in secret.iter_mut().zip(ring::hmac::sign(&key, receiver.as_bytes()).as_ref()) {
            *to = *from;
        }
        secret
    }
}

fn purpose(id: &AccessKeyId) -> String {
    format!("access-key:{id}")
}

/// Opens every enabled key of `world`. A key that cannot be opened is left out, and said so.
pub(crate) fn ring(world: &World, keys: &MasterKeys, before: &Ring) -> Ring {
    let enabled = world.access_keys().values().filter(|key| key.enabled);
    enabled
        .filter_map(|key| {
            let opened = keys.open(&purpose(&key.id), &key.secret);
            let Some(text) = opened.and_then(|secret| String::from_utf8(secret.to_vec()).ok()) else {
                tracing::error!(access_key = %key.id, "the secret cannot be opened with the given master key");
                return None;
            };
            let secret = Zeroizing::new(text);
            // The same allocation for the same secret, so that what was derived from it stays valid.
            let known = before.get(key.id.as_str()).filter(|known| *known.secret == *secret).cloned();
            Some((key.id.as_str().into(), known.unwrap_or_else(|| Arc::new(AccessSecret::new(key.id.clone(), secret)))))
        })
        .collect()
}

/// The sealer for tokens, once the log holds its key.
pub(crate) fn token_sealer(world: &World, keys: &MasterKeys) -> Result<Option<Arc<TokenSealer>>, Error> {
    let Some(sealed) = world.token_key() else { return Ok(None) };
    let opened = keys.open(TOKEN_KEY, sealed).and_then(|key| TokenSealer::new(&key));
    opened.map(|sealer| Some(Arc::new(sealer))).ok_or_else(|| Error::Sealed("the token key".into()))
}

impl Node {
    /// The secret of an enabled access key.
    #[must_use]
    pub fn access_secret(&self, id: &str) -> Option<Arc<AccessSecret>> {
        self.shared().ring.load().get(id).cloned()
    }

    /// Makes an access key. `id` and `secret` are drawn unless given.
    ///
    /// # Errors
    /// The id is taken, or the log does not answer.
    pub async fn create_access_key(
        &self,
        id: Option<AccessKeyId>,
        secret: Option<Zeroizing<String>>,
        name: Name,
        description: Option<Description>,
        cause: Cause,
    ) -> Result<NewAccessKey, Error> {
        let shared = self.shared();
        let id = match id {
            Some(id) => id,
            None => draw_id(shared.entropy.as_ref())?,
        };
        let secret = secret.unwrap_or_else(|| draw_secret(shared.entropy.as_ref()));
        let sealed = self.seal(&purpose(&id), secret.as_bytes())?;
        self.execute(CreateAccessKey { id: id.clone(), name, description, secret: sealed }, cause).await?;
        Ok(NewAccessKey { id, secret })
    }

    /// Makes the token key if the log holds none.
    pub(crate) async fn ensure_token_key(&self) -> Result<(), Error> {
        if self.view().world.token_key().is_some() {
            return Ok(());
        }
        let mut key = Zeroizing::new([0; 32]);
        self.shared().entropy.fill(&mut *key);
        let sealed = self.seal(TOKEN_KEY, &*key)?;
        self.execute(CreateTokenKey { sealed }, Cause::node("first start")).await?;
        Ok(())
    }

    /// The signing key; made if the log holds none.
    pub(crate) async fn signing_key(&self) -> Result<SigningKey, Error> {
        if self.view().world.signing_key().is_none() {
            let mut key = Zeroizing::new([0; 32]);
            self.shared().entropy.fill(&mut *key);
            let sealed = self.seal(SIGNING_KEY, &*key)?;
            self.execute(CreateSigningKey { sealed }, Cause::node("first call to the outside")).await?;
        }
        let view = self.view();
        let opened =
            view.world.signing_key().and_then(|sealed| self.shared().master_keys.open(SIGNING_KEY, sealed));
        opened.map(SigningKey).ok_or_else(|| Error::Sealed("the signing key".into()))
    }

    /// Seals anew what is sealed with a master key that is not the first one any more.
    pub(crate) async fn reseal(&self) -> Result<(), Error> {
        let shared = self.shared();
        let world = self.view().world.clone();
        let anew = |purpose: &str, sealed: &SealedSecret| -> Result<Option<SealedSecret>, Error> {
            if shared.master_keys.is_current(sealed) {
                return Ok(None);
            }
            let opened =
                shared.master_keys.open(purpose, sealed).ok_or_else(|| Error::Sealed(purpose.into()))?;
            self.seal(purpose, &opened).map(Some)
        };
        let token_key = world.token_key().map(|sealed| anew(TOKEN_KEY, sealed)).transpose()?.flatten();
        let signing_key = world.signing_key().map(|sealed| anew(SIGNING_KEY, sealed)).transpose()?.flatten();
        let mut access_keys = vec![];
        for key in world.access_keys().values() {
            if let Some(sealed) = anew(&purpose(&key.id), &key.secret)? {
                access_keys.push((key.id.clone(), sealed));
            }
        }
        if token_key.is_some() || signing_key.is_some() || !access_keys.is_empty() {
            let command = ResealSecrets { token_key, signing_key, access_keys };
            self.execute(command, Cause::node("master key rotated")).await?;
        }
        Ok(())
    }

    fn seal(&self, purpose: &str, secret: &[u8]) -> Result<SealedSecret, Error> {
        let shared = self.shared();
        let sealed = shared.master_keys.seal(shared.entropy.as_ref(), purpose, secret);
        sealed.ok_or_else(|| Error::Internal("the secret cannot be sealed".into()))
    }
}

/// `YDM` and 17 letters and digits, as long as the ids that AWS gives.
fn draw_id(entropy: &dyn Entropy) -> Result<AccessKeyId, Error> {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 17];
    entropy.fill(&mut bytes);
    let letters: String = bytes
        .iter()
        .filter_map(|byte| DIGITS.get(usize::from(byte % 32)))
        .map(|digit| char::from(*digit))
        .collect();
    format!("YDM{letters}").parse().map_err(|_| Error::Internal("an access key id cannot be drawn".into()))
}

/// 240 bits, 40 characters.
fn draw_secret(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 30]);
    entropy.fill(&mut *bytes);
    Zeroizing::new(STANDARD_NO_PAD.encode(*bytes))
}
