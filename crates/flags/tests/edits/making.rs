//! Flags made, described and removed.

use yardarm_flags::document::{AttributeConstraints, Deprecation, NumberConstraints, StringConstraints};
use yardarm_flags::edit::{Change, Of};

use super::{edited, lines, refused, set};

fn define(attribute: &str, constraints: Option<AttributeConstraints>) -> Change {
    Change::DefineAttribute { attribute: attribute.parse().unwrap(), description: None, constraints }
}

fn required_string() -> AttributeConstraints {
    AttributeConstraints::String(StringConstraints { required: Some(true), rule: None })
}

#[test]
fn a_flag_is_made_with_everything_at_once() {
    let price = NumberConstraints { required: None, minimum: Some(0.into()), maximum: Some(100.into()) };
    let changes = [
        Change::Create,
        Change::Name(Some("Winter".into())),
        Change::Description(Some("Banner of the season".into())),
        define("text", Some(required_string())),
        define("price", Some(AttributeConstraints::Number(price))),
        set(Of::Flag, "text", "Cocoa"),
        set(Of::Flag, "price", "3.5"),
        Change::Enabled { of: Of::Flag, enabled: true },
    ];
    let expected = [
        "winter added name: Winter",
        "winter added description: Banner of the season",
        "winter added attribute price: number from 0 to 100",
        "winter added attribute text: string, required",
        "winter added enabled: true",
        "winter added value price: 3.5",
        "winter added value text: \"Cocoa\"",
    ];
    assert_eq!(lines("winter", changes), expected);
}

#[test]
fn a_new_flag_is_off() {
    assert_eq!(lines("winter", [Change::Create]), ["winter added enabled: false"]);
}

#[test]
fn a_flag_is_made_once() {
    for flag in ["banner", "plain", "defined"] {
        let expected = format!("flags.{flag}: there is a flag `{flag}` already");
        assert_eq!(refused(flag, [Change::Create]), expected);
    }
}

#[test]
fn what_does_not_exist_is_not_changed() {
    assert_eq!(refused("baner", [Change::Delete]), "flags.baner: there is no flag `baner`");
    assert_eq!(refused("plain", [Change::Delete, Change::Delete]), "flags.plain: there is no flag `plain`");
}

#[test]
fn a_required_attribute_wants_a_value_and_the_refusal_says_where() {
    let changes = [Change::Create, define("text", Some(required_string()))];
    let told = refused("winter", changes);
    assert_eq!(told, "2 violations in the flag document; first: Not(IsZero([])) at values.winter.attributes");
}

#[test]
fn a_flag_is_described_and_deprecated_and_neither() {
    let date = "2027-01-31".parse().ok();
    assert_eq!(
        lines(
            "plain",
            [Change::Description(Some("A".into())), Change::Deprecation(Some(Deprecation { date }))]
        ),
        ["plain changed description: A", "plain changed deprecation: planned, by 2027-01-31"]
    );
    assert_eq!(lines("banner", [Change::Name(None)]), ["banner changed name: Banner"]);
    assert!(refused("banner", [Change::Name(Some("two\nlines".into()))]).contains("flags.banner.name"));
}

#[test]
fn a_deleted_flag_is_gone() {
    let after = edited("checkout", [Change::Delete]).unwrap();
    assert!(!after.flags().contains_key("checkout") && !after.values().contains_key("checkout"));
}

#[test]
fn an_attribute_goes_with_its_values() {
    let remove = |attribute: &str| Change::RemoveAttribute(attribute.parse().unwrap());
    assert_eq!(
        lines("checkout", [remove("colour")]),
        [
            "checkout changed attribute colour: string of \"blue\" | \"green\"",
            "checkout changed variant beta: value colour: \"green\""
        ]
    );
    assert_eq!(
        refused("checkout", [remove("size")]),
        "flags.checkout.attributes.size: `checkout` has no attribute `size`; it defines `colour`"
    );
}

#[test]
fn new_constraints_hold_for_the_values_there_are() {
    let limits = NumberConstraints { required: None, minimum: None, maximum: Some(4.into()) };
    let told = refused("banner", [define("price", Some(AttributeConstraints::Number(limits)))]);
    assert_eq!(told, "1 violation in the flag document; first: FloatLTE(4) at values.banner.price");
}
