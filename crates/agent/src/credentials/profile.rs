//! The shared files of AWS SDKs, and which way to credentials they and the environment describe. Pure.

use super::Plan;
use crate::secret::Secret;
use crate::settings::{AwsSettings, Role, StaticKeys, WebIdentity};
use std::collections::BTreeMap;
use std::time::Duration;

/// Profiles by name, each with its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profiles(BTreeMap<String, BTreeMap<String, String>>);

/// Which of the two files a text comes from: they write the names of profiles differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    Config,
    Credentials,
}

/// A chain of roles longer than this is a circle.
const MOST_ROLES: usize = 8;

impl Profiles {
    /// Adds the profiles of a file. What is known already comes first.
    pub(super) fn add(&mut self, text: &str, file: File) {
        let mut profile: Option<String> = None;
        for line in text.lines() {
            // Lines that are indented belong to the setting above, of which none is read here.
            if line.starts_with([' ', '\t', '#', ';']) || line.trim().is_empty() {
                continue;
            }
            if let Some(section) = line.trim().strip_prefix('[') {
                profile = section.split(']').next().and_then(|name| section_profile(name.trim(), file));
            } else if let (Some(profile), Some((key, value))) = (&profile, line.split_once('=')) {
                let settings = self.0.entry(profile.clone()).or_default();
                let value = value.split(" #").next().unwrap_or_default().trim();
                settings.entry(key.trim().to_ascii_lowercase()).or_insert_with(|| value.to_owned());
            }
        }
    }

    fn get(&self, profile: &str, key: &str) -> Option<String> {
        self.0.get(profile)?.get(key).filter(|value| !value.is_empty()).cloned()
    }

    /// The region of a profile.
    pub(super) fn region(&self, profile: &str) -> Option<String> {
        self.get(profile, "region")
    }
}

fn section_profile(section: &str, file: File) -> Option<String> {
    match file {
        File::Credentials => Some(section.to_owned()),
        File::Config if section == "default" => Some(section.to_owned()),
        File::Config => section.strip_prefix("profile").map(|name| name.trim().to_owned()),
    }
}

/// The way to credentials: the environment's key, a web identity, the profile, the container's, the machine's.
pub(super) fn plan(aws: &AwsSettings, profiles: &Profiles) -> Result<Plan, String> {
    if let Some(keys) = &aws.keys {
        return Ok(Plan::Keys(keys.clone()));
    }
    if let Some(identity) = &aws.web_identity {
        return Ok(Plan::WebIdentity(identity.clone()));
    }
    if let Some(profile) = &aws.profile {
        return plan_of_profile(profile, aws, profiles, MOST_ROLES);
    }
    if profiles.0.get("default").is_some_and(leads_somewhere) {
        return plan_of_profile("default", aws, profiles, MOST_ROLES);
    }
    if let Some(container) = &aws.container {
        return Ok(Plan::Container(container.clone()));
    }
    match &aws.instance_metadata {
        Some(url) => Ok(Plan::Instance(url.clone())),
        None => {
            Err("none in the environment, in the shared files, of the container or of the machine".into())
        }
    }
}

fn leads_somewhere(settings: &BTreeMap<String, String>) -> bool {
    ["aws_access_key_id", "role_arn", "credential_process", "sso_session", "sso_start_url"]
        .iter()
        .any(|key| settings.contains_key(*key))
}

