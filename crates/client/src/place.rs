//! Which configuration a client follows.

use crate::server::segment;
use yardarm_wire::native::paths;

/// A flag configuration in an environment, by ids or names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The application.
    pub application: String,
    /// The environment.
    pub environment: String,
    /// The configuration profile.
    pub profile: String,
}

impl Place {
    /// The configuration `profile` of `application` in `environment`.
    #[must_use]
    pub fn new(application: &str, environment: &str, profile: &str) -> Self {
        Self { application: application.into(), environment: environment.into(), profile: profile.into() }
    }

    /// Where its rollout is read.
    pub(crate) fn rollout_path(&self) -> String {
        self.within(paths::ROLLOUT)
    }

    /// Where it is told what was made of it.
    pub(crate) fn acknowledgements_path(&self) -> String {
        self.within(paths::ACKNOWLEDGEMENTS)
    }

    /// `path` of the native API with this place in it: what stands for `{application}`, `{environment}` and `{profile}`.
    #[must_use]
    pub fn within(&self, path: &str) -> String {
        path.replace("{application}", &segment(&self.application))
            .replace("{environment}", &segment(&self.environment))
            .replace("{profile}", &segment(&self.profile))
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn names_are_one_segment_each() {
        let place = Place::new("My shop", "prod/eu", "{environment}");
        let path = place.rollout_path();
        let end = "/applications/My%20shop/environments/prod%2Feu/configurations/%7Benvironment%7D/rollout";
        assert!(path.ends_with(end), "{path}");
    }
}
