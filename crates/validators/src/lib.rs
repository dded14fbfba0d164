//! JSON Schema validation of configuration content.
