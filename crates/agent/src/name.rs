//! What a configuration is called: application, environment and profile, each by id or name.

use percent_encoding::percent_decode_str;
use std::fmt;

/// A configuration as callers and upstream call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigurationName {
    application: Box<str>,
    environment: Box<str>,
    profile: Box<str>,
}

/// An environment as callers and upstream call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The application's id or name.
    pub(crate) application: String,
    /// The environment's id or name.
    pub(crate) environment: String,
}

/// Why a text names no configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not three parts.
    #[error(
        "a configuration is named Application:Environment:Profile, \
         or /applications/Application/environments/Environment/configurations/Profile"
    )]
    Shape,
    /// A part that is empty or too long.
    #[error("application, environment and profile have 1 to {MAX_PART_CHARACTERS} characters each")]
    Length,
    /// A part that is no text.
    #[error("application, environment and profile must be UTF-8 when decoded")]
    NotUtf8,
}

/// As long as the data plane takes them.
const MAX_PART_CHARACTERS: usize = 128;

impl ConfigurationName {
    /// From its parts.
    ///
    /// # Errors
    /// A part is empty or longer than 128 characters.
    pub fn new(application: &str, environment: &str, profile: &str) -> Result<Self, NameError> {
        let fits = |part: &str| !part.is_empty() && part.chars().count() <= MAX_PART_CHARACTERS;
        if ![application, environment, profile].into_iter().all(fits) {
            return Err(NameError::Length);
        }
        Ok(Self { application: application.into(), environment: environment.into(), profile: profile.into() })
    }

    /// From `Application:Environment:Profile`, as in a manifest.
    ///
    /// # Errors
    /// It has not three parts, or one that is no name.
    pub fn parse_triple(text: &str) -> Result<Self, NameError> {
        let mut parts = text.split(':').map(str::trim);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(application), Some(environment), Some(profile), None) => {
                Self::new(application, environment, profile)
            }
            _ => Err(NameError::Shape),
        }
    }

    /// From the path of a request, percent-encoded: `/applications/…/environments/…/configurations/…`.
    ///
    /// # Errors
    /// It has another shape, or a part that is no name.
    pub fn parse_path(path: &str) -> Result<Self, NameError> {
        let mut parts = path.strip_prefix('/').ok_or(NameError::Shape)?.split('/');
        let mut labelled = |label| (parts.next() == Some(label)).then(|| parts.next()).flatten();
        let application = labelled("applications").ok_or(NameError::Shape)?;
        let environment = labelled("environments").ok_or(NameError::Shape)?;
        let profile = labelled("configurations").ok_or(NameError::Shape)?;
        if parts.next().is_some() {
            return Err(NameError::Shape);
        }
        Self::new(&decode(application)?, &decode(environment)?, &decode(profile)?)
    }

    /// From a member of a prefetch list: either of the two.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.starts_with('/') { Self::parse_path(text) } else { Self::parse_triple(text) }
    }

    /// The application's id or name.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The environment's id or name.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The environment that it is about.
    pub(crate) fn place(&self) -> Place {
        Place { application: self.application.to_string(), environment: self.environment.to_string() }
    }

    /// The configuration profile's id or name.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }
}

/// Decodes a part of a path.
///
/// # Errors
/// It is not UTF-8.
pub(crate) fn decode(part: &str) -> Result<String, NameError> {
    percent_decode_str(part).decode_utf8().map(String::from).map_err(|_| NameError::NotUtf8)
}

impl fmt::Display for ConfigurationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.application, self.environment, self.profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(application: &str, environment: &str, profile: &str) -> ConfigurationName {
        ConfigurationName::new(application, environment, profile).unwrap()
    }

    #[test]
    fn both_spellings_of_a_list_mean_the_same() {
        let expected = name("My App", "Beta", "flags");
        assert_eq!(ConfigurationName::parse("My App:Beta:flags"), Ok(expected.clone()));
        let path = "/applications/My%20App/environments/Beta/configurations/flags";
        assert_eq!(ConfigurationName::parse(path), Ok(expected.clone()));
        assert_eq!(expected.to_string(), "My App:Beta:flags");
    }

    #[test]
    fn a_part_of_a_path_may_hold_a_slash_and_a_colon() {
        let path = "/applications/a%2Fb/environments/c:d/configurations/%C3%BC";
        assert_eq!(ConfigurationName::parse_path(path), Ok(name("a/b", "c:d", "ü")));
    }

    #[test]
    fn what_names_no_configuration_is_refused() {
        for text in ["", "a:b", "a:b:c:d", "a", "/applications/a/environments/b"] {
            assert_eq!(ConfigurationName::parse(text), Err(NameError::Shape), "{text}");
        }
        for path in [
            "/applications/a/environments/b/configurations",
            "/applications/a/environments/b/configurations/c/d",
            "/applications/a/environment/b/configurations/c",
            "applications/a/environments/b/configurations/c",
        ] {
            assert_eq!(ConfigurationName::parse_path(path), Err(NameError::Shape), "{path}");
        }
        assert_eq!(ConfigurationName::parse("a::c"), Err(NameError::Length));
        let empty = "/applications/a/environments//configurations/c";
        assert_eq!(ConfigurationName::parse(empty), Err(NameError::Length));
        assert_eq!(ConfigurationName::new(&"ü".repeat(128), "b", "c").map(|_| ()), Ok(()));
        assert_eq!(ConfigurationName::new(&"u".repeat(129), "b", "c"), Err(NameError::Length));
        let bytes = "/applications/%ff/environments/b/configurations/c";
        assert_eq!(ConfigurationName::parse_path(bytes), Err(NameError::NotUtf8));
    }
}
