//! Every JSON and header shape of the served protocols, and the only list of AWS error codes.
//!
//! The shapes are plain structs, one module per noun. They know nothing of the domain and nothing of HTTP serving:
//! the server converts between these structs and domain types at its edge, and registers its routes from
//! [`operations::OPERATIONS`], so that a path, a method or a status can be wrong in one place only.
//!
//! **Invariants**
//! - Output never contains `null`: a member without a value is left out. Members that must be present although empty
//!   (`Items`, `Parameters` of an applied extension, `VendedMetrics`) are not `Option`s.
//! - Every member of an AWS request body is an `Option`, also the required ones, and enum members arrive as text:
//!   a missing or unknown value is reported by the server in the words AWS uses ([`constraints`]), not as a parse error.
//!   A value of the wrong JSON type is a parse error that names the member ([`body::read_body`]).
//! - Member order in output follows the published model.
//! - The AWS planes spell members in PascalCase, the native API ([`native`]) in camelCase.

pub mod accounts;
pub mod alarms;
pub mod applications;
pub mod body;
pub mod clients;
pub mod constraints;
pub mod data_plane;
pub mod deployments;
pub mod enums;
pub mod environments;
pub mod errors;
pub mod evaluation;
pub mod experiments;
pub mod extensions;
pub mod floats;
pub mod forced_flags;
pub mod headers;
pub mod hosted_versions;
pub mod invocations;
pub mod native;
pub mod operations;
pub mod pages;
pub mod patterns;
pub mod profiles;
pub mod recovery;
pub mod rollout_events;
pub mod strategies;
pub mod tags;
pub mod times;

#[cfg(test)]
mod golden;
