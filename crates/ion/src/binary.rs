//! From binary Ion 1.0 to the tree that rules are read to.
//!
//! **Invariants:** no step reads beyond the value it is in; nothing is allocated that is larger than the bytes that
//! say so; recursion is bounded. Types that neither rules nor the layout use are refused.

use yardarm_flags::rule::{Node, NodeKind, Span, Timestamp};

use crate::layout::{BinaryFault, ReadError};
use crate::symbols::{IMPORTS, MAX_ID, MAX_IMPORTS, NAME, SYMBOL_TABLE, SYMBOLS, Symbol, Symbols};
use crate::time::{Fields, Time};
use crate::{MAX_ION_DEPTH, VERSION_MARKER};

/// All values of a stream; system values are understood and left out.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Node>, ReadError> {
    let mut symbols = Symbols::default();
    let mut values = Vec::new();
    let mut cursor = Cursor { bytes, at: 0, end: bytes.len() };
    while !cursor.is_empty() {
        if cursor.rest().starts_with(&VERSION_MARKER) {
            cursor.bytes(VERSION_MARKER.len())?;
            symbols.clear();
            continue;
        }
        let mut value = cursor.value()?;
        if let Some(table) = value.symbol_table()? {
            read_symbol_table(table, &mut symbols)?;
        } else if let Some(node) = value.node(&symbols, 0)? {
            values.push(node);
        }
    }
    Ok(values)
}

/// A piece of the stream.
#[derive(Clone, Copy)]
struct Cursor<'b> {
    /// The whole stream.
    bytes: &'b [u8],
    at: usize,
    end: usize,
}

/// A value: what its first byte says, and its bytes.
#[derive(Clone, Copy)]
struct Value<'b> {
    /// Where it begins.
    at: usize,
    kind: u8,
    /// The low half of the first byte.
    low: u8,
    body: Cursor<'b>,
}

const BOOLEAN: u8 = 1;
const POSITIVE: u8 = 2;
const NEGATIVE: u8 = 3;
const FLOAT: u8 = 4;
const DECIMAL: u8 = 5;
const TIMESTAMP: u8 = 6;
const SYMBOL: u8 = 7;
const TEXT: u8 = 8;
const LIST: u8 = 11;
const EXPRESSION: u8 = 12;
const STRUCT: u8 = 13;
const ANNOTATED: u8 = 14;

/// In the low half: the length follows.
const LONG: u8 = 14;
/// In the low half: null.
const NULL: u8 = 15;

impl<'b> Cursor<'b> {
    fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    fn fault<T>(&self, fault: BinaryFault) -> Result<T, ReadError> {
        Err(ReadError::Binary { fault, at: self.at })
    }

