//! Attributes on the command line: `colour=green`, and `colour:string,required,enum=blue|green`.

use std::str::FromStr;
use yardarm_flags::document::{
    ArrayConstraints, AttributeConstraints, AttributeKey, AttributeValue, ElementConstraints, EnumEntry,
    NumberConstraints, StringConstraints, StringRule,
};
use yardarm_flags::edit::{Change, NewValue};

/// `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assignment {
    attribute: AttributeKey,
    text: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
        let attribute = key.parse().map_err(|error| format!("`{key}` is {error}"))?;
        Ok(Self { attribute, text: value.to_owned() })
    }
}

impl Assignment {
    pub(super) fn into_parts(self) -> (AttributeKey, NewValue) {
        (self.attribute, NewValue::Text(self.text))
    }

    /// A definition of the attribute by what its value looks like.
    pub(super) fn definition(&self) -> Change {
        let constraints = match AttributeValue::guess(&self.text) {
            AttributeValue::String(_) => AttributeConstraints::String(StringConstraints::default()),
            AttributeValue::Number(_) => AttributeConstraints::Number(NumberConstraints::default()),
            AttributeValue::Boolean(_) => AttributeConstraints::Boolean { required: None },
            AttributeValue::Strings(_) | AttributeValue::Numbers(_) => {
                AttributeConstraints::Array(ArrayConstraints::default())
            }
        };
        let attribute = self.attribute.clone();
        Change::DefineAttribute { attribute, description: None, constraints: Some(constraints) }
    }
}

/// `KEY:TYPE[,constraint]…`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AttributeSpec {
    attribute: AttributeKey,
    constraints: Option<AttributeConstraints>,
}

impl AttributeSpec {
    pub(super) fn defines(&self, assignment: &Assignment) -> bool {
        self.attribute == assignment.attribute
    }

    pub(super) fn into_change(self) -> Change {
        Change::DefineAttribute {
            attribute: self.attribute,
            description: None,
            constraints: self.constraints,
        }
    }
}

impl FromStr for AttributeSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, rest) = text.split_once(':').ok_or("write KEY:TYPE")?;
        let attribute = key.parse().map_err(|error| format!("`{key}` is {error}"))?;
        let (kind, rest) = rest.split_once(',').unwrap_or((rest, ""));
        let given = Given::read(rest)?;
        let constraints = given.constraints(kind)?;
        Ok(Self { attribute, constraints })
    }
}

/// The constraints as given, before it is known whether they fit the type.
#[derive(Default)]
struct Given<'t> {
    required: Option<bool>,
    minimum: Option<i64>,
    maximum: Option<i64>,
    entries: Option<Vec<EnumEntry>>,
    pattern: Option<&'t str>,
    elements: Option<&'t str>,
}

impl<'t> Given<'t> {
    fn read(text: &'t str) -> Result<Self, String> {
        let mut given = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            // A pattern may contain commas, so it takes all that is left.
            if let Some(pattern) = rest.strip_prefix("pattern=") {
                given.pattern = Some(pattern);
                break;
            }
            let (part, after) = rest.split_once(',').unwrap_or((rest, ""));
            rest = after;
            match part.split_once('=') {
                None if part == "required" => given.required = Some(true),
                Some(("min", number)) => given.minimum = Some(integer(number)?),
                Some(("max", number)) => given.maximum = Some(integer(number)?),
                Some(("elements", kind)) => given.elements = Some(kind),
                Some(("enum", entries)) => {
                    let entry = |entry: &str| EnumEntry::String(entry.to_owned());
                    given.entries = Some(entries.split('|').map(entry).collect());
                }
                _ => {
                    return Err(format!(
                        "`{part}` is no constraint: there are required, min=N, max=N, enum=A|B, elements=TYPE and, as the \
                         last, pattern=RE"
                    ));
                }
            }
        }
        Ok(given)
    }

    fn constraints(self, kind: &str) -> Result<Option<AttributeConstraints>, String> {
        let required = self.required;
        let constraints = match kind {
            "any" => {
                self.only("any", &[])?;
                return Ok(None);
            }
            "boolean" => {
                self.only("boolean", &["required"])?;
                AttributeConstraints::Boolean { required }
            }
            "string" => {
                self.only("string", &["required", "enum", "pattern"])?;
                AttributeConstraints::String(self.of_string(required)?)
            }
            "number" => {
                self.only("number", &["required", "min", "max"])?;
                AttributeConstraints::Number(self.of_number(required))
            }
            "array" => {
                let elements = match self.elements {
                    Some("string") => {
                        self.only("array of string", &["required", "elements", "enum", "pattern"])?;
                        Some(ElementConstraints::String(self.of_string(None)?))
                    }
                    Some("number") => {
                        self.only("array of number", &["required", "elements", "min", "max"])?;
                        Some(ElementConstraints::Number(self.of_number(None)))
                    }
                    Some(other) => return Err(format!("elements are string or number, not `{other}`")),
                    None => {
                        self.only("array", &["required"])?;
                        None
                    }
                };
                AttributeConstraints::Array(ArrayConstraints { required, elements })
            }
            other => {
                return Err(format!(
                    "`{other}` is no type: there are string, number, boolean, array and any"
                ));
            }
        };
        Ok(Some(constraints))
    }

    fn of_string(self, required: Option<bool>) -> Result<StringConstraints, String> {
        let rule = match (self.entries, self.pattern) {
            (None, None) => None,
            (Some(entries), None) => Some(StringRule::Enum(entries)),
            (None, Some(pattern)) => Some(StringRule::Pattern(pattern.to_owned())),
            (Some(_), Some(_)) => return Err("enum and pattern exclude each other".to_owned()),
        };
        Ok(StringConstraints { required, rule })
    }

    fn of_number(self, required: Option<bool>) -> NumberConstraints {
        NumberConstraints {
            required,
            minimum: self.minimum.map(Into::into),
            maximum: self.maximum.map(Into::into),
        }
    }

    /// Refuses constraints that a type does not have.
    fn only(&self, kind: &str, legal: &[&str]) -> Result<(), String> {
        let given = [
            ("required", self.required.is_some()),
            ("min", self.minimum.is_some()),
            ("max", self.maximum.is_some()),
            ("enum", self.entries.is_some()),
            ("pattern", self.pattern.is_some()),
            ("elements", self.elements.is_some()),
        ];
        match given.iter().find(|(name, given)| *given && !legal.contains(name)) {
            Some((name, _)) => Err(format!("the type {kind} has no {name}")),
            None => Ok(()),
        }
    }
}

fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number"))
}

#[cfg(test)]
mod tests {
    use super::{Assignment, AttributeSpec};
    use yardarm_flags::edit::{Change, Edit};
    use yardarm_flags::{FlagDocument, facts};

    /// The definition that a specification makes, as people read it.
    fn defined(spec: &str) -> String {
        let spec: AttributeSpec = match spec.parse() {
            Ok(spec) => spec,
            Err(wrong) => return wrong,
        };
        shown(spec.into_change())
    }

    fn shown(change: Change) -> String {
        let edit = Edit { flag: "f".parse().unwrap(), changes: vec![Change::Create, change] };
        let document = match edit.apply(&FlagDocument::default()) {
            Ok(document) => document,
            Err(error) => return error.to_string(),
        };
        let facts = facts(&document, "f");
        let attribute = facts.iter().find(|fact| fact.subject.starts_with("attribute")).unwrap();
        format!("{}: {}", attribute.subject, attribute.text)
    }

    #[test]
    fn a_specification_says_type_and_constraints() {
        for (spec, attribute) in [
            ("colour:string,enum=blue|green", "attribute colour: string of \"blue\" | \"green\""),
            ("text:string,pattern=^a{1,3}$", "attribute text: string like ^a{1,3}$"),
            ("n:number,min=-1,max=10", "attribute n: number from -1 to 10"),
            ("b:boolean", "attribute b: boolean"),
            ("x:any", "attribute x: anything"),
            ("tags:array", "attribute tags: array"),
            ("tags:array,elements=string,enum=a|b", "attribute tags: array of string of \"a\" | \"b\""),
            ("tags:array,elements=number,max=3", "attribute tags: array of number to 3"),
        ] {
            assert_eq!(defined(spec), attribute, "{spec}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_specification_is_told() {
        for (spec, told) in [
            ("colour", "write KEY:TYPE"),
            ("Colour:string", "`Colour` is not a attribute key"),
            ("enabled:boolean", "not reserved"),
            ("colour:text", "`text` is no type: there are string, number, boolean, array and any"),
            ("colour:string,min=1", "the type string has no min"),
            ("colour:any,required", "the type any has no required"),
            ("n:number,min=one", "`one` is no whole number"),
            ("n:number,least=1", "`least=1` is no constraint"),
            ("t:array,elements=boolean", "elements are string or number, not `boolean`"),
            ("t:array,min=1", "the type array has no min"),
            ("t:string,enum=a,pattern=b", "enum and pattern exclude each other"),
            ("t:string,pattern=(", "PatternIsValid"),
        ] {
            assert!(defined(spec).contains(told), "{spec}: {}", defined(spec));
        }
    }

    #[test]
    fn a_value_says_what_its_attribute_is() {
        for (text, attribute) in [
            ("n=1.5", "attribute n: number"),
            ("b=true", "attribute b: boolean"),
            ("s=a=b", "attribute s: string"),
            ("t=[\"a\"]", "attribute t: array"),
        ] {
            let assignment: Assignment = text.parse().unwrap();
            assert_eq!(shown(assignment.definition()), attribute);
        }
        assert!("enabled=true".parse::<Assignment>().is_err() && "n".parse::<Assignment>().is_err());
    }
}
