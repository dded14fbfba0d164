//! Whose resources these are: the account, region and partition that ARNs are made of.

use crate::ids::{
    ApplicationId, DeploymentNumber, EnvironmentId, ExtensionAssociationId, ExtensionId,
    ExtensionVersionNumber, ProfileId, StrategyId, VersionNumber,
};
use crate::text::Constraint;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Twelve digits. Yardarm's default is `000000000000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountId(Box<str>);

impl FromStr for AccountId {
    type Err = Constraint;

    fn from_str(text: &str) -> Result<Self, Constraint> {
        let shape = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if shape { Ok(Self(text.into())) } else { Err(Constraint::Pattern("[0-9]{12}")) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A region as signatures and ARNs name it, for example `us-east-1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(Box<str>);

impl TryFrom<String> for Region {
    type Error = Constraint;

    fn try_from(text: String) -> Result<Self, Constraint> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0.into()
    }
}

impl Region {
    /// The region's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = Constraint;

    fn from_str(text: &str) -> Result<Self, Constraint> {
        let shape = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if shape { Ok(Self(text.into())) } else { Err(Constraint::Pattern("[a-z0-9-]{1,32}")) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one account that a Yardarm installation serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its region.
    pub region: Region,
}

impl Account {
    /// The ARN of `resource`, partition `aws`.
    #[must_use]
    pub fn arn(&self, resource: &Resource) -> String {
        format!("arn:aws:appconfig:{}:{}:{resource}", self.region, self.id)
    }

    /// The resource of this account that `arn` names; `None` when it is not one of ours or no ARN at all.
    ///
    /// An ARN without region or account is taken for ours: Terraform composes such ones when it is told not to look up
    /// its account.
    #[must_use]
    pub fn resource(&self, arn: &str) -> Option<Resource> {
        let rest = arn.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(':')?;
        let (service, rest) = rest.split_once(':')?;
        let (region, rest) = rest.split_once(':')?;
        let (account, resource) = rest.split_once(':')?;
        let ours = partition.starts_with("aws")
            && service == "appconfig"
            && (region.is_empty() || region == self.region.as_str())
            && (account.is_empty() || account == &*self.id.0);
        if ours { resource.parse().ok() } else { None }
    }
}

/// Something that has an ARN. Displayed and stored as the ARN's last part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Resource {
    /// `application/{app}`
    Application(ApplicationId),
    /// `application/{app}/environment/{env}`
    Environment(ApplicationId, EnvironmentId),
    /// `application/{app}/configurationprofile/{profile}`
    Profile(ApplicationId, ProfileId),
    /// `application/{app}/configurationprofile/{profile}/hostedconfigurationversion/{n}`
    HostedVersion(ApplicationId, ProfileId, VersionNumber),
    /// `application/{app}/environment/{env}/deployment/{n}`
    Deployment(ApplicationId, EnvironmentId, DeploymentNumber),
    /// `deploymentstrategy/{id}`
    Strategy(StrategyId),
    /// `extension/{id}/{n}`
    Extension(ExtensionId, ExtensionVersionNumber),
    /// `extensionassociation/{id}`
    ExtensionAssociation(ExtensionAssociationId),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(app) => write!(f, "application/{app}"),
            Self::Environment(app, env) => write!(f, "application/{app}/environment/{env}"),
            Self::Profile(app, profile) => write!(f, "application/{app}/configurationprofile/{profile}"),
            Self::HostedVersion(app, profile, number) => {
                write!(
                    f,
                    "application/{app}/configurationprofile/{profile}/hostedconfigurationversion/{number}"
                )
            }
            Self::Deployment(app, env, number) => {
                write!(f, "application/{app}/environment/{env}/deployment/{number}")
            }
            Self::Strategy(id) => write!(f, "deploymentstrategy/{id}"),
            Self::Extension(id, version) => write!(f, "extension/{id}/{version}"),
            Self::ExtensionAssociation(id) => write!(f, "extensionassociation/{id}"),
        }
    }
}

/// The text names no kind of resource that exists here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no resource")]
pub struct InvalidResource(String);

impl FromStr for Resource {
    type Err = InvalidResource;

    fn from_str(text: &str) -> Result<Self, InvalidResource> {
        read(text).ok_or_else(|| InvalidResource(text.into()))
    }
}

fn read(text: &str) -> Option<Resource> {
    let parts: Vec<&str> = text.splitn(8, '/').collect();
    Some(match parts.as_slice() {
        ["application", app] => Resource::Application(app.parse().ok()?),
        ["application", app, "environment", env] => {
            Resource::Environment(app.parse().ok()?, env.parse().ok()?)
        }
        ["application", app, "configurationprofile", profile] => {
            Resource::Profile(app.parse().ok()?, profile.parse().ok()?)
        }
        ["application", app, "configurationprofile", profile, "hostedconfigurationversion", number] => {
            Resource::HostedVersion(app.parse().ok()?, profile.parse().ok()?, number.parse().ok()?)
        }
        ["application", app, "environment", env, "deployment", number] => {
            Resource::Deployment(app.parse().ok()?, env.parse().ok()?, number.parse().ok()?)
        }
        ["deploymentstrategy", id] => Resource::Strategy(id.parse().ok()?),
        ["extension", id, version] => Resource::Extension(id.parse().ok()?, version.parse().ok()?),
        ["extensionassociation", id] => Resource::ExtensionAssociation(id.parse().ok()?),
        _ => return None,
    })
}

impl TryFrom<String> for Resource {
    type Error = InvalidResource;

    fn try_from(text: String) -> Result<Self, InvalidResource> {
        text.parse()
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account { id: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() }
    }

    #[test]
    fn an_arn_leads_back_to_its_resource() {
        for text in [
            "application/abc1234",
            "application/abc1234/environment/def5678",
            "application/abc1234/configurationprofile/ghi9012",
            "application/abc1234/configurationprofile/ghi9012/hostedconfigurationversion/3",
            "application/abc1234/environment/def5678/deployment/12",
            "deploymentstrategy/AppConfig.AllAtOnce",
            "extension/ext1234/2",
            "extensionassociation/ass1234",
        ] {
            let resource: Resource = text.parse().unwrap();
            assert_eq!(resource.to_string(), text);
            let arn = account().arn(&resource);
            assert_eq!(account().resource(&arn), Some(resource), "{arn}");
        }
    }

    #[test]
    fn an_arn_without_account_or_region_is_ours() {
        let app = Some(Resource::Application("abc1234".parse().unwrap()));
        assert_eq!(account().resource("arn:aws:appconfig:us-east-1::application/abc1234"), app);
        assert_eq!(account().resource("arn:aws:appconfig:::application/abc1234"), app);
    }

    #[test]
    fn the_arn_of_another_account_region_or_service_names_nothing_here() {
        for arn in [
            "arn:aws:appconfig:us-east-1:999999999999:application/abc1234",
            "arn:aws:appconfig:eu-west-1:123456789012:application/abc1234",
            "arn:aws:s3:us-east-1:123456789012:application/abc1234",
            "arn:aws:appconfig:us-east-1:123456789012:application/abc1234/",
            "application/abc1234",
            "",
        ] {
            assert_eq!(account().resource(arn), None, "{arn}");
        }
    }
}
