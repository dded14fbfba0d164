//! Who listens to the story: a person who turns the pages, or a script that only wants it told.

use std::io::{self, BufRead, Write};
use tokio::task::spawn_blocking;

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person at a terminal: each chapter waits for the Enter key, and the shop stays open at the end.
    Person,
    /// Nobody: it is told without a pause.
    Script,
}

impl Audience {
    /// Tells a line. A reader that has gone away is no failure.
    pub(crate) fn tell(self, line: &str) {
        let _ = writeln!(io::stdout().lock(), "{line}");
    }

    /// Begins a chapter.
    pub(crate) fn chapter(self, number: usize, title: &str) {
        self.tell("");
        self.tell(&format!("{number}. {title}"));
        self.tell(&"─".repeat(number.to_string().len() + 2 + title.chars().count()));
    }

    /// Tells a paragraph of the story, in lines that fit a terminal.
    pub(crate) fn narrate(self, text: &str) {
        for line in wrapped(text, 96) {
            self.tell(&line);
        }
    }

    /// Waits until a person has read.
    pub(crate) async fn turn_page(self) {
        if self == Self::Script {
            return;
        }
        let _ = write!(io::stdout().lock(), "\n[Enter] ").and_then(|()| io::stdout().flush());
        // At the end of the input the story goes on by itself.
        let _ = spawn_blocking(|| io::stdin().lock().read_line(&mut String::new())).await;
    }
}

/// `text` in lines of at most `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let fits = lines
            .last()
            .is_some_and(|line| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width);
        if !fits {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("extraordinary a b", 5), ["extraordinary", "a b"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
