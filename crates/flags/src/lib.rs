//! Feature-flag documents, rules and bucketing: what every in-process client of flags needs, and nothing else.
//!
//! - [`FlagDocument::read`] turns submitted bytes into a [`FlagDocument`] or says everything that is wrong with them,
//!   each violation with the service's dotted location, a JSON pointer, and line and column.
//! - [`normalise`] writes a document the way it is stored; [`served`] the way clients receive it that know no rules, and
//!   [`retrieval`] reads that form.
//! - [`edit`] changes one flag of a document, [`forced`] overrules some for everybody; [`diff`] says how two documents
//!   differ, [`facts`] what one flag is.
//! - [`rule`] is the language of rules; [`CompiledFlags`] evaluates a document, resolves the keys OpenFeature clients ask
//!   for, and explains what it answers.
//! - [`lint`] finds rules that are legal but hardly meant.
//! - [`bucketing`] decides who is in a rollout.
//! - [`json_position`] finds the place of a value in a JSON text.
//!
//! **Invariant:** pure. No clock, no randomness, no I/O; the same arguments give the same answer on every machine.

pub mod bucketing;
mod compiled;
mod context;
mod diff;
pub mod document;
pub mod edit;
mod explain;
mod facts;
mod force;
pub mod json_position;
mod json_text;
mod lint;
mod normalise;
mod resolve;
pub mod retrieval;
pub mod rule;
mod served;
mod text_table;
mod violation;

pub use bucketing::Exposure;
pub use compiled::{CompiledFlag, CompiledFlags, Evaluation, Reason};
pub use context::{Context, KeptValue, Value};
pub use diff::{Difference, DifferenceKind, FlagDifference, diff};
pub use document::FlagDocument;
pub use explain::{Explanation, Outcome, TriedVariant};
pub use facts::{Fact, facts};
pub use force::{ForceTo, NotForceable, forced};
pub use lint::{RuleWarning, lint};
pub use normalise::{Normalised, TooLarge, normalise, write};
pub use resolve::{Resolution, ResolvedKey, ResolvedValue};
pub use served::served;
pub use violation::{MAX_VIOLATIONS, ReadError, Violation, ViolationKind, Violations};
