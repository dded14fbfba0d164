//! Tags of whatever has an ARN.

use crate::answer::Answer;
use crate::arguments::{Arguments, Checked};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use yardarm_domain::{Missing, Refusal, Resource, TagResource, Tags, UntagResource};
use yardarm_wire::{patterns, tags as wire};

pub(crate) async fn tag(call: Call) -> Result<Answer, Fault> {
    let body: wire::TagResourceRequest = call.json()?;
    let mut arguments = Arguments::default();
    let arn = arn(&mut arguments, &call);
    let tags = if body.tags.is_some() { arguments.tags(body.tags) } else { arguments.missing("Tags") };
    let (arn, tags) = arguments.finish((arn, tags))?;
    let command = TagResource { resource: resource(&call, arn)?, tags };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

pub(crate) async fn untag(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let arn = arn(&mut arguments, &call);
    // One more than there may be is enough to see that there are too many.
    let keys: Vec<_> = call.queries(wire::TAG_KEYS).take(Tags::MOST + 1).collect();
    let keys = if keys.is_empty() {
        arguments.missing("TagKeys")
    } else {
        arguments.each("TagKeys", Some(keys), Tags::MOST, |arguments, place, key| {
            arguments.text(place, Some(&key), 1..=128).map(String::from)
        })
    };
    let (arn, keys) = arguments.finish((arn, keys))?;
    let command = UntagResource { resource: resource(&call, arn)?, keys: keys.unwrap_or_default() };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let arn = arn(&mut arguments, &call);
    let resource = resource(&call, arguments.finish(arn)?)?;
    let view = call.node.view();
    let missing = || Refusal::NotFound(Missing::Resource(resource.to_string()));
    let tags = view.world.tags(&resource).ok_or_else(missing).or_fault(&call)?;
    Answer::json(&wire::ResourceTags {
        tags: tags.iter().map(|(key, value)| (key.into(), value.into())).collect(),
    })
}

fn arn<'c>(arguments: &mut Arguments, call: &'c Call) -> Checked<&'c str> {
    let text = call.label("ResourceArn");
    let limited = arguments.text("ResourceArn", Some(text), 20..=2_048);
    let formed = arguments.matching("ResourceArn", text, &patterns::ARN, is_arn);
    Checked::all((limited, formed)).map(|(arn, _)| arn)
}

/// As much of the model's pattern as tells an ARN from another text.
fn is_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn") && parts.nth(4).is_some_and(|resource| !resource.is_empty())
}

/// What `arn` names, if it can be something of this account.
fn resource(call: &Call, arn: &str) -> Result<Resource, Fault> {
    let missing = || Refusal::NotFound(Missing::Resource(arn.into()));
    call.node.config().account.resource(arn).ok_or_else(missing).or_fault(call)
}

#[cfg(test)]
mod tests {
    use super::is_arn;

    #[test]
    fn arns_are_told_from_other_texts() {
        assert!(is_arn("arn:aws:appconfig:us-east-1:123456789012:application/abc1234"));
        for bad in ["", "application/abc1234", "arn:aws:appconfig:us-east-1:123456789012", "arn:aws:a:b:c:"] {
            assert!(!is_arn(bad), "{bad}");
        }
    }
}
