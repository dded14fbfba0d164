//! Alarms and what they do to deployments, told as stories: a command at a time, seconds apart.

use super::stage::{Stage, it};
use AlarmState::{Alarm as Firing, InsufficientData, Ok as Quiet};
use jiff::SignedDuration;
use yardarm_domain::rollout::TriggeredBy;
use yardarm_domain::{
    Alarm, AlarmArn, AlarmReport, AlarmSource, AlarmState, ChangeAlarm, Comparison, Concurrency, DeleteAlarm,
    Deployment, DeploymentLogKind, DeploymentNumber, DeploymentState, EnvironmentState, MissingData, Monitor,
    Policy, ProfileType, PrometheusAlarm, Refusal, ReportAlarms, Threshold, UnregisteredAlarms,
    UpdateEnvironment,
};

impl Stage {
    /// The same with the alarm in the registry: pushed, fresh for a minute.
    fn registered() -> Self {
        let mut stage = Self::new(ProfileType::Freeform);
        stage.put("errors", AlarmSource::Pushed, 60);
        stage
    }

    /// Lets time pass in steps of ten seconds, the alarm saying `state` at each.
    fn watched(&mut self, seconds: i64, state: AlarmState) {
        for _ in 0..seconds / 10 {
            self.now += SignedDuration::from_secs(10);
            self.tell(state);
            self.wait(0);
        }
    }

    fn latest(&self) -> &Deployment {
        let environment = self.world.environment(&self.application, &self.environment).unwrap();
        environment.deployments.values().next_back().unwrap()
    }

    fn percent(&self) -> u32 {
        self.latest().exposure().parts_per_million() / 10_000
    }

    fn alarm(&self) -> &Alarm {
        self.world.alarm(&it("errors")).unwrap()
    }

    fn rolled_back_by(&self) -> Option<(&AlarmArn, AlarmState)> {
        match &self.latest().log.last()?.kind {
            DeploymentLogKind::RolledBack(TriggeredBy::Alarm { alarm, state }) => Some((alarm, *state)),
            _ => None,
        }
    }
}

#[test]
fn a_watched_deployment_grows_and_bakes_while_its_alarm_is_quiet() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    stage.deploy().unwrap();
    stage.watched(600, Quiet);
    assert_eq!((stage.percent(), stage.latest().state()), (100, DeploymentState::Baking));
    stage.watched(300, Quiet);
    assert_eq!(stage.latest().state(), DeploymentState::Complete);
}

#[test]
fn an_alarm_takes_a_growing_deployment_back_in_the_record_after_it() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    stage.deploy().unwrap();
    stage.watched(160, Quiet);
    assert_eq!(stage.percent(), 25);
    assert_eq!(stage.tell(Firing), 2, "the alarm and the rollback are recorded together");
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), Firing)));
    let environment = stage.world.environment(&stage.application, &stage.environment).unwrap();
    assert_eq!(environment.state(), EnvironmentState::RolledBack);
    assert_eq!(stage.percent(), 0);
}

#[test]
fn an_alarm_or_none_takes_a_baking_deployment_back() {
    for state in [Firing, InsufficientData] {
        let mut stage = Stage::registered();
        stage.tell(Quiet);
        stage.deploy().unwrap();
        stage.watched(700, Quiet);
        assert_eq!(stage.latest().state(), DeploymentState::Baking);
        stage.tell(state);
        assert_eq!(stage.rolled_back_by(), Some((&it("errors"), state)));
    }
}

#[test]
fn silence_holds_no_step_beyond_what_is_fresh_and_then_takes_back() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    stage.deploy().unwrap();
    stage.watched(150, Quiet);
    assert_eq!(stage.percent(), 25);
    stage.wait(60);
    assert_eq!(stage.percent(), 25, "a minute old is fresh");
    stage.wait(1);
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), InsufficientData)));
}

#[test]
fn an_alarm_never_heard_of_holds_a_new_deployment_and_then_takes_it_back() {
    let mut stage = Stage::registered();
    stage.strategy = stage.strategy(20, 300, 25);
    stage.wait(120);
    stage.deploy().unwrap();
    stage.wait(30);
    assert_eq!((stage.percent(), stage.rolled_back_by()), (0, None), "there may be news yet");
    let mut heard = Stage { world: stage.world.clone(), policy: Policy::default(), ..Stage::registered() };
    (heard.now, heard.position, heard.attentive_since) = (stage.now, stage.position, stage.attentive_since);
    (heard.application, heard.environment) = (stage.application.clone(), stage.environment.clone());
    heard.tell(Quiet);
    heard.wait(0);
    assert_eq!(heard.percent(), 25, "the step was waiting for evidence only");
    stage.wait(31);
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), InsufficientData)));
}

