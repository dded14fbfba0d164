//! The effect of an event on the world. Decisions were taken before; here nothing is refused and nothing is chosen.

use crate::access_key::AccessKey;
use crate::account::Resource;
use crate::alarm::Alarm;
use crate::application::Application;
use crate::bearer_token::BearerToken;
use crate::configuration_profile::ConfigurationProfile;
use crate::confirmation::{Confirmation, Confirmed};
use crate::deployment::{Deployment, DeploymentLogEntry, DeploymentLogKind};
use crate::deployment_strategy::DeploymentStrategy;
use crate::environment::Environment;
use crate::event::Event;
use crate::extension::{ActionPoint, Extension, ExtensionAssociation, ExtensionVersion};
use crate::forced_flag::{ForcedFlag, ForcedFlags};
use crate::hosted_version::HostedVersion;
use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId, ProfileId};
use crate::invocation::{Invocation, LoggedInvocation};
use crate::measure::MOST_MEASURES;
use crate::rollout::{Phase, Transition};
use crate::tags::Tags;
use crate::text::Description;
use crate::world::World;
use imbl::OrdMap;
use jiff::Timestamp;
use std::sync::Arc;

/// The event refers to something that does not exist: this is not the log that the world was made from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event refers to {0}, which does not exist")]
pub struct Inapplicable(pub String);

type Applied = Result<(), Inapplicable>;

fn gone(what: impl std::fmt::Display) -> Inapplicable {
    Inapplicable(what.to_string())
}

/// Sets `slot` if there is something to set.
fn set<T>(slot: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *slot = new;
    }
}

/// An update with the empty description removes the description.
fn describe(slot: &mut Option<Description>, new: Option<Description>) {
    if let Some(new) = new {
        *slot = new.none_if_empty();
    }
}

