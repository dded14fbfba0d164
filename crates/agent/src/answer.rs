//! What a caller is answered, given what is held. Pure.
//!
//! **Invariant:** what is held and what is asked decide; when it is asked does not.

use crate::content::{Content, Form, JSON};
use crate::counts::Counts;
use crate::held::{Held, OwnSubject};
use crate::refusal::Refusal;
use crate::request::Asked;
use bytes::Bytes;
use std::sync::Arc;
use yardarm_flags::document::FlagKey;
use yardarm_flags::{CompiledFlags, Context, Evaluation, retrieval};

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The version it is made of.
    pub content: Arc<Content>,
    /// Its body.
    pub body: Bytes,
    /// Its type.
    pub content_type: Box<str>,
}

/// Answers one caller. What flags were returned is counted.
///
/// # Errors
/// What is asked for is not there.
pub fn answer(held: &Held, asked: &Asked<'_>, own: &OwnSubject, counts: &Counts) -> Result<Answer, Refusal> {
    let content = held.content_for(asked.entity, own).ok_or(Refusal::NotReached)?;
    let attributes = asked.context.attributes();
    let context = Context::new(&attributes);
    let body = match (&content.form, asked.flags.as_slice()) {
        (Form::Plain(_), []) => {
            let (content, body) = (content.clone(), content.body.clone());
            let content_type = content.content_type.clone();
            return Ok(Answer { content, body, content_type });
        }
        (Form::Flags(flags), []) => retrieval::write_all(flags.evaluate_all(&context).inspect(counts.each())),
        (_, [one]) => {
            let flags = content.flags().ok_or(Refusal::NoFlags)?;
            let (key, evaluation) = evaluate(flags, one, &context)?;
            counts.count(key, evaluation.variant);
            retrieval::write(&evaluation)
        }
        (_, several) => {
            let flags = content.flags().ok_or(Refusal::NoFlags)?;
            let evaluated = several.iter().map(|key| evaluate(flags, key, &context));
            let evaluated = evaluated.collect::<Result<Vec<_>, _>>()?;
            retrieval::write_all(evaluated.into_iter().inspect(counts.each()))
        }
    };
    Ok(Answer { content: content.clone(), body: body.into(), content_type: JSON.into() })
}

fn evaluate<'f>(
    flags: &'f CompiledFlags,
    key: &str,
    context: &Context<'_>,
) -> Result<(&'f FlagKey, Evaluation<'f>), Refusal> {
    let flag = flags.flag(key).ok_or_else(|| Refusal::NoFlag(key.to_owned()))?;
    Ok((flag.key(), flag.evaluate(context)))
}

/// What somebody is answered who asks for everything and says nothing: how a configuration is written to a file.
pub(crate) fn plain_text(held: &Held, own: &OwnSubject) -> Option<Bytes> {
    let content = held.content_for(None, own)?;
    Some(match &content.form {
        Form::Plain(_) => content.body.clone(),
        Form::Flags(flags) => retrieval::write_all(flags.evaluate_all(&Context::EMPTY)).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::STORED_FLAGS;
    use crate::context_header::{CallerContext, Encoding};

    const STORED: &str = r#"{"version":"1","flags":{"colour":{"name":"C","attributes":{"shade":{"constraints":{"type":"string"}}}},"plain":{"name":"P"}},
        "values":{"plain":{"enabled":true},"colour":{"_variants":[
            {"name":"beta","enabled":true,"rule":"(eq $group \"beta\")","attributeValues":{"shade":"blue"}},
            {"name":"off","enabled":false}]}}}"#;

    fn held(body: &'static str, content_type: &str) -> Held {
        let body = Bytes::from_static(body.as_bytes());
        Held::settled(Content::read(body, content_type, "3", None).unwrap())
    }

    fn ask(held: &Held, flags: &[&str], context: &'static str) -> Result<String, Refusal> {
        let context = CallerContext::read([context.as_bytes()], Encoding::Plain).unwrap();
        let flags = flags.iter().map(|key| (*key).to_owned()).collect();
        let asked = Asked { flags, context, entity: None };
        let answer = answer(held, &asked, &[0; 16], &Counts::default())?;
        Ok(String::from_utf8(answer.body.to_vec()).unwrap())
    }

    #[test]
    fn all_flags_one_flag_and_several_flags() {
        let held = held(STORED, STORED_FLAGS);
        let all = r#"{"colour":{"_variant":"off","enabled":false},"plain":{"enabled":true}}"#;
        assert_eq!(ask(&held, &[], "").unwrap(), all);
        assert_eq!(ask(&held, &["plain"], "").unwrap(), r#"{"enabled":true}"#);
        assert_eq!(ask(&held, &["plain", "colour"], "").unwrap(), all);
        let beta = r#"{"_variant":"beta","enabled":true,"shade":"blue"}"#;
        assert_eq!(ask(&held, &["colour"], "group=beta").unwrap(), beta);
    }

    #[test]
    fn one_unknown_flag_fails_all() {
        let held = held(STORED, STORED_FLAGS);
        assert_eq!(ask(&held, &["plain", "missing"], ""), Err(Refusal::NoFlag("missing".into())));
        assert_eq!(ask(&held, &["missing"], ""), Err(Refusal::NoFlag("missing".into())));
    }

    #[test]
    fn other_configurations_are_answered_byte_by_byte() {
        let text = " { \"limit\" : 5 }\n";
        let held = held(text, "application/json");
        assert_eq!(ask(&held, &[], "a=1").unwrap(), text);
        assert_eq!(ask(&held, &["limit"], ""), Err(Refusal::NoFlags));
    }

    #[test]
    fn a_file_holds_what_is_answered_to_nobody_in_particular() {
        let text = plain_text(&held(STORED, STORED_FLAGS), &[0; 16]).unwrap();
        assert_eq!(text, ask(&held(STORED, STORED_FLAGS), &[], "").unwrap());
        assert_eq!(plain_text(&held("x", "text/plain"), &[0; 16]).unwrap(), "x");
    }

    #[test]
    fn what_is_returned_is_counted() {
        let held = held(STORED, STORED_FLAGS);
        let asked = Asked { flags: vec![], context: CallerContext::default(), entity: None };
        let counts = Counts::default();
        for _ in 0..3 {
            answer(&held, &asked, &[0; 16], &counts).unwrap();
        }
        assert_eq!(counts.all(), [("colour".into(), "off".into(), 3), ("plain".into(), String::new(), 3)]);
    }
}
