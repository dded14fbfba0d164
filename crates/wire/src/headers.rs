//! Names of all headers the protocols give a meaning.
//!
//! Header names compare without regard to case and are sent in lower case. Several differ from what one would guess:
//! the control plane's label header has no hyphen, the data plane's has one.

use http::HeaderName;

macro_rules! headers {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        $($(#[$doc])* pub const $name: HeaderName = HeaderName::from_static($text);)+

        /// Every name of this module.
        pub static ALL: [HeaderName; [$($text,)+].len()] = [$($name,)+];
    };
}

headers! {
    /// Every answer: a UUID that names the request.
    X_AMZN_REQUESTID = "x-amzn-requestid";
    /// Every error: the code and a colon, see [`crate::errors::ErrorKind::error_type`].
    X_AMZN_ERRORTYPE = "x-amzn-errortype";
    /// Deletions: a [`crate::enums::DeletionProtectionCheck`].
    X_AMZN_DELETION_PROTECTION_CHECK = "x-amzn-deletion-protection-check";
    /// Hosted versions: the application's id.
    APPLICATION_ID = "application-id";
    /// Hosted versions: the profile's id.
    CONFIGURATION_PROFILE_ID = "configuration-profile-id";
    /// Hosted versions: the number, in decimal.
    VERSION_NUMBER = "version-number";
    /// Hosted versions: the description.
    DESCRIPTION = "description";
    /// Hosted versions: the label. Control plane only, without a hyphen.
    VERSIONLABEL = "versionlabel";
    /// Hosted versions: ARN of the key.
    KMSKEYARN = "kmskeyarn";
    /// Creation of hosted versions and extensions: the latest number as the caller knows it.
    LATEST_VERSION_NUMBER = "latest-version-number";
    /// StopDeployment: `true` also takes back a completed deployment.
    ALLOW_REVERT = "allow-revert";
    /// StartDeployment: why it is to be started although alarms speak against it.
    YARDARM_OVERRIDE_ALARMS = "yardarm-override-alarms";
    /// StartDeployment: the seconds within which it has to be confirmed, or it is taken back.
    YARDARM_CONFIRM_WITHIN = "yardarm-confirm-within";
    /// Any change: why.
    YARDARM_REASON = "yardarm-reason";
    /// StartDeployment: what it asks of clients before each step, as in `applied=95, refused=5`.
    YARDARM_REQUIRE_ACKNOWLEDGEMENTS = "yardarm-require-acknowledgements";
    /// Streams of rollouts: the id of the last event that the client has.
    LAST_EVENT_ID = "last-event-id";
    /// GetConfiguration: the deployed version. Sent with GetLatestConfiguration and native reads too.
    CONFIGURATION_VERSION = "configuration-version";
    /// GetLatestConfiguration: the token of the next call.
    NEXT_POLL_CONFIGURATION_TOKEN = "next-poll-configuration-token";
    /// GetLatestConfiguration: seconds to wait before the next call.
    NEXT_POLL_INTERVAL_IN_SECONDS = "next-poll-interval-in-seconds";
    /// GetLatestConfiguration: the deployed version's label. Data plane only, with a hyphen.
    VERSION_LABEL = "version-label";
    /// GetLatestConfiguration: sent by the agent to ask for stable assignment of entities.
    IS_STICKY = "is-sticky";
    /// GetLatestConfiguration: `1` beside [`IS_STICKY`] asks for what is needed to decide which entity gets which version.
    X_YARDARM_ENTITY_ROLLOUT = "x-yardarm-entity-rollout";
    /// GetLatestConfiguration: the deployment on its way, `application/environment/number`.
    X_YARDARM_DEPLOYMENT = "x-yardarm-deployment";
    /// GetLatestConfiguration: how many entities it has reached, in parts per million.
    X_YARDARM_EXPOSURE = "x-yardarm-exposure";
    /// GetLatestConfiguration: a token with which this operation answers the version of everybody else.
    X_YARDARM_PREVIOUS = "x-yardarm-previous";
    /// GetLatestConfiguration: names the flags that take part in experiments.
    EXPERIMENT_FLAGS = "experiment-flags";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_header_is_named_twice() {
        assert_eq!(ALL.iter().collect::<HashSet<_>>().len(), ALL.len());
    }
}
