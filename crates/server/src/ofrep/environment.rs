//! Which environment a request is about: the one of its token, the one in its path, or the only one there is.

use super::caller::Caller;
use crate::router::App;
use crate::settings::Authentication;
use http::StatusCode;
use std::borrow::Cow;
use yardarm_domain::{Application, ApplicationId, Environment, EnvironmentId, ProfileType, World};
use yardarm_ofrep::Answer;

/// An environment.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) application: ApplicationId,
    pub(super) environment: EnvironmentId,
}

impl Place {
    /// The one that the request is about.
    pub(super) fn of(
        app: &App,
        caller: &Caller,
        path: Option<&(Cow<'_, str>, Cow<'_, str>)>,
    ) -> Result<Self, Answer> {
        match (caller, path) {
            (Caller::Bearer(token), None) => {
                Ok(Self { application: token.application.clone(), environment: token.environment.clone() })
            }
            (Caller::Bearer(token), Some((application, environment))) => {
                // Whether other environments exist is none of the bearer's business.
                let place = find(&app.node.view().world, application, environment).ok();
                place
                    .filter(|place| {
                        (&place.application, &place.environment) == (&token.application, &token.environment)
                    })
                    .ok_or_else(|| {
                        Answer::general(StatusCode::FORBIDDEN, "the token is for another environment")
                    })
            }
            (Caller::Signer(_) | Caller::Anybody, Some((application, environment))) => {
                find(&app.node.view().world, application, environment)
                    .map_err(|missing| Answer::general(StatusCode::NOT_FOUND, &missing))
            }
            (Caller::Signer(_) | Caller::Anybody, None) => Self::default(app),
        }
    }

    /// What the flag set is called.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.application, self.environment)
    }

    /// The one that is meant when nothing says so.
    fn default(app: &App) -> Result<Self, Answer> {
        let world = &app.node.view().world;
        if let Some((application, environment)) = &app.settings.ofrep.environment {
            return find(world, application, environment)
                .map_err(|missing| Answer::general(StatusCode::NOT_FOUND, &missing));
        }
        let trying_out = app.settings.dev || app.settings.authentication == Authentication::None;
        let mut candidates = environments_with_flags(world);
        match (trying_out, candidates.next(), candidates.next()) {
            (true, Some(only), None) => Ok(only),
            _ => {
                let details = "say which environment: with a token of it, or in the path, as in \
                               /my-application/my-environment/ofrep/v1/evaluate/flags";
                Err(Answer::general(StatusCode::BAD_REQUEST, details))
            }
        }
    }
}

/// Environments in which flags were ever deployed, or all of them where none were.
fn environments_with_flags(world: &World) -> impl Iterator<Item = Place> {
    let all = || {
        world.applications().values().flat_map(|app| app.environments.values().map(move |env| (&**app, env)))
    };
    let has_flags = |(_, environment): &(&Application, &Environment)| {
        environment.deployments.values().any(|deployment| deployment.kind == ProfileType::FeatureFlags)
    };
    let any = all().any(|one| has_flags(&one));
    all().filter(move |one| !any || has_flags(one)).map(|(application, environment)| Place {
        application: application.id.clone(),
        environment: environment.id.clone(),
    })
}

/// By ids or names.
fn find(world: &World, application: &str, environment: &str) -> Result<Place, String> {
    let missing = format!("there is no application `{application}`");
    let application = world.find_application(application).map_err(|_| missing)?;
    let missing = format!("there is no environment `{environment}` in application `{}`", application.name);
    let environment = application.find_environment(environment).map_err(|_| missing)?;
    Ok(Place { application: application.id.clone(), environment: environment.id.clone() })
}
