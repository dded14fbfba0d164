//! Where a configuration is served.

use yardarm_domain::{ApplicationId, EnvironmentId, ProfileId};

/// A configuration in an environment: three ids of at most seven characters in 24 bytes, so that a token can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 24]);

impl Address {
    /// Packs three ids.
    #[must_use]
    pub fn new(application: &ApplicationId, environment: &EnvironmentId, profile: &ProfileId) -> Self {
        Self::pack([application.as_str(), environment.as_str(), profile.as_str()])
    }

    /// Stands for all configurations of an environment. No configuration has this address.
    pub(crate) fn of_environment(application: &ApplicationId, environment: &EnvironmentId) -> Self {
        Self::pack([application.as_str(), environment.as_str(), ""])
    }

    /// What stands for all configurations of its environment.
    pub(crate) fn environment(mut self) -> Self {
        if let Some(profile) = self.0.last_chunk_mut::<8>() {
            *profile = [0; 8];
        }
        self
    }

    fn pack(ids: [&str; 3]) -> Self {
        let mut bytes = [0; 24];
        for (slot, id) in bytes.chunks_exact_mut(8).zip(ids) {
            for (byte, letter) in slot.iter_mut().zip(id.bytes()) {
                *byte = letter;
            }
        }
        Self(bytes)
    }

    /// From a token.
    #[must_use]
    pub(crate) fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }

    /// For a token.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8; 24] {
        &self.0
    }

    /// The three ids; `None` if these bytes never were any.
    #[must_use]
    pub fn ids(&self) -> Option<(ApplicationId, EnvironmentId, ProfileId)> {
        let mut parts =
            self.0.chunks_exact(8).map(|part| std::str::from_utf8(part).unwrap_or("").trim_end_matches('\0'));
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_ids() {
        let (app, env, profile) =
            ("abcd".parse().unwrap(), "1234567".parse().unwrap(), "zzzzz".parse().unwrap());
        let address = Address::new(&app, &env, &profile);
        assert_eq!(address.environment(), Address::of_environment(&app, &env));
        assert_eq!(address.environment().ids(), None);
        assert_eq!(Address::from_bytes(*address.bytes()).ids(), Some((app, env, profile)));
        assert_eq!(Address::from_bytes([255; 24]).ids(), None);
        assert_eq!(Address::from_bytes([0; 24]).ids(), None);
    }
}
