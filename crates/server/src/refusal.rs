//! From the reasons of the domain and the node to the words of the service: the only place where they are chosen.
//!
//! Clients match on these texts, odd punctuation included, so what the service is known to say is said literally. Where
//! nothing is known the words are Yardarm's own. **Invariant:** what is our fault is logged in full and shown as nothing
//! but an internal error.

use crate::call::Call;
use crate::fault::Fault;
use yardarm_domain::{Account, DeploymentState, Missing, NotRevertible, Noun, Quota, Refusal, Resource};
use yardarm_flags::{NotForceable, ReadError, Violation, Violations};
use yardarm_node::{ConfigurationRefused, Error, ExtensionRefused};
use yardarm_validators::{ContentFault, ContentRefused, Detail};
use yardarm_wire::constraints::{self, Constraint, Shown};
use yardarm_wire::enums;
use yardarm_wire::errors::{ErrorBody, ErrorKind, InvalidConfigurationDetail};
use yardarm_wire::floats::WireFloat;

/// A result whose error is told in the service's words, which name the account.
pub(crate) trait OrFault<T> {
    /// The value, or why there is none.
    ///
    /// # Errors
    /// As it is told to the caller.
    fn or_fault(self, call: &Call) -> Result<T, Fault>;
}

impl<T, E: Into<ConfigurationRefused>> OrFault<T> for Result<T, E> {
    fn or_fault(self, call: &Call) -> Result<T, Fault> {
        self.map_err(|error| fault(error.into(), &call.node.config().account))
    }
}

/// Why a configuration or a command was refused, in the service's words.
pub(crate) fn fault(refused: ConfigurationRefused, account: &Account) -> Fault {
    match refused {
        ConfigurationRefused::Node(Error::Refused(refusal)) => refusal_fault(&refusal, account),
        ConfigurationRefused::Node(Error::Busy(why)) => {
            Fault::told(ErrorKind::Throttling, format!("Too many requests: {why}. Try again."))
        }
        ConfigurationRefused::Node(
            error @ (Error::Log(_) | Error::Unreadable(_) | Error::Sealed(_) | Error::Internal(_)),
        ) => Fault::internal(error),
        ConfigurationRefused::FlagDocument(error) => flag_document_fault(error),
        ConfigurationRefused::FlagContentType(content_type) => Fault::bad_request(format!(
            "The content of a feature flag configuration profile must have the content type application/json, \
             not {content_type}."
        )),
        ConfigurationRefused::Extension(refused) => extension_fault(refused),
        ConfigurationRefused::Function { function, failure } => {
            let message = format!("Error invoking validator {function}: {}", failure.message);
            Fault::bad_request(message)
        }
        // Both print the service's text. Details are Yardarm's addition: they say where to look.
        ConfigurationRefused::Schema(refused) => Fault::bad_request(refused.to_string()),
        ConfigurationRefused::Content(refused) => schema_fault(&refused),
    }
}

