//! Flag documents, bucketing and, later, the rule language: everything an in-process client needs.

mod exposure;
pub use exposure::Exposure;
