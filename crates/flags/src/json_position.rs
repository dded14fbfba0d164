//! Where in a JSON text a value stands.
//!
//! Checks work on parsed values, which have forgotten their place; people fix texts. This module finds the way back:
//! from a path of members and indices (or a JSON pointer, RFC 6901) to a line and a column, in one pass over the text
//! for any number of paths.
//!
//! It reads texts that a JSON parser has accepted, and follows that parser where the text is ambiguous: of duplicate
//! keys the last one counts. **Invariants:** never panics, whatever the text; recursion is bounded by [`MAX_DEPTH`];
//! on a text that is not JSON the answer is unspecified, usually `None`.

use std::borrow::Cow;
use std::fmt;

/// How deep paths are followed: the nesting at which the JSON parser itself gives up.
pub const MAX_DEPTH: usize = 128;

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPosition {
    /// The line, from 1; lines end at `\n`.
    pub line: u32,
    /// The column, from 1, in characters (Unicode scalar values).
    pub column: u32,
}

impl fmt::Display for TextPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One step of a path into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A member of an object.
    Member(Cow<'a, str>),
    /// An element of an array, from 0.
    Index(usize),
}

/// Which end of a path is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Where the value begins.
    Value,
    /// Where the key of the member begins; for anything but a member the value.
    Key,
    /// Where within a string value, after so many bytes of the text it stands for; for anything but a string the value.
    Inside(usize),
}

/// Where the value at `pointer` (RFC 6901) begins. `None` when there is no such value or the pointer is malformed.
#[must_use]
pub fn locate(text: &str, pointer: &str) -> Option<TextPosition> {
    let path = parse_pointer(pointer)?;
    let offset = offsets(text, &[(path.as_slice(), Target::Value)]).first().copied()?;
    match offset {
        Some(found) if found.depth == path.len() => Some(position_at(text, found.offset)),
        _ => None,
    }
}