fn refusal_fault(refusal: &Refusal, account: &Account) -> Fault {
    use ErrorKind::{BadRequest, Conflict, ResourceNotFound, ServiceQuotaExceeded};
    let (kind, text) = match refusal {
        Refusal::NotFound(missing) => (ResourceNotFound, not_found(missing, account)),
        Refusal::NameTaken { noun, name, id, application } => {
            let application = application.as_ref().map(ToString::to_string).unwrap_or_default();
            (BadRequest, name_taken(*noun, name, id, &application, account))
        }
        Refusal::HasEnvironments(id) => {
            let text = format!(
                "Cannot delete application {id}, because there are still environments existing under it."
            );
            (BadRequest, text)
        }
        Refusal::HasProfiles(id) => {
            let what = "there are still configuration profiles existing under it";
            (BadRequest, format!("Cannot delete application {id}, because {what}."))
        }
        Refusal::HasVersions(id) => {
            let what = "there are still hosted configuration versions existing under it";
            (BadRequest, format!("Cannot delete configuration profile {id} because {what}."))
        }
        Refusal::PredefinedStrategyUpdate(id) => {
            (BadRequest, format!("Cannot update predefined Deployment Strategy {id}"))
        }
        Refusal::PredefinedStrategyDelete(id) => {
            (BadRequest, format!("Cannot delete predefined Deployment Strategy {id}."))
        }
        Refusal::FlagProfileNotHosted => (BadRequest, FLAGS_ARE_HOSTED.into()),
        Refusal::LatestVersion { sent, actual } => (
            Conflict,
            format!("Expected latest version {sent} does not match actual latest version {actual}"),
        ),
        Refusal::LatestDeployment { sent, actual } => {
            let expected = format!("Expected latest deployment number {sent}");
            (Conflict, format!("{expected} does not match actual latest deployment number {actual}"))
        }
        Refusal::LabelTaken { label, version } => {
            let taken = "has already been assigned to hosted configuration version";
            let other =
                "Please provide a different version label to create your hosted configuration version.";
            (BadRequest, format!("The version label '{label}' {taken} {version}. {other}"))
        }
        Refusal::DeploymentInProgress { environment, number } => {
            (Conflict, format!("Environment {environment} already has a deployment in progress: {number}"))
        }
        Refusal::NotStoppable { application, environment, number, state } => {
            let deployment =
                format!("Deployment {number} for App {application} and Environment {environment}");
            let state = deployment_state(*state);
            (BadRequest, format!("{deployment} cannot be stopped, it has a status of {state}."))
        }
        Refusal::NotNewest { number, newer } => {
            let why = format!("deployment {newer} of the same configuration profile came after it");
            (BadRequest, format!("Deployment {number} cannot be reverted, because {why}."))
        }
        Refusal::FlagNotRevertible { environment, flag, why } => {
            let why = match why {
                NotRevertible::NoFlags => "the configuration profile holds no feature flags",
                NotRevertible::NotDeployed => "nothing is deployed there",
                NotRevertible::Unknown => "there is no such flag, and never was",
                NotRevertible::Unchanged => "it was the same before",
            };
            (BadRequest, format!("Flag {flag} cannot be reverted in environment {environment}: {why}."))
        }
        Refusal::NothingToConfirm { number } => {
            (BadRequest, format!("Deployment {number} was not started to be confirmed."))
        }
        Refusal::NotConfirmable { number, waits: true, .. } => {
            (BadRequest, format!("Deployment {number} cannot be confirmed, because it has not begun."))
        }
        Refusal::NotConfirmable { number, state, .. } => {
            let state = deployment_state(*state);
            (BadRequest, format!("Deployment {number} cannot be confirmed, it has a status of {state}."))
        }
        // StartDeployment declares no quota error: a full queue is one more way of being in the way.
        Refusal::QuotaExceeded { quota: quota @ Quota::QueuedDeployments, limit } => {
            (Conflict, quota_exceeded(*quota, *limit))
        }
        Refusal::QuotaExceeded { quota, limit } => (ServiceQuotaExceeded, quota_exceeded(*quota, *limit)),
        Refusal::ContentTooLarge { limit_bytes, size_bytes } => return too_large(*limit_bytes, *size_bytes),
        Refusal::DeletionProtected { resource, period_min } => {
            let why = format!("it served a configuration within the last {period_min} minutes");
            (
                Conflict,
                format!("Cannot delete {resource}, because {why} and deletion protection applies to it."),
            )
        }
        Refusal::Constraint { member, constraint } => {
            let constraint = constraint.to_string();
            let constraint = Constraint::Text(&constraint);
            let violation = constraints::Violation { member, value: Shown::Nothing, constraint };
            (BadRequest, constraints::message(&[violation]))
        }
        Refusal::AccessKeyTaken(id) => (Conflict, format!("Access key {id} already exists.")),
        Refusal::BearerTokenTaken(id) => (Conflict, format!("Bearer token {id} already exists.")),
        Refusal::ExpiryPassed(at) => {
            (BadRequest, format!("A token cannot expire at {at}, which has passed."))
        }
        Refusal::ExtensionExists(name) => {
            let what = format!("an extension with name {name} already exists.");
            (BadRequest, format!("LatestVersionNumber not populated and {what}"))
        }
        Refusal::LatestExtensionVersion { sent, actual } => {
            let what = format!("does not match latest version {actual}.");
            (Conflict, format!("LatestVersionNumber supplied in request {sent} {what}"))
        }
        Refusal::ParameterRequiredAndDynamic(name) => {
            (BadRequest, format!("Extension parameters {name} can not be both required and dynamic"))
        }
        Refusal::NotificationOnly(uri) => {
            let what = "gives no answers, so only ON_* actions can use it";
            (BadRequest, format!("The action's Uri {uri} {what}."))
        }
        Refusal::ExtensionInUse { extension, version, associations } => {
            let which = format!("extension {extension}, version {version}, for account {}", account.id);
            let why = format!("as there are {associations} associations of the extension still existing");
            (BadRequest, format!("Cannot delete {which}, {why}."))
        }
        Refusal::NotExtensible(resource) => {
            let arn = account.arn(resource);
            let what = "applications, environments and configuration profiles";
            (BadRequest, format!("Extensions are associated with {what}, not with {arn}."))
        }
        Refusal::Extended(resource) => {
            let noun = match resource {
                Resource::Environment(..) => "environment",
                Resource::Profile(..) => "configuration profile",
                _ => "application",
            };
            let why = "because there are extensions associated with it";
            let how = format!("Please remove the extension associations to this {noun} first.");
            (BadRequest, format!("Cannot delete {noun} {} {why}. {how}", account.arn(resource)))
        }
        Refusal::NoParameters { name, version } => {
            let what = "has required parameters, but no parameters have been supplied";
            (BadRequest, format!("Extension {name} version {version} {what}"))
        }
        // Two blanks after the name, as the service has them.
        Refusal::ParameterMissing { parameter, extension, version } => {
            let why = "but a value has not been supplied";
            let what = format!("is required for extension {extension} version {version}, {why}.");
            (BadRequest, format!("Parameter {parameter}  {what}"))
        }
        Refusal::ParameterUnknown { parameter, extension, version } => {
            (BadRequest, format!("Extension {extension} version {version} has no parameter {parameter}."))
        }
        Refusal::ParameterNotDynamic { extension, parameter } => {
            let what = format!("has no dynamic parameter {parameter}");
            (BadRequest, format!("DynamicExtensionParameters: extension {extension} {what}."))
        }
        Refusal::NotAssociated { extension, .. } => {
            let nowhere =
                "which is associated with none of application, environment and configuration profile";
            let what = format!("has a parameter of extension {extension}, {nowhere}");
            (BadRequest, format!("DynamicExtensionParameters {what}."))
        }
        Refusal::NoFlagProfile(profile) => (
            BadRequest,
            format!("Configuration profile {profile} holds no feature flags that could be forced."),
        ),
        Refusal::NothingDeployed(environment, profile) => {
            let what = format!("Nothing of configuration profile {profile} is deployed");
            (BadRequest, format!("{what} in environment {environment}, so there is no flag to force."))
        }
        Refusal::NotForceable { flag, why: NotForceable::NoFlag } => {
            (BadRequest, format!("No version that is deployed there has a flag `{flag}`."))
        }
        Refusal::NotForceable { flag, why: NotForceable::NoVariant(names) } => {
            let which = match &**names {
                [] => "it has none".to_owned(),
                names => format!("it has {}", names.join(", ")),
            };
            (BadRequest, format!("Flag `{flag}` has no such variant in what is deployed there; {which}."))
        }
        Refusal::AlarmFiring { environment, alarm, state } => {
            let told = format!("Environment {environment} cannot be deployed to: alarm {alarm} is in");
            let way = "To deploy nevertheless, give the reason in the header Yardarm-Override-Alarms.";
            (Conflict, format!("{told} {}. {way}", state.as_str()))
        }
        Refusal::AlarmUnregistered { environment, alarm } => {
            let told = format!(
                "Environment {environment} has a monitor for alarm {alarm}, which nobody would watch"
            );
            let way = "Register it with `yardarm alarm put`, or give the reason to deploy nevertheless in the \
                       header Yardarm-Override-Alarms.";
            (BadRequest, format!("{told}. {way}"))
        }
        Refusal::AlarmInUse { alarm, environment } => {
            let why = format!("a deployment in environment {environment} is watched by it");
            (Conflict, format!("Alarm {alarm} cannot be deleted, because {why}."))
        }
        Refusal::Raced => {
            (Conflict, "The configuration profile was changed at the same time. Try again.".into())
        }
    };
    Fault::told(kind, text)
}