impl World {
    /// Makes the world in which `event` has happened. `position` is its place in the log, `at` its time.
    ///
    /// # Errors
    /// The event does not belong to this world's log. The world is then unchanged.
    pub fn apply(&mut self, position: u64, at: Timestamp, event: Event) -> Applied {
        match event {
            Event::ApplicationCreated { application: id, name, description, tags } => {
                let application = Application {
                    id: id.clone(),
                    name,
                    description,
                    tags,
                    ordinal: position,
                    created_at: at,
                    environments: OrdMap::new(),
                    profiles: OrdMap::new(),
                };
                self.applications.insert(id, Arc::new(application));
                Ok(())
            }
            Event::ApplicationUpdated { application, name, description } => {
                let application = self.application_mut(&application)?;
                set(&mut application.name, name);
                describe(&mut application.description, description);
                Ok(())
            }
            Event::ApplicationDeleted { application } => self.delete_application(&application),
            Event::EnvironmentCreated { application, environment: id, name, description, monitors, tags } => {
                let environment = Environment {
                    id: id.clone(),
                    name,
                    description,
                    monitors,
                    monitored_since: at,
                    tags,
                    ordinal: position,
                    created_at: at,
                    deployments: OrdMap::new(),
                    forced: OrdMap::new(),
                    open: imbl::Vector::new(),
                    completed: OrdMap::new(),
                };
                self.application_mut(&application)?.environments.insert(id, environment);
                Ok(())
            }
            Event::EnvironmentUpdated { application, environment, name, description, monitors } => {
                let environment = self.environment_mut(&application, &environment)?;
                set(&mut environment.name, name);
                describe(&mut environment.description, description);
                if let Some(monitors) = monitors {
                    environment.monitors = monitors;
                    environment.monitored_since = at;
                }
                Ok(())
            }
            Event::EnvironmentDeleted { application, environment } => {
                self.application_mut(&application)?.environments.remove(&environment);
                self.drop_tokens(|token| {
                    token.application == application && token.environment == environment
                });
                self.drop_deliveries(|delivery| {
                    delivery.application == application && delivery.environment == environment
                });
                self.forcing.remove(&(application.clone(), environment.clone()));
                self.deploying.remove(&(application, environment));
                Ok(())
            }
            Event::ConfigurationProfileCreated {
                application,
                profile: id,
                name,
                description,
                kind,
                validators,
                tags,
            } => {
                let profile = ConfigurationProfile {
                    id: id.clone(),
                    name,
                    description,
                    kind,
                    validators,
                    tags,
                    ordinal: position,
                    created_at: at,
                    latest_version: 0,
                    versions: OrdMap::new(),
                };
                self.application_mut(&application)?.profiles.insert(id, profile);
                Ok(())
            }
            Event::ConfigurationProfileUpdated { application, profile, name, description, validators } => {
                let profile = self.profile_mut(&application, &profile)?;
                set(&mut profile.name, name);
                describe(&mut profile.description, description);
                set(&mut profile.validators, validators);
                Ok(())
            }
            Event::ConfigurationProfileDeleted { application, profile } => {
                let place = self.application_mut(&application)?;
                place.profiles.remove(&profile);
                let environments: Vec<_> = place.environments.keys().cloned().collect();
                for environment in &environments {
                    self.change_forced(&application, environment, &profile, |flags| {
                        *flags = ForcedFlags::default();
                    })?;
                    let place = self.environment_mut(&application, environment)?;
                    place.forced.remove(&profile);
                }
                Ok(())
            }
            Event::HostedVersionCreated {
                application,
                profile,
                version: number,
                description,
                content,
                content_type,
                label,
            } => {
                let profile = self.profile_mut(&application, &profile)?;
                profile.latest_version = profile.latest_version.max(number.0);
                let version = HostedVersion {
                    number,
                    description,
                    content,
                    content_type,
                    label,
                    tags: Tags::default(),
                    created_at: at,
                };
                profile.versions.insert(number, Arc::new(version));
                self.hosted_bytes = self.hosted_bytes.saturating_add(content.size_bytes);
                Ok(())
            }
            Event::HostedVersionDeleted { application, profile, version } => {
                let removed = self.profile_mut(&application, &profile)?.versions.remove(&version);
                let size_bytes = removed.map_or(0, |version| version.content.size_bytes);
                self.hosted_bytes = self.hosted_bytes.saturating_sub(size_bytes);
                Ok(())
            }
            Event::DeploymentStrategyCreated {
                strategy: id,
                name,
                description,
                duration_s,
                bake_s,
                growth,
                factor,
                replicate_to,
                tags,
            } => {
                let strategy = DeploymentStrategy {
                    id: id.clone(),
                    name,
                    description,
                    duration_s,
                    bake_s,
                    growth,
                    factor,
                    replicate_to,
                    tags,
                    ordinal: position,
                };
                self.strategies.insert(id, strategy);
                Ok(())
            }
            Event::DeploymentStrategyUpdated {
                strategy,
                description,
                duration_s,
                bake_s,
                growth,
                factor,
            } => {
                let strategy = self.strategies.get_mut(&strategy).ok_or_else(|| gone(&strategy))?;
                describe(&mut strategy.description, description);
                set(&mut strategy.duration_s, duration_s);
                set(&mut strategy.bake_s, bake_s);
                set(&mut strategy.growth, growth);
                set(&mut strategy.factor, factor);
                Ok(())
            }
            Event::DeploymentStrategyDeleted { strategy } => {
                self.strategies.remove(&strategy);
                Ok(())
            }
            Event::DeploymentStarted {
                application,
                environment,
                deployment: number,
                profile,
                configuration_name,
                kind,
                strategy,
                version,
                label,
                content,
                content_type,
                description,
                plan,
                tags,
                queued,
                extensions,
                invocations,
                alarms_overridden,
                alarms_not_watched,
                confirm_within,
                gate,
            } => {
                let started = DeploymentLogEntry { kind: DeploymentLogKind::Started, at };
                let deployment = Deployment {
                    number,
                    profile,
                    configuration_name,
                    kind,
                    strategy,
                    version,
                    label,
                    content,
                    content_type,
                    description,
                    plan,
                    tags,
                    extensions,
                    invocations: invocations
                        .into_iter()
                        .map(|invocation| LoggedInvocation { entry: 0, invocation })
                        .collect(),
                    ticked_at: None,
                    rolled_back_because: None,
                    stopped: None,
                    started_at: at,
                    completed_at: None,
                    alarms_overridden,
                    alarms_not_watched,
                    confirmation: confirm_within.map(|within| Confirmation { within, confirmed: None }),
                    gate,
                    measures: vec![],
                    phase: if queued { Phase::Queued } else { Phase::Growing { step: 0, since: at } },
                    log: if queued { vec![] } else { vec![started] },
                };
                let place = self.environment_mut(&application, &environment)?;
                place.deployments.insert(number, Arc::new(deployment));
                place.open.push_back(number);
                self.deploying.insert((application.clone(), environment.clone()));
                if !queued {
                    let about = (&application, &environment, number);
                    self.tell_extensions(about, ActionPoint::OnDeploymentStart, position, at);
                }
                Ok(())
            }
            Event::DeploymentConfirmed { application, environment, deployment: number, by, reason } => {
                let environment = self.environment_mut(&application, &environment)?;
                let slot = environment.deployments.get_mut(&number).ok_or_else(|| gone(number))?;
                if let Some(confirmation) = &mut Arc::make_mut(slot).confirmation {
                    confirmation.confirmed = Some(Confirmed { by, reason, at });
                }
                Ok(())
            }
            Event::DeploymentStepped { application, environment, deployment, step, stopped } => {
                let transition = step.into();
                let point = point_after(&transition);
                if stopped.is_some() {
                    let place = self.environment_mut(&application, &environment)?;
                    let slot = place.deployments.get_mut(&deployment).ok_or_else(|| gone(deployment))?;
                    Arc::make_mut(slot).stopped = stopped;
                }
                self.step_deployment(&application, &environment, deployment, transition, at)?;
                if let Some(point) = point {
                    self.tell_extensions((&application, &environment, deployment), point, position, at);
                }
                Ok(())
            }
            Event::DeploymentMeasured { application, environment, deployment: number, measure } => {
                let environment = self.environment_mut(&application, &environment)?;
                let slot = environment.deployments.get_mut(&number).ok_or_else(|| gone(number))?;
                let measures = &mut Arc::make_mut(slot).measures;
                if measures.len() < MOST_MEASURES {
                    measures.push(measure);
                }
                Ok(())
            }
            Event::DeploymentTicked {
                application,
                environment,
                deployment: number,
                invocations,
                roll_back,
            } => {
                let environment_id = environment;
                let environment = self.environment_mut(&application, &environment_id)?;
                let slot = environment.deployments.get_mut(&number).ok_or_else(|| gone(number))?;
                let deployment = Arc::make_mut(slot);
                deployment.ticked_at = Some(at);
                if roll_back.is_some() {
                    deployment.rolled_back_because = roll_back;
                }
                self.log_invocations((&application, &environment_id, number), None, invocations);
                Ok(())
            }
            Event::FlagForced {
                application,
                environment,
                profile,
                flag,
                to,
                by,
                reason,
                until,
                watch_s,
                alarms_disregarded,
            } => {
                let (grown_at, before) = (None, None);
                let forced = ForcedFlag { to, by, reason, at, grown_at, watch_s, alarms_disregarded, before };
                self.change_forced(&application, &environment, &profile, |flags| {
                    flags.force(position, flag, forced, until);
                })
            }
            Event::FlagForceGrown { application, environment, profile } => {
                self.change_forced(&application, &environment, &profile, |flags| flags.grow(at))
            }
            Event::FlagReleased { application, environment, profile, flag, triggered_by, by, reason } => self
                .change_forced(&application, &environment, &profile, |flags| {
                    flags.release((flag, at, triggered_by, by, reason));
                }),
            Event::DeliveryEnded { delivery, failure, attempts } => {
                self.end_delivery(delivery, failure, attempts, at);
                Ok(())
            }
            Event::DeliveryResumed { delivery } => {
                self.resume_delivery(delivery, at);
                Ok(())
            }
            Event::ExtensionVersionCreated {
                extension: id,
                version: number,
                name,
                description,
                actions,
                parameters,
                tags,
            } => {
                let version = ExtensionVersion { number, description, actions, parameters, tags };
                let new = || {
                    let versions = OrdMap::new();
                    Arc::new(Extension { id: id.clone(), name, ordinal: position, versions })
                };
                let slot = self.extensions.entry(id.clone()).or_insert_with(new);
                Arc::make_mut(slot).versions.insert(number, Arc::new(version));
                Ok(())
            }
            Event::ExtensionVersionUpdated { extension, version, description, actions, parameters } => {
                let slot = self.extensions.get_mut(&extension).ok_or_else(|| gone(&extension))?;
                let slot = Arc::make_mut(slot).versions.get_mut(&version).ok_or_else(|| gone(version))?;
                let version = Arc::make_mut(slot);
                describe(&mut version.description, description);
                set(&mut version.actions, actions);
                set(&mut version.parameters, parameters);
                Ok(())
            }
            Event::ExtensionVersionDeleted { extension, version } => {
                let slot = self.extensions.get_mut(&extension).ok_or_else(|| gone(&extension))?;
                let versions = &mut Arc::make_mut(slot).versions;
                versions.remove(&version);
                if versions.is_empty() {
                    self.extensions.remove(&extension);
                }
                Ok(())
            }
            Event::ExtensionAssociationCreated {
                association: id,
                extension,
                version,
                resource,
                parameters,
                tags,
            } => {
                let association = ExtensionAssociation {
                    id: id.clone(),
                    extension,
                    version,
                    resource,
                    parameters,
                    tags,
                    ordinal: position,
                };
                self.associations.insert(id, Arc::new(association));
                Ok(())
            }
            Event::ExtensionAssociationUpdated { association, parameters } => {
                let slot = self.associations.get_mut(&association).ok_or_else(|| gone(&association))?;
                Arc::make_mut(slot).parameters = parameters;
                Ok(())
            }
            Event::ExtensionAssociationDeleted { association } => {
                self.associations.remove(&association);
                self.drop_deliveries(|delivery| delivery.applied.association == association);
                Ok(())
            }
            Event::ResourceTagged { resource, tags } => {
                self.tags_mut(&resource, |slot| slot.merge(&tags)).ok_or_else(|| gone(&resource))
            }
            Event::ResourceUntagged { resource, keys } => {
                self.tags_mut(&resource, |slot| slot.remove(&keys)).ok_or_else(|| gone(&resource))
            }
            Event::AccountSettingsUpdated { settings } => {
                self.settings = settings;
                Ok(())
            }
            Event::AccessKeyCreated { access_key: id, name, description, secret } => {
                let key =
                    AccessKey { id: id.clone(), name, description, secret, enabled: true, created_at: at };
                self.access_keys.insert(id, key);
                Ok(())
            }
            Event::AccessKeyUpdated { access_key, enabled, name, description } => {
                let key = self.access_keys.get_mut(&access_key).ok_or_else(|| gone(&access_key))?;
                set(&mut key.enabled, enabled);
                set(&mut key.name, name);
                describe(&mut key.description, description);
                Ok(())
            }
            Event::AccessKeyDeleted { access_key } => {
                self.access_keys.remove(&access_key);
                Ok(())
            }
            Event::BearerTokenCreated {
                token: id,
                name,
                description,
                application,
                environment,
                scope,
                hash,
                expires_at,
            } => {
                let token = BearerToken {
                    id: id.clone(),
                    name,
                    description,
                    application,
                    environment,
                    scope,
                    hash,
                    expires_at,
                    created_at: at,
                };
                self.bearer_tokens.insert(id, Arc::new(token));
                Ok(())
            }
            Event::BearerTokenRevoked { token } => {
                self.bearer_tokens.remove(&token);
                Ok(())
            }
            Event::AlarmPut { alarm: arn, description, source, fresh_for, actions_enabled, secret } => {
                let before = self.alarms.get(&arn);
                let same = before.filter(|before| before.source == source);
                let alarm = Alarm {
                    arn: arn.clone(),
                    description,
                    source,
                    fresh_for,
                    actions_enabled,
                    secret: secret.or(before.and_then(|before| before.secret)),
                    revision: same.map_or(position, |before| before.revision),
                    evidence: same.and_then(|before| before.evidence.clone()),
                    ordinal: before.map_or(position, |before| before.ordinal),
                    created_at: before.map_or(at, |before| before.created_at),
                    changed_at: at,
                };
                self.alarms.insert(arn, Arc::new(alarm));
                Ok(())
            }
            Event::AlarmUpdated { alarm, actions_enabled } => {
                let alarm = self.alarms.get_mut(&alarm).map(Arc::make_mut).ok_or_else(|| gone(&alarm))?;
                set(&mut alarm.actions_enabled, actions_enabled);
                alarm.changed_at = at;
                Ok(())
            }
            Event::AlarmDeleted { alarm } => {
                self.alarms.remove(&alarm);
                Ok(())
            }
            Event::AlarmReported { alarm, evidence } => {
                let alarm = self.alarms.get_mut(&alarm).map(Arc::make_mut).ok_or_else(|| gone(&alarm))?;
                alarm.evidence = Some(evidence);
                Ok(())
            }
            Event::TokenKeyCreated { sealed } => {
                self.token_key = Some(sealed);
                Ok(())
            }
            Event::SigningKeyCreated { sealed } => {
                self.signing_key = Some(sealed);
                Ok(())
            }
            Event::SecretsResealed { token_key, signing_key, access_keys } => {
                if signing_key.is_some() {
                    self.signing_key = signing_key;
                }
                if token_key.is_some() {
                    self.token_key = token_key;
                }
                for (id, secret) in access_keys {
                    if let Some(key) = self.access_keys.get_mut(&id) {
                        key.secret = secret;
                    }
                }
                Ok(())
            }
        }
    }

