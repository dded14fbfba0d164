//! Deletion protection: what served a configuration lately is not deleted by mistake.

use crate::account_settings::AccountSettings;
use crate::refusal::Refusal;
use jiff::{SignedDuration, Timestamp};

/// What a caller wants checked before a deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionProtectionCheck {
    /// The account's setting; what was created within the last hour is exempt.
    #[default]
    AccountDefault,
    /// Check even if the account does not, and what is new as well.
    Apply,
    /// No check.
    Bypass,
}

impl DeletionProtectionCheck {
    /// Refuses if the resource is protected. `last_read`: when it last served a configuration, as far as is known.
    pub(crate) fn run(
        self,
        settings: &AccountSettings,
        resource: &str,
        created_at: Timestamp,
        last_read: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let applies = match self {
            Self::Bypass => false,
            Self::Apply => true,
            Self::AccountDefault => {
                settings.deletion_protection
                    && now.duration_since(created_at) >= SignedDuration::from_hours(1)
            }
        };
        let period = SignedDuration::from_mins(i64::from(settings.protection_period_min));
        let in_use = last_read.is_some_and(|read| now.duration_since(read) < period);
        if applies && in_use {
            let period_min = settings.protection_period_min;
            return Err(Refusal::DeletionProtected { resource: resource.into(), period_min });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(check: DeletionProtectionCheck, on: bool, age_min: i64, read_min: Option<i64>) -> bool {
        let now = Timestamp::from_second(10_000_000).unwrap();
        let ago = |minutes| now - SignedDuration::from_mins(minutes);
        let settings = AccountSettings { deletion_protection: on, ..AccountSettings::default() };
        check.run(&settings, "x", ago(age_min), read_min.map(ago), now).is_ok()
    }

    #[test]
    fn the_account_setting_protects_what_is_in_use_and_not_new() {
        use DeletionProtectionCheck::AccountDefault;
        assert!(!check(AccountDefault, true, 61, Some(59)));
        assert!(check(AccountDefault, true, 61, Some(60)), "not read within the period");
        assert!(check(AccountDefault, true, 59, Some(1)), "new");
        assert!(check(AccountDefault, true, 61, None), "never read");
        assert!(check(AccountDefault, false, 61, Some(1)), "switched off");
    }

    #[test]
    fn a_caller_can_ask_for_the_check_or_go_past_it() {
        assert!(!check(DeletionProtectionCheck::Apply, false, 1, Some(1)));
        assert!(check(DeletionProtectionCheck::Bypass, true, 100, Some(1)));
    }
}
