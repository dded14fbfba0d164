//! `yardarm flag list`: every flag, in the latest version and in each environment.

use super::super::output::{Output, Table, print_json};
use super::super::{Failure, say};
use super::force;
use crate::control_plane::{ControlPlane, flags_of};
use crate::options::Target;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;
use yardarm_flags::FlagDocument;
use yardarm_flags::document::Setting;
use yardarm_wire::forced_flags::ForceTo;
use yardarm_wire::native::{RolloutState, RolloutVersion};

/// What an environment serves.
struct Served {
    environment: String,
    stable: Option<Version>,
    candidate: Option<(Version, f64)>,
    /// Flags that are being forced, and have reached a few.
    forcing: BTreeMap<String, ForceTo>,
}

struct Version {
    number: u32,
    document: FlagDocument,
    /// Flags that are forced, whatever was deployed.
    forced: BTreeMap<String, ForceTo>,
}

/// What a flag is, in a word.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Brief {
    Enabled(bool),
    Variants(Vec<String>),
}

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enabled(true) => f.write_str("on"),
            Self::Enabled(false) => f.write_str("off"),
            Self::Variants(names) => match names.len() {
                1 => f.write_str("1 variant"),
                several => write!(f, "{several} variants"),
            },
        }
    }
}

/// `None` if the document sets no such flag.
fn brief(document: &FlagDocument, key: &str) -> Option<Brief> {
    Some(match document.values().get(key)?.setting() {
        Setting::Nothing => Brief::Enabled(false),
        Setting::Basic(state) => Brief::Enabled(state.enabled),
        Setting::Variants(variants) => {
            let names = variants.with_rule().iter().map(|(variant, _)| variant.name.clone());
            Brief::Variants(names.chain([variants.default_variant().name.clone()]).collect())
        }
    })
}

/// `-` for a flag that is not there.
fn cell(brief: Option<Brief>) -> String {
    brief.map_or_else(|| "-".to_owned(), |brief| brief.to_string())
}

