//! Where AWS has its services.

use http::Uri;

/// The address of a service in a region.
pub(crate) fn aws_endpoint(service: &str, region: &str) -> Option<Uri> {
    format!("https://{service}.{region}.{}", suffix(region)).parse().ok()
}

/// Each partition of AWS has a domain of its own.
fn suffix(region: &str) -> &'static str {
    match region.split('-').next().unwrap_or_default() {
        "cn" => "amazonaws.com.cn",
        "eusc" => "amazonaws.eu",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ if region.starts_with("us-isof-") => "csp.hci.ic.gov",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_domain() {
        for (region, expected) in [
            ("eu-central-1", "https://appconfigdata.eu-central-1.amazonaws.com/"),
            ("us-gov-west-1", "https://appconfigdata.us-gov-west-1.amazonaws.com/"),
            ("cn-north-1", "https://appconfigdata.cn-north-1.amazonaws.com.cn/"),
            ("eusc-de-east-1", "https://appconfigdata.eusc-de-east-1.amazonaws.eu/"),
            ("us-iso-east-1", "https://appconfigdata.us-iso-east-1.c2s.ic.gov/"),
        ] {
            assert_eq!(aws_endpoint("appconfigdata", region).unwrap(), expected);
        }
    }
}