    fn application_mut(&mut self, id: &ApplicationId) -> Result<&mut Application, Inapplicable> {
        self.applications.get_mut(id).map(Arc::make_mut).ok_or_else(|| gone(id))
    }

    fn environment_mut(
        &mut self,
        application: &ApplicationId,
        id: &EnvironmentId,
    ) -> Result<&mut Environment, Inapplicable> {
        self.application_mut(application)?.environments.get_mut(id).ok_or_else(|| gone(id))
    }

    fn profile_mut(
        &mut self,
        application: &ApplicationId,
        id: &ProfileId,
    ) -> Result<&mut ConfigurationProfile, Inapplicable> {
        self.application_mut(application)?.profiles.get_mut(id).ok_or_else(|| gone(id))
    }

    fn change_forced(
        &mut self,
        application: &ApplicationId,
        environment_id: &EnvironmentId,
        profile: &ProfileId,
        change: impl FnOnce(&mut ForcedFlags),
    ) -> Applied {
        let environment = self.environment_mut(application, environment_id)?;
        change(Arc::make_mut(environment.forced.entry(profile.clone()).or_default()));
        let forces = environment.forces();
        let place = (application.clone(), environment_id.clone());
        if forces {
            self.forcing.insert(place);
        } else {
            self.forcing.remove(&place);
        }
        Ok(())
    }