/// What a flag profile's `LocationUri` must be.
pub(crate) const FLAGS_ARE_HOSTED: &str =
    "ConfigurationProfiles of type 'AWS.AppConfig.FeatureFlags' can only have a locationUri of 'hosted'";

fn not_found(missing: &Missing, account: &Account) -> String {
    let account_id = &account.id;
    match missing {
        Missing::Application(app) => {
            format!("Application with Id {app} could not be found for account {account_id}.")
        }
        Missing::Environment(app, env) => format!(
            "Environment with Application Id {app} and Environment Id {env} could not be found for account {account_id}."
        ),
        Missing::ConfigurationProfile(app, profile) => format!(
            "Configuration Profile with Application Id {app} and Configuration Profile Id {profile} \
             could not be found for account {account_id}."
        ),
        Missing::HostedVersion(app, profile, version) => format!(
            "Hosted Configuration Version with Application Id {app}, Configuration Profile Id {profile}, \
             and Version {version} could not be found for account {account_id}"
        ),
        Missing::ConfigurationNumber(name, number) => {
            format!("Could not find configuration {name} with version number {number}")
        }
        Missing::ConfigurationLabel(name, label) => {
            format!("Could not find configuration {name} with version label {label}")
        }
        Missing::Strategy(id) => format!("DeploymentStrategy with Id {id} could not be found."),
        Missing::Deployment(app, env, number) => format!(
            "Deployment with Application Id {app}, Environment Id {env}, and Deployment Number {number} \
             could not be found for account {account_id}."
        ),
        Missing::Resource(name) => {
            let arn =
                name.parse::<Resource>().map_or_else(|_| name.clone(), |resource| account.arn(&resource));
            format!("Resource {arn} could not be found.")
        }
        Missing::AccessKey(id) => format!("Access key {id} could not be found."),
        Missing::BearerToken(id) => format!("Bearer token {id} could not be found."),
        Missing::Extension => format!("Extension could not be found for account {account_id}."),
        Missing::ServiceExtension(name) => format!(
            "Extension could not be found for account {account_id}. Yardarm has no AWS authored extension {name}: \
             make one of your own, with a URL as its Uri."
        ),
        Missing::ExtensionAssociation(id) => {
            format!("Extension Association with Id {id} could not be found for account {account_id}.")
        }
        Missing::ForcedFlag(flag) => format!("Flag `{flag}` is not forced there."),
        Missing::Delivery(id) => format!("There is no delivery {id} that was given up."),
        Missing::Alarm(arn) => format!("Alarm {arn} could not be found."),
    }
}

