//! What the server is told at its start.

use std::time::Duration;
use yardarm_listen::Bounds;

/// How requests prove who sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// AWS Signature Version 4, header or presigned.
    #[default]
    Signature,
    /// Not at all: anybody who reaches the listener may do anything. For loopback only.
    None,
}

/// Bounds on what a client can make the server do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// From the head to the answer.
    pub request_time: Duration,
    /// Of connections.
    pub listen: Bounds,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 5 * 1024 * 1024, request_time: Duration::from_secs(30), listen: Bounds::default() }
    }
}

/// What the server is told at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// How requests prove who sent them.
    pub authentication: Authentication,
    /// Whether the well-known development key works.
    pub dev: bool,
    /// Bounds.
    pub limits: Limits,
    /// Whether a monitor without `AlarmRoleArn` is refused, as the service does although its model says otherwise.
    pub strict_alarm_role: bool,
}
