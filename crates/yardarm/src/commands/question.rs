//! What `eval` and `explain` are asked: which flag, for whom, and of which document.

use super::Failure;
use crate::control_plane::{ControlPlane, flags_of, listed};
use crate::input;
use crate::options::{EnvironmentOption, Target};
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;
use yardarm_flags::bucketing::{Exposure, bucket, exposed, named_subject};
use yardarm_flags::document::MAX_DOCUMENT_BYTES;
use yardarm_flags::{Context, FlagDocument, Value};
use yardarm_wire::native::{RolloutState, RolloutVersion};

/// Context keys that stand for the entity: for the AppConfig agent and for OpenFeature.
const ENTITY_KEYS: [&str; 2] = ["entityId", "targetingKey"];

/// Which flag, for whom, and of which document.
#[derive(Args)]
pub(crate) struct Question {
    /// The flag's key; or `flag.attribute`, as OpenFeature clients ask for one attribute.
    pub(super) flag: String,
    /// Something that is known about the client: KEY=VALUE. May be given several times.
    #[arg(long = "context", short = 'c', value_name = "KEY=VALUE")]
    context: Vec<Known>,
    /// Who it is. Rules see it as $entityId and as $targetingKey, and a rollout decides by it.
    #[arg(long, value_name = "ID")]
    entity: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    environment: EnvironmentOption,
    /// Of this version, deployed or not: a number, or `latest`. By default of what the environment serves.
    #[arg(long)]
    version: Option<VersionName>,
    /// Of this flag document in the stored form, without asking a server; `-` is standard input.
    #[arg(long, conflicts_with = "version")]
    file: Option<PathBuf>,
}

/// `KEY=VALUE`.
#[derive(Clone, Debug)]
struct Known {
    key: String,
    value: String,
}

impl FromStr for Known {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err("write KEY=VALUE"),
        }
    }
}

/// A version by number, or the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VersionName {
    Latest,
    Number(u64),
}

impl FromStr for VersionName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "latest" | "$LATEST" => Ok(Self::Latest),
            number => number.parse().map(Self::Number).map_err(|_| "write a number, or `latest`"),
        }
    }
}

/// The document that a question is about.
pub(super) struct Subject {
    pub(super) document: FlagDocument,
    /// Its version, unless it is a file.
    pub(super) version: Option<u64>,
    /// As people call it.
    pub(super) shown: String,
}

impl Question {
    /// Finds the document.
    pub(super) fn subject(&self) -> Result<Subject, Failure> {
        if let Some(file) = &self.file {
            let shown = file.display().to_string();
            let document = FlagDocument::read(&input::read(file, MAX_DOCUMENT_BYTES)?).map_err(|error| {
                Failure::failed(format!("{shown}: {error}\n`yardarm lint {shown}` shows everything"))
            })?;
            return Ok(Subject { document, version: None, shown });
        }
        let plane = ControlPlane::from_environment()?;
        let Some(version) = self.version else { return self.deployed(&plane) };
        let profile = plane.profile(&self.target)?;
        let stored = match version {
            VersionName::Latest => plane.latest(&profile)?,
            VersionName::Number(number) => plane.version(&profile, number)?,
        };
        let shown = format!("version {} of {profile}", stored.number);
        Ok(Subject { document: stored.document, version: Some(stored.number), shown })
    }

    /// What the environment serves, read by the names as they were given: a bearer token may do that, and look up nothing.
    fn deployed(&self, plane: &ControlPlane) -> Result<Subject, Failure> {
        let names = (self.target.application(), self.target.profile(), self.environment.get());
        if let (Some(application), Some(profile), Some(environment)) = names {
            let shown = format!("{application}/{profile}");
            if let Some(served) = plane.served(application, profile, environment)? {
                return self.decided(served, &shown, environment);
            }
            if !plane.can_look_around() {
                return Err(nothing(&shown, environment));
            }
        }
        // Something was not said, or is not there.
        let profile = plane.profile(&self.target)?;
        let environment = plane.environment(&profile, self.environment.get())?;
        let shown = profile.to_string();
        let served = plane.rollout(&profile, &environment)?;
        let served = served.ok_or_else(|| nothing(&shown, &environment.name))?;
        self.decided(served, &shown, &environment.name)
    }

