//! Why a flag cannot be changed as wanted.

use crate::document::{AttributeKey, FlagKey};
use crate::rule::Diagnostic;
use crate::violation::ReadError;

/// Why a flag cannot be changed as wanted. Nothing has been changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such flag.
    #[error("there is no flag `{flag}`")]
    NoSuchFlag {
        /// The flag that was named.
        flag: FlagKey,
    },
    /// A flag of that key exists.
    #[error("there is a flag `{flag}` already")]
    FlagExists {
        /// The flag.
        flag: FlagKey,
    },
    /// The flag does not define the attribute.
    #[error("`{flag}` has no attribute `{attribute}`; {}", list("it defines", attributes))]
    NoSuchAttribute {
        /// The flag.
        flag: FlagKey,
        /// The attribute that was named.
        attribute: AttributeKey,
        /// Those that are defined.
        attributes: Vec<String>,
    },
    /// The text cannot be read as the type of the attribute.
    #[error("`{text}` is no value of `{attribute}`, which takes {wanted}")]
    NotOfType {
        /// The flag.
        flag: FlagKey,
        /// The attribute.
        attribute: AttributeKey,
        /// The text that was given.
        text: String,
        /// What the attribute takes, in words.
        wanted: &'static str,
    },
    /// The flag has variants, and none was named.
    #[error("`{flag}` has variants: say which is meant, {}", either(variants))]
    WhichVariant {
        /// The flag.
        flag: FlagKey,
        /// Its variants, in order.
        variants: Vec<String>,
    },
    /// The flag has no such variant.
    #[error("`{flag}` has no variant `{variant}`; {}", list("it has", variants))]
    NoSuchVariant {
        /// The flag.
        flag: FlagKey,
        /// The variant that was named.
        variant: String,
        /// Those that there are, in order.
        variants: Vec<String>,
    },
    /// A variant of that name exists.
    #[error("`{flag}` has a variant `{variant}` already")]
    VariantExists {
        /// The flag.
        flag: FlagKey,
        /// The variant.
        variant: String,
    },
    /// The default variant is whoever's no rule is true for, and so always the last.
    #[error("`{variant}` is the default of `{flag}`: it {rule}")]
    Default {
        /// The flag.
        flag: FlagKey,
        /// The variant.
        variant: String,
        /// What holds for a default, and was about to be broken.
        rule: &'static str,
    },
    /// The rule has errors.
    #[error("the rule of variant `{variant}` is not legal: {}", first_error(diagnostics))]
    Rule {
        /// The flag.
        flag: FlagKey,
        /// The variant.
        variant: String,
        /// The rule as it was given.
        text: String,
        /// Everything that is wrong with it, warnings included.
        diagnostics: Vec<Diagnostic>,
    },
    /// The document would not be legal.
    #[error(transparent)]
    Invalid(#[from] ReadError),
}

impl EditError {
    /// Where in the document it is, as the dotted path of a [`Violation`](crate::Violation); empty for several places.
    #[must_use]
    pub fn location(&self) -> String {
        match self {
            Self::NoSuchFlag { flag } | Self::FlagExists { flag } => format!("flags.{flag}"),
            Self::NoSuchAttribute { flag, attribute, .. } => format!("flags.{flag}.attributes.{attribute}"),
            Self::NotOfType { flag, attribute, .. } => format!("values.{flag}.{attribute}"),
            Self::WhichVariant { flag, .. } => format!("values.{flag}._variants"),
            Self::NoSuchVariant { flag, variant, .. }
            | Self::VariantExists { flag, variant }
            | Self::Default { flag, variant, .. } => format!("values.{flag}._variants.{variant}"),
            Self::Rule { flag, variant, .. } => format!("values.{flag}._variants.{variant}.rule"),
            Self::Invalid(_) => String::new(),
        }
    }
}

fn list(before: &str, names: &[String]) -> String {
    if names.is_empty() { format!("{before} none") } else { format!("{before} {}", quoted(names).join(", ")) }
}

fn either(names: &[String]) -> String {
    quoted(names).join(" or ")
}

fn quoted(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

fn first_error(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(ToString::to_string).unwrap_or_default()
}
