//! The shared symbol tables of the vendor's service, `ops` and `anns`, as far as their symbols have been seen.
//!
//! The tables are not published. Only what was observed is here: a guess that is wrong would give users the wrong
//! variants, while an unknown symbol is an error, and whoever reads keeps what he had.

/// The tables' names with how many symbols each has.
const TABLES: [(&str, usize); 2] = [("ops", 23), ("anns", 12)];

/// How many symbols the table called `name` has.
pub(crate) fn size(name: &str) -> Option<usize> {
    TABLES.iter().find(|(known, _)| *known == name).map(|(_, size)| *size)
}

/// The symbol at `number` of the table called `table`, counted from 1.
pub(crate) fn symbol(table: &str, number: usize) -> Option<&'static str> {
    match (table, number) {
        ("ops", 1) => Some("and"),
        ("ops", 3) => Some("not"),
        ("ops", 4) => Some("eq"),
        ("ops", 13) => Some("in"),
        ("ops", 14) => Some("split"),
        ("ops", 15) => Some("exists"),
        ("anns", 6) => Some("by"),
        ("anns", 7) => Some("pct"),
        ("anns", 8) => Some("seed"),
        ("anns", 11) => Some("key"),
        _ => None,
    }
}
