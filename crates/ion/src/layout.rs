//! What the values of a stream mean: flags, their variants, and what can be wrong with them.

use std::collections::BTreeMap;
use std::fmt;

use yardarm_flags::document::{FlagKey, Rule, Setting, Variant, Variants};
use yardarm_flags::json_position::TextPosition;
use yardarm_flags::retrieval::{Content, ContentError};
use yardarm_flags::rule::{Node, NodeKind};

/// Most variants of one flag: more than any document may have, since a running experiment adds its own.
const MAX_VARIANTS: usize = 1_000;

/// Why bytes are not flags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More bytes than are read.
    #[error("flags in Ion have at most {limit} bytes, these have {size}")]
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
        /// What was given, in bytes.
        size: usize,
    },
    /// Neither a version marker nor UTF-8.
    #[error("neither Ion text nor binary Ion 1.0: no UTF-8 at byte {at}")]
    NeitherTextNorBinary {
        /// The first byte that is not UTF-8.
        at: usize,
    },
    /// Not Ion text, or with parts that no flag has.
    #[error("malformed Ion text at {at}: {message}")]
    Text {
        /// What is wrong, and what to write instead where that is known.
        message: String,
        /// Where it is.
        at: TextPosition,
    },
    /// Not binary Ion, or with parts that no flag has.
    #[error("malformed binary Ion at byte {at}: {fault}")]
    Binary {
        /// What is wrong.
        fault: BinaryFault,
        /// Where the value or the piece of it begins that is wrong.
        at: usize,
    },
    /// A symbol of a shared table whose text is not known. The service has grown; whoever reads keeps what he has.
    #[error("symbol {number} of the shared symbol table `{table}` is not known")]
    SharedSymbol {
        /// The table.
        table: String,
        /// The place of the symbol in the table, from 1.
        number: usize,
    },
    /// A value that is annotated with no flag's key.
    #[error("value {index} is not annotated with the key of a flag")]
    NoFlag {
        /// The place of the value, from 1.
        index: usize,
    },
    /// What stands for a flag is wrong.
    #[error("flag `{flag}`: {fault}")]
    Flag {
        /// The flag.
        flag: FlagKey,
        /// What is wrong.
        fault: FlagFault,
    },
}

/// What is wrong with binary Ion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryFault {
    /// The bytes end within a value.
    Cut,
    /// A number that is larger than any rule can have.
    TooLarge,
    /// A text that is not UTF-8.
    NotUtf8,
    /// A null.
    Null,
    /// Nested too deep.
    TooDeep,
    /// An annotation of nothing, or more than one.
    Annotation,
    /// A type that neither rules nor flags have: clob, blob, struct.
    Unused,
    /// Something that Ion does not allow.
    Illegal,
    /// Not a time of the calendar.
    Timestamp,
    /// A symbol table that says something impossible, or asks for too much.
    SymbolTable,
    /// The id of a symbol that nothing defines.
    UndefinedSymbol(u64),
}

impl fmt::Display for BinaryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "it ends within a value",
            Self::TooLarge => "the number is too large",
            Self::NotUtf8 => "the text is not UTF-8",
            Self::Null => "flags and rules have no nulls",
            Self::TooDeep => "nested too deep",
            Self::Annotation => "a value has one annotation at most",
            Self::Unused => "flags and rules have no clobs, blobs or structs",
            Self::Illegal => "not legal in Ion",
            Self::Timestamp => "not a time of the calendar",
            Self::SymbolTable => "the symbol table cannot be used",
            Self::UndefinedSymbol(id) => return write!(f, "nothing defines the symbol {id}"),
        })
    }
}