fn name_taken(noun: Noun, name: &str, id: &str, application: &str, account: &Account) -> String {
    let account = &account.id;
    match noun {
        Noun::Application => {
            format!("Application with name {name} already exists with id {id} in account {account}")
        }
        Noun::Environment => format!(
            "Environment with name {name} already exists with id {id} in application {application} and account {account}"
        ),
        Noun::ConfigurationProfile => format!(
            "ConfigurationProfile with name {name} already exists with id {id} in application {application} \
             account {account}"
        ),
    }
}

fn quota_exceeded(quota: Quota, limit: u64) -> String {
    match quota {
        Quota::Applications => format!("The account has {limit} applications, which is its quota."),
        Quota::Environments => format!("The application has {limit} environments, which is its quota."),
        Quota::ConfigurationProfiles => {
            format!("The application has {limit} configuration profiles, which is its quota.")
        }
        Quota::DeploymentStrategies => {
            format!("The account has {limit} deployment strategies, which is its quota.")
        }
        Quota::HostedStore => {
            format!("All hosted configuration versions together have at most {} KB.", limit / KILOBYTE)
        }
        Quota::QueuedDeployments => {
            format!("{limit} deployments are waiting in the environment, which is its quota.")
        }
        Quota::ForcedFlags => {
            format!("{limit} flags of the configuration are forced in the environment, which is the most.")
        }
        Quota::AccessKeys => format!("The account has {limit} access keys, which is its quota."),
        Quota::BearerTokens => format!("The account has {limit} bearer tokens, which is its quota."),
        Quota::Extensions => format!("The account has {limit} versions of extensions, which is its quota."),
        Quota::ExtensionAssociations => {
            format!("The account has {limit} associations of extensions, which is its quota.")
        }
        Quota::Alarms => format!("The account has {limit} alarms, which is its quota."),
    }
}

const KILOBYTE: u64 = 1_024;

/// Sizes are told in kilobytes; a begun one counts.
fn too_large(limit_bytes: u64, size_bytes: u64) -> Fault {
    #[expect(clippy::cast_precision_loss, reason = "a request's kilobytes are few")]
    let kilobytes = |count: u64| WireFloat::from(count as f64);
    let (limit, size) = (kilobytes(limit_bytes / KILOBYTE), kilobytes(size_bytes.div_ceil(KILOBYTE)));
    let body = ErrorBody::payload_too_large("Content size limit exceeded.", limit, size);
    Fault::new(ErrorKind::PayloadTooLarge, body)
}

