//! The kill switch, told as stories: flags are forced, seconds pass, alarms are heard of, deployments go on.

use super::stage::{CONTENT, Stage, it};
use AlarmState::{Alarm as Firing, Ok as Quiet};
use jiff::SignedDuration;
use proptest::prelude::*;
use yardarm_domain::rollout::TriggeredBy;
use yardarm_domain::{
    AlarmSource, AlarmState, FlagKey, ForceFlag, ForceTo, ForcedFlags, GrowFor, GrowingForce, Missing,
    ProfileType, Quota, Refusal, ReleaseFlag, WatchFor,
};

fn variant(name: &str) -> ForceTo {
    ForceTo::Variant(name.into())
}

impl Stage {
    /// Watched by the alarm `errors`; what is deployed everybody has at once.
    fn at_once(kind: ProfileType) -> Self {
        let mut stage = Self::new(kind);
        stage.put("errors", AlarmSource::Pushed, 60);
        stage.strategy = stage.strategy(0, 0, 100);
        stage
    }

    /// With a version that everybody has.
    fn serving() -> Self {
        let mut stage = Self::at_once(ProfileType::FeatureFlags);
        stage.deploy_at_once();
        stage
    }

    fn deploy_at_once(&mut self) {
        self.tell(Quiet);
        self.deploy().unwrap();
        self.wait(0);
    }

    fn wanted(&self, flag: &str, to: ForceTo) -> ForceFlag {
        ForceFlag {
            application: self.application.clone(),
            environment: self.environment.clone(),
            profile: self.profile.clone(),
            flag: it(flag),
            to,
            by: "ada".into(),
            reason: it("it charges twice"),
            grow_for: GrowFor::DEFAULT,
            watch_for: WatchFor::DEFAULT,
            looked_at: vec![CONTENT.hash],
        }
    }

    fn force(&mut self, flag: &str, to: ForceTo) {
        self.run(self.wanted(flag, to)).unwrap();
    }

    fn release(&mut self, flag: &str) -> Result<(), Refusal> {
        let command = ReleaseFlag {
            application: self.application.clone(),
            environment: self.environment.clone(),
            profile: self.profile.clone(),
            flag: it(flag),
            by: "bob".into(),
            reason: None,
        };
        self.run(command).map(|_| ())
    }

    fn forced(&self) -> ForcedFlags {
        let environment = self.world.environment(&self.application, &self.environment).unwrap();
        environment.forced_flags(&self.profile).cloned().unwrap_or_default()
    }

    /// What a flag is forced to for those whom flags on their way have reached, and for everybody else.
    fn is(&self, flag: &str) -> (Option<ForceTo>, Option<ForceTo>) {
        let (forced, key) = (self.forced(), it::<FlagKey>(flag));
        let find = |(of, to): (&FlagKey, &ForceTo)| (*of == key).then(|| to.clone());
        (forced.for_reached().find_map(find), forced.for_everyone().find_map(find))
    }
}

#[test]
fn a_forced_flag_reaches_a_few_and_then_everybody_and_stays() {
    let mut stage = Stage::serving();
    stage.force("checkout", ForceTo::Off);
    assert_eq!(stage.is("checkout"), (Some(ForceTo::Off), None));
    assert_eq!(GrowingForce::EXPOSURE.percent(), 1.0);
    stage.wait(4);
    assert_eq!(stage.is("checkout"), (Some(ForceTo::Off), None));
    stage.wait(1);
    assert_eq!(stage.is("checkout"), (Some(ForceTo::Off), Some(ForceTo::Off)));
    assert_eq!(stage.forced().growing, None);
    stage.deploy_at_once();
    stage.wait(86_400);
    assert_eq!(stage.is("checkout"), (Some(ForceTo::Off), Some(ForceTo::Off)), "whatever is deployed");
    let forced = &stage.forced().flags[&it::<FlagKey>("checkout")];
    assert_eq!((forced.by.as_str(), forced.reason.as_str()), ("ada", "it charges twice"));
}

#[test]
fn releasing_gives_everybody_what_is_deployed_at_once_and_is_remembered() {
    for seconds in [1, 10] {
        let mut stage = Stage::serving();
        stage.force("checkout", ForceTo::Off);
        stage.wait(seconds);
        stage.release("checkout").unwrap();
        assert_eq!(stage.is("checkout"), (None, None));
        assert_eq!(stage.forced().growing, None);
        let released = stage.forced().released.remove(0);
        assert_eq!((released.triggered_by, released.by), (TriggeredBy::User, Some("bob".into())));
        let missing = Refusal::NotFound(Missing::ForcedFlag(it("checkout")));
        assert_eq!(stage.release("checkout"), Err(missing));
        assert_eq!(stage.world.forcing().count(), 0);
    }
}