#[test]
fn silence_while_nobody_listened_is_not_the_alarms() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    stage.deploy().unwrap();
    stage.watched(150, Quiet);
    // The server is away for an hour.
    stage.now += SignedDuration::from_hours(1);
    stage.attentive_since = stage.now;
    stage.wait(50);
    assert_eq!((stage.percent(), stage.rolled_back_by()), (25, None), "held, not taken back");
    stage.tell(Quiet);
    stage.wait(0);
    assert_eq!(stage.percent(), 50);
    // Away again, and nothing is heard after that.
    stage.now += SignedDuration::from_hours(1);
    stage.attentive_since = stage.now;
    stage.wait(61);
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), InsufficientData)));
}

#[test]
fn an_alarm_whose_actions_are_disabled_takes_nothing_back_and_refuses_nothing() {
    let mut stage = Stage::registered();
    stage.tell(Firing);
    assert!(matches!(stage.deploy(), Err(Refusal::AlarmFiring { state: Firing, .. })));
    stage.run(ChangeAlarm { arn: it("errors"), actions_enabled: false }).unwrap();
    stage.deploy().unwrap();
    stage.watched(160, Firing);
    assert_eq!(stage.percent(), 25);
    stage.run(ChangeAlarm { arn: it("errors"), actions_enabled: true }).unwrap();
    stage.wait(0);
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), Firing)));
}

#[test]
fn a_source_may_have_its_actions_disabled_too() {
    let mut stage = Stage::registered();
    let report = AlarmReport { actions_enabled: false, ..stage.report("errors", Firing) };
    stage.run(ReportAlarms { reports: vec![report] }).unwrap();
    stage.deploy().unwrap();
    stage.wait(151);
    assert_eq!(stage.percent(), 25);
}

#[test]
fn a_firing_alarm_is_overridden_with_a_reason_and_for_that_deployment_only() {
    let mut stage = Stage::registered();
    stage.put("latency", AlarmSource::Pushed, 3_600);
    let monitors = ["errors", "latency"].map(|arn| Monitor { alarm_arn: it(arn), alarm_role_arn: None });
    let update = UpdateEnvironment {
        application: stage.application.clone(),
        environment: stage.environment.clone(),
        name: None,
        description: None,
        monitors: Some(monitors.to_vec()),
    };
    stage.run(update).unwrap();
    stage.tell(Firing);
    let quiet = stage.report("latency", Quiet);
    stage.run(ReportAlarms { reports: vec![quiet] }).unwrap();
    stage.run(stage.deployment(Some(("YDMADMIN", "it mends the errors")))).unwrap();
    let overridden = stage.latest().alarms_overridden.clone().unwrap();
    assert_eq!(overridden.alarms, [it("errors")]);
    assert_eq!((&*overridden.by, &*overridden.reason), ("YDMADMIN", "it mends the errors"));
    stage.watched(300, Firing);
    assert_eq!(stage.percent(), 50, "the alarm that was overridden does not take it back");
    let firing = stage.report("latency", Firing);
    stage.run(ReportAlarms { reports: vec![firing] }).unwrap();
    assert_eq!(stage.rolled_back_by(), Some((&it("latency"), Firing)), "another one does");
    assert!(matches!(stage.deploy(), Err(Refusal::AlarmFiring { .. })));
}

#[test]
fn an_alarm_that_is_not_registered_is_refused_or_said_to_be_unwatched() {
    let mut stage = Stage::new(ProfileType::Freeform);
    let refused = Refusal::AlarmUnregistered { environment: stage.environment.clone(), alarm: it("errors") };
    assert_eq!(stage.deploy(), Err(refused));
    stage.policy.unregistered_alarms = UnregisteredAlarms::Ignore;
    stage.deploy().unwrap();
    assert_eq!(stage.latest().alarms_not_watched, [it("errors")]);
    stage.wait(151);
    assert_eq!(stage.percent(), 25);
}

#[test]
fn an_alarm_cannot_be_deleted_while_a_deployment_depends_on_it() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    stage.deploy().unwrap();
    let delete = DeleteAlarm { arn: it("errors") };
    assert!(matches!(stage.run(delete.clone()), Err(Refusal::AlarmInUse { .. })));
    stage.tell(Firing);
    stage.run(delete.clone()).unwrap();
    assert!(matches!(stage.run(delete), Err(Refusal::NotFound(_))));
}

