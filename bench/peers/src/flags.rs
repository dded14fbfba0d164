//! What is evaluated, in words that every contender puts into its own language.

use crate::population::User;

/// Countries and companies that no ordinary user is of.
pub(crate) const COUNTRIES: [&str; 20] = [
    "AR", "AU", "BR", "CA", "CL", "CN", "CO", "EG", "ID", "IL", "IN", "JP", "KE", "KR", "MX", "NG", "NZ",
    "SG", "TH", "ZA",
];

/// As long as those of ordinary users.
pub(crate) const COMPANIES: [&str; 20] = [
    "company-901",
    "company-907",
    "company-911",
    "company-919",
    "company-929",
    "company-937",
    "company-941",
    "company-947",
    "company-953",
    "company-967",
    "company-971",
    "company-977",
    "company-983",
    "company-991",
    "company-993",
    "company-994",
    "company-995",
    "company-996",
    "company-997",
    "company-998",
];

/// The plan that no ordinary user has.
pub(crate) const PLAN: &str = "enterprise";

/// The platform that no ordinary user has.
pub(crate) const PLATFORM: &str = "console";

/// How many of a hundred get the treatment.
pub(crate) const PERCENT: u32 = 20;

/// What flags are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// On for everybody.
    Plain,
    /// `country` in [`COUNTRIES`]; `company` in [`COMPANIES`]; `plan` is [`PLAN`]; `platform` is [`PLATFORM`]; or
    /// [`PERCENT`] by `userId`. Each has a variant of its own, named [`VARIANTS`].
    FiveRules,
}

/// The variants of the five rules in their order, and the default.
pub(crate) const VARIANTS: [&str; 6] =
    ["by-country", "by-company", "by-plan", "by-platform", TREATMENT, CONTROL];

/// The variant of the split.
pub(crate) const TREATMENT: &str = "treatment";

/// The variant of everybody else.
pub(crate) const CONTROL: &str = "control";

/// A question that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// The key in the report.
    pub(crate) name: &'static str,
    /// What its flags are made of.
    pub(crate) shape: Shape,
    /// How many there are.
    pub(crate) flags: usize,
    /// Whether one call evaluates all of them.
    pub(crate) all: bool,
}

/// The cases of the contract.
pub(crate) const CASES: [Case; 4] = [
    Case { name: "plain", shape: Shape::Plain, flags: 1, all: false },
    Case { name: "five-rules", shape: Shape::FiveRules, flags: 1, all: false },
    Case { name: "one-of-1000", shape: Shape::FiveRules, flags: 1_000, all: false },
    Case { name: "all-of-200", shape: Shape::FiveRules, flags: 200, all: true },
];

impl Case {
    /// The flags' names.
    pub(crate) fn names(&self) -> Vec<String> {
        (0..self.flags).map(|number| format!("checkout-feature-{number:04}")).collect()
    }
}

/// Users of whom exactly one rule is true, and the place of its variant.
pub(crate) fn matching() -> [(User, usize); 4] {
    [
        (User::with(0, "country", "KE"), 0),
        (User::with(1, "company", "company-953"), 1),
        (User::with(2, "plan", PLAN), 2),
        (User::with(3, "platform", PLATFORM), 3),
    ]
}
