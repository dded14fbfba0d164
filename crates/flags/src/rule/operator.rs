//! The operators, their names, and what somebody who wrote another name may have meant.

/// An operator of the rule language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    And,
    Or,
    Not,
    BeginsWith,
    EndsWith,
    Contains,
    In,
    Matches,
    Exists,
    Split,
}

impl Operator {
    const ALL: [Self; 16] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::And,
        Self::Or,
        Self::Not,
        Self::BeginsWith,
        Self::EndsWith,
        Self::Contains,
        Self::In,
        Self::Matches,
        Self::Exists,
        Self::Split,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "gte",
            Self::Less => "lt",
            Self::LessOrEqual => "lte",
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::BeginsWith => "begins_with",
            Self::EndsWith => "ends_with",
            Self::Contains => "contains",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Exists => "exists",
            Self::Split => "split",
        }
    }

    /// How it is written, for hints.
    pub(crate) const fn form(self) -> &'static str {
        match self {
            Self::Equal => "(eq $key \"value\")",
            Self::NotEqual => "(ne $key \"value\")",
            Self::Greater => "(gt $key 10)",
            Self::GreaterOrEqual => "(gte $key 10)",
            Self::Less => "(lt $key 10)",
            Self::LessOrEqual => "(lte $key 10)",
            Self::And => "(and (…) (…))",
            Self::Or => "(or (…) (…))",
            Self::Not => "(not (…))",
            Self::BeginsWith => "(begins_with $key \"prefix\")",
            Self::EndsWith => "(ends_with $key \"suffix\")",
            Self::Contains => "(contains $key \"part\")",
            Self::In => "(in $key [\"one\", \"two\"])",
            Self::Matches => "(matches in::$key pattern::\"regex\")",
            Self::Exists => "(exists key::\"name\")",
            Self::Split => "(split pct::10 by::$key)",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }

    /// The operator somebody meant who wrote `name`.
    pub(crate) fn nearest(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        let by_meaning = match lower.as_str() {
            "=" | "==" | "===" | "equal" | "equals" | "is" => Self::Equal,
            "!=" | "!==" | "<>" | "neq" | "not_equal" | "notequals" => Self::NotEqual,
            ">" | "greater" | "greater_than" | "after" => Self::Greater,
            ">=" | "ge" => Self::GreaterOrEqual,
            "<" | "less" | "less_than" | "before" => Self::Less,
            "<=" | "le" => Self::LessOrEqual,
            "&&" | "&" | "all" => Self::And,
            "||" | "|" | "any" => Self::Or,
            "!" | "nor" => Self::Not,
            "starts_with" | "startswith" | "prefix" => Self::BeginsWith,
            "suffix" => Self::EndsWith,
            "includes" | "has" | "substring" => Self::Contains,
            "one_of" | "oneof" | "member" => Self::In,
            "like" | "regex" | "regexp" | "~" | "=~" => Self::Matches,
            "defined" | "present" => Self::Exists,
            "percent" | "percentage" | "rollout" | "fractional" => Self::Split,
            _ => return nearest(&lower, Self::ALL, Self::name),
        };
        Some(by_meaning)
    }
}

/// The one whose name is at most a third of the letters away from `text`.
pub(crate) fn nearest<T: Copy>(
    text: &str,
    all: impl IntoIterator<Item = T>,
    name: impl Fn(T) -> &'static str,
) -> Option<T> {
    // Far longer than any name; and the distance below takes quadratic time.
    if text.len() > 24 {
        return None;
    }
    all.into_iter()
        .map(|one| (distance(text, name(one)), one))
        .filter(|(distance, one)| *distance * 3 <= name(*one).len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// Letters to insert, remove, replace, or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_previous: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let mut last: Option<char> = None;
    for (row, l) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, r) in right.iter().enumerate() {
            let at = |costs: &[usize], index: usize| costs.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&previous, column) + usize::from(l != *r))
                .min(at(&previous, column + 1) + 1)
                .min(at(&current, column) + 1);
            if let Some(column) = column.checked_sub(1)
                && last == Some(*r)
                && right.get(column) == Some(&l)
            {
                cost = cost.min(at(&before_previous, column) + 1);
            }
            current.push(cost);
        }
        before_previous = std::mem::replace(&mut previous, current);
        last = Some(l);
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Operator, distance};

    #[test]
    fn a_slip_is_recognised_and_a_guess_is_not_made() {
        for (written, meant) in [
            ("eqq", Some("eq")),
            ("begin_with", Some("begins_with")),
            ("contians", Some("contains")),
            ("exsits", Some("exists")),
            ("AND", Some("and")),
            (">=", Some("gte")),
            ("startswith", Some("begins_with")),
            ("nope", None),
            ("semver", None),
            ("", None),
        ] {
            assert_eq!(Operator::nearest(written).map(Operator::name), meant, "{written}");
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_slip() {
        assert_eq!(distance("splti", "split"), 1);
        assert_eq!(distance("", "in"), 2);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