#[test]
fn an_alarm_that_fires_while_it_is_watched_releases_it_in_the_record_after_it() {
    for seconds in [1, 30, 64] {
        let mut stage = Stage::serving();
        stage.force("checkout", ForceTo::Off);
        stage.wait(5.min(seconds));
        stage.wait(seconds - 5.min(seconds));
        assert!(stage.world.needs_alarm(&it("errors"), stage.now));
        assert_eq!(stage.tell(Firing), 2, "the alarm and the release are recorded together");
        assert_eq!(stage.is("checkout"), (None, None));
        let alarm = TriggeredBy::Alarm { alarm: it("errors"), state: Firing };
        assert_eq!(stage.forced().released[0].triggered_by, alarm);
        stage.wait(0);
    }
    let mut stage = Stage::serving();
    stage.force("checkout", ForceTo::Off);
    stage.wait(5);
    stage.wait(60);
    assert!(!stage.world.needs_alarm(&it("errors"), stage.now));
    assert_eq!(stage.tell(Firing), 1, "it is watched no more");
}

#[test]
fn alarms_that_fired_before_do_not_count() {
    let mut stage = Stage::serving();
    stage.tell(Firing);
    stage.force("checkout", ForceTo::Off);
    stage.wait(3);
    stage.tell(Firing);
    stage.tell(Quiet);
    stage.tell(Firing);
    stage.wait(2);
    let forced = &stage.forced().flags[&it::<FlagKey>("checkout")];
    assert_eq!(forced.alarms_disregarded, [it("errors")]);
    assert!(forced.grown_at.is_some());
}

#[test]
fn nothing_is_taken_back_where_nobody_watches() {
    let mut stage = Stage::serving();
    let watch_for = WatchFor::try_from(0).unwrap();
    stage.run(ForceFlag { watch_for, ..stage.wanted("checkout", ForceTo::Off) }).unwrap();
    assert_eq!(stage.tell(Firing), 1);
    stage.wait(5);
    assert_eq!(stage.is("checkout").1, Some(ForceTo::Off));
}

#[test]
fn flags_that_grow_at_the_same_time_grow_together() {
    let mut stage = Stage::serving();
    let grow_for = GrowFor::try_from(40).unwrap();
    stage.run(ForceFlag { grow_for, ..stage.wanted("checkout", ForceTo::Off) }).unwrap();
    let first = stage.forced().growing.unwrap();
    stage.wait(30);
    stage.force("banner", ForceTo::Off);
    let second = stage.forced().growing.unwrap();
    assert_eq!((first.number, first.until), (second.number, second.until), "the longer time counts");
    stage.run(ForceFlag { grow_for, ..stage.wanted("search", ForceTo::Off) }).unwrap();
    let third = stage.forced().growing.unwrap();
    assert_eq!(third.until, first.since + SignedDuration::from_secs(60), "and no more than a minute");
    stage.wait(29);
    assert_eq!(stage.forced().for_everyone().count(), 0);
    stage.wait(1);
    assert_eq!(stage.forced().for_everyone().count(), 3);
    assert_eq!(stage.forced().growing, None);
}

#[test]
fn forced_anew_a_flag_is_what_it_was_for_those_who_are_not_reached_and_an_alarm_brings_that_back() {
    let mut stage = Stage::serving();
    stage.force("checkout", variant("old"));
    stage.wait(5);
    stage.force("checkout", ForceTo::Off);
    stage.force("checkout", variant("older"));
    assert_eq!(stage.is("checkout"), (Some(variant("older")), Some(variant("old"))));
    stage.wait(5);
    assert_eq!(stage.is("checkout").1, Some(variant("older")));
    stage.tell(Firing);
    assert_eq!(stage.is("checkout"), (Some(variant("old")), Some(variant("old"))));
    stage.wait(1);
    stage.force("checkout", ForceTo::Off);
    stage.release("checkout").unwrap();
    assert_eq!(stage.is("checkout"), (None, None), "a person releases all of it");
}

