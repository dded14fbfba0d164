//! Symbol ids and their texts: the system's, those of shared tables, and those of the stream.

use std::collections::BTreeMap;

use crate::layout::{BinaryFault, ReadError};
use crate::shared;

/// The texts of the ids from 1, which every stream has.
const SYSTEM: [&str; 9] = [
    "$ion",
    "$ion_1_0",
    "$ion_symbol_table",
    "name",
    "version",
    "imports",
    "symbols",
    "max_id",
    "$ion_shared_symbol_table",
];

pub(crate) const SYMBOL_TABLE: u64 = 3;
pub(crate) const NAME: u64 = 4;
pub(crate) const IMPORTS: u64 = 6;
pub(crate) const SYMBOLS: u64 = 7;
pub(crate) const MAX_ID: u64 = 8;

/// The first id that is not the system's.
const FIRST: u64 = 10;

/// Most symbols that one shared table can bring; the known ones have far fewer.
pub(crate) const MAX_IMPORTED: usize = 1_000;

/// Most shared tables of one stream.
pub(crate) const MAX_IMPORTS: usize = 100;

/// The symbols that a reader knows.
#[derive(Debug, Default)]
pub(crate) struct Symbols<'b> {
    /// From [`FIRST`] on.
    local: Vec<Symbol<'b>>,
}

#[derive(Debug)]
pub(crate) enum Symbol<'b> {
    Text(&'b str),
    Shared {
        table: &'b str,
        number: usize,
    },
    /// A slot without a text.
    Nothing,
}

impl<'b> Symbols<'b> {
    pub(crate) fn clear(&mut self) {
        self.local.clear();
    }

    pub(crate) fn push(&mut self, symbol: Symbol<'b>) {
        self.local.push(symbol);
    }

    /// Adds the symbols of the table called `table`: as many as it has, or as `max_id` says.
    pub(crate) fn import(
        &mut self,
        table: &'b str,
        max_id: Option<usize>,
        at: usize,
    ) -> Result<(), ReadError> {
        let size = max_id.or_else(|| shared::size(table)).filter(|size| *size <= MAX_IMPORTED);
        let Some(size) = size else {
            return Err(ReadError::Binary { fault: BinaryFault::SymbolTable, at });
        };
        self.local.extend((1..=size).map(|number| Symbol::Shared { table, number }));
        Ok(())
    }

    /// The text of a symbol that stands at `at`.
    pub(crate) fn text(&self, id: u64, at: usize) -> Result<&'b str, ReadError> {
        let undefined = || ReadError::Binary { fault: BinaryFault::UndefinedSymbol(id), at };
        let index = |from: u64| id.checked_sub(from).and_then(|index| usize::try_from(index).ok());
        if let Some(text) = index(1).and_then(|index| SYSTEM.get(index)) {
            return Ok(text);
        }
        match index(FIRST).and_then(|index| self.local.get(index)).ok_or_else(undefined)? {
            Symbol::Text(text) => Ok(text),
            Symbol::Nothing => Err(undefined()),
            Symbol::Shared { table, number } => shared::symbol(table, *number)
                .ok_or_else(|| ReadError::SharedSymbol { table: (*table).to_owned(), number: *number }),
        }
    }
}

/// The symbols that a writer used, with ids in the order of their first use.
#[derive(Debug, Default)]
pub(crate) struct Interned {
    ids: BTreeMap<Box<str>, u64>,
    texts: Vec<Box<str>>,
}

impl Interned {
    pub(crate) fn id(&mut self, text: &str) -> u64 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let system = (1..).zip(SYSTEM).find(|(_, known)| *known == text).map(|(id, _)| id);
        let id = system.unwrap_or_else(|| {
            self.texts.push(text.into());
            // As many symbols as memory holds are counted by 64 bits.
            FIRST + self.texts.len() as u64 - 1
        });
        self.ids.insert(text.into(), id);
        id
    }

    pub(crate) fn texts(&self) -> &[Box<str>] {
        &self.texts
    }
}