    fn delete_application(&mut self, id: &ApplicationId) -> Applied {
        let Some(application) = self.applications.remove(id) else { return Ok(()) };
        for environment in application.environments.keys() {
            self.deploying.remove(&(id.clone(), environment.clone()));
            self.forcing.remove(&(id.clone(), environment.clone()));
        }
        self.drop_tokens(|token| token.application == *id);
        self.drop_deliveries(|delivery| delivery.application == *id);
        let associations: Vec<_> =
            self.associations_within(id).map(|association| association.id.clone()).collect();
        for association in &associations {
            self.associations.remove(association);
        }
        let versions = application.profiles.values().flat_map(|profile| profile.versions.values());
        let size_bytes: u64 = versions.map(|version| version.content.size_bytes).sum();
        self.hosted_bytes = self.hosted_bytes.saturating_sub(size_bytes);
        Ok(())
    }

    /// Keeps what ran because of a deployment, with the entry of its log that it belongs to: the last one unless given.
    /// What ran again stands where it stood.
    pub(crate) fn log_invocations(
        &mut self,
        (application, environment, number): (&ApplicationId, &EnvironmentId, DeploymentNumber),
        entry: Option<u32>,
        invocations: Vec<Invocation>,
    ) {
        let Ok(environment) = self.environment_mut(application, environment) else { return };
        let Some(deployment) = environment.deployments.get_mut(&number).map(Arc::make_mut) else { return };
        let last = u32::try_from(deployment.log.len().saturating_sub(1)).unwrap_or(u32::MAX);
        for invocation in invocations {
            let logged = LoggedInvocation { entry: entry.unwrap_or(last), invocation };
            let before = &mut deployment.invocations;
            match before.iter_mut().find(|one| one.invocation.id == logged.invocation.id) {
                Some(slot) => *slot = logged,
                None => before.push(logged),
            }
        }
    }

