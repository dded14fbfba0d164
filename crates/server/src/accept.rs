//! Which form of a configuration a client wants, and whether it wants to be told of changes: the `Accept` header, read
//! leniently.
//!
//! Only forms that are named count, wildcards do not: clients that send `*/*` want what everybody gets. Of several named
//! forms the one with the highest `q` is wanted, then the one that says most. What cannot be read is passed over.

use crate::control_plane::type_name;
use http::HeaderMap;
use http::header::ACCEPT;
use yardarm_domain::ProfileType;
use yardarm_node::Form;
use yardarm_wire::data_plane::{ION, STORED_FLAGS};
use yardarm_wire::rollout_events::EVENT_STREAM;

/// The form that a request asks for.
pub(crate) fn form(headers: &HeaderMap) -> Form {
    let mut best = (0.0, Form::Plain);
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for (form, q) in values.flat_map(|value| parts(value, ',')).filter_map(read) {
        if q > best.0 || (q == best.0 && weight(form) > weight(best.1)) {
            best = (q, form);
        }
    }
    best.1
}

/// Whether a request asks for a stream of events, by name.
pub(crate) fn wants_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| parts(value, ',')).any(|element| {
        let mut parts = parts(element, ';').map(str::trim);
        parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(EVENT_STREAM))
            && parts.filter_map(quality).all(|q| q > 0.0)
    })
}

/// How much a form says.
fn weight(form: Form) -> u8 {
    match form {
        Form::Plain => 0,
        Form::Ion => 1,
        Form::Stored => 2,
    }
}

/// The form that one element names, and how much it is wanted: above 0, up to 1.
fn read(element: &str) -> Option<(Form, f32)> {
    let mut parts = parts(element, ';').map(str::trim);
    let media_type = parts.next()?;
    let is = |name: &str| media_type.eq_ignore_ascii_case(name);
    let form = if is("application/json") {
        Form::Plain
    } else if is(STORED_FLAGS) {
        Form::Stored
    } else if is(ION) {
        Form::Ion
    } else {
        return None;
    };
    let (mut q, mut of_flags) = (1.0, false);
    for part in parts {
        if let Some(given) = quality(part) {
            q = given;
            continue;
        }
        let Some((name, value)) = part.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("type") {
            of_flags = value.eq_ignore_ascii_case(type_name(ProfileType::FeatureFlags));
        }
    }
    // Ion of another type is not what the agent reads.
    let fits = form != Form::Ion || of_flags;
    (fits && q > 0.0).then_some((form, q))
}

/// How much something is wanted, if this parameter says it: from 0, which is not at all, as is what cannot be read, to 1.
fn quality(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let read = || value.trim().trim_matches('"').parse().ok().filter(|q| (0.0..=1.0).contains(q));
    name.trim().eq_ignore_ascii_case("q").then(|| read().unwrap_or(0.0))
}

/// Splits at `separator`, but not inside quotes.
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        letter == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn asked(values: &[&str]) -> Form {
        form(&values.iter().map(|value| (ACCEPT, HeaderValue::from_str(value).unwrap())).collect())
    }

    #[test]
    fn agents_get_the_form_they_name_and_everybody_else_the_plain_one() {
        let theirs = "application/ion;type=AWS.AppConfig.FeatureFlags;q=1.0,*/*;q=0.1";
        assert_eq!(asked(&[theirs]), Form::Ion);
        assert_eq!(asked(&["application/vnd.yardarm.flags+json, application/json;q=0.5"]), Form::Stored);
        for plain in
            ["*/*", "", "application/json", "application/*", "application/ion", "text/html, */*;q=0.8"]
        {
            assert_eq!(asked(&[plain]), Form::Plain, "{plain}");
        }
        assert_eq!(asked(&[]), Form::Plain);
    }

    #[test]
    fn letter_case_space_quotes_and_order_do_not_matter() {
        for ion in [
            "APPLICATION/ION;TYPE=aws.appconfig.featureflags",
            " application/ion ; type = \"AWS.AppConfig.FeatureFlags\" ; Q=0.3 ",
            "application/ion;charset=\"a,b;type=x\";type=AWS.AppConfig.FeatureFlags",
            "*/*, application/ion;q=1;type=AWS.AppConfig.FeatureFlags",
        ] {
            assert_eq!(asked(&[ion]), Form::Ion, "{ion}");
        }
        assert_eq!(
            asked(&["*/*", " application/vnd.Yardarm.Flags+JSON ; x=\"a,b;q=0\" ; Q = 0.3 "]),
            Form::Stored
        );
    }

    #[test]
    fn what_is_wanted_most_wins_and_what_is_not_wanted_does_not() {
        let (ion, stored) =
            ("application/ion;type=AWS.AppConfig.FeatureFlags", "application/vnd.yardarm.flags+json");
        for (accept, wanted) in [
            (format!("{stored};q=0"), Form::Plain),
            (format!("{stored};q=0.000"), Form::Plain),
            (format!("{stored};q=2"), Form::Plain),
            (format!("{stored};q=x"), Form::Plain),
            (format!("{stored};q=0.4, application/json;q=0.5"), Form::Plain),
            (format!("{stored};q=0.5, application/json;q=0.5"), Form::Stored),
            (format!("{ion};q=0"), Form::Plain),
            (format!("{ion}, {stored}"), Form::Stored),
            (format!("{ion}, {stored};q=0.9"), Form::Ion),
            ("application/ion;type=Other".into(), Form::Plain),
        ] {
            assert_eq!(asked(&[&accept]), wanted, "{accept}");
        }
    }

    #[test]
    fn events_are_for_who_names_them() {
        let wants =
            |accept| wants_events(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]));
        for accept in ["text/event-stream", "application/json;q=0.5, Text/Event-Stream ; q=0.1"] {
            assert!(wants(accept), "{accept}");
        }
        for accept in ["*/*", "text/*", "application/json", "text/event-stream;q=0", "text/event-stream;q=x"]
        {
            assert!(!wants(accept), "{accept}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_is_too_much(value in "[ -~]{0,200}") {
            asked(&[&value]);
            wants_events(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(&value).unwrap())]));
        }
    }
}