fn plan_of_profile(
    profile: &str,
    aws: &AwsSettings,
    profiles: &Profiles,
    roles_left: usize,
) -> Result<Plan, String> {
    let get = |key| profiles.get(profile, key);
    if !profiles.0.contains_key(profile) {
        return Err(format!("no profile `{profile}` in the shared files"));
    }
    if let (Some(access_key_id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key"))
        // A profile that names itself as the source of its role has keys for that.
        && (get("role_arn").is_none() || roles_left < MOST_ROLES)
    {
        let session_token = get("aws_session_token").map(Secret::from);
        return Ok(Plan::Keys(StaticKeys { access_key_id, secret: secret.into(), session_token }));
    }
    if let Some(arn) = get("role_arn") {
        if let Some(token_file) = get("web_identity_token_file") {
            let session_name = get("role_session_name");
            let identity = WebIdentity { token_file: token_file.into(), role_arn: arn, session_name };
            return Ok(Plan::WebIdentity(identity));
        }
        let roles_left = roles_left.checked_sub(1).ok_or("the shared files chain roles in a circle")?;
        let base = match (get("source_profile"), get("credential_source")) {
            (Some(source), _) => plan_of_profile(&source, aws, profiles, roles_left)?,
            (None, Some(source)) => plan_of_source(&source, aws)?,
            (None, None) => {
                return Err(format!("profile `{profile}` has neither source_profile nor credential_source"));
            }
        };
        let seconds = get("duration_seconds").and_then(|seconds| seconds.parse().ok());
        let role = Role {
            arn,
            external_id: get("external_id"),
            session_name: get("role_session_name"),
            duration: seconds.map(Duration::from_secs),
        };
        return Ok(Plan::Assume { base: Box::new(base), role });
    }
    if let Some(command) = get("credential_process") {
        return Ok(Plan::Process(command));
    }
    if get("sso_session").is_some() || get("sso_start_url").is_some() {
        return Err(format!(
            "profile `{profile}` signs in by SSO, which the agent cannot; give it \
             credential_process = aws configure export-credentials --profile {profile}"
        ));
    }
    Err(format!("profile `{profile}` leads to no credentials"))
}

fn plan_of_source(source: &str, aws: &AwsSettings) -> Result<Plan, String> {
    let missing = || format!("credential_source is {source}, and there are none");
    match source {
        "Environment" => aws.keys.clone().map(Plan::Keys).ok_or_else(missing),
        "EcsContainer" => aws.container.clone().map(Plan::Container).ok_or_else(missing),
        "Ec2InstanceMetadata" => aws.instance_metadata.clone().map(Plan::Instance).ok_or_else(missing),
        _ => Err(format!("unknown credential_source {source}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONFIG: &str = "\
[default]
region = eu-west-1 # here
[profile role]
role_arn = arn:aws:iam::1:role/r
source_profile = keys
external_id = x
s3 =
  max_concurrent_requests = 20
[profile circle]
role_arn = arn:aws:iam::1:role/c
source_profile = circle
[profile process]
credential_process = /bin/helper --json
[profile sso]
sso_session = corp
[profile machine]
role_arn = arn:aws:iam::1:role/m
credential_source = Ec2InstanceMetadata
[plain]
aws_access_key_id = not a profile
";
    const CREDENTIALS: &str = "[keys]\naws_access_key_id=AKID\naws_secret_access_key = hush\n; x\n";

    fn planned(profile: &str) -> Result<Plan, String> {
        let mut profiles = Profiles::default();
        profiles.add(CREDENTIALS, File::Credentials);
        profiles.add(CONFIG, File::Config);
        let profile = (!profile.is_empty()).then(|| profile.to_owned());
        let instance_metadata = Some(http::Uri::from_static("http://169.254.169.254"));
        plan(&AwsSettings { profile, instance_metadata, ..AwsSettings::default() }, &profiles)
    }

    #[test]
    fn profiles_lead_to_credentials() {
        assert!(matches!(planned("keys"), Ok(Plan::Keys(keys)) if keys.access_key_id == "AKID"));
        let Ok(Plan::Assume { base, role }) = planned("role") else { panic!("no role") };
        assert!(matches!(*base, Plan::Keys(_)));
        assert_eq!((role.arn.as_str(), role.external_id.as_deref()), ("arn:aws:iam::1:role/r", Some("x")));
        assert!(matches!(planned("process"), Ok(Plan::Process(command)) if command == "/bin/helper --json"));
        assert!(
            matches!(planned("machine"), Ok(Plan::Assume { base, .. }) if matches!(*base, Plan::Instance(_)))
        );
        // The default profile names a region only.
        assert!(matches!(planned(""), Ok(Plan::Instance(_))));
    }

    #[test]
    fn what_leads_nowhere_is_said() {
        for (profile, part) in [
            ("missing", "no profile `missing`"),
            ("plain", "no profile `plain`"),
            ("circle", "circle"),
            ("sso", "credential_process"),
        ] {
            let error = planned(profile).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn comments_and_nested_settings_are_passed_over() {
        let mut profiles = Profiles::default();
        profiles.add(CONFIG, File::Config);
        assert_eq!(profiles.region("default").as_deref(), Some("eu-west-1"));
        assert_eq!(profiles.get("role", "max_concurrent_requests"), None);
        assert_eq!(profiles.get("role", "s3"), None);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text: String, profile: String) {
            let mut profiles = Profiles::default();
            profiles.add(&text, File::Config);
            profiles.add(&text, File::Credentials);
            let _ = plan(&AwsSettings { profile: Some(profile), ..AwsSettings::default() }, &profiles);
        }
    }
}
