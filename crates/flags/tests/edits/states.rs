//! Turning on and off, and attribute values.

use yardarm_flags::edit::{Change, Of};

use super::{document, edited, lines, refused, set, variant};

fn enabled(of: Of, enabled: bool) -> Change {
    Change::Enabled { of, enabled }
}

#[test]
fn a_flag_is_turned_on() {
    assert_eq!(lines("plain", [enabled(Of::Flag, true)]), ["plain changed enabled: false → true"]);
    assert_eq!(lines("nothing", [enabled(Of::All, true)]), ["nothing changed enabled: false → true"]);
    assert_eq!(lines("defined", [enabled(Of::Flag, false)]), ["defined changed enabled: false"]);
}

#[test]
fn of_a_flag_with_variants_one_is_named_or_all_are_meant() {
    assert_eq!(
        refused("checkout", [enabled(Of::Flag, true)]),
        "values.checkout._variants: `checkout` has variants: say which is meant, `beta` or `ten` or `default`"
    );
    assert_eq!(
        lines("checkout", [enabled(variant("default"), true)]),
        ["checkout changed variant default: enabled: false → true"]
    );
    assert_eq!(
        lines("checkout", [enabled(Of::All, false)]),
        [
            "checkout changed variant beta: enabled: true → false",
            "checkout changed variant ten: enabled: true → false"
        ]
    );
    assert_eq!(
        refused("checkout", [enabled(variant("gamma"), true)]),
        "values.checkout._variants.gamma: `checkout` has no variant `gamma`; it has `beta`, `ten`, `default`"
    );
    assert_eq!(
        refused("plain", [enabled(variant("gamma"), true)]),
        "values.plain._variants.gamma: `plain` has no variant `gamma`; it has none"
    );
}

#[test]
fn a_value_is_read_as_its_definition_says() {
    assert_eq!(
        lines("banner", [set(Of::Flag, "text", "42"), set(Of::Flag, "price", "42")]),
        ["banner changed value price: 4.5 → 42", "banner changed value text: \"Peppermint\" → \"42\""]
    );
    assert_eq!(lines("checkout", [set(Of::All, "colour", "blue")]).len(), 3, "of all variants");
    assert_eq!(
        refused("banner", [set(Of::Flag, "price", "dear")]),
        "values.banner.price: `dear` is no value of `price`, which takes a number"
    );
    assert_eq!(
        refused("banner", [set(Of::Flag, "prize", "1")]),
        "flags.banner.attributes.prize: `banner` has no attribute `prize`; it defines `price`, `text`"
    );
}

#[test]
fn a_value_outside_its_constraints_is_refused_with_its_place() {
    assert_eq!(
        refused("banner", [set(Of::Flag, "price", "-1")]),
        "1 violation in the flag document; first: FloatGTE(0) at values.banner.price"
    );
    assert_eq!(
        refused("checkout", [set(variant("beta"), "colour", "red")]),
        "1 violation in the flag document; first: OneOf(blue, green) at \
         values.checkout._variants.variants.beta.attributeValues.colour"
    );
}

#[test]
fn a_value_is_removed_unless_it_is_required() {
    let unset = |attribute: &str| Change::Unset { of: Of::Flag, attribute: attribute.parse().unwrap() };
    assert_eq!(lines("banner", [unset("price")]), ["banner changed value price: 4.5"]);
    assert!(refused("banner", [unset("text")]).contains("values.banner.attributes"));
}

#[test]
fn what_is_refused_changes_nothing_and_what_is_so_already_stays() {
    assert!(edited("plain", [enabled(Of::Flag, true), set(Of::Flag, "x", "1")]).is_err());
    assert_eq!(edited("plain", [enabled(Of::Flag, false)]).unwrap(), document());
}
