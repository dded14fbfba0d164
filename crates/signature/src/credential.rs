//! Secrets, the keys derived from them, and the cache between the two.
//!
//! A signature is made with a key derived from the secret by four HMACs over day, region and service. Deriving costs
//! more than everything else in verification, and the answer is the same all day, so a [`Credential`] keeps it.
//! **Invariants:** secrets, derived keys and hash states are wiped when dropped; none of the types here can be printed.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwapOption;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::TERMINATOR;

type HmacSha256 = Hmac<Sha256>;

/// What a key may be used for: one day, region and service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// `YYYYMMDD`, in UTC.
    pub day: &'a str,
    /// The region, say `us-east-1`.
    pub region: &'a str,
    /// The signing name of the service, `appconfig` for both of AppConfig's planes.
    pub service: &'a str,
}

/// A secret access key.
pub struct SecretKey(Zeroizing<Box<[u8]>>);

impl SecretKey {
    /// Takes a secret of any length.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let mut prefixed = Vec::with_capacity("AWS4".len() + secret.len()); // exact: growing would leave copies behind
        prefixed.extend_from_slice(b"AWS4");
        prefixed.extend_from_slice(secret.as_bytes());
        Self(Zeroizing::new(prefixed.into_boxed_slice()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A key for one [`Scope`], ready to use: what it costs to key the hash is already paid.
#[derive(Clone)]
pub struct SigningKey(HmacSha256);

impl SigningKey {
    /// Derives the key of a scope.
    #[must_use]
    pub fn derive(secret: &SecretKey, scope: Scope<'_>) -> Self {
        let mut key = keyed(&secret.0);
        for part in [scope.day, scope.region, scope.service, TERMINATOR] {
            key.update(part.as_bytes());
            let derived: Zeroizing<[u8; 32]> = Zeroizing::new(key.finalize().into_bytes().into());
            key = keyed(&*derived);
        }
        Self(key)
    }

    /// Signs the concatenation of `parts`.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[expect(clippy::expect_used, reason = "HMAC is defined for keys of every length")]
fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("any length")
}

/// A secret with the newest key derived from it. Share it behind an `Arc`; readers never wait for each other.
pub struct Credential {
    secret: SecretKey,
    newest: ArcSwapOption<Derived>,
}

struct Derived {
    day: Box<str>,
    region: Box<str>,
    service: Box<str>,
    key: SigningKey,
}

impl Derived {
    fn scope(&self) -> Scope<'_> {
        Scope { day: &self.day, region: &self.region, service: &self.service }
    }
}

impl Credential {
    /// A credential that has derived nothing yet.
    #[must_use]
    pub fn new(secret: SecretKey) -> Self {
        Self { secret, newest: ArcSwapOption::empty() }
    }

    /// Uses the key of `scope`, from the cache if it is there.
    ///
    /// Keys of days before the cached one are derived and forgotten, so that presigned requests of last week and clocks
    /// on both sides of midnight cannot push out the key that everybody else uses. Call this only for scopes whose day,
    /// region and service have been checked: a day in the far future would stay.
    pub(crate) fn with_key<T>(&self, scope: Scope<'_>, act: impl FnOnce(&SigningKey) -> T) -> T {
        let newest = self.newest.load();
        if let Some(cached) = newest.as_deref().filter(|cached| cached.scope() == scope) {
            return act(&cached.key);
        }
        let key = SigningKey::derive(&self.secret, scope);
        if newest.as_deref().is_none_or(|cached| *cached.day <= *scope.day) {
            self.newest.store(Some(Arc::new(Derived {
                day: scope.day.into(),
                region: scope.region.into(),
                service: scope.service.into(),
                key: key.clone(),
            })));
        }
        act(&key)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn scope(day: &str) -> Scope<'_> {
        Scope { day, region: "us-east-1", service: "appconfig" }
    }

    #[test]
    fn nothing_secret_can_be_printed() {
        let credential = Credential::new(SecretKey::new(SECRET));
        let key = SigningKey::derive(&SecretKey::new(SECRET), scope("20150830"));
        credential.with_key(scope("20150830"), |_| ());
        let printed = format!("{credential:?} {:?} {key:?}", SecretKey::new(SECRET));
        assert_eq!(printed, "Credential(..) SecretKey(..) SigningKey(..)");
    }

    #[test]
    fn secrets_and_hash_states_are_wiped_when_dropped() {
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<Sha256>(); // what an HMAC is made of, and nothing else
        wiped::<Zeroizing<Box<[u8]>>>();
    }

    #[test]
    fn a_cached_key_is_the_derived_one_and_older_days_do_not_replace_it() {
        let credential = Credential::new(SecretKey::new(SECRET));
        let cached_day = || credential.newest.load().as_ref().map(|cached| cached.day.to_string());
        for (day, cached) in [
            ("20150830", "20150830"),
            ("20150829", "20150830"),
            ("20150830", "20150830"),
            ("20150831", "20150831"),
        ] {
            let expected = SigningKey::derive(&SecretKey::new(SECRET), scope(day)).sign(&[b"text"]);
            assert_eq!(credential.with_key(scope(day), |key| key.sign(&[b"te", b"xt"])), expected);
            assert_eq!(cached_day().as_deref(), Some(cached));
        }
    }

    #[test]
    fn every_part_of_the_scope_changes_the_key() {
        let sign = |scope| SigningKey::derive(&SecretKey::new(SECRET), scope).sign(&[b"text"]);
        let base = scope("20150830");
        let others = [
            scope("20150831"),
            Scope { region: "eu-west-1", ..base },
            Scope { service: "s3", ..base },
            Scope { region: "us-east-1a", service: "ppconfig", ..base },
        ];
        for other in others {
            assert_ne!(sign(base), sign(other), "{other:?}");
        }
        assert_eq!(sign(base), sign(scope("20150830")));
    }
}
