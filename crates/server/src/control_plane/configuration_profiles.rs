//! Configuration profiles and their validators.
//!
//! Yardarm stores configuration itself: every profile is hosted and none is encrypted with AWS KMS. What asks for
//! something else is refused in words that say so, never ignored.

use super::pages::{List, PageRequest};
use super::{applications, deletion_protection_check, described};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::{FLAGS_ARE_HOSTED, OrFault};
use yardarm_domain::{
    Application, ApplicationId, ConfigurationProfile, CreateConfigurationProfile, DeleteConfigurationProfile,
    ProfileId, ProfileType, UpdateConfigurationProfile, Validator,
};
use yardarm_node::View;
use yardarm_wire::enums::ValidatorType;
use yardarm_wire::errors::{ErrorBody, ErrorKind};
use yardarm_wire::{patterns, profiles as wire};

/// The only store there is.
pub(super) const HOSTED: &str = "hosted";

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let body: wire::CreateConfigurationProfileRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let uri = arguments.text("LocationUri", body.location_uri.as_deref(), 1..=2_048);
    let hosted = body.location_uri.as_deref() == Some(HOSTED);
    let role = no_role(&mut arguments, body.retrieval_role_arn.as_deref().filter(|_| hosted));
    let validators = validators(&mut arguments, body.validators);
    let kind = profile_type(&mut arguments, body.profile_type.as_deref());
    let key = arguments.optional_text("KmsKeyIdentifier", body.kms_key_identifier.as_deref(), 1..=2_048);
    let tags = arguments.tags(body.tags);
    let (name, description, uri, (), validators, kind, key, tags) =
        arguments.finish((name, description, uri, role, validators, kind, key, tags))?;
    let kind = known_type(kind)?;
    hosted_here(uri, kind, key)?;
    no_kms_key(key)?;
    let validators = served(validators.unwrap_or_default())?;
    let application = applications::named(&call, &call.node.view())?.id.clone();
    let command = CreateConfigurationProfile {
        application: application.clone(),
        name,
        description,
        kind,
        validators,
        tags,
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &application, &committed.outcome, body.description.as_deref())
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    let view = call.node.view();
    let (application, profile) = named(&call, &view)?;
    Answer::json(&profile_body(application, profile))
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let kind = call.query("type");
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let kind = profile_type(&mut arguments, kind.as_deref());
    let (page, kind) = arguments.finish((page, kind))?;
    let place = page.of(List::ConfigurationProfiles)?;
    let view = call.node.view();
    let application = applications::named(&call, &view)?;
    let wanted = |profile: &&ConfigurationProfile| kind.is_none_or(|kind| type_name(profile.kind) == kind);
    let profiles = application.profiles.values().filter(wanted).map(|found| (found.ordinal, found));
    Answer::json(&place.sorted(profiles, |profile| profile_summary(application, profile)))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateConfigurationProfileRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.optional("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let role = no_role(&mut arguments, body.retrieval_role_arn.as_deref());
    let validators = validators(&mut arguments, body.validators);
    // Here the empty text is allowed: it takes a key away, and there is none.
    let key = arguments.optional_text("KmsKeyIdentifier", body.kms_key_identifier.as_deref(), 0..=2_048);
    let (name, description, (), validators, key) =
        arguments.finish((name, description, role, validators, key))?;
    no_kms_key(key.filter(|key| !key.is_empty()))?;
    let validators = validators.map(served).transpose()?;
    let (application, profile) = ids(&call)?;
    let command = UpdateConfigurationProfile {
        application: application.clone(),
        profile: profile.clone(),
        name,
        description,
        validators,
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &application, &profile, body.description.as_deref())
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let check = deletion_protection_check(&mut arguments, &call);
    let check = arguments.finish(check)?;
    let (application, profile) = ids(&call)?;
    let reads = call.node.last_reads(|address| {
        address.ids().is_some_and(|(app, _, read)| app == application && read == profile)
    });
    let last_read = reads.into_iter().map(|(_, at)| at).max();
    let command = DeleteConfigurationProfile { application, profile, check, last_read };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

pub(crate) async fn validate(call: Call) -> Result<Answer, Fault> {
    let version = call.query("configuration_version");
    let mut arguments = Arguments::default();
    let version = arguments.text("ConfigurationVersion", version.as_deref(), 1..=1_024);
    let version = arguments.finish(version)?;
    let (application, profile) = ids(&call)?;
    call.node.validate_configuration(&application, &profile, version).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// The profile that the path names, and its application.
pub(super) fn named<'v>(
    call: &Call,
    view: &'v View,
) -> Result<(&'v Application, &'v ConfigurationProfile), Fault> {
    let application = applications::named(call, view)?;
    let profile = application.find_profile(call.label("ConfigurationProfileId")).or_fault(call)?;
    Ok((application, profile))
}

/// The ids of the profile that the path names.
pub(super) fn ids(call: &Call) -> Result<(ApplicationId, ProfileId), Fault> {
    let view = call.node.view();
    let (application, profile) = named(call, &view)?;
    Ok((application.id.clone(), profile.id.clone()))
}

/// A hosted profile is read with no role.
fn no_role(arguments: &mut Arguments, role: Option<&str>) -> Checked<()> {
    let constraint = "Member must be null if the request has the following uri: hosted";
    role.map_or(Checked::fine(()), |role| arguments.unwanted("RetrievalRoleArn", role, constraint))
}

fn profile_type<'t>(arguments: &mut Arguments, text: Option<&'t str>) -> Checked<Option<&'t str>> {
    let formed = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    };
    match text {
        Some(text) => {
            arguments.matching("Type", text, &patterns::CONFIGURATION_PROFILE_TYPE, formed).map(Some)
        }
        None => Checked::fine(None),
    }
}

