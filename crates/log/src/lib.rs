//! The ordered log and content store that everything else is derived from.