/// What an extension has kept from being done.
fn extension_fault(refused: ExtensionRefused) -> Fault {
    let message = format!("Error invoking extension {}: {}", refused.extension, refused.message);
    let mut details: Vec<InvalidConfigurationDetail> = refused
        .details
        .into_iter()
        .map(|detail| InvalidConfigurationDetail {
            detail_type: detail.kind,
            location: detail.name,
            reason: detail.reason,
            ..InvalidConfigurationDetail::default()
        })
        .collect();
    if let Some(failure) = refused.failure {
        let (detail_type, value) = (Some(failure.code), Some(failure.message));
        details.push(InvalidConfigurationDetail {
            detail_type,
            value,
            ..InvalidConfigurationDetail::default()
        });
    }
    Fault::new(ErrorKind::BadRequest, ErrorBody::invalid_configuration(message, details))
}

/// The service's flag checks behave as an extension, and its errors say so.
fn flag_document_fault(error: ReadError) -> Fault {
    let (what, details) = match error {
        ReadError::TooLarge { limit, size } => return too_large(limit as u64, size as u64),
        ReadError::Malformed { message, at } => {
            let detail = place(&message, at.line, at.column);
            ("Malformed 'Content' provided", vec![detail])
        }
        ReadError::Invalid(violations) => ("Invalid 'Content' data", details(violations)),
    };
    let message = format!("Error invoking extension AppConfig Feature Flags Helper: {what}");
    Fault::new(ErrorKind::BadRequest, ErrorBody::invalid_configuration(message, details))
}

fn details(violations: Violations) -> Vec<InvalidConfigurationDetail> {
    let Violations { listed, omitted } = violations;
    and_more(listed.into_iter().map(detail).collect(), omitted)
}

fn detail(violation: Violation) -> InvalidConfigurationDetail {
    InvalidConfigurationDetail {
        constraint: Some(violation.constraint),
        location: Some(violation.location),
        reason: violation.reason,
        detail_type: Some(violation.kind.as_str().into()),
        value: Some(violation.value),
        pointer: Some(violation.pointer),
        line: violation.at.map(|at| at.line),
        column: violation.at.map(|at| at.column),
    }
}

/// Content that a schema refuses: the service's text, and each mistake with its place in the content.
fn schema_fault(refused: &ContentRefused) -> Fault {
    let (found, omitted) = match &refused.fault {
        ContentFault::Broken { details, omitted } => (details.iter().map(schema_detail).collect(), *omitted),
        ContentFault::NotJson { message, at } => (vec![place(message, at.line, at.column)], 0),
        ContentFault::TooLarge { .. } | ContentFault::TooMuchWork => (vec![], 0),
    };
    let message = refused.to_string();
    if found.is_empty() {
        return Fault::bad_request(message);
    }
    let body = ErrorBody::invalid_configuration(message, and_more(found, omitted));
    Fault::new(ErrorKind::BadRequest, body)
}

fn schema_detail(detail: &Detail) -> InvalidConfigurationDetail {
    InvalidConfigurationDetail {
        constraint: Some(detail.constraint.clone()),
        location: Some(detail.pointer.trim_start_matches('/').replace('/', ".")),
        reason: Some(detail.reason.clone()),
        detail_type: Some("NotSatisfied".into()),
        value: Some(detail.value.clone()),
        pointer: Some(detail.pointer.clone()),
        line: detail.at.map(|at| at.line),
        column: detail.at.map(|at| at.column),
    }
}

/// Where a text stops being JSON.
fn place(reason: &str, line: u32, column: u32) -> InvalidConfigurationDetail {
    InvalidConfigurationDetail {
        reason: Some(reason.into()),
        line: Some(line),
        column: Some(column),
        ..InvalidConfigurationDetail::default()
    }
}

/// Says how many violations are not listed.
fn and_more(mut details: Vec<InvalidConfigurationDetail>, omitted: usize) -> Vec<InvalidConfigurationDetail> {
    if omitted > 0 {
        let reason = Some(format!("{omitted} more violations are not listed"));
        details.push(InvalidConfigurationDetail { reason, ..InvalidConfigurationDetail::default() });
    }
    details
}

