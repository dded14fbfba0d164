//! What is asked of AWS's Security Token Service, and its answers. Pure.

use super::Keys;
use crate::secret::Secret;
use crate::settings::{Role, WebIdentity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// What a form keeps as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SESSION: &str = "yardarm-agent";
const HOUR: Duration = Duration::from_secs(3_600);

/// The form that asks for the credentials of a role.
pub(super) fn assume_role(role: &Role) -> String {
    let seconds = role.duration.unwrap_or(HOUR).as_secs().to_string();
    let mut pairs = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", &role.arn),
        ("RoleSessionName", role.session_name.as_deref().unwrap_or(SESSION)),
        ("DurationSeconds", &seconds),
    ];
    pairs.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    form(&pairs)
}

/// The form that asks for the credentials of a role, by the token of a web identity.
pub(super) fn assume_role_with_web_identity(identity: &WebIdentity, token: &str) -> String {
    form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &identity.role_arn),
        ("RoleSessionName", identity.session_name.as_deref().unwrap_or(SESSION)),
        ("WebIdentityToken", token.trim()),
    ])
}

fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |(key, value): &(&str, &str)| format!("{key}={}", utf8_percent_encode(value, PLAIN));
    pairs.iter().map(encode).collect::<Vec<_>>().join("&")
}

/// The credentials in an answer.
pub(super) fn read(xml: &str) -> Option<Keys> {
    let expires = element(xml, "Expiration")?.parse().ok()?;
    Some(Keys {
        access_key_id: element(xml, "AccessKeyId")?,
        secret: Secret::from(element(xml, "SecretAccessKey")?),
        session_token: Some(Secret::from(element(xml, "SessionToken")?)),
        expires: Some(expires),
    })
}

/// Why there are none.
pub(super) fn read_error(xml: &str) -> Option<String> {
    Some(format!("{}: {}", element(xml, "Code")?, element(xml, "Message")?))
}

/// The text of the first element of a name. STS nests nothing inside those that are read here.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let text = plain.iter().fold(text.trim().to_owned(), |text, (entity, is)| text.replace(entity, is));
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_role_is_asked_for_with_what_its_trust_policy_wants() {
        let role = Role {
            arn: "arn:aws:iam::1:role/r".into(),
            external_id: Some("a&b".into()),
            session_name: None,
            duration: Some(Duration::from_secs(7_200)),
        };
        assert_eq!(
            assume_role(&role),
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr\
             &RoleSessionName=yardarm-agent&DurationSeconds=7200&ExternalId=a%26b"
        );
    }

    #[test]
    fn an_answer_is_read() {
        let xml = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>\
                   <SecretAccessKey>a&amp;b</SecretAccessKey><SessionToken>t/=</SessionToken>\
                   <Expiration>2026-11-24T12:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
        let keys = read(xml).unwrap();
        assert_eq!((keys.access_key_id.as_str(), keys.secret.expose()), ("ASIA", "a&b"));
        assert_eq!(keys.expires.unwrap().to_string(), "2026-11-24T12:00:00Z");
        assert!(read("<AccessKeyId>x</AccessKeyId>").is_none());
        let error =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(read_error(error).as_deref(), Some("AccessDenied: no"));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(xml: String) {
            let _ = (read(&xml), read_error(&xml));
        }
    }
}