    fn bytes(&mut self, length: usize) -> Result<&'b [u8], ReadError> {
        match self.rest().get(..length) {
            Some(bytes) => {
                self.at += length;
                Ok(bytes)
            }
            None => self.fault(BinaryFault::Cut),
        }
    }

    fn byte(&mut self) -> Result<u8, ReadError> {
        self.bytes(1)?.first().copied().ok_or(ReadError::Binary { fault: BinaryFault::Cut, at: self.at })
    }

    /// The next `length` bytes as a piece of their own.
    fn piece(&mut self, length: usize) -> Result<Self, ReadError> {
        let at = self.at;
        self.bytes(length)?;
        Ok(Self { at, end: self.at, ..*self })
    }

    /// Seven bits a byte, the last one marked.
    fn var_uint(&mut self) -> Result<u64, ReadError> {
        let mut number: u64 = 0;
        loop {
            let byte = self.byte()?;
            if number > u64::MAX >> 7 {
                return self.fault(BinaryFault::TooLarge);
            }
            number = number << 7 | u64::from(byte & 0x7F);
            if byte & 0x80 != 0 {
                return Ok(number);
            }
        }
    }

    /// A sign bit, then as [`Self::var_uint`]; whether it is negative, and how large.
    fn var_int(&mut self) -> Result<(bool, i64), ReadError> {
        let first = self.byte()?;
        let negative = first & 0x40 != 0;
        let mut number = i64::from(first & 0x3F);
        let mut last = first & 0x80 != 0;
        while !last {
            let byte = self.byte()?;
            if number > i64::MAX >> 7 {
                return self.fault(BinaryFault::TooLarge);
            }
            number = number << 7 | i64::from(byte & 0x7F);
            last = byte & 0x80 != 0;
        }
        Ok((negative, if negative { -number } else { number }))
    }

    fn length(&mut self) -> Result<usize, ReadError> {
        let length = self.var_uint()?;
        usize::try_from(length).or_else(|_| self.fault(BinaryFault::Cut))
    }

    fn value(&mut self) -> Result<Value<'b>, ReadError> {
        let at = self.at;
        let first = self.byte()?;
        let (kind, low) = (first >> 4, first & 0x0F);
        let length = match (kind, low) {
            (BOOLEAN, _) | (_, NULL) => 0,
            // A struct whose fields are sorted.
            (STRUCT, 1) => self.length()?,
            (_, LONG) => self.length()?,
            (_, short) => usize::from(short),
        };
        Ok(Value { at, kind, low, body: self.piece(length)? })
    }

    /// All that is left as an unsigned number of at most 128 bits.
    fn magnitude(&mut self) -> Result<u128, ReadError> {
        let bytes = self.rest();
        if bytes.len() > size_of::<u128>() {
            return self.fault(BinaryFault::TooLarge);
        }
        self.at = self.end;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    /// All that is left as a sign bit and a magnitude.
    fn signed_magnitude(&mut self) -> Result<(bool, u128), ReadError> {
        let negative = self.rest().first().is_some_and(|first| first & 0x80 != 0);
        let sign = if negative { 1_u128 << (8 * self.rest().len().clamp(1, 16) - 1) } else { 0 };
        Ok((negative, self.magnitude()? & !sign))
    }

    fn text(&self) -> Result<&'b str, ReadError> {
        std::str::from_utf8(self.rest()).or_else(|_| self.fault(BinaryFault::NotUtf8))
    }
}

impl<'b> Value<'b> {
    fn fault<T>(&self, fault: BinaryFault) -> Result<T, ReadError> {
        Err(ReadError::Binary { fault, at: self.at })
    }

    fn is_null(&self) -> bool {
        self.low == NULL
    }

    fn is_padding(&self) -> bool {
        self.kind == 0 && !self.is_null()
    }

