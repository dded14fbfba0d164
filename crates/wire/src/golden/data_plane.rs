use super::{golden, golden_headers, some};
use crate::data_plane::{
    ConfigurationHeaders, LatestConfigurationHeaders, StartConfigurationSessionResponse,
};

#[test]
fn sessions() {
    golden(
        "session",
        &StartConfigurationSessionResponse { initial_configuration_token: "AYABeLYL0v2p".into() },
    );
}

#[test]
fn latest_configuration() {
    let full = LatestConfigurationHeaders {
        next_poll_configuration_token: "AYABeLYL0v2p".into(),
        next_poll_interval_in_seconds: 60,
        content_type: "application/json".into(),
        version_label: some("v1.4"),
        configuration_version: some("23"),
    };
    golden_headers("latest-configuration.full", &full.to_headers().unwrap());
    let least = LatestConfigurationHeaders { version_label: None, configuration_version: None, ..full };
    golden_headers("latest-configuration.minimal", &least.to_headers().unwrap());
}

#[test]
fn deprecated_configuration() {
    let headers =
        ConfigurationHeaders { configuration_version: "23".into(), content_type: "text/plain".into() };
    golden_headers("configuration", &headers.to_headers().unwrap());
}
