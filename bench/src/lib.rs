//! What the bench shares with the yardsticks that it starts.

pub mod bare_sqlite;
