//! A line of a text with a mark below the place that is meant.

use crate::terminal::printable;
use yardarm_flags::json_position::TextPosition;

/// Characters shown before and after the place.
const BEFORE: usize = 60;
const AFTER: usize = 40;

/// The line at `at`, cut to what fits, and a caret under its column.
pub(crate) fn excerpt(text: &str, at: TextPosition) -> String {
    let nth = |number: u32| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = text.split('\n').nth(nth(at.line)).unwrap_or_default().trim_end_matches('\r');
    let column = nth(at.column);
    let skipped = column.saturating_sub(BEFORE);
    let start = if skipped > 0 { "…" } else { "" };
    let end = if line.chars().nth(column.saturating_add(AFTER)).is_some() { "…" } else { "" };
    let part = |from: usize, to: usize| -> String {
        // One character stays one, so that the mark stands below its place.
        let shown = line.chars().skip(from).take(to.saturating_sub(from));
        shown
            .map(|c| if printable(c.encode_utf8(&mut [0; 4])).chars().count() == 1 { c } else { ' ' })
            .collect()
    };
    let before = part(skipped, column);
    let after = part(column, column.saturating_add(AFTER));
    let margin = at.line.to_string();
    let blank = " ".repeat(margin.len());
    let indent = " ".repeat(start.chars().count() + before.chars().count());
    format!("{margin} | {start}{before}{after}{end}\n{blank} | {indent}^")
}

#[cfg(test)]
mod tests {
    use super::excerpt;
    use yardarm_flags::json_position::TextPosition;

    fn at(line: u32, column: u32) -> TextPosition {
        TextPosition { line, column }
    }

    #[test]
    fn the_caret_stands_below_its_place() {
        assert_eq!(excerpt("a\nbé\tcd\r\n", at(2, 4)), "2 | bé cd\n  |    ^");
        assert_eq!(excerpt("abc", at(1, 4)), "1 | abc\n  |    ^", "at the end");
        assert_eq!(excerpt("abc", at(9, 9)), "9 | \n  | ^", "beyond the text");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let long = format!("{}X{}", "a".repeat(1_000), "b".repeat(1_000));
        let shown = excerpt(&long, at(1, 1_001));
        let expected = format!("1 | …{}X{}…\n  | {}^", "a".repeat(60), "b".repeat(39), " ".repeat(61));
        assert_eq!(shown, expected);
    }
}