/// The types there are; free-form unless another is named.
fn known_type(name: Option<&str>) -> Result<ProfileType, Fault> {
    match name {
        None | Some(FREEFORM) => Ok(ProfileType::Freeform),
        Some(FEATURE_FLAGS) => Ok(ProfileType::FeatureFlags),
        Some(_) => {
            let message = format!("Invalid type, must be one of: {FREEFORM}, {FEATURE_FLAGS}");
            let body = ErrorBody {
                resource_name: Some("ConfigurationProfileType".into()),
                ..ErrorBody::message(message)
            };
            Err(Fault::new(ErrorKind::ResourceNotFound, body))
        }
    }
}

const FREEFORM: &str = "AWS.Freeform";
pub(super) const FEATURE_FLAGS: &str = "AWS.AppConfig.FeatureFlags";

/// The type of a profile, as the service spells it.
pub(crate) fn type_name(kind: ProfileType) -> &'static str {
    match kind {
        ProfileType::Freeform => FREEFORM,
        ProfileType::FeatureFlags => FEATURE_FLAGS,
    }
}

/// Other stores are told apart, so that a caller learns whether the text or the wish is at fault.
fn hosted_here(uri: &str, kind: ProfileType, key: Option<&str>) -> Result<(), Fault> {
    if uri == HOSTED {
        return Ok(());
    }
    let message = if !is_known_store(uri) {
        format!("The Uri: {uri} is of an unsupported type")
    } else if is_bucket_without_key(uri) {
        format!("Invalid locationUri {uri}")
    } else if kind == ProfileType::FeatureFlags {
        FLAGS_ARE_HOSTED.into()
    } else if key.is_some() {
        "KmsKeyIdentifier applies only to AppConfig hosted configuration data. For non-hosted configuration sources, \
         configure encryption in the corresponding service."
            .into()
    } else {
        format!("Yardarm stores configuration itself: the only supported LocationUri is {HOSTED}, not {uri}.")
    };
    Err(Fault::bad_request(message))
}

fn is_known_store(uri: &str) -> bool {
    const SCHEMES: [&str; 5] =
        ["ssm-parameter://", "ssm-document://", "s3://", "secretsmanager://", "codepipeline://"];
    // Parameters and documents of the Systems Manager go by their ARN too.
    let mut arn = uri.split(':');
    let is_arn = arn.next() == Some("arn") && arn.nth(1) == Some("ssm");
    is_arn || SCHEMES.iter().any(|scheme| uri.starts_with(scheme))
}

fn is_bucket_without_key(uri: &str) -> bool {
    let Some(place) = uri.strip_prefix("s3://") else { return false };
    place.split_once('/').is_none_or(|(bucket, key)| bucket.is_empty() || key.is_empty())
}

/// A key that would be ignored would be a promise broken in silence.
pub(super) fn no_kms_key(key: Option<&str>) -> Result<(), Fault> {
    match key {
        None => Ok(()),
        Some(_) => {
            Err(Fault::bad_request("Yardarm does not use AWS KMS: KmsKeyIdentifier is not supported."))
        }
    }
}

/// A validator as sent, each member checked by itself.
struct SentValidator {
    kind: ValidatorType,
    content: String,
}

