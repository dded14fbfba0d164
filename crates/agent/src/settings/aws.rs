//! Where AWS credentials are found: the variables that AWS SDKs read.

use super::{BadVariable, Variables, value};
use crate::secret::Secret;
use http::Uri;
use std::path::PathBuf;

/// The places to look for AWS credentials.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// A key in the environment.
    pub keys: Option<StaticKeys>,
    /// Which profile of the shared files; otherwise `default`.
    pub profile: Option<String>,
    /// The shared configuration file.
    pub config_file: Option<PathBuf>,
    /// The shared credentials file.
    pub credentials_file: Option<PathBuf>,
    /// A role by the token of a web identity, as in Kubernetes.
    pub web_identity: Option<WebIdentity>,
    /// The credentials of a container.
    pub container: Option<Container>,
    /// The metadata service of the machine; `None` where it is switched off.
    pub instance_metadata: Option<Uri>,
    /// What describes the container this runs in, on ECS.
    pub container_metadata: Option<Uri>,
    /// Where roles are assumed; otherwise AWS's own address for the region.
    pub sts: Option<Uri>,
}

/// An access key.
#[derive(Clone, Debug)]
pub struct StaticKeys {
    /// Its id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Secret,
    /// What goes with temporary ones.
    pub session_token: Option<Secret>,
}

/// A role by the token of a web identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebIdentity {
    /// The file of the token, which is renewed there.
    pub token_file: PathBuf,
    /// The role's ARN.
    pub role_arn: String,
    /// What the session is called.
    pub session_name: Option<String>,
}

/// Where a container asks for its credentials.
#[derive(Clone, Debug)]
pub struct Container {
    /// The address.
    pub url: Uri,
    /// What to send as `Authorization`.
    pub token: Option<Secret>,
    /// The file of what to send, which is renewed there.
    pub token_file: Option<PathBuf>,
}

/// Where ECS hands out credentials, by a path in a variable.
const ECS: &str = "http://169.254.170.2";
const INSTANCE: &str = "http://169.254.169.254";