    /// The version that the entity gets.
    fn decided(&self, served: RolloutState, profile: &str, environment: &str) -> Result<Subject, Failure> {
        let given = gets(served, self.entity.as_deref());
        let (version, place) = given.ok_or_else(|| nothing(profile, environment))?;
        let document = flags_of(&version)?;
        let number = version.version;
        let shown = format!("version {number} of {profile}, deployed in {environment}{place}");
        Ok(Subject { document, version: Some(number.into()), shown })
    }

    /// What is known about the client, in which the first of equal keys counts.
    pub(super) fn known(&self) -> Vec<(&str, Value<'_>)> {
        let entity = self.entity.as_deref();
        let entity = ENTITY_KEYS.into_iter().filter_map(|key| Some((key, Value::Text(entity?))));
        let known = self.context.iter().map(|known| (known.key.as_str(), Value::Text(&known.value)));
        entity.chain(known).collect()
    }

    /// Why there is no answer.
    pub(super) fn unknown(&self, subject: &Subject) -> Failure {
        let Subject { document, shown, .. } = subject;
        let flag = &self.flag;
        if document.flags().contains_key(flag.as_str()) {
            return Failure::failed(format!(
                "`{flag}` is defined in {shown}, but has no value: it is not served"
            ));
        }
        let keys: Vec<String> = document.values().keys().map(ToString::to_string).collect();
        Failure::failed(format!("{shown} has no `{flag}`; its flags are {}", listed(&keys)))
    }
}

fn nothing(profile: &str, environment: &str) -> Failure {
    Failure::failed(format!(
        "nothing of {profile} is deployed in {environment}; --version latest asks what is stored"
    ))
}

/// The version that an entity gets, and where in the rollout that is. Without an entity what everybody has: the new
/// version too, once it has reached everybody and bakes.
fn gets(served: RolloutState, entity: Option<&str>) -> Option<(RolloutVersion, String)> {
    let RolloutState { mut stable, mut candidate, rollout, forced, .. } = served;
    // A flag that is being forced has reached a few, and in a few seconds everybody.
    let reached = forced.filter(|forced| {
        let exposure = Exposure::from_parts_per_million(forced.exposure).unwrap_or(Exposure::NONE);
        entity.is_some_and(|entity| exposed(bucket(&forced.key, &named_subject(entity)), exposure))
    });
    if let Some(reached) = reached {
        (stable, candidate) = (reached.stable, reached.candidate);
    }
    let (Some(candidate), Some(rollout)) = (candidate, rollout) else {
        return stable.map(|stable| (stable, String::new()));
    };
    let percent = f64::from(rollout.exposure) / 10_000.0;
    let exposure = Exposure::from_parts_per_million(rollout.exposure).unwrap_or(Exposure::NONE);
    if exposure == Exposure::ALL {
        return Some((candidate, " (it has reached everybody)".to_owned()));
    }
    let Some(entity) = entity else {
        let place =
            format!(" (version {} has reached {percent} %; --entity ID asks for one)", candidate.version);
        return stable.map(|stable| (stable, place));
    };
    let drawn = bucket(&rollout.key, &named_subject(entity));
    let at = f64::from(drawn) / 10_000.0;
    if exposed(drawn, exposure) {
        Some((candidate, format!(" (the entity lies at {at} %, and it has reached {percent} %)")))
    } else {
        let place = format!(
            " (the entity lies at {at} %, and version {} has reached {percent} %)",
            candidate.version
        );
        stable.map(|stable| (stable, place))
    }
}

