//! What depends on whether somebody is looking: colours, questions, lines that are written over.
//!
//! **Invariant:** nothing a server sends reaches a terminal as a control sequence; see [`printable`].

use crate::commands::Failure;
use crate::environment;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write};

/// A colour of the terminal's palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
}

/// Whether to colour what goes to standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    coloured: bool,
}

impl Palette {
    /// Colours for terminals, unless `NO_COLOR` is set.
    pub(crate) fn of_output() -> Self {
        Self { coloured: is_output_seen() && environment::variable("NO_COLOR").is_none() }
    }

    /// `text` in `colour`.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        if !self.coloured {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// `text` on one line and without what would steer a terminal: control characters are written as escapes.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => printable.push_str("\\n"),
            '\t' => printable.push_str("\\t"),
            c if steers(c) => {
                let _ = write!(printable, "\\u{{{:x}}}", u32::from(c));
            }
            c => printable.push(c),
        }
    }
    Cow::Owned(printable)
}

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether standard output is a terminal, and not a file or another program.
pub(crate) fn is_output_seen() -> bool {
    io::stdout().is_terminal()
}

/// Asks a question that yes or no answers; anything but yes is no.
pub(crate) fn ask(question: &str) -> Result<bool, Failure> {
    let told = |error: io::Error| Failure::failed(format!("the question could not be asked: {error}"));
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush()).map_err(told)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(told)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A note to whoever runs the command, beside its result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Tells how far something has come. On a terminal each line is written over the one before.
pub(crate) struct Progress {
    live: bool,
    last: String,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self { live: io::stderr().is_terminal(), last: String::new() }
    }

    /// Says so, unless that was the last thing said.
    pub(crate) fn say(&mut self, text: &str) {
        if self.last == text {
            return;
        }
        let mut terminal = io::stderr().lock();
        let _ = if self.live {
            write!(terminal, "\r\u{1b}[2K{text}").and_then(|()| terminal.flush())
        } else {
            writeln!(terminal, "{text}")
        };
        text.clone_into(&mut self.last);
    }

    /// Leaves the terminal on a line of its own.
    pub(crate) fn end(self) {
        if self.live && !self.last.is_empty() {
            let _ = writeln!(io::stderr().lock());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Colour, Palette, printable};

    #[test]
    fn what_would_steer_a_terminal_is_shown_instead() {
        assert_eq!(printable("blue, größer → 1"), "blue, größer → 1");
        assert_eq!(printable("a\u{1b}[2Jb\r\n\u{202e}c\t"), "a\\u{1b}[2Jb\\u{d}\\n\\u{202e}c\\t");
    }

    #[test]
    fn colours_are_for_terminals() {
        assert_eq!(Palette { coloured: false }.paint(Colour::Red, "x"), "x");
        assert_eq!(Palette { coloured: true }.paint(Colour::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