#[test]
fn a_breach_that_must_last_holds_before_it_takes_back() {
    let mut stage = Stage::new(ProfileType::Freeform);
    let source = AlarmSource::Prometheus(PrometheusAlarm {
        url: it("http://127.0.0.1:9090"),
        query: it("errors"),
        comparison: Comparison::Above,
        threshold: Threshold::new(5.0).unwrap(),
        for_s: 30,
        missing_data: MissingData::Missing,
    });
    stage.put("errors", source, 60);
    stage.tell(Quiet);
    stage.deploy().unwrap();
    stage.watched(140, Quiet);
    stage.watched(20, Firing);
    assert_eq!((stage.percent(), stage.rolled_back_by()), (0, None), "the step is due, and held");
    stage.watched(10, Quiet);
    assert_eq!(stage.percent(), 25, "the breach is over");
    stage.watched(40, Firing);
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), Firing)));
}

#[test]
fn what_is_no_news_is_recorded_twice_while_it_is_fresh_and_no_more() {
    let mut stage = Stage::registered();
    assert_eq!(stage.tell(Quiet), 1);
    let mut records = 0;
    for _ in 0..60 {
        stage.now += SignedDuration::from_secs(1);
        records += stage.tell(Quiet);
    }
    assert_eq!(records, 2);
    assert_eq!(stage.alarm().state(stage.now), Quiet);
}

#[test]
fn late_and_foreign_evidence_is_dropped() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    let late = AlarmReport { at: stage.now - SignedDuration::from_secs(1), ..stage.report("errors", Firing) };
    stage.run(ReportAlarms { reports: vec![late] }).unwrap();
    let foreign = AlarmReport { revision: Some(0), ..stage.report("errors", Firing) };
    stage.run(ReportAlarms { reports: vec![foreign] }).unwrap();
    assert_eq!(stage.alarm().state(stage.now), Quiet);
    let revision = stage.alarm().revision;
    stage.put("errors", AlarmSource::Pushed, 90);
    assert_eq!(
        (stage.alarm().revision, stage.alarm().state(stage.now)),
        (revision, Quiet),
        "the same source"
    );
    stage.put("errors", AlarmSource::named_by(&it("arn:aws:cloudwatch:eu-west-1:1:alarm:a")).unwrap(), 90);
    assert_eq!(stage.alarm().state(stage.now), InsufficientData, "another source has said nothing yet");
}

#[test]
fn a_clock_set_back_neither_keeps_evidence_fresh_nor_locks_news_out() {
    let mut stage = Stage::registered();
    stage.tell(Quiet);
    stage.now -= SignedDuration::from_hours(1);
    stage.attentive_since = stage.now;
    assert_eq!(stage.alarm().state(stage.now), InsufficientData);
    assert_eq!(stage.tell(Firing), 1);
    assert_eq!(stage.alarm().state(stage.now), Firing);
}

#[test]
fn groups_are_told_of_one_by_one() {
    let mut stage = Stage::registered();
    let mut tell = |group: &str, state| {
        stage.now += SignedDuration::from_secs(1);
        let report = AlarmReport { group: Some(it(group)), ..stage.report("errors", state) };
        stage.run(ReportAlarms { reports: vec![report] }).unwrap();
        stage.alarm().state(stage.now)
    };
    assert_eq!(tell("a", Firing), Firing);
    assert_eq!(tell("b", Firing), Firing);
    assert_eq!(tell("a", Quiet), Firing, "the other one still is");
    assert_eq!(tell("b", Quiet), Quiet);
    for number in 0..100 {
        tell(&format!("g{number}"), Firing);
    }
    for number in 0..100 {
        tell(&format!("g{number}"), Quiet);
    }
    assert_eq!(tell("a", Quiet), Firing, "too many to know when all are over");
    assert!(stage.alarm().evidence.as_ref().unwrap().firing.len() <= 65);
    assert_eq!(stage.tell(Quiet), 1);
    assert_eq!(stage.alarm().state(stage.now), Quiet, "told whole");
}

#[test]
fn a_queued_deployment_that_needs_no_time_waits_for_evidence_too() {
    let mut stage = Stage::registered();
    stage.policy.concurrency = Concurrency::Queue;
    stage.tell(Quiet);
    stage.deploy().unwrap();
    stage.strategy = stage.strategy(0, 0, 25);
    stage.deploy().unwrap();
    stage.tell(Firing);
    let environment = stage.world.environment(&stage.application, &stage.environment).unwrap();
    assert_eq!(environment.deployments[&DeploymentNumber(1)].state(), DeploymentState::RolledBack);
    stage.wait(0);
    assert_eq!(stage.rolled_back_by(), Some((&it("errors"), Firing)), "it never reached anybody");
    assert_eq!(stage.latest().completed_at, None);
}