    /// Drops the bearer tokens of what is gone.
    fn drop_tokens(&mut self, gone: impl Fn(&BearerToken) -> bool) {
        let ids: Vec<_> =
            self.bearer_tokens.values().filter(|token| gone(token)).map(|token| token.id.clone()).collect();
        for id in &ids {
            self.bearer_tokens.remove(id);
        }
    }

    fn step_deployment(
        &mut self,
        application: &ApplicationId,
        environment_id: &EnvironmentId,
        number: DeploymentNumber,
        transition: Transition,
        at: Timestamp,
    ) -> Applied {
        let environment = self.environment_mut(application, environment_id)?;
        let slot = environment.deployments.get_mut(&number).ok_or_else(|| gone(number))?;
        let deployment = Arc::make_mut(slot);
        deployment.phase = deployment.phase.after(&transition, at);
        if let Some(kind) = log_kind(&transition, deployment) {
            deployment.log.push(DeploymentLogEntry { kind, at });
        }
        let profile = deployment.profile.clone();
        if transition == Transition::Completed {
            deployment.completed_at = Some(at);
            environment.completed.entry(profile).or_default().push_back(number);
        } else if transition == Transition::Reverted
            && let Some(numbers) = environment.completed.get_mut(&profile)
        {
            numbers.retain(|completed| *completed != number);
        }
        let over = environment.deployments.get(&number).is_some_and(|deployment| deployment.phase.is_over());
        if over {
            environment.open.retain(|open| *open != number);
        }
        if environment.open.is_empty() {
            self.deploying.remove(&(application.clone(), environment_id.clone()));
        }
        Ok(())
    }

