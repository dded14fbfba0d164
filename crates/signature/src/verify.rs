//! The verdict: scope, time, body, signature, in that order, so that no key is derived for a scope that is not ours.

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::{
    BodyDigest, CanonicalPath, Credential, Form, SignatureError, SignedRequest,
    canonical::{CanonicalRequest, WhiteSpace},
    error::shown,
    limits,
};

/// What a request must have been signed for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The server's region.
    pub region: &'a str,
    /// The signing name of the service, `appconfig`.
    pub service: &'a str,
    /// How the canonical URI comes from the path.
    pub path: CanonicalPath,
}

impl<'a> Expected<'a> {
    /// A service that is not S3: paths are normalised.
    #[must_use]
    pub fn new(region: &'a str, service: &'a str) -> Self {
        Self { region, service, path: CanonicalPath::Normalized }
    }
}

impl SignedRequest<'_> {
    /// Checks that the holder of `credential` signed this request, for this server, recently.
    ///
    /// In header form the signature's date may be [`limits::CLOCK_SKEW`] away from `now`, both ends included. Presigned
    /// requests are valid from their date less the skew to their date plus their lifetime, both ends included.
    ///
    /// # Errors
    ///
    /// All of kind [`InvalidSignature`](crate::SignatureErrorKind::InvalidSignature).
    pub fn verify(
        &self,
        credential: &Credential,
        body: &BodyDigest,
        now: Timestamp,
        expected: &Expected<'_>,
    ) -> Result<(), SignatureError> {
        self.check_scope(expected)?;
        self.check_time(now)?;
        if self.claimed_body.is_some_and(|claimed| !claimed.is(body)) {
            return Err(SignatureError::WrongBody);
        }
        let matches = |white_space| {
            let scope = self.scope();
            let canonical = self.canonical(body, expected.path, white_space);
            let signature = credential.with_key(scope, |key| canonical.signature(key, &self.date, scope));
            bool::from(signature.ct_eq(&self.signature))
        };
        if matches(WhiteSpace::Spaces) || (self.has_tabs() && matches(WhiteSpace::SpacesAndTabs)) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// Whether signers may differ about a signed header.
    fn has_tabs(&self) -> bool {
        let mut values = self.signed_headers.split(';').flat_map(|name| self.headers.get_all(name));
        values.any(|value| value.as_bytes().contains(&b'\t'))
    }

    fn check_scope(&self, expected: &Expected<'_>) -> Result<(), SignatureError> {
        let scope = self.scope();
        if scope.region != expected.region {
            return Err(SignatureError::WrongRegion { region: shown(scope.region) });
        }
        if scope.service != expected.service {
            return Err(SignatureError::WrongService { expected: expected.service.into() });
        }
        Ok(())
    }

    /// In whole seconds, as dates of signatures are.
    fn check_time(&self, now: Timestamp) -> Result<(), SignatureError> {
        let allowed = match self.form {
            Form::Header => limits::CLOCK_SKEW,
            Form::Presigned { expires_seconds } => SignedDuration::from_secs(expires_seconds.into()),
        };
        let age = SignedDuration::from_secs(now.as_second().saturating_sub(self.date.seconds()));
        let signed_at = self.date.at();
        if age > allowed {
            return Err(SignatureError::Expired { signed_at, now, allowed });
        }
        if age < -limits::CLOCK_SKEW {
            return Err(SignatureError::NotYetCurrent { signed_at, now, allowed: limits::CLOCK_SKEW });
        }
        Ok(())
    }

    fn canonical<'a>(
        &'a self,
        body: &'a BodyDigest,
        path_rule: CanonicalPath,
        white_space: WhiteSpace,
    ) -> CanonicalRequest<'a> {
        CanonicalRequest {
            method: self.method.as_str(),
            path: self.path,
            path_rule,
            query: &self.query,
            headers: self.headers,
            signed_headers: &self.signed_headers,
            body,
            white_space,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;
    use crate::{Scope, SecretKey, amz_date::AmzDate, digest::to_hex};

    /// No signer at hand uses `Date`, so this signature is made from the parts.
    #[test]
    fn a_date_header_stands_in_for_x_amz_date() {
        let credential = Credential::new(SecretKey::new("secret"));
        let scope = Scope { day: "20261123", region: "us-east-1", service: "appconfig" };
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:4770".parse().unwrap());
        headers.insert("date", "Mon, 23 Nov 2026 12:00:00 GMT".parse().unwrap());
        let canonical = CanonicalRequest {
            method: "GET",
            path: "/",
            path_rule: CanonicalPath::Normalized,
            query: &[],
            headers: &headers,
            signed_headers: "date;host",
            body: &BodyDigest::EMPTY,
            white_space: WhiteSpace::Spaces,
        };
        let date = AmzDate::parse("20261123T120000Z").unwrap();
        let signature = credential.with_key(scope, |key| canonical.signature(key, &date, scope));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/appconfig/aws4_request, SignedHeaders=date;host, \
             Signature={}",
            str::from_utf8(&to_hex(&signature)).unwrap()
        );
        headers.insert("authorization", authorization.parse().unwrap());

        let verdict = |headers: &HeaderMap, now: Timestamp| {
            let signed = SignedRequest::parse(&Method::GET, "/", "", headers)?.unwrap();
            signed.verify(&credential, &BodyDigest::EMPTY, now, &Expected::new("us-east-1", "appconfig"))
        };
        assert_eq!(verdict(&headers, date.at()), Ok(()));
        assert!(matches!(
            verdict(&headers, date.at() + SignedDuration::from_mins(6)),
            Err(SignatureError::Expired { .. })
        ));
        headers.insert("date", "Mon, 23 Nov 2026 12:00:01 GMT".parse().unwrap());
        assert_eq!(verdict(&headers, date.at()), Err(SignatureError::Mismatch));
    }
}