impl Question {
    /// The flag that the key is about, without the attribute.
    pub(super) fn flag_key(&self) -> &str {
        self.flag.split_once('.').map_or(self.flag.as_str(), |(flag, _)| flag)
    }
}

/// What is known, as evaluation wants it.
pub(super) const fn context<'k>(known: &'k [(&'k str, Value<'k>)]) -> Context<'k> {
    Context::new(known)
}

#[cfg(test)]
mod tests {
    use super::{Question, VersionName, gets};
    use clap::Parser;
    use yardarm_wire::native::{RolloutProgress, RolloutState, RolloutVersion};

    fn version(version: u32) -> RolloutVersion {
        RolloutVersion {
            version,
            label: None,
            content_type: "application/json".to_owned(),
            sha256: None,
            content: Some(r#"{"version":"1"}"#.to_owned()),
            content_base64: None,
            forced_flags: Default::default(),
        }
    }

    fn during(exposure: Option<u32>, stable: bool) -> RolloutState {
        let key = "application/abcdefg/environment/hijklmn/deployment/2".to_owned();
        RolloutState {
            profile_type: "AWS.AppConfig.FeatureFlags".to_owned(),
            seq: 1,
            stable: stable.then(|| version(1)),
            candidate: exposure.map(|_| version(2)),
            rollout: exposure.map(|exposure| RolloutProgress { deployment: 2, exposure, key }),
            forced: None,
        }
    }

    /// The version that is given to `entity`.
    fn given(exposure: Option<u32>, stable: bool, entity: Option<&str>) -> Option<u32> {
        gets(during(exposure, stable), entity).map(|(version, _)| version.version)
    }

    #[test]
    fn without_a_rollout_everybody_gets_the_same() {
        assert_eq!(given(None, true, None), Some(1));
        assert_eq!(given(None, true, Some("u1")), Some(1));
        assert_eq!(given(None, false, Some("u1")), None);
    }

    #[test]
    fn a_rollout_decides_by_entity_and_nobody_goes_back_while_it_grows() {
        assert_eq!(given(Some(999_999), true, None), Some(1), "nobody in particular gets what everybody has");
        assert_eq!(given(Some(1_000_000), false, None), Some(2), "which is the new one while it bakes");
        for entity in ["u1", "u2", "u3", "u4"] {
            assert_eq!(given(Some(0), true, Some(entity)), Some(1));
            assert_eq!(given(Some(0), false, Some(entity)), None);
            assert_eq!(given(Some(1_000_000), true, Some(entity)), Some(2));
            let versions: Vec<_> =
                (0..=10).map(|tenth| given(Some(tenth * 100_000), true, Some(entity))).collect();
            assert!(versions.is_sorted(), "{entity}: {versions:?}");
        }
    }

    #[test]
    fn a_version_is_a_number_or_the_latest() {
        assert_eq!("7".parse(), Ok(VersionName::Number(7)));
        assert_eq!("latest".parse(), Ok(VersionName::Latest));
        assert_eq!("$LATEST".parse(), Ok(VersionName::Latest));
        assert!("newest".parse::<VersionName>().is_err());
    }

    #[derive(Parser)]
    #[command(disable_version_flag = true)]
    struct Asked {
        #[command(flatten)]
        question: Question,
    }

    #[test]
    fn the_entity_goes_before_what_the_context_says_of_it() {
        let arguments =
            ["eval", "f.colour", "-c", "entityId=x", "-c", "tier=a=b", "--entity", "u1", "--file", "-"];
        let asked = Asked::parse_from(arguments);
        let known = asked.question.known();
        let context = super::context(&known);
        let text = |key| context.get(key).map(|value| value.to_string());
        assert_eq!(text("entityId").as_deref(), Some("u1"));
        assert_eq!(text("targetingKey").as_deref(), Some("u1"));
        assert_eq!(text("tier").as_deref(), Some("a=b"));
        assert_eq!(asked.question.flag_key(), "f");
    }
}