    fn tags_mut(&mut self, resource: &Resource, change: impl FnOnce(&mut Tags)) -> Option<()> {
        match resource {
            Resource::Application(app) => change(&mut self.application_mut(app).ok()?.tags),
            Resource::Environment(app, env) => change(&mut self.environment_mut(app, env).ok()?.tags),
            Resource::Profile(app, profile) => change(&mut self.profile_mut(app, profile).ok()?.tags),
            Resource::HostedVersion(app, profile, number) => {
                let slot = self.profile_mut(app, profile).ok()?.versions.get_mut(number)?;
                change(&mut Arc::make_mut(slot).tags);
            }
            Resource::Deployment(app, env, number) => {
                let slot = self.environment_mut(app, env).ok()?.deployments.get_mut(number)?;
                change(&mut Arc::make_mut(slot).tags);
            }
            Resource::Strategy(id) => change(&mut self.strategies.get_mut(id)?.tags),
            Resource::Extension(id, version) => {
                let slot = Arc::make_mut(self.extensions.get_mut(id)?).versions.get_mut(version)?;
                change(&mut Arc::make_mut(slot).tags);
            }
            Resource::ExtensionAssociation(id) => {
                change(&mut Arc::make_mut(self.associations.get_mut(id)?).tags);
            }
        }
        Some(())
    }
}

/// What extensions are told of a transition.
fn point_after(transition: &Transition) -> Option<ActionPoint> {
    match transition {
        Transition::Begun => Some(ActionPoint::OnDeploymentStart),
        Transition::Advanced { .. } => Some(ActionPoint::OnDeploymentStep),
        Transition::BakeStarted { .. } => Some(ActionPoint::OnDeploymentBaking),
        Transition::Completed => Some(ActionPoint::OnDeploymentComplete),
        Transition::RolledBack(_) | Transition::Reverted => Some(ActionPoint::OnDeploymentRolledBack),
        Transition::Rescheduled { .. } => None,
    }
}

/// What the deployment's own log says of a transition.
fn log_kind(transition: &Transition, deployment: &Deployment) -> Option<DeploymentLogKind> {
    match transition {
        Transition::Begun => Some(DeploymentLogKind::Started),
        Transition::Advanced { exposure, .. } => Some(DeploymentLogKind::Exposed(*exposure)),
        Transition::BakeStarted { .. } => Some(DeploymentLogKind::BakeStarted),
        Transition::Completed => {
            let instantly = !deployment.log.iter().any(|entry| entry.kind == DeploymentLogKind::BakeStarted);
            Some(DeploymentLogKind::Completed { instantly })
        }
        Transition::RolledBack(by) => Some(DeploymentLogKind::RolledBack(by.clone())),
        Transition::Reverted => Some(DeploymentLogKind::Reverted),
        Transition::Rescheduled { .. } => None,
    }
}
