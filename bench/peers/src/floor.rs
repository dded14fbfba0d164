//! What one would write by hand, without a library: structs, arrays, the standard library's map of flags by name.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{
    COMPANIES, CONTROL, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape, TREATMENT, VARIANTS,
};
use crate::population::User;
use std::collections::HashMap;
use std::hint::black_box;

struct Person {
    company: String,
    country: String,
    plan: String,
    platform: String,
    user_id: String,
}

#[derive(Clone, Copy)]
enum Why {
    Static,
    Rule,
    Split,
    Default,
}

struct Decided {
    value: bool,
    variant: &'static str,
    why: Why,
}

/// The floor.
struct Floor {
    people: Vec<Person>,
    flags: HashMap<String, Shape>,
}

/// Makes the floor.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let person = |user: &User| Person {
        company: user.get("company").to_owned(),
        country: user.get("country").to_owned(),
        plan: user.get("plan").to_owned(),
        platform: user.get("platform").to_owned(),
        user_id: user.get("userId").to_owned(),
    };
    Ok(Box::new(Floor { people: users.iter().map(person).collect(), flags: HashMap::new() }))
}

/// FNV-1a, the hash that fits in three lines.
fn fnv(parts: [&str; 2]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Floor {
    fn decide(&self, flag: &str, person: &Person) -> Option<Decided> {
        let decided = |value, variant, why| Some(Decided { value, variant, why });
        match self.flags.get(flag)? {
            Shape::Plain => decided(true, "", Why::Static),
            Shape::FiveRules => {
                let [by_country, by_company, by_plan, by_platform, ..] = VARIANTS;
                if COUNTRIES.contains(&person.country.as_str()) {
                    return decided(true, by_country, Why::Rule);
                }
                if COMPANIES.contains(&person.company.as_str()) {
                    return decided(true, by_company, Why::Rule);
                }
                if person.plan == PLAN {
                    return decided(true, by_plan, Why::Rule);
                }
                if person.platform == PLATFORM {
                    return decided(true, by_platform, Why::Rule);
                }
                if fnv([flag, &person.user_id]) % 100 < u64::from(PERCENT) {
                    return decided(true, TREATMENT, Why::Split);
                }
                decided(false, CONTROL, Why::Default)
            }
        }
    }
}

fn is_treated(decided: Option<Decided>) -> bool {
    black_box(decided).is_some_and(|decided| decided.value && matches!(decided.why, Why::Static | Why::Split))
}

impl Contender for Floor {
    fn name(&self) -> &'static str {
        "by hand"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "value, variant, reason"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        self.flags = case.names().into_iter().map(|name| (name, case.shape)).collect();
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        if let Some(decided) = self.people.get(user).and_then(|person| self.decide(flag, person)) {
            then(if decided.variant.is_empty() {
                Answer::On(decided.value)
            } else {
                Answer::Variant(decided.variant)
            });
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.people, |flag, person| is_treated(self.decide(flag, person)))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.each_of_all(&self.people, |flag, person| is_treated(self.decide(flag, person)))
    }
}