/// A deployment's state in the service's word.
pub(crate) fn deployment_state(state: DeploymentState) -> enums::DeploymentState {
    match state {
        DeploymentState::Deploying => enums::DeploymentState::Deploying,
        DeploymentState::Baking => enums::DeploymentState::Baking,
        DeploymentState::Complete => enums::DeploymentState::Complete,
        DeploymentState::RolledBack => enums::DeploymentState::RolledBack,
        DeploymentState::Reverted => enums::DeploymentState::Reverted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yardarm_domain::{DeploymentNumber, VersionNumber};
    use yardarm_testkit::account;

    fn told(error: impl Into<ConfigurationRefused>) -> (ErrorKind, String) {
        let fault = fault(error.into(), &account());
        (fault.kind, fault.body.message.unwrap_or_default())
    }

    #[test]
    fn what_is_our_fault_is_not_told() {
        for error in [
            Error::Log("disk /var/lib/yardarm is full".into()),
            Error::Unreadable("record 7".into()),
            Error::Sealed("access key x".into()),
            Error::Internal("a decision panicked".into()),
        ] {
            assert_eq!(told(error), (ErrorKind::InternalServer, "internal error".into()));
        }
    }

    #[test]
    fn a_busy_node_asks_to_try_again() {
        let (kind, text) = told(Error::Busy("too many commands are waiting"));
        assert_eq!((kind, kind.status().as_u16()), (ErrorKind::Throttling, 429));
        assert_eq!(text, "Too many requests: too many commands are waiting. Try again.");
    }

    #[test]
    fn a_race_that_was_lost_too_often_is_a_conflict() {
        assert_eq!(told(Refusal::Raced).0, ErrorKind::Conflict);
    }

    #[test]
    fn flag_profiles_are_hosted() {
        assert_eq!(told(Refusal::FlagProfileNotHosted), (ErrorKind::BadRequest, FLAGS_ARE_HOSTED.into()));
    }

    #[test]
    fn every_quota_answers_402_and_names_its_limit_but_a_full_queue_is_a_conflict() {
        for quota in [
            Quota::Applications,
            Quota::Environments,
            Quota::ConfigurationProfiles,
            Quota::DeploymentStrategies,
            Quota::HostedStore,
            Quota::QueuedDeployments,
            Quota::AccessKeys,
            Quota::BearerTokens,
            Quota::Extensions,
            Quota::ExtensionAssociations,
        ] {
            let (kind, text) = told(Refusal::QuotaExceeded { quota, limit: 2_048 });
            let status = if quota == Quota::QueuedDeployments { 409 } else { 402 };
            assert_eq!(kind.status().as_u16(), status);
            assert!(text.contains("2048") || text.contains("2 KB"), "{text}");
        }
    }

    #[test]
    fn sizes_are_told_in_kilobytes_and_a_begun_one_counts() {
        for (size_bytes, size) in [(1_025, 2.0), (2_048, 2.0), (2_049, 3.0)] {
            let fault = fault(Refusal::ContentTooLarge { limit_bytes: 1_024, size_bytes }.into(), &account());
            assert_eq!(fault.kind, ErrorKind::PayloadTooLarge);
            let sizes = (fault.body.limit.map(WireFloat::to_f64), fault.body.size.map(WireFloat::to_f64));
            assert_eq!(sizes, (Some(1.0), Some(size)));
        }
    }

    #[test]
    fn more_violations_than_are_listed_are_counted() {
        let violations = Violations { listed: vec![], omitted: 3 };
        let fault = fault(ConfigurationRefused::FlagDocument(ReadError::Invalid(violations)), &account());
        let body = serde_json::to_value(&fault.body).unwrap();
        assert_eq!(body["Details"]["InvalidConfiguration"][0]["Reason"], "3 more violations are not listed");
    }

    #[test]
    fn things_are_named_as_they_were_asked_for() {
        let version = VersionNumber(3);
        let label = "v1".parse().unwrap();
        assert_eq!(
            told(Refusal::LabelTaken { label, version }).1,
            "The version label 'v1' has already been assigned to hosted configuration version 3. \
             Please provide a different version label to create your hosted configuration version."
        );
        let missing =
            Missing::Deployment("abcd".parse().unwrap(), "efgh".parse().unwrap(), DeploymentNumber(9));
        assert_eq!(told(Refusal::NotFound(missing)).0, ErrorKind::ResourceNotFound);
        let missing = Missing::Resource("application/abcd".into());
        assert_eq!(
            told(Refusal::NotFound(missing)).1,
            "Resource arn:aws:appconfig:us-east-1:123456789012:application/abcd could not be found."
        );
    }
}