#[test]
fn a_clock_that_was_set_back_holds_up_no_way_back() {
    let mut stage = Stage::serving();
    stage.force("checkout", ForceTo::Off);
    stage.wait(-86_400);
    assert_eq!(stage.is("checkout").1, Some(ForceTo::Off));
}

#[test]
fn what_cannot_be_forced_is_said() {
    let mut stage = Stage::at_once(ProfileType::FeatureFlags);
    let nothing = Refusal::NothingDeployed(stage.environment.clone(), stage.profile.clone());
    assert_eq!(stage.run(stage.wanted("checkout", ForceTo::Off)), Err(nothing));
    stage.deploy_at_once();
    let command = ForceFlag { looked_at: vec![], ..stage.wanted("checkout", ForceTo::Off) };
    assert_eq!(stage.run(command), Err(Refusal::Raced));
    for number in 0..ForcedFlags::MOST {
        stage.force(&format!("flag{number}"), ForceTo::Off);
    }
    let limit = ForcedFlags::MOST as u64;
    let full = Err(Refusal::QuotaExceeded { quota: Quota::ForcedFlags, limit });
    assert_eq!(stage.run(stage.wanted("checkout", ForceTo::Off)), full);
    stage.force("flag0", variant("old"));
    let mut other = Stage::at_once(ProfileType::Freeform);
    other.deploy_at_once();
    let no_flags = Err(Refusal::NoFlagProfile(other.profile.clone()));
    assert_eq!(other.run(other.wanted("checkout", ForceTo::Off)), no_flags);
    assert!(GrowFor::try_from(0).is_err() && GrowFor::try_from(61).is_err());
    assert!(WatchFor::try_from(86_401).is_err());
}

#[test]
fn with_its_profile_everything_forced_is_gone() {
    let mut stage = Stage::serving();
    stage.force("checkout", ForceTo::Off);
    let event = yardarm_domain::Event::ConfigurationProfileDeleted {
        application: stage.application.clone(),
        profile: stage.profile.clone(),
    };
    stage.world.apply(stage.position + 1, stage.now, event).unwrap();
    assert_eq!((stage.world.forcing().count(), stage.forced()), (0, ForcedFlags::default()));
    stage.wait(10);
}

#[derive(Clone, Debug)]
enum Move {
    Force(usize, ForceTo, u32),
    Release(usize),
    Wait(i64),
}

const FLAGS: [&str; 3] = ["banner", "checkout", "search"];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let to = prop_oneof![Just(ForceTo::Off), "[ab]".prop_map(ForceTo::Variant)];
    let one = prop_oneof![
        3 => (0..FLAGS.len(), to, 1_u32..=60).prop_map(|(flag, to, grow)| Move::Force(flag, to, grow)),
        1 => (0..FLAGS.len()).prop_map(Move::Release),
        3 => (0_i64..20).prop_map(Move::Wait),
    ];
    proptest::collection::vec(one, 0..20)
}

proptest! {
    #[test]
    fn growing_takes_a_forced_flag_from_nobody_and_releasing_gives_it_back_to_everybody(moves in moves()) {
        let mut stage = Stage::serving();
        for one in moves {
            let before = FLAGS.map(|flag| stage.is(flag));
            match &one {
                Move::Force(flag, to, grow_s) => {
                    let grow_for = GrowFor::try_from(*grow_s).unwrap();
                    let wanted = stage.wanted(FLAGS[*flag], to.clone());
                    stage.run(ForceFlag { grow_for, ..wanted }).unwrap();
                }
                Move::Release(flag) => drop(stage.release(FLAGS[*flag])),
                Move::Wait(seconds) => stage.wait(*seconds),
            }
            for (index, (flag, (reached, everyone))) in FLAGS.iter().zip(before).enumerate() {
                let after = stage.is(flag);
                match &one {
                    Move::Force(forced, to, _) if *forced == index => {
                        prop_assert_eq!(after, (Some(to.clone()), everyone));
                    }
                    Move::Release(released) if *released == index => prop_assert_eq!(after, (None, None)),
                    Move::Wait(_) => {
                        prop_assert_eq!(&after.0, &reached);
                        prop_assert!(after.1 == everyone || after.1 == reached);
                    }
                    _ => prop_assert_eq!(after, (reached, everyone)),
                }
            }
        }
        stage.wait(60);
        prop_assert_eq!(stage.forced().growing, None);
        for flag in FLAGS {
            let (reached, everyone) = stage.is(flag);
            prop_assert_eq!(reached, everyone);
        }
    }
}
