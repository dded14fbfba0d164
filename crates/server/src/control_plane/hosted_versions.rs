//! Hosted configuration versions: the content is the body, everything about it travels in headers.

use super::configuration_profiles;
use super::described;
use super::pages::{List, PageRequest};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked, MOST};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use std::ops::Bound;
use yardarm_domain::{
    ApplicationId, DeleteHostedVersion, HostedVersion, Missing, ProfileId, Refusal, VersionNumber,
};
use yardarm_node::StoreConfiguration;
use yardarm_wire::{headers, hosted_versions as wire};

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let content_type = call.header(&CONTENT_TYPE);
    let sent_description = call.header(&headers::DESCRIPTION);
    let label = call.header(&headers::VERSIONLABEL);
    let latest = call.header(&headers::LATEST_VERSION_NUMBER);
    let mut arguments = Arguments::default();
    let content = content(&mut arguments, &call.body);
    let content_type = arguments.required("ContentType", content_type.as_deref());
    let description = arguments.optional("Description", sent_description.as_deref());
    let label = arguments.optional("VersionLabel", label.as_deref());
    let latest_version = arguments.optional_number_text("LatestVersionNumber", latest.as_deref(), 0..=MOST);
    let (content, content_type, description, label, latest_version) =
        arguments.finish((content, content_type, description, label, latest_version))?;
    let (application, profile) = configuration_profiles::ids(&call)?;
    let wanted = StoreConfiguration {
        application: application.clone(),
        profile: profile.clone(),
        description,
        content,
        content_type,
        label,
        latest_version,
    };
    let stored = call.node.store_configuration(wanted, call.cause()).await.or_fault(&call)?;
    let description = described(stored.version.description.as_ref(), sent_description.as_deref());
    let about = wire::HostedConfigurationVersionHeaders {
        description,
        ..version_headers(&application, &profile, &stored.version)
    };
    answer(&about, stored.content)
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    let number = number(&call)?;
    let view = call.node.view();
    let (application, profile) = configuration_profiles::named(&call, &view)?;
    let missing =
        || Refusal::NotFound(Missing::HostedVersion(application.id.clone(), profile.id.clone(), number));
    let version = profile.version(number).ok_or_else(missing).or_fault(&call)?;
    let content = call.node.content(version.content.hash).await.or_fault(&call)?;
    answer(&version_headers(&application.id, &profile.id, version), content)
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let label = call.query("version_label");
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let label = arguments.optional_text("VersionLabel", label.as_deref(), 1..=64);
    let (page, label) = arguments.finish((page, label))?;
    let place = page.of(List::HostedVersions)?;
    let view = call.node.view();
    let (application, profile) = configuration_profiles::named(&call, &view)?;
    let before = place.after.and_then(|after| u32::try_from(after).ok()).map(VersionNumber);
    let before = before.map_or(Bound::Unbounded, Bound::Excluded);
    let newest_first = profile.versions.range((Bound::Unbounded, before)).rev().map(|(_, version)| version);
    let wanted = newest_first.filter(|version| label.is_none_or(|label| is_labelled(version, label)));
    let wanted = wanted.map(|version| (u64::from(version.number.0), version));
    Answer::json(&place.page(wanted, |version| version_summary(&application.id, &profile.id, version)))
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let version = number(&call)?;
    let (application, profile) = configuration_profiles::ids(&call)?;
    let command = DeleteHostedVersion { application, profile, version };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// An empty body is none, and is reported without a value.
fn content(arguments: &mut Arguments, body: &Bytes) -> Checked<Bytes> {
    if body.is_empty() {
        return arguments.concealed("Content", "Member must not be null");
    }
    Checked::fine(body.clone())
}

/// The number in the path. Zero names no version, but is no wrong number either.
fn number(call: &Call) -> Result<VersionNumber, Fault> {
    let mut arguments = Arguments::default();
    let number = arguments.number_text("VersionNumber", call.label("VersionNumber"), 0..=MOST);
    arguments.finish(number).map(VersionNumber)
}

/// A filter that ends in `*` is a prefix.
fn is_labelled(version: &HostedVersion, filter: &str) -> bool {
    let Some(label) = version.label.as_ref() else { return false };
    match filter.strip_suffix('*') {
        Some(prefix) => label.as_str().starts_with(prefix),
        None => label.as_str() == filter,
    }
}

fn answer(about: &wire::HostedConfigurationVersionHeaders, content: Bytes) -> Result<Answer, Fault> {
    Ok(Answer::raw(about.to_headers().map_err(Fault::internal)?, content))
}

fn version_headers(
    application: &ApplicationId,
    profile: &ProfileId,
    version: &HostedVersion,
) -> wire::HostedConfigurationVersionHeaders {
    wire::HostedConfigurationVersionHeaders {
        application_id: application.to_string(),
        configuration_profile_id: profile.to_string(),
        version_number: version.number.0.into(),
        description: version.description.as_ref().map(|text| in_a_header(text.as_str())),
        content_type: version.content_type.to_string(),
        version_label: version.label.as_ref().map(|text| in_a_header(text.as_str())),
        kms_key_arn: None,
    }
}

/// A text that came otherwise than in a header may hold what no header can: it becomes a space.
fn in_a_header(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_control() { ' ' } else { letter }).collect()
}

fn version_summary(
    application: &ApplicationId,
    profile: &ProfileId,
    version: &HostedVersion,
) -> wire::HostedConfigurationVersionSummary {
    wire::HostedConfigurationVersionSummary {
        application_id: application.to_string(),
        configuration_profile_id: profile.to_string(),
        version_number: version.number.0.into(),
        description: version.description.as_ref().map(ToString::to_string),
        content_type: version.content_type.to_string(),
        version_label: version.label.as_ref().map(ToString::to_string),
        kms_key_arn: None,
    }
}