fn validators(
    arguments: &mut Arguments,
    sent: Option<Vec<wire::ValidatorInput>>,
) -> Checked<Option<Vec<SentValidator>>> {
    arguments.each(
        "Validators",
        sent,
        Validator::MOST,
        |arguments, place, validator: wire::ValidatorInput| {
            let kind = validator.validator_type.as_deref();
            let kind =
                arguments.word(&format!("{place}.Type"), kind, ValidatorType::WORDS, ValidatorType::parse);
            let content = validator.content.as_deref();
            let content = arguments.text(&format!("{place}.Content"), content, 0..=32_768).map(String::from);
            Checked::all((kind, content)).map(|(kind, content)| SentValidator { kind, content })
        },
    )
}

/// A schema is kept as it is and judged when it is used; a function is called when it is used.
fn served(validators: Vec<SentValidator>) -> Result<Vec<Validator>, Fault> {
    let one = |SentValidator { kind, content }| match kind {
        ValidatorType::JsonSchema => Ok(Validator::JsonSchema(content)),
        ValidatorType::Lambda if !is_url(&content) && !names_an_account(&content) => {
            Err(Fault::bad_request(format!("ARN {content} is invalid due to not containing an account ID.")))
        }
        ValidatorType::Lambda => content.parse().map(Validator::Lambda).map_err(|limit| {
            let limit: yardarm_domain::Constraint = limit;
            Fault::bad_request(format!("ARN {content} is invalid: {limit}."))
        }),
    };
    validators.into_iter().map(one).collect()
}

fn is_url(content: &str) -> bool {
    content.starts_with("https://") || content.starts_with("http://")
}

fn names_an_account(arn: &str) -> bool {
    let account = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).unwrap_or_default();
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// The answer to a change.
fn changed(
    call: &Call,
    view: &View,
    application: &ApplicationId,
    profile: &ProfileId,
    description: Option<&str>,
) -> Result<Answer, Fault> {
    let application = view.world.application(application).or_fault(call)?;
    let profile = view.world.profile(&application.id, profile).or_fault(call)?;
    let description = described(profile.description.as_ref(), description);
    Answer::json(&wire::ConfigurationProfile { description, ..profile_body(application, profile) })
}

fn profile_body(application: &Application, profile: &ConfigurationProfile) -> wire::ConfigurationProfile {
    wire::ConfigurationProfile {
        application_id: application.id.to_string(),
        id: profile.id.to_string(),
        name: profile.name.to_string(),
        description: profile.description.as_ref().map(ToString::to_string),
        location_uri: HOSTED.into(),
        retrieval_role_arn: None,
        validators: profile.validators.iter().map(validator_body).collect(),
        profile_type: type_name(profile.kind).into(),
        kms_key_arn: None,
        kms_key_identifier: None,
    }
}

fn validator_body(validator: &Validator) -> wire::Validator {
    let content = match validator {
        Validator::JsonSchema(schema) => schema.clone(),
        Validator::Lambda(function) => function.to_string(),
    };
    wire::Validator { validator_type: validator_type(validator), content }
}

fn validator_type(validator: &Validator) -> ValidatorType {
    match validator {
        Validator::JsonSchema(_) => ValidatorType::JsonSchema,
        Validator::Lambda(_) => ValidatorType::Lambda,
    }
}

fn profile_summary(
    application: &Application,
    profile: &ConfigurationProfile,
) -> wire::ConfigurationProfileSummary {
    wire::ConfigurationProfileSummary {
        application_id: application.id.to_string(),
        id: profile.id.to_string(),
        name: profile.name.to_string(),
        location_uri: HOSTED.into(),
        validator_types: profile.validators.iter().map(validator_type).collect(),
        profile_type: type_name(profile.kind).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_where_an_arn_has_it() {
        assert!(names_an_account("arn:aws:lambda:us-east-1:123456789012:function:check:1"));
        for bad in [
            "",
            "check",
            "arn:aws:lambda:us-east-1::function:check",
            "arn:aws:lambda:us-east-1:1234:function:f",
        ] {
            assert!(!names_an_account(bad), "{bad}");
        }
    }

    #[test]
    fn stores_of_the_service_are_known() {
        for known in [
            "s3://bucket/key",
            "ssm-parameter://name",
            "ssm-document://name",
            "arn:aws:ssm:us-east-1:123456789012:parameter/name",
            "secretsmanager://name",
            "codepipeline://name",
        ] {
            assert!(is_known_store(known), "{known}");
        }
        for unknown in ["", "Hosted", "ftp://x", "s3:/x", "arn:aws:s3:::bucket/key"] {
            assert!(!is_known_store(unknown), "{unknown}");
        }
        assert!(is_bucket_without_key("s3://bucket") && is_bucket_without_key("s3://bucket/"));
        assert!(!is_bucket_without_key("s3://bucket/key"));
    }
}