impl AwsSettings {
    pub(super) fn read(variables: &Variables<'_>) -> Result<Self, BadVariable> {
        let keys =
            match (variables.text(&["AWS_ACCESS_KEY_ID"]), variables.secret(&["AWS_SECRET_ACCESS_KEY"])) {
                (Some(access_key_id), Some(secret)) => Some(StaticKeys {
                    access_key_id,
                    secret,
                    session_token: variables.secret(&["AWS_SESSION_TOKEN"]),
                }),
                (None, None) => None,
                (Some(_), None) => return Err(together("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
                (None, Some(_)) => return Err(together("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
            };
        let shared = |variable, name| {
            let home = || variables.path(&["HOME"]).map(|home| home.join(".aws").join(name));
            variables.path(&[variable]).or_else(home)
        };
        let disabled = variables.parse(&["AWS_EC2_METADATA_DISABLED"], value::boolean)?.unwrap_or(false);
        let endpoint = variables.parse(&["AWS_EC2_METADATA_SERVICE_ENDPOINT"], value::url)?;
        Ok(Self {
            keys,
            profile: variables.text(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]),
            config_file: shared("AWS_CONFIG_FILE", "config"),
            credentials_file: shared("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            web_identity: web_identity(variables)?,
            container: container(variables)?,
            instance_metadata: (!disabled).then(|| endpoint.unwrap_or_else(|| Uri::from_static(INSTANCE))),
            container_metadata: variables.parse(&["ECS_CONTAINER_METADATA_URI_V4"], value::url)?,
            sts: variables.parse(&["AWS_ENDPOINT_URL_STS"], value::url)?,
        })
    }
}

fn together(name: &'static str, other: &'static str) -> BadVariable {
    BadVariable { name, expected: format!("set together with {other}") }
}

fn web_identity(variables: &Variables<'_>) -> Result<Option<WebIdentity>, BadVariable> {
    let Some(token_file) = variables.path(&["AWS_WEB_IDENTITY_TOKEN_FILE"]) else { return Ok(None) };
    let role_arn = variables
        .text(&["AWS_ROLE_ARN"])
        .ok_or_else(|| together("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"))?;
    let session_name = variables.text(&["AWS_ROLE_SESSION_NAME"]);
    Ok(Some(WebIdentity { token_file, role_arn, session_name }))
}

fn container(variables: &Variables<'_>) -> Result<Option<Container>, BadVariable> {
    let relative = variables
        .parse(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"], |path| value::url(&format!("{ECS}{path}")))?;
    let full = variables.parse(&["AWS_CONTAINER_CREDENTIALS_FULL_URI"], container_url)?;
    Ok(relative.or(full).map(|url| Container {
        url,
        token: variables.secret(&["AWS_CONTAINER_AUTHORIZATION_TOKEN"]),
        token_file: variables.path(&["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]),
    }))
}

/// Credentials are fetched over plain HTTP from this machine and from the link-local addresses of ECS and EKS only.
fn container_url(text: &str) -> Result<Uri, String> {
    let url = value::url(text)?;
    let host = url.host().unwrap_or_default();
    let near = matches!(host, "localhost" | "169.254.170.2" | "169.254.170.23" | "[::1]" | "[fd00:ec2::23]")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    let safe = near || url.scheme_str() == Some("https");
    safe.then_some(url).ok_or_else(|| "an https:// URL, or one on this machine".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn read(pairs: &[(&str, &str)]) -> Result<AwsSettings, BadVariable> {
        let map: HashMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        AwsSettings::read(&Variables(&|name| map.get(name).cloned()))
    }

    #[test]
    fn keys_go_in_pairs_and_are_not_printed() {
        let pair =
            [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_SESSION_TOKEN", "shh")];
        let read_all = read(&pair).unwrap();
        assert_eq!(read_all.keys.as_ref().unwrap().access_key_id, "AKID");
        assert!(!format!("{read_all:?}").contains("hush") && !format!("{read_all:?}").contains("shh"));
        assert_eq!(read(&pair[..1]).unwrap_err().name, "AWS_ACCESS_KEY_ID");
        assert_eq!(read(&pair[1..2]).unwrap_err().name, "AWS_SECRET_ACCESS_KEY");
    }

    #[test]
    fn files_lie_in_the_home_folder_unless_told() {
        let both = read(&[("HOME", "/home/me"), ("AWS_CONFIG_FILE", "/etc/aws")]).unwrap();
        assert_eq!(both.config_file, Some("/etc/aws".into()));
        assert_eq!(both.credentials_file, Some("/home/me/.aws/credentials".into()));
        assert_eq!(read(&[]).unwrap().config_file, None);
    }

    #[test]
    fn containers_are_asked_near_by_only() {
        let url = |pairs: &[(&str, &str)]| read(pairs).map(|read| read.container.unwrap().url.to_string());
        let relative = url(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")]);
        assert_eq!(relative.unwrap(), "http://169.254.170.2/v2/x");
        for good in ["http://127.0.0.1:9/x", "https://example.com/x", "http://169.254.170.23/v1/credentials"]
        {
            assert!(url(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", good)]).is_ok(), "{good}");
        }
        let far = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x")];
        assert_eq!(read(&far).unwrap_err().name, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    }

    #[test]
    fn the_machine_is_asked_unless_that_is_switched_off() {
        assert_eq!(read(&[]).unwrap().instance_metadata.unwrap(), "http://169.254.169.254/");
        assert_eq!(read(&[("AWS_EC2_METADATA_DISABLED", "true")]).unwrap().instance_metadata, None);
    }

    #[test]
    fn a_web_identity_needs_its_role() {
        let token = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
        assert_eq!(read(&[token]).unwrap_err().name, "AWS_WEB_IDENTITY_TOKEN_FILE");
        let both = read(&[token, ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")]).unwrap();
        assert_eq!(both.web_identity.unwrap().role_arn, "arn:aws:iam::1:role/r");
    }
}