    /// The struct, if it is a local symbol table.
    fn symbol_table(&mut self) -> Result<Option<Value<'b>>, ReadError> {
        if self.kind != ANNOTATED || self.is_null() {
            return Ok(None);
        }
        let (mut annotations, inner) = self.annotated()?;
        let first = annotations.var_uint()?;
        Ok((first == SYMBOL_TABLE && inner.kind == STRUCT && !inner.is_null()).then_some(inner))
    }

    /// The annotations, at least one byte of them, and the value they are of.
    fn annotated(&self) -> Result<(Cursor<'b>, Value<'b>), ReadError> {
        let mut body = self.body;
        let length = body.length()?;
        let annotations = body.piece(length)?;
        let inner = body.value()?;
        if annotations.is_empty() || !body.is_empty() || inner.kind == ANNOTATED || inner.is_padding() {
            return self.fault(BinaryFault::Annotation);
        }
        Ok((annotations, inner))
    }

    /// The value as a tree; `None` for padding.
    fn node(&self, symbols: &Symbols<'b>, depth: usize) -> Result<Option<Node>, ReadError> {
        if self.is_padding() {
            return Ok(None);
        }
        if self.is_null() {
            return self.fault(BinaryFault::Null);
        }
        if depth > MAX_ION_DEPTH {
            return self.fault(BinaryFault::TooDeep);
        }
        let mut body = self.body;
        let kind = match self.kind {
            BOOLEAN => match self.low {
                0 => NodeKind::Boolean(false),
                1 => NodeKind::Boolean(true),
                _ => return self.fault(BinaryFault::Illegal),
            },
            POSITIVE | NEGATIVE => self.integer(body.magnitude()?)?,
            FLOAT => self.float()?,
            DECIMAL => self.decimal()?,
            TIMESTAMP => self.timestamp()?,
            SYMBOL => {
                let id = u64::try_from(body.magnitude()?).or_else(|_| self.fault(BinaryFault::TooLarge))?;
                let text = symbols.text(id, self.at)?;
                match text.strip_prefix('$') {
                    Some("") => return self.fault(BinaryFault::Illegal),
                    Some(key) => NodeKind::Context(key.into()),
                    None => NodeKind::Symbol(text.into()),
                }
            }
            TEXT => NodeKind::Text(body.text()?.into()),
            LIST => NodeKind::List(nodes(body, symbols, depth)?),
            EXPRESSION => NodeKind::Expression(nodes(body, symbols, depth)?),
            ANNOTATED => {
                let (mut annotations, inner) = self.annotated()?;
                let name = symbols.text(annotations.var_uint()?, self.at)?;
                if !annotations.is_empty() {
                    return self.fault(BinaryFault::Annotation);
                }
                let Some(value) = inner.node(symbols, depth)? else {
                    return self.fault(BinaryFault::Annotation);
                };
                NodeKind::Named { name: name.into(), name_span: Span::default(), value: Box::new(value) }
            }
            _ => return self.fault(BinaryFault::Unused),
        };
        Ok(Some(Node { kind, span: Span::default() }))
    }

    fn integer(&self, magnitude: u128) -> Result<NodeKind, ReadError> {
        let signed =
            i128::try_from(magnitude).ok().map(|number| if self.kind == NEGATIVE { -number } else { number });
        match signed.and_then(|number| i64::try_from(number).ok()) {
            Some(0) if self.kind == NEGATIVE => self.fault(BinaryFault::Illegal),
            Some(number) => Ok(NodeKind::Integer(number)),
            None => self.fault(BinaryFault::TooLarge),
        }
    }

    fn float(&self) -> Result<NodeKind, ReadError> {
        let float = match *self.body.rest() {
            [] => 0.0,
            [a, b, c, d] => f64::from(f32::from_be_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
            _ => return self.fault(BinaryFault::Illegal),
        };
        self.finite(float)
    }

    fn finite(&self, float: f64) -> Result<NodeKind, ReadError> {
        if float.is_finite() { Ok(NodeKind::Float(float)) } else { self.fault(BinaryFault::TooLarge) }
    }

    fn decimal(&self) -> Result<NodeKind, ReadError> {
        let mut body = self.body;
        if body.is_empty() {
            return Ok(NodeKind::Float(0.0));
        }
        let (_, exponent) = body.var_int()?;
        let (negative, magnitude) = body.signed_magnitude()?;
        let sign = if negative { "-" } else { "" };
        match format!("{sign}{magnitude}e{exponent}").parse() {
            Ok(float) => self.finite(float),
            Err(_) => self.fault(BinaryFault::TooLarge),
        }
    }

    fn timestamp(&self) -> Result<NodeKind, ReadError> {
        let text = timestamp_fields(self.body)?.and_then(Fields::to_text);
        match text.and_then(|text| Timestamp::parse(&text).ok()) {
            Some(timestamp) => Ok(NodeKind::Timestamp(timestamp)),
            None => self.fault(BinaryFault::Timestamp),
        }
    }
}

fn nodes<'b>(mut body: Cursor<'b>, symbols: &Symbols<'b>, depth: usize) -> Result<Vec<Node>, ReadError> {
    let mut nodes = Vec::new();
    while !body.is_empty() {
        nodes.extend(body.value()?.node(symbols, depth + 1)?);
    }
    Ok(nodes)
}