/// What is wrong with a flag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagFault {
    /// Neither a string nor a list.
    #[error("a flag is a string or a list of variants")]
    Shape,
    /// The content of a flag without variants.
    #[error("its content is wrong: {0}")]
    Content(ContentError),
    /// More variants than are read.
    #[error("it has more than {MAX_VARIANTS} variants")]
    TooManyVariants,
    /// One variant.
    #[error("variant {index}: {fault}")]
    Variant {
        /// The place of the variant, from 1.
        index: usize,
        /// What is wrong.
        fault: VariantFault,
    },
    /// The last variant has a rule.
    #[error("the last variant, which is the default, has a rule")]
    NoDefault,
}

/// What is wrong with a variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariantFault {
    /// Neither a pair of a rule and a content nor the content of the default.
    #[error("a variant is [rule, content], or as the last one a content alone")]
    Shape,
    /// Its content.
    #[error("its content is wrong: {0}")]
    Content(ContentError),
    /// Neither the content nor an annotation says its name.
    #[error("it has no name")]
    NoName,
    /// Its rule: the first error.
    #[error("its rule is wrong: {0}")]
    Rule(String),
}

pub(crate) fn settings(values: Vec<Node>) -> Result<BTreeMap<FlagKey, Setting>, ReadError> {
    let mut settings = BTreeMap::new();
    for (index, node) in values.into_iter().enumerate() {
        let NodeKind::Named { name, value, .. } = node.kind else {
            return Err(ReadError::NoFlag { index: index + 1 });
        };
        let flag: FlagKey = name.parse().map_err(|_| ReadError::NoFlag { index: index + 1 })?;
        match setting(*value) {
            Ok(setting) => settings.insert(flag, setting),
            Err(fault) => return Err(ReadError::Flag { flag, fault }),
        };
    }
    Ok(settings)
}

fn setting(value: Node) -> Result<Setting, FlagFault> {
    let mut elements = match value.kind {
        NodeKind::Text(text) => {
            return Content::read(&text).map(Content::into_setting).map_err(FlagFault::Content);
        }
        NodeKind::List(elements) => elements,
        _ => return Err(FlagFault::Shape),
    };
    if elements.len() > MAX_VARIANTS {
        return Err(FlagFault::TooManyVariants);
    }
    let Some(last) = elements.pop() else { return Ok(Setting::Nothing) };
    let default = elements.len() + 1;
    let mut with_rule = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        match variant(element) {
            Ok((variant, Some(rule))) => with_rule.push((variant, rule)),
            Ok((_, None)) => return Err(FlagFault::Variant { index: index + 1, fault: VariantFault::Shape }),
            Err(fault) => return Err(FlagFault::Variant { index: index + 1, fault }),
        }
    }
    match variant(last) {
        Ok((default, None)) => Ok(Setting::Variants(Variants::new(with_rule, default))),
        Ok((_, Some(_))) => Err(FlagFault::NoDefault),
        Err(fault) => Err(FlagFault::Variant { index: default, fault }),
    }
}

fn variant(element: Node) -> Result<(Variant, Option<Rule>), VariantFault> {
    let (annotation, value) = match element.kind {
        NodeKind::Named { name, value, .. } => (Some(name), value.kind),
        kind => (None, kind),
    };
    let (rule, content) = match value {
        NodeKind::Text(content) => (None, content),
        NodeKind::List(pair) => match <[Node; 2]>::try_from(pair) {
            Ok([rule, Node { kind: NodeKind::Text(content), .. }]) => (Some(rule), content),
            _ => return Err(VariantFault::Shape),
        },
        _ => return Err(VariantFault::Shape),
    };
    let Content { variant, state } = Content::read(&content).map_err(VariantFault::Content)?;
    let name = variant.or(annotation.map(String::from)).ok_or(VariantFault::NoName)?;
    let rule = rule.map(|rule| Rule::of_tree(&rule)).transpose();
    let rule = rule.map_err(|wrong| {
        let error = wrong.iter().find(|diagnostic| diagnostic.is_error());
        VariantFault::Rule(error.map(ToString::to_string).unwrap_or_default())
    })?;
    Ok((Variant { name, state }, rule))
}