pub(super) fn run(target: &Target, output: Output) -> Result<ExitCode, Failure> {
    let plane = ControlPlane::from_environment()?;
    let profile = plane.profile(target)?;
    let latest = plane.latest(&profile)?;
    let mut served = Vec::new();
    for environment in plane.environments(&profile)? {
        let state = plane.rollout(&profile, &environment)?;
        served.push(Served::read(environment.name, state)?);
    }
    let documents = served.iter().flat_map(Served::documents).chain([&latest.document]);
    let keys: BTreeSet<&str> = documents
        .flat_map(|document| document.flags().keys().chain(document.values().keys()))
        .map(|key| key.as_str())
        .collect();
    if output == Output::Json {
        let flags = keys.iter().map(|key| FlagReport::of(key, &latest.document, &served)).collect();
        print_json(&Report {
            application: &profile.application.name,
            profile: &profile.name,
            version: latest.number,
            flags,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    if keys.is_empty() {
        say(format!("{profile} has no flags: make one with `yardarm flag create KEY`"));
        return Ok(ExitCode::SUCCESS);
    }
    let head = ["FLAG".to_owned(), format!("LATEST v{}", latest.number)];
    let mut table = Table::new(head.into_iter().chain(served.iter().map(Served::head)));
    for key in keys {
        let cells = [key.to_owned(), cell(brief(&latest.document, key))];
        table.row(cells.into_iter().chain(served.iter().map(|served| served.cell(key))));
    }
    table.print();
    Ok(ExitCode::SUCCESS)
}

impl Served {
    fn read(environment: String, state: Option<RolloutState>) -> Result<Self, Failure> {
        let Some(RolloutState { stable, candidate, rollout, forced, .. }) = state else {
            return Ok(Self { environment, stable: None, candidate: None, forcing: BTreeMap::new() });
        };
        let version = |version: RolloutVersion| {
            let (number, document) = (version.version, flags_of(&version)?);
            Ok::<Version, Failure>(Version { number, document, forced: version.forced_flags })
        };
        let percent = rollout.map_or(0.0, |rollout| f64::from(rollout.exposure) / 10_000.0);
        let reached = forced.into_iter().flat_map(|forced| forced.stable.into_iter().chain(forced.candidate));
        Ok(Self {
            forcing: reached.flat_map(|version| version.forced_flags).collect(),
            environment,
            stable: stable.map(version).transpose()?,
            candidate: candidate.map(version).transpose()?.map(|candidate| (candidate, percent)),
        })
    }

    fn documents(&self) -> impl Iterator<Item = &FlagDocument> {
        let candidate = self.candidate.as_ref().map(|(version, _)| version);
        self.stable.iter().chain(candidate).map(|version| &version.document)
    }

    /// `PROD v3`, and during a rollout `PROD v3 → v4 40 %`.
    fn head(&self) -> String {
        let stable = self.stable.as_ref().map_or("-".to_owned(), |stable| format!("v{}", stable.number));
        let name = &self.environment;
        match &self.candidate {
            None => format!("{name} {stable}"),
            Some((candidate, percent)) => format!("{name} {stable} → v{} {percent} %", candidate.number),
        }
    }

    /// `on`, and during a rollout that changes it `off → on`; of a flag that is forced, that too.
    fn cell(&self, key: &str) -> String {
        let versions = self.stable.iter().chain(self.candidate.iter().map(|(version, _)| version));
        let forced = versions.filter_map(|version| version.forced.get(key)).next();
        let forcing = self.forcing.get(key).filter(|to| forced != Some(*to));
        let is = self.deployed_cell(key);
        match (forced, forcing) {
            (None, None) => is,
            (_, Some(to)) => format!("{is} (being forced {})", force::to(to)),
            (Some(to), None) => format!("{is} (forced {})", force::to(to)),
        }
    }

    fn deployed_cell(&self, key: &str) -> String {
        let stable = cell(self.stable.as_ref().and_then(|stable| brief(&stable.document, key)));
        let Some((candidate, _)) = &self.candidate else { return stable };
        let candidate = cell(brief(&candidate.document, key));
        if stable == candidate { stable } else { format!("{stable} → {candidate}") }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    application: &'r str,
    profile: &'r str,
    version: u64,
    flags: Vec<FlagReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlagReport<'r> {
    flag: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
    /// In the latest version; left out if it sets no such flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Brief>,
    environments: Vec<EnvironmentReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentReport<'r> {
    environment: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stable: Option<VersionReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<VersionReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionReport {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Brief>,
    /// What it is forced to, whatever was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    forced: Option<ForceTo>,
    /// How many get a candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<f64>,
}

impl<'r> FlagReport<'r> {
    fn of(flag: &'r str, latest: &'r FlagDocument, served: &'r [Served]) -> Self {
        let of = |version: &Version, percentage| VersionReport {
            version: version.number,
            state: brief(&version.document, flag),
            forced: version.forced.get(flag).cloned(),
            percentage,
        };
        let environments = served.iter().map(|served| EnvironmentReport {
            environment: &served.environment,
            stable: served.stable.as_ref().map(|stable| of(stable, None)),
            candidate: served.candidate.as_ref().map(|(candidate, percent)| of(candidate, Some(*percent))),
        });
        Self {
            flag,
            name: latest.flags().get(flag).and_then(|definition| definition.name()),
            latest: brief(latest, flag),
            environments: environments.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ForceTo, Served, Version, brief, cell};
    use std::collections::BTreeMap;
    use yardarm_flags::FlagDocument;

    fn document(values: &str) -> FlagDocument {
        let text = format!(r#"{{"version":"1","values":{values}}}"#);
        FlagDocument::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_flag_is_told_in_a_word() {
        let document = document(
            r#"{"on": {"enabled": true}, "off": {}, "nothing": {"_variants": []},
                "one": {"_variants": [{"name": "a", "enabled": true}]},
                "two": {"_variants": [{"name": "a", "enabled": true, "rule": "(exists key::\"x\")"},
                                      {"name": "b", "enabled": true}]}}"#,
        );
        let told = ["on", "off", "nothing", "one", "two", "none"].map(|key| cell(brief(&document, key)));
        assert_eq!(told, ["on", "off", "off", "1 variant", "2 variants", "-"]);
    }

    #[test]
    fn a_rollout_shows_both_sides_where_they_differ() {
        let version =
            |number, values| Version { number, document: document(values), forced: BTreeMap::new() };
        let mut served = Served {
            environment: "prod".to_owned(),
            stable: None,
            candidate: None,
            forcing: BTreeMap::new(),
        };
        assert_eq!((served.head(), served.cell("f")), ("prod -".to_owned(), "-".to_owned()));
        served.stable = Some(version(3, r#"{"f": {}, "g": {}}"#));
        assert_eq!((served.head(), served.cell("f")), ("prod v3".to_owned(), "off".to_owned()));
        served.candidate = Some((version(4, r#"{"f": {"enabled": true}, "g": {}}"#), 33.3));
        assert_eq!(served.head(), "prod v3 → v4 33.3 %");
        assert_eq!((served.cell("f"), served.cell("g")), ("off → on".to_owned(), "off".to_owned()));
        served.forcing = BTreeMap::from([("g".to_owned(), ForceTo::Variant("old".to_owned()))]);
        assert_eq!(served.cell("g"), "off (being forced to old)");
        served.candidate = None;
        served.stable.as_mut().unwrap().forced.insert("f".to_owned(), ForceTo::Off);
        assert_eq!(served.cell("f"), "off (forced off)");
    }
}