/// `None`: not a time.
fn timestamp_fields(mut body: Cursor<'_>) -> Result<Option<Fields>, ReadError> {
    let (negative, minutes) = body.var_int()?;
    let offset = i32::try_from(minutes).ok().filter(|minutes| minutes.abs() < 24 * 60);
    let Some(offset) = offset else { return Ok(None) };
    let offset = if negative && offset == 0 { None } else { Some(offset) };
    let Ok(year) = i16::try_from(body.var_uint()?) else { return Ok(None) };
    let small = |body: &mut Cursor<'_>| -> Result<Option<i8>, ReadError> {
        if body.is_empty() {
            return Ok(None);
        }
        // What does not fit is no part of any time.
        Ok(Some(i8::try_from(body.var_uint()?).unwrap_or(i8::MAX)))
    };
    let (month, day) = (small(&mut body)?, small(&mut body)?);
    let (hour, minute, second) = (small(&mut body)?, small(&mut body)?, small(&mut body)?);
    let mut fields = Fields { offset, year, month, day, time: None };
    let Some(hour) = hour else { return Ok(Some(fields)) };
    let Some(minute) = minute else { return Ok(None) };
    let fraction = if body.is_empty() { Some(None) } else { fraction(body)? };
    let Some(fraction) = fraction else { return Ok(None) };
    fields.time = Some(Time { hour, minute, second, fraction });
    Ok(Some(fields))
}

/// Digits of a fraction of a second; beyond nine they are dropped. `None`: not a fraction; `Some(None)`: no digits.
fn fraction(mut body: Cursor<'_>) -> Result<Option<Option<(u8, u32)>>, ReadError> {
    let (_, exponent) = body.var_int()?;
    let (negative, mut magnitude) = body.signed_magnitude()?;
    if negative && magnitude != 0 {
        return Ok(None);
    }
    if exponent >= 0 {
        return Ok((magnitude == 0).then_some(None));
    }
    let mut digits = exponent.unsigned_abs();
    while digits > 9 {
        magnitude /= 10;
        digits -= 1;
        if magnitude == 0 {
            digits = 9;
        }
    }
    let whole = u8::try_from(digits).ok().zip(u32::try_from(magnitude).ok());
    Ok(whole.filter(|(digits, fraction)| *fraction < 10_u32.pow(u32::from(*digits))).map(Some))
}

fn read_symbol_table<'b>(table: Value<'b>, symbols: &mut Symbols<'b>) -> Result<(), ReadError> {
    let (mut imports, mut texts) = (None, None);
    let mut body = table.body;
    while !body.is_empty() {
        let field = body.var_uint()?;
        let value = body.value()?;
        match field {
            IMPORTS if !value.is_padding() => imports = Some(value),
            SYMBOLS if !value.is_padding() => texts = Some(value),
            _ => {}
        }
    }
    match imports {
        Some(imports) if imports.kind == SYMBOL && !imports.is_null() => {
            // `$ion_symbol_table`: what follows is added to what there is.
            if imports.body.clone().magnitude()? != u128::from(SYMBOL_TABLE) {
                return table.fault(BinaryFault::SymbolTable);
            }
        }
        Some(imports) if imports.kind == LIST && !imports.is_null() => {
            symbols.clear();
            let mut body = imports.body;
            let mut count = 0;
            while !body.is_empty() {
                import(body.value()?, symbols)?;
                count += 1;
                if count > MAX_IMPORTS {
                    return table.fault(BinaryFault::SymbolTable);
                }
            }
        }
        _ => symbols.clear(),
    }
    if let Some(texts) = texts.filter(|texts| texts.kind == LIST && !texts.is_null()) {
        let mut body = texts.body;
        while !body.is_empty() {
            let text = body.value()?;
            if text.kind == TEXT && !text.is_null() {
                symbols.push(Symbol::Text(text.body.text()?));
            } else if !text.is_padding() {
                symbols.push(Symbol::Nothing);
            }
        }
    }
    Ok(())
}

fn import<'b>(import: Value<'b>, symbols: &mut Symbols<'b>) -> Result<(), ReadError> {
    if import.kind != STRUCT || import.is_null() {
        return Ok(());
    }
    let (mut name, mut max_id) = (None, None);
    let mut body = import.body;
    while !body.is_empty() {
        let field = body.var_uint()?;
        let value = body.value()?;
        match (field, value.kind) {
            (NAME, TEXT) if !value.is_null() => name = Some(value.body.text()?),
            (MAX_ID, POSITIVE) if !value.is_null() => {
                let count = usize::try_from(value.body.clone().magnitude()?);
                max_id = Some(count.or_else(|_| value.fault(BinaryFault::SymbolTable))?);
            }
            _ => {}
        }
    }
    match name {
        Some(name) if !name.is_empty() => symbols.import(name, max_id, import.at),
        _ => Ok(()),
    }
}
