//! Variants added, changed, moved, renamed and removed.

use yardarm_flags::FlagDocument;
use yardarm_flags::document::Setting;
use yardarm_flags::edit::{Change, NewVariant, Position};

use super::{edited, lines, refused, text};

fn new(name: &str, rule: &str) -> NewVariant {
    NewVariant {
        name: name.into(),
        rule: rule.into(),
        enabled: true,
        attributes: vec![],
        position: Position::Last,
        default_name: "default".into(),
    }
}

fn order(document: &FlagDocument, flag: &str) -> Vec<String> {
    let Setting::Variants(variants) = document.values()[flag].setting() else { return vec![] };
    let mut names: Vec<String> =
        variants.with_rule().iter().map(|(variant, _)| variant.name.clone()).collect();
    names.push(variants.default_variant().name.clone());
    names
}

fn moved(variant: &str, to: Position) -> Change {
    Change::MoveVariant { variant: variant.into(), to }
}

#[test]
fn a_flag_without_variants_gets_them_and_what_it_was_is_the_default() {
    let staff = NewVariant {
        attributes: vec![("price".parse().unwrap(), text("0"))],
        ..new("staff", r#"(ends_with $email "@example.org")"#)
    };
    assert_eq!(
        lines("banner", [Change::AddVariant(staff)]),
        [
            "banner changed variants: staff, default",
            "banner changed variant staff: rule: (ends_with $email \"@example.org\")",
            "banner changed variant staff: enabled: true",
            "banner changed variant staff: value price: 0",
            "banner changed variant staff: value text: \"Peppermint\"",
            "banner changed variant default: enabled: true",
            "banner changed variant default: value price: 4.5",
            "banner changed variant default: value text: \"Peppermint\"",
            "banner changed enabled: true",
            "banner changed value price: 4.5",
            "banner changed value text: \"Peppermint\"",
        ]
    );
}

#[test]
fn a_variant_goes_where_it_is_wanted() {
    for (position, expected) in [
        (Position::First, ["new", "beta", "ten", "default"]),
        (Position::Last, ["beta", "ten", "new", "default"]),
        (Position::Before("ten".into()), ["beta", "new", "ten", "default"]),
        (Position::Before("default".into()), ["beta", "ten", "new", "default"]),
        (Position::After("beta".into()), ["beta", "new", "ten", "default"]),
    ] {
        let added = NewVariant { position, ..new("new", "(exists key::\"x\")") };
        let after = edited("checkout", [Change::AddVariant(added)]).unwrap();
        assert_eq!(order(&after, "checkout"), expected);
    }
}

#[test]
fn two_variants_do_not_share_a_name() {
    let expected = "values.checkout._variants.ten: `checkout` has a variant `ten` already";
    assert_eq!(refused("checkout", [Change::AddVariant(new("ten", "(exists key::\"x\")"))]), expected);
    let rename = Change::RenameVariant { variant: "beta".into(), name: "ten".into() };
    assert_eq!(refused("checkout", [rename]), expected);
    let same = Change::AddVariant(new("default", "(exists key::\"x\")"));
    assert!(refused("plain", [same]).contains("has a variant `default` already"));
}

#[test]
fn a_bad_rule_is_refused_with_what_to_do() {
    let told = refused("checkout", [Change::AddVariant(new("new", "(eq $user-id \"x\")"))]);
    assert!(told.starts_with("values.checkout._variants.new.rule: the rule of variant `new` is not legal"));
    assert!(told.contains("'$user-id'"), "{told}");
    let rule = Change::Rule { variant: "beta".into(), rule: String::new() };
    assert!(refused("checkout", [rule]).contains("is not legal"));
}

#[test]
fn a_rule_is_replaced_but_the_default_has_none() {
    let rule = |variant: &str| Change::Rule { variant: variant.into(), rule: "(exists key::\"x\")".into() };
    assert_eq!(
        lines("checkout", [rule("beta")]),
        ["checkout changed variant beta: rule: (eq $tier \"beta\") → (exists key::\"x\")"]
    );
    assert_eq!(
        refused("checkout", [rule("default")]),
        "values.checkout._variants.default: `default` is the default of `checkout`: it has no rule"
    );
}

#[test]
fn variants_move_but_not_the_default() {
    for (variant, to, expected) in [
        ("ten", Position::First, ["ten", "beta", "default"]),
        ("ten", Position::Before("beta".into()), ["ten", "beta", "default"]),
        ("ten", Position::Before("ten".into()), ["beta", "ten", "default"]),
        ("ten", Position::Last, ["beta", "ten", "default"]),
        ("beta", Position::Last, ["ten", "beta", "default"]),
        ("beta", Position::After("ten".into()), ["ten", "beta", "default"]),
        ("beta", Position::Before("default".into()), ["ten", "beta", "default"]),
    ] {
        let after = edited("checkout", [moved(variant, to.clone())]).unwrap();
        assert_eq!(order(&after, "checkout"), expected, "{variant} {to:?}");
    }
    let told =
        "values.checkout._variants.default: `default` is the default of `checkout`: it is always the last";
    assert_eq!(refused("checkout", [moved("default", Position::First)]), told);
    assert_eq!(refused("checkout", [moved("beta", Position::After("default".into()))]), told);
    assert!(
        refused("checkout", [moved("beta", Position::After("gamma".into()))]).contains("no variant `gamma`")
    );
}

#[test]
fn a_variant_gets_another_name() {
    let rename = Change::RenameVariant { variant: "default".into(), name: "everybody".into() };
    let after = edited("checkout", [rename]).unwrap();
    assert_eq!(order(&after, "checkout"), ["beta", "ten", "everybody"]);
}

#[test]
fn removing_the_only_variant_leaves_a_flag_without_variants() {
    let remove = |name: &str| Change::RemoveVariant(name.into());
    assert_eq!(
        refused("checkout", [remove("default")]),
        "values.checkout._variants.default: `default` is the default of `checkout`: \
         it cannot be removed while there are others"
    );
    let after = edited("checkout", [remove("ten")]).unwrap();
    assert_eq!(order(&after, "checkout"), ["beta", "default"]);
    let after = edited("checkout", [remove("beta"), remove("ten"), remove("default")]).unwrap();
    assert!(matches!(after.values()["checkout"].setting(), Setting::Basic(state) if !state.enabled));
}

#[test]
fn there_is_a_limit_and_the_checker_knows_it() {
    let many = (0..64).map(|n| Change::AddVariant(new(&format!("v{n}"), "(exists key::\"x\")")));
    assert!(refused("plain", many).contains("MaxEntries(64) at values.plain._variants"));
}
