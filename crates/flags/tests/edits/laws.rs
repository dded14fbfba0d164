//! What holds for every edit of every document.

use jiff::Timestamp;
use proptest::prelude::*;
use yardarm_flags::document::{
    AttributeConstraints, Deprecation, FlagKey, NumberConstraints, StringConstraints,
};
use yardarm_flags::edit::{Change, Edit, NewVariant, Of, Position};
use yardarm_flags::{FlagDocument, diff, normalise, write};

use super::{document, text};

fn of() -> impl Strategy<Value = Of> {
    prop_oneof![Just(Of::Flag), Just(Of::All), variant().prop_map(Of::Variant)]
}

fn flag() -> impl Strategy<Value = FlagKey> {
    prop_oneof![
        4 => Just("checkout"),
        2 => Just("banner"),
        1 => Just("plain"),
        1 => Just("nothing"),
        1 => Just("defined"),
        1 => Just("new")
    ]
    .prop_map(|key| key.parse().unwrap())
}

fn variant() -> impl Strategy<Value = String> {
    prop_oneof![Just("beta"), Just("ten"), Just("default"), Just("x"), Just("")].prop_map(str::to_owned)
}

fn rule() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("(exists key::\"x\")".to_owned()),
        Just("(split pct::50 by::$userId seed::\"<&>\")".to_owned()),
        ".{0,8}"
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![Just("green"), Just("blue"), Just("red"), Just("3"), Just("-1"), Just("")]
        .prop_map(str::to_owned)
}

fn attribute() -> impl Strategy<Value = yardarm_flags::document::AttributeKey> {
    prop_oneof![Just("colour"), Just("text"), Just("price"), Just("other")]
        .prop_map(|key| key.parse().unwrap())
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![
        Just(Position::First),
        Just(Position::Last),
        variant().prop_map(Position::Before),
        variant().prop_map(Position::After)
    ]
}

fn constraints() -> impl Strategy<Value = Option<AttributeConstraints>> {
    prop_oneof![
        Just(None),
        Just(Some(AttributeConstraints::Boolean { required: None })),
        Just(Some(AttributeConstraints::String(StringConstraints::default()))),
        Just(Some(AttributeConstraints::Number(NumberConstraints {
            required: Some(true),
            ..NumberConstraints::default()
        }))),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let described = prop::option::of(".{0,6}");
    prop_oneof![
        Just(Change::Create),
        Just(Change::Delete),
        described.clone().prop_map(Change::Name),
        described.clone().prop_map(Change::Description),
        Just(Change::Deprecation(Some(Deprecation { date: None }))),
        (attribute(), described, constraints()).prop_map(|(attribute, description, constraints)| {
            Change::DefineAttribute { attribute, description, constraints }
        }),
        attribute().prop_map(Change::RemoveAttribute),
        (of(), any::<bool>()).prop_map(|(of, enabled)| Change::Enabled { of, enabled }),
        (of(), attribute(), value()).prop_map(|(of, attribute, value)| Change::Set {
            of,
            attribute,
            value: text(&value)
        }),
        (of(), attribute()).prop_map(|(of, attribute)| Change::Unset { of, attribute }),
        (variant(), rule(), any::<bool>(), position()).prop_map(|(name, rule, enabled, position)| {
            Change::AddVariant(NewVariant {
                name,
                rule,
                enabled,
                attributes: vec![],
                position,
                default_name: "default".into(),
            })
        }),
        (variant(), rule()).prop_map(|(variant, rule)| Change::Rule { variant, rule }),
        (variant(), variant()).prop_map(|(variant, name)| Change::RenameVariant { variant, name }),
        (variant(), position()).prop_map(|(variant, to)| Change::MoveVariant { variant, to }),
        variant().prop_map(Change::RemoveVariant),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    (flag(), prop::collection::vec(change(), 1..5)).prop_map(|(flag, changes)| Edit { flag, changes })
}

/// A stored document, as edits find it.
fn stored() -> FlagDocument {
    let stored = normalise(&document(), None, Timestamp::UNIX_EPOCH).unwrap();
    FlagDocument::read(&stored.bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn only_the_named_flag_differs(edit in edit()) {
        let before = stored();
        if let Ok(after) = edit.apply(&before) {
            for key in before.flags().keys().chain(after.flags().keys()).filter(|key| **key != edit.flag) {
                prop_assert_eq!(before.flags().get(key), after.flags().get(key));
            }
            for key in before.values().keys().chain(after.values().keys()).filter(|key| **key != edit.flag) {
                prop_assert_eq!(before.values().get(key), after.values().get(key));
            }
            let differences = diff(&before, &after);
            prop_assert!(differences.iter().all(|difference| difference.flag == edit.flag));
        }
    }

    #[test]
    fn what_comes_out_can_be_stored_and_means_the_same_then(edits in prop::collection::vec(edit(), 1..4)) {
        let before = stored();
        let mut after = before.clone();
        for edit in edits {
            after = edit.apply(&after).unwrap_or(after);
        }
        let submitted = FlagDocument::read(&write(&after)).unwrap();
        let stored = normalise(&submitted, Some(&before), Timestamp::UNIX_EPOCH).unwrap();
        let stored = FlagDocument::read(&stored.bytes).unwrap();
        prop_assert_eq!(diff(&after, &stored), vec![]);
        prop_assert_eq!(diff(&before, &after).is_empty(), diff(&after, &before).is_empty());
    }

    #[test]
    fn off_and_on_again_is_as_before(flag in flag(), of in of()) {
        let switch = |enabled| Edit { flag: flag.clone(), changes: vec![Change::Enabled { of: of.clone(), enabled }] };
        if let Ok(on) = switch(true).apply(&stored()) {
            let off = switch(false).apply(&on).unwrap();
            prop_assert_eq!(switch(true).apply(&off).unwrap(), on);
        }
    }

    #[test]
    fn an_edit_made_twice_is_made_once_or_refused(edit in edit()) {
        let before = stored();
        let idempotent = |change: &Change| matches!(
            change,
            Change::Name(_) | Change::Description(_) | Change::Deprecation(_) | Change::Enabled { .. } | Change::Set { .. } | Change::Rule { .. }
        );
        if edit.changes.iter().all(idempotent)
            && let Ok(after) = edit.apply(&before)
        {
            prop_assert_eq!(edit.apply(&after), Ok(after));
        }
    }
}
