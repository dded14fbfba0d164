//! Whom connections trust.

use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// TLS that trusts whom the system trusts; reads its certificates. Where it trusts none, every `https` address fails with
/// that said.
///
/// # Errors
/// TLS cannot be set up at all.
pub fn system_trust() -> Result<ClientConfig, rustls::Error> {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions?.with_root_certificates(trusted).with_no_client_auth())
}