/// For each path, where its value begins or, when the text has no such value, where the nearest enclosing value does.
/// `None` only for a text that is not JSON.
#[must_use]
pub fn locate_nearest(text: &str, wanted: &[(&[Step<'_>], Target)]) -> Vec<Option<TextPosition>> {
    let found: Vec<Option<usize>> = offsets(text, wanted)
        .into_iter()
        .zip(wanted)
        .map(|(found, (path, target))| {
            found.map(|found| match target {
                Target::Inside(offset) if found.depth == path.len() => inside(text, found.offset, *offset),
                Target::Inside(_) | Target::Value | Target::Key => found.offset,
            })
        })
        .collect();
    positions_at(text, &found)
}

/// For each pointer what [`locate_nearest`] says of values; a malformed pointer means the whole text.
#[must_use]
pub fn locate_pointers(text: &str, pointers: &[&str]) -> Vec<Option<TextPosition>> {
    let paths: Vec<Vec<Step<'_>>> =
        pointers.iter().map(|pointer| parse_pointer(pointer).unwrap_or_default()).collect();
    let wanted: Vec<(&[Step<'_>], Target)> =
        paths.iter().map(|path| (path.as_slice(), Target::Value)).collect();
    locate_nearest(text, &wanted)
}

/// Where in `text` the byte at `offset` of the string that begins at `start` is written, escapes and all; where the
/// string ends when it has no such byte.
fn inside(text: &str, start: usize, offset: usize) -> usize {
    let mut at = start;
    let Some(mut rest) = text.get(start..).and_then(|rest| rest.strip_prefix('"')) else { return start };
    at += 1;
    let mut decoded = 0;
    while decoded < offset {
        let (written, meant) = match rest.chars().next() {
            None | Some('"') => break,
            Some('\\') if rest.starts_with("\\u") => {
                let code = rest.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                match code.unwrap_or_default() {
                    // Half of a character beyond the basic plane; the other half follows.
                    0xD800..0xE000 => (12, 4),
                    code => (6, char::from_u32(code).map_or(1, char::len_utf8)),
                }
            }
            Some('\\') => (2, 1),
            Some(c) => (c.len_utf8(), c.len_utf8()),
        };
        let Some(after) = rest.get(written..) else { break };
        rest = after;
        at += written;
        decoded += meant;
    }
    at
}

/// Line and column of a byte offset; offsets past the end mean the end.
#[must_use]
pub fn position_at(text: &str, offset: usize) -> TextPosition {
    let mut cursor = LineCursor::new(text);
    cursor.advance(offset)
}

/// Where the parser stopped, with the column in characters; `serde_json` counts bytes.
#[must_use]
pub fn position_of_error(text: &[u8], error: &serde_json::Error) -> TextPosition {
    let line = error.line().max(1);
    let start = match line {
        1 => 0,
        _ => text
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(line - 2)
            .map_or(text.len(), |(at, _)| at + 1),
    };
    let end = start.saturating_add(error.column().saturating_sub(1)).min(text.len());
    let before = text.get(start..end).unwrap_or_default();
    let column = before.iter().filter(|byte| !is_continuation(**byte)).count();
    TextPosition { line: count(line), column: count(column + 1) }
}

/// What the parser expected, without the position it appends.
#[must_use]
pub fn message_of_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// Writes `steps` as a JSON pointer.
#[must_use]
pub fn pointer(steps: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in steps {
        out.push('/');
        match step {
            Step::Member(key) => out.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => out.push_str(&index.to_string()),
        }
    }
    out
}

/// Every token is kept as a member; an array takes the ones that are numbers, see [`Scan::array`].
fn parse_pointer(pointer: &str) -> Option<Vec<Step<'_>>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let tokens = pointer.strip_prefix('/')?.split('/');
    Some(
        tokens
            .map(|token| {
                Step::Member(if token.contains('~') {
                    Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
                } else {
                    Cow::Borrowed(token)
                })
            })
            .collect(),
    )
}

impl Step<'_> {
    fn is_member(&self, key: &str) -> bool {
        matches!(self, Self::Member(name) if name == key)
    }

    /// RFC 6901: an index has no leading zeros and no sign.
    fn index(&self) -> Option<usize> {
        match self {
            Self::Index(index) => Some(*index),
            Self::Member(token) => {
                let plain =
                    token.bytes().all(|b| b.is_ascii_digit()) && (*token == "0" || !token.starts_with('0'));
                plain.then(|| token.parse().ok()).flatten()
            }
        }
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Counts lines and columns forwards, so that many ascending offsets cost one pass.
struct LineCursor<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> LineCursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    fn advance(&mut self, to: usize) -> TextPosition {
        let to = to.min(self.text.len());
        for byte in self.text.as_bytes().get(self.offset..to).unwrap_or_default() {
            if *byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else if !is_continuation(*byte) {
                self.column += 1;
            }
        }
        self.offset = self.offset.max(to);
        TextPosition { line: count(self.line), column: count(self.column) }
    }
}

fn positions_at(text: &str, offsets: &[Option<usize>]) -> Vec<Option<TextPosition>> {
    let mut order: Vec<(usize, usize)> =
        offsets.iter().enumerate().filter_map(|(which, offset)| offset.map(|at| (at, which))).collect();
    order.sort_unstable();
    let mut positions = vec![None; offsets.len()];
    let mut cursor = LineCursor::new(text);
    for (offset, which) in order {
        let position = cursor.advance(offset);
        if let Some(slot) = positions.get_mut(which) {
            *slot = Some(position);
        }
    }
    positions
}

/// How far a path could be followed, and where that is.
#[derive(Clone, Copy, Debug)]
struct Found {
    depth: usize,
    offset: usize,
}

fn offsets(text: &str, wanted: &[(&[Step<'_>], Target)]) -> Vec<Option<Found>> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, wanted, found: vec![None; wanted.len()] };
    let all: Vec<usize> = (0..wanted.len()).collect();
    if scan.value(&all, 0).is_none() {
        scan.found.fill(None);
    }
    scan.found
}

/// One pass over a JSON text. `None` from any method: not JSON, or deeper than [`MAX_DEPTH`].
struct Scan<'t, 'w> {
    bytes: &'t [u8],
    at: usize,
    wanted: &'w [(&'w [Step<'w>], Target)],
    found: Vec<Option<Found>>,
}

impl<'t> Scan<'t, '_> {
    /// A value that the paths in `on_path` lead through, `depth` steps down.
    fn value(&mut self, on_path: &[usize], depth: usize) -> Option<()> {
        self.space();
        self.note(on_path, depth, self.at, false);
        let goes_on = |which: &usize| self.wanted.get(*which).is_some_and(|(path, _)| path.len() > depth);
        let deeper: Vec<usize> = on_path.iter().copied().filter(goes_on).collect();
        if deeper.is_empty() {
            return self.skip();
        }
        if depth >= MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(&deeper, depth),
            b'[' => self.array(&deeper, depth),
            _ => self.skip(),
        }
    }

    fn object(&mut self, on_path: &[usize], depth: usize) -> Option<()> {
        self.expect(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            return self.expect(b'}');
        }
        loop {
            self.space();
            let key_at = self.at;
            let key = self.key()?;
            self.space();
            self.expect(b':')?;
            let matching = self.matching(on_path, depth, |step| step.is_member(&key));
            self.space();
            // A later duplicate takes the place of an earlier one, with everything below it.
            self.note(&matching, depth + 1, self.at, true);
            let (keys, values): (Vec<usize>, Vec<usize>) =
                matching.into_iter().partition(|which| self.ends_at_key(*which, depth + 1));
            self.note(&keys, depth + 1, key_at, true);
            self.value(&values, depth + 1)?;
            if self.another(b'}')? {
                return Some(());
            }
        }
    }

    fn array(&mut self, on_path: &[usize], depth: usize) -> Option<()> {
        self.expect(b'[')?;
        self.space();
        if self.peek()? == b']' {
            return self.expect(b']');
        }
        let mut index = 0;
        loop {
            let matching = self.matching(on_path, depth, |step| step.index() == Some(index));
            self.value(&matching, depth + 1)?;
            if self.another(b']')? {
                return Some(());
            }
            index += 1;
        }
    }

    /// After an element: whether `close` ended the container; otherwise the comma is consumed.
    fn another(&mut self, close: u8) -> Option<bool> {
        self.space();
        let byte = self.peek()?;
        self.at += 1;
        if byte == close {
            return Some(true);
        }
        (byte == b',').then_some(false)
    }

    fn matching(&self, on_path: &[usize], depth: usize, fits: impl Fn(&Step<'_>) -> bool) -> Vec<usize> {
        let step = |which: usize| self.wanted.get(which).and_then(|(path, _)| path.get(depth));
        on_path.iter().copied().filter(|which| step(*which).is_some_and(&fits)).collect()
    }

    fn ends_at_key(&self, which: usize, depth: usize) -> bool {
        self.wanted.get(which).is_some_and(|(path, target)| path.len() == depth && *target == Target::Key)
    }

    fn note(&mut self, which: &[usize], depth: usize, offset: usize, replace: bool) {
        for which in which {
            if let Some(slot) = self.found.get_mut(*which)
                && (replace || slot.is_none_or(|found| found.depth < depth))
            {
                *slot = Some(Found { depth, offset });
            }
        }
    }

    /// Passes over one value without looking inside; nesting is counted, not recursed into.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            self.space();
            match self.peek()? {
                b'"' => self.string().map(|_| ())?,
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if open > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => self.word()?,
            }
            if open == 0 {
                return Some(());
            }
        }
    }

    /// A number, `true`, `false` or `null`; which one does not matter here.
    fn word(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn key(&mut self) -> Option<Cow<'t, str>> {
        let raw = self.string()?;
        let text = std::str::from_utf8(raw).ok()?;
        if text.contains('\\') {
            serde_json::from_str(text).ok().map(Cow::Owned)
        } else {
            text.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
        }
    }

    /// The string with its quotation marks.
    fn string(&mut self) -> Option<&'t [u8]> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return self.bytes.get(start..self.at),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}
