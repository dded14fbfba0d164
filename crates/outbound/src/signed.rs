//! Signatures as Standard Webhooks defines them: HMAC-SHA-256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The headers that sign `body`, sent at `timestamp` (seconds since 1970) as message `id`. An id is visible ASCII;
/// another one is left out, and no receiver accepts the message.
#[must_use]
pub fn signed(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> HeaderMap {
    let mut context = ring::hmac::Context::with_key(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret));
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    let signature = format!("v1,{}", STANDARD.encode(context.sign()));
    let mut headers = HeaderMap::new();
    for (name, value) in [(ID, id), (TIMESTAMP, &timestamp.to_string()), (SIGNATURE, &signature)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// A secret as receivers' libraries want it.
#[must_use]
pub fn secret_text(secret: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_specifications_example() {
        let text = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret = STANDARD.decode(text).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let headers = signed(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret_text(&secret), format!("whsec_{text}"));
    }
}
