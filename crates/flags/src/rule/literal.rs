//! Numbers, timestamps and escape sequences as Ion writes them.

use super::syntax::NodeKind;
use super::timestamp::Timestamp;

/// Why a literal cannot be read, and what to write instead.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: &'static str,
    pub(super) hint: String,
}

/// A literal that begins with a digit, or with a minus and a digit.
pub(super) fn number(text: &str) -> Result<NodeKind, Fault> {
    if looks_like_timestamp(text) {
        return timestamp(text);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        return integer(negative, digits, 16, text);
    }
    if let Some(digits) = unsigned.strip_prefix("0b").or_else(|| unsigned.strip_prefix("0B")) {
        return integer(negative, digits, 2, text);
    }
    let whole =
        unsigned.find(['.', 'e', 'E', 'd', 'D']).and_then(|end| unsigned.get(..end)).unwrap_or(unsigned);
    if whole.len() > 1 && whole.starts_with('0') && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let shorter = unsigned.trim_start_matches('0');
        let zero = if shorter.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
        let sign = if negative { "-" } else { "" };
        let hint = format!("write {sign}{zero}{shorter}, or \"{text}\" for a text");
        return Err(Fault { message: "a number has no leading zeros", hint });
    }
    if whole.len() == unsigned.len() {
        return integer(negative, unsigned, 10, text);
    }
    float(text)
}

fn not_a_number(text: &str) -> Fault {
    let parts = text.split('.').filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let message = if parts.count() > 2 {
        "versions have no literal; comparison is by number or by text"
    } else {
        "neither a number nor a timestamp"
    };
    Fault { message, hint: format!("as a text it is written \"{text}\"") }
}

fn integer(negative: bool, digits: &str, radix: u32, text: &str) -> Result<NodeKind, Fault> {
    let plain = without_underscores(digits).ok_or_else(|| not_a_number(text))?;
    if plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
        return Err(not_a_number(text));
    }
    let signed = if negative { format!("-{plain}") } else { plain };
    i64::from_str_radix(&signed, radix).map(NodeKind::Integer).map_err(|_| Fault {
        message: "a whole number has at most 64 bits",
        hint: format!("as a text it is written \"{text}\""),
    })
}

fn float(text: &str) -> Result<NodeKind, Fault> {
    let plain = without_underscores(text).ok_or_else(|| not_a_number(text))?;
    let plain = plain.replace(['d', 'D'], "e");
    let legal = plain.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let float: f64 = plain.parse().ok().filter(|_| legal).ok_or_else(|| not_a_number(text))?;
    if !float.is_finite() {
        let hint = format!("the largest is {:e}", f64::MAX);
        return Err(Fault { message: "the number is too large for 64 bits", hint });
    }
    Ok(NodeKind::Float(float))
}

/// Ion allows underscores between digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let between = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    let legal = bytes.iter().enumerate().all(|(at, byte)| *byte != b'_' || between(at));
    legal.then(|| text.replace('_', ""))
}

/// Four digits, and a hyphen or a `T`.
fn looks_like_timestamp(text: &str) -> bool {
    text.split_at_checked(4).is_some_and(|(year, rest)| {
        year.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with(['-', 'T'])
    })
}

fn timestamp(text: &str) -> Result<NodeKind, Fault> {
    Timestamp::parse(text).map(NodeKind::Timestamp).map_err(|message| {
        let with_offset = format!("{text}Z");
        let hint = if Timestamp::parse(&with_offset).is_ok() {
            format!("write {with_offset} for UTC, or an offset such as +02:00")
        } else {
            "timestamps look like 2024T, 2024-01T, 2024-01-31 or 2024-01-31T12:30:00Z".to_owned()
        };
        Fault { message, hint }
    })
}

/// The escape sequence at the beginning of `text`: its length in bytes and what it stands for; a line break after a
/// backslash stands for nothing. An error is the length of what is no escape sequence.
pub(super) fn escape(text: &str) -> Result<(usize, Option<char>), usize> {
    let Some(kind) = text.chars().nth(1) else { return Err(text.len()) };
    let plain = |c| Ok((2, Some(c)));
    match kind {
        '0' => plain('\0'),
        'a' => plain('\x07'),
        'b' => plain('\x08'),
        't' => plain('\t'),
        'n' => plain('\n'),
        'v' => plain('\x0B'),
        'f' => plain('\x0C'),
        'r' => plain('\r'),
        '"' | '\'' | '?' | '/' | '\\' => plain(kind),
        '\n' => Ok((2, None)),
        '\r' => Ok((if text.starts_with("\\\r\n") { 3 } else { 2 }, None)),
        'x' => code_point(text, 2).ok_or(2),
        'u' => code_point(text, 4).or_else(|| surrogates(text)).ok_or(2),
        'U' => code_point(text, 8).ok_or(2),
        other => Err(1 + other.len_utf8()),
    }
}

fn code_point(text: &str, digits: usize) -> Option<(usize, Option<char>)> {
    let c = char::from_u32(hexadecimal(text.get(2..2 + digits)?)?)?;
    Some((2 + digits, Some(c)))
}

/// Two `\u` escapes that together are one character, as JSON writes it.
fn surrogates(text: &str) -> Option<(usize, Option<char>)> {
    let high = hexadecimal(text.get(2..6)?)?;
    let low = hexadecimal(text.get(6..12)?.strip_prefix("\\u")?)?;
    if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    let c = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
    Some((12, Some(c)))
}

fn hexadecimal(text: &str) -> Option<u32> {
    let legal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    legal.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}
