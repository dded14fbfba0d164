//! What a request asks for. Pure: path, query and headers in, meaning out.

use crate::context_header::{CallerContext, Encoding};
use crate::name::ConfigurationName;
use crate::refusal::{MAX_ENTITY_BYTES, Refusal};
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use yardarm_flags::document::FlagKey;

const CONTEXT: HeaderName = HeaderName::from_static("context");
const CONTEXT_ENCODING: HeaderName = HeaderName::from_static("context-encoding");
const ENTITY_ID: HeaderName = HeaderName::from_static("entity-id");

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a configuration.
    Configuration(ConfigurationName),
    /// Whether the agent is up.
    Ping,
    /// How the agent is.
    Health,
    /// What the agent counts.
    Metrics,
}

impl Route {
    /// Reads a path, as it was sent.
    ///
    /// # Errors
    /// It leads nowhere, or to what is no configuration.
    pub fn read(path: &str) -> Result<Self, Refusal> {
        match path {
            "/ping" => Ok(Self::Ping),
            "/health" => Ok(Self::Health),
            "/metrics" => Ok(Self::Metrics),
            path if path.starts_with("/applications/") || path == "/applications" => {
                Ok(Self::Configuration(ConfigurationName::parse_path(path)?))
            }
            _ => Err(Refusal::NoPath),
        }
    }
}

/// What of a configuration, for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'r> {
    /// Which flags; none for everything.
    pub flags: Vec<String>,
    /// What rules may look at.
    pub context: CallerContext<'r>,
    /// Who is to keep a version during a deployment.
    pub entity: Option<&'r str>,
}

impl<'r> Asked<'r> {
    /// Reads query and headers.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(query: &str, headers: &'r HeaderMap) -> Result<Self, Refusal> {
        let entity = match headers.get(ENTITY_ID) {
            None => None,
            Some(entity) if entity.len() > MAX_ENTITY_BYTES => return Err(Refusal::Entity),
            Some(entity) => Some(std::str::from_utf8(entity.as_bytes()).map_err(|_| Refusal::Entity)?),
        };
        let encoding = Encoding::parse(headers.get(CONTEXT_ENCODING).map(|value| value.as_bytes()))?;
        let contexts = headers.get_all(CONTEXT).into_iter().map(|value| value.as_bytes());
        let context = CallerContext::read(contexts, encoding)?.with_entity(entity)?;
        Ok(Self { flags: flags(query)?, context, entity })
    }
}

/// The values of all `flag` parameters.
fn flags(query: &str) -> Result<Vec<String>, Refusal> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let values = pairs.filter(|(name, _)| *name == "flag").map(|(_, value)| value);
    values.map(|value| flag(&percent_decode_str(value).decode_utf8_lossy())).collect()
}

fn flag(key: &str) -> Result<String, Refusal> {
    let shown = || key.chars().take(64).collect();
    key.parse::<FlagKey>().map(|key| key.as_str().to_owned()).map_err(|_| Refusal::FlagKey(shown()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yardarm_flags::Value;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn paths_lead_to_configurations_and_to_what_is_known_of_the_agent() {
        let name = ConfigurationName::new("a", "b", "c").unwrap();
        let path = "/applications/a/environments/b/configurations/c";
        assert_eq!(Route::read(path), Ok(Route::Configuration(name)));
        assert_eq!(Route::read("/ping"), Ok(Route::Ping));
        assert!(matches!(Route::read("/applications/a"), Err(Refusal::Name(_))));
        for path in ["/", "/ping/", "/application/a", "*"] {
            assert_eq!(Route::read(path), Err(Refusal::NoPath), "{path}");
        }
    }

    #[test]
    fn flags_are_repeated_parameters_and_others_are_passed_over() {
        assert_eq!(flags("flag=a&x=1&flag=b%5Fc"), Ok(vec!["a".into(), "b_c".into()]));
        assert_eq!(flags(""), Ok(vec![]));
        for bad in ["flag=", "flag", "flag=A%20b", "flag=1x", "flag=%ff"] {
            assert!(matches!(flags(bad), Err(Refusal::FlagKey(_))), "{bad}");
        }
    }

    #[test]
    fn the_entity_is_who_rules_see_as_entity_id() {
        let headers = headers(&[("context", "a=1, entityId=other"), ("entity-id", "user-7")]);
        let asked = Asked::read("flag=x", &headers).unwrap();
        assert_eq!((asked.entity, asked.flags), (Some("user-7"), vec!["x".to_owned()]));
        assert_eq!(
            asked.context.attributes(),
            [("a", Value::Text("1")), ("entityId", Value::Text("user-7"))]
        );
    }

    #[test]
    fn an_entity_is_bounded() {
        let longest = "x".repeat(MAX_ENTITY_BYTES);
        assert!(Asked::read("", &headers(&[("entity-id", &longest)])).is_ok());
        let longer = format!("{longest}x");
        assert_eq!(Asked::read("", &headers(&[("entity-id", &longer)])), Err(Refusal::Entity));
    }

    proptest! {
        #[test]
        fn no_request_makes_it_panic(path: String, query: String) {
            let _ = (Route::read(&path), Asked::read(&query, &HeaderMap::new()));
        }
    }
}
