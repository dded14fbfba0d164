//! Rules that are legal but hardly meant: parts that are never true, and variants that nobody can get.

use crate::document::{FlagDocument, FlagKey, Rule, Setting, Variants};
use crate::rule::{self, Budget, Code, Diagnostic, Span, is_covered};

/// A warning about the rule of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWarning {
    /// The flag.
    pub flag: FlagKey,
    /// The place of the variant among the flag's, from 0.
    pub variant: usize,
    /// The variant's name.
    pub name: String,
    /// What is suspicious. Its span is in the text of the rule.
    pub diagnostic: Diagnostic,
}

/// Looks at every rule of a document, by itself and together with the rules above it. Finds nothing that is not so,
/// and not everything that is.
#[must_use]
pub fn lint(document: &FlagDocument) -> Vec<RuleWarning> {
    let mut warnings = Vec::new();
    for (flag, value) in document.values() {
        if let Setting::Variants(variants) = value.setting() {
            lint_flag(flag, variants, &mut warnings);
        }
    }
    warnings
}

fn lint_flag(flag: &FlagKey, variants: &Variants, warnings: &mut Vec<RuleWarning>) {
    let mut budget = Budget::of_flag();
    for (index, (variant, rule)) in variants.with_rule().iter().enumerate() {
        let above = variants.with_rule().iter().take(index);
        let covering = above
            .map(|(above, other)| (above.name.as_str(), other))
            .find(|(_, other)| is_covered(rule.expression(), other.expression(), &mut budget));
        let diagnostics = rule::check(rule.as_str()).diagnostics.into_iter();
        warnings.extend(
            diagnostics.chain(covering.map(|(name, other)| never_reached(rule, name, other))).map(
                |diagnostic| RuleWarning {
                    flag: flag.clone(),
                    variant: index,
                    name: variant.name.clone(),
                    diagnostic,
                },
            ),
        );
    }
}

fn never_reached(rule: &Rule, name: &str, above: &Rule) -> Diagnostic {
    let text = rule.as_str();
    let start = text.len() - text.trim_start().len();
    let span = Span::new(start, text.trim_end().len());
    let message = format!("nobody gets this variant: whoever this rule is true for gets `{name}` above");
    let both_split = rule.is_split() && above.is_split();
    Diagnostic::new(Code::NeverReached, span, message).hint(if both_split {
        "splits with the same salt are nested: add the percentages up (20, then 25 for 5 more), or give them different seeds"
    } else {
        "move it up, or make the rule above narrower"
    })
}
