//! Streams that are known byte for byte, and streams that are refused.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::BTreeMap;

use serde_json::json;
use yardarm_flags::document::{FlagKey, Setting};
use yardarm_flags::{CompiledFlags, Context, FlagDocument, Value};
use yardarm_ion::{BinaryFault, FlagFault, ReadError, VariantFault, has_variants, read, write};

/// Local symbols only.
const A: &str = "
e00100eaeeba8183deb687beb3866c6967687473846265746182696e87247573657249648374656e8573706c697483706374
826279847365656485706c61696eee01b0818abe01abeebe818bbebacb710c710db68275318275328eac7b225f7661726961
6e74223a2262657461222c22656e61626c6564223a747275652c226c6576656c223a377deec5818ebec1ce92710fe4819021
0ae48191710de581928273318eab7b225f76617269616e74223a2274656e222c22656e61626c6564223a747275652c226c65
76656c223a337d8ea27b225f76617269616e74223a226f6666222c22656e61626c6564223a66616c73657deea381938e9f7b
22656e61626c6564223a747275652c22636f6c6f72223a22626c7565227d";

/// With imports of the shared tables, as the vendor's service lays it out.
const B: &str = "
e00100eaeec18183debd86be99db84836f7073852101882117dc8484616e6e7385210188210c87be9e866c69676874738462
65746187247573657249648374656e85706c61696eee01b081adbe01abeebe81aebebacb7116712fb68275318275328eac7b
225f76617269616e74223a2262657461222c22656e61626c6564223a747275652c226c6576656c223a377deec581b0bec1ce
927117e481a7210ae481a6712fe581a88273318eab7b225f76617269616e74223a2274656e222c22656e61626c6564223a74
7275652c226c6576656c223a337d8ea27b225f76617269616e74223a226f6666222c22656e61626c6564223a66616c73657d
eea381b18e9f7b22656e61626c6564223a747275652c22636f6c6f72223a22626c7565227d";

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

fn document() -> FlagDocument {
    let document = json!({
        "version": "1",
        "flags": {
            "lights": { "attributes": { "level": {} } },
            "plain": { "attributes": { "color": {} } },
        },
        "values": {
            "lights": { "_variants": [
                { "name": "beta", "enabled": true, "rule": "(in $userId [\"u1\" \"u2\"])", "attributeValues": { "level": 7 } },
                { "name": "ten", "enabled": true, "rule": "(split pct::10 by::$userId seed::\"s1\")", "attributeValues": { "level": 3 } },
                { "name": "off", "enabled": false, "attributeValues": { "level": 0 } },
            ] },
            "plain": { "enabled": true, "color": "blue" },
        },
    });
    FlagDocument::read(document.to_string().as_bytes()).unwrap()
}

fn answers(settings: BTreeMap<FlagKey, Setting>) -> Vec<String> {
    let flags = CompiledFlags::from_settings(settings);
    (0..40)
        .flat_map(|number| {
            let id = format!("u{number}");
            let attributes = [("userId", Value::Text(&id))];
            let context = Context::new(&attributes);
            flags.evaluate_all(&context).map(|(key, one)| format!("{id} {key} {one:?}")).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn both_layouts_of_the_service_are_read() {
    let expected: Vec<String> = {
        let flags = CompiledFlags::compile(&document());
        let served: BTreeMap<FlagKey, Setting> = flags
            .flags()
            .map(|(key, _)| (key.clone(), document().values().get(key).unwrap().setting().clone()))
            .collect();
        answers(served)
    };
    assert!(expected.iter().any(|answer| answer.contains("ten")), "{expected:#?}");
    assert_eq!(answers(read(&bytes(A)).unwrap()), expected);
    assert_eq!(answers(read(&bytes(B)).unwrap()), expected);
    assert_eq!(read(&bytes(A)).unwrap(), read(&bytes(B)).unwrap());
}

#[test]
fn the_first_layout_is_written_byte_for_byte() {
    // Only that contents are sorted here, and one of the vector's is not.
    let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let vector = text(&bytes(A));
    let sorted = vector.replace(r#"{"enabled":true,"color":"blue"}"#, r#"{"color":"blue","enabled":true}"#);
    assert_ne!(sorted, vector);
    assert_eq!(text(&write(&document())), sorted);
    assert!(has_variants(&document()));
}

#[test]
fn a_document_without_flags_is_an_empty_stream() {
    let empty = FlagDocument::read(br#"{"version":"1"}"#).unwrap();
    assert_eq!(write(&empty), [0xE0, 0x01, 0x00, 0xEA]);
    assert!(read(&write(&empty)).unwrap().is_empty());
    assert!(!has_variants(&empty));
}

/// What the vendor's manual shows for local development, and the same with names of variants.
#[test]
fn text_is_read_with_and_without_annotated_variants() {
    let manual = r#"
        'colorway'::[
          [ (contains $userId "beta"), '''{"_variant":"BetaTesters","enabled":true,"background":"blue"}''' ],
          [ (split by::$userId pct::10), '''{"_variant":"SplitRollOut","enabled":true,"background":"blue"}''', ],
          '''{"_variant":"default","enabled":true,"background":"green"}''',
        ]
        'button_color'::'''{"enabled": true, "color": "orange"}'''
    "#;
    let annotated = r#"$ion_1_0
        colorway::[
          BetaTesters::[(contains $userId "beta"), "{\"enabled\":true,\"background\":\"blue\"}"],
          'SplitRollOut'::[(split by::$userId pct::10), "{\"enabled\":true,\"background\":\"blue\"}"],
          'default'::"{\"enabled\":true,\"background\":\"green\"}" // the rest
        ]
        button_color::"{\"enabled\":true,\"color\":\"orange\"}"
    "#;
    let one = read(manual.as_bytes()).unwrap();
    let other = read(annotated.as_bytes()).unwrap();
    assert_eq!(one, other);
    let answers = answers(one).join("\n");
    assert!(answers.contains("SplitRollOut") && answers.contains("orange"), "{answers}");
}

fn refused(text: &str) -> ReadError {
    read(text.as_bytes()).unwrap_err()
}

#[test]
fn what_is_wrong_is_named() {
    let flag = |fault| ReadError::Flag { flag: "f".parse().unwrap(), fault };
    let variant = |index, fault| flag(FlagFault::Variant { index, fault });
    let content = r#""{\"_variant\":\"v\",\"enabled\":true}""#;
    assert_eq!(refused("f::5"), flag(FlagFault::Shape));
    assert_eq!(refused("\"{}\""), ReadError::NoFlag { index: 1 });
    assert_eq!(refused(&format!("f::{content} F::{content}")), ReadError::NoFlag { index: 2 });
    assert_eq!(refused(&format!("f::[[(eq $a 1), {content}]]")), flag(FlagFault::NoDefault));
    assert_eq!(refused(&format!("f::[{content}, {content}]")), variant(1, VariantFault::Shape));
    assert_eq!(refused(&format!("f::[[(eq $a 1)], {content}]")), variant(1, VariantFault::Shape));
    assert_eq!(refused(r#"f::["{\"enabled\":true}"]"#), variant(1, VariantFault::NoName));
    assert_eq!(
        refused(&format!("f::[[(nope $a 1), {content}], {content}]")).to_string(),
        "flag `f`: variant 1: its rule is wrong: there is no operator `nope`; operators are eq, ne, gt, gte, lt, lte, \
         and, or, not, begins_with, ends_with, contains, in, matches, exists and split"
    );
    assert_eq!(
        refused("f::\"{}\"").to_string(),
        "flag `f`: its content is wrong: `enabled` must be true or false"
    );
    assert_eq!(
        refused("f::[\n  (eq $a-b 1)]").to_string(),
        "malformed Ion text at line 2, column 7: the key in `$a-b` must be in quotes, else it ends at `$a`; write '$a-b'"
    );
    assert_eq!(read(b"f::\xFF"), Err(ReadError::NeitherTextNorBinary { at: 3 }));
    assert_eq!(read(b"f::[]").unwrap().values().next(), Some(&Setting::Nothing));
    assert!(matches!(read(&vec![b' '; yardarm_ion::MAX_BYTES + 1]), Err(ReadError::TooLarge { .. })));
}

/// A stream of the vector B with one byte replaced.
fn altered(from: &[u8], to: &[u8]) -> Result<BTreeMap<FlagKey, Setting>, ReadError> {
    let stream = bytes(B);
    let at = stream.windows(from.len()).position(|window| window == from).unwrap();
    let mut altered = stream.clone();
    altered.splice(at..at + from.len(), to.iter().copied());
    read(&altered)
}

#[test]
fn a_shared_symbol_that_nobody_has_seen_is_an_error() {
    // `split`, 23, becomes 14, whose text is not published.
    let unknown = altered(&[0x71, 0x17], &[0x71, 0x0E]).unwrap_err();
    assert_eq!(unknown, ReadError::SharedSymbol { table: "ops".to_owned(), number: 5 });
    assert_eq!(unknown.to_string(), "symbol 5 of the shared symbol table `ops` is not known");
    // `pct`, 39, becomes 33.
    let unknown = altered(&[0x81, 0xA7], &[0x81, 0xA1]).unwrap_err();
    assert_eq!(unknown, ReadError::SharedSymbol { table: "anns".to_owned(), number: 1 });
    // A symbol beyond all tables.
    assert!(matches!(
        altered(&[0x71, 0x17], &[0x71, 0x7F]),
        Err(ReadError::Binary { fault: BinaryFault::UndefinedSymbol(0x7F), .. })
    ));
    // Another table of the same size: its symbols are unknown, but only where they are used.
    let unknown = altered(b"\x83ops", b"\x83oqs").unwrap_err();
    assert_eq!(unknown, ReadError::SharedSymbol { table: "oqs".to_owned(), number: 13 });
    // A table that asks for more symbols than any has.
    assert!(matches!(
        altered(&[0x88, 0x21, 0x0C, 0x87, 0xBE], &[0x88, 0x21, 0xFF, 0x87, 0xBE]).unwrap_err(),
        ReadError::Binary { fault: BinaryFault::UndefinedSymbol(_), .. }
            | ReadError::NoFlag { .. }
            | ReadError::SharedSymbol { .. }
    ));
}

#[test]
fn a_table_cannot_ask_for_more_than_it_brings() {
    // { imports: [ { name: "t", max_id: 2^40 } ] }
    let import = [0x84, 0x81, b't', 0x88, 0x26, 0x01, 0, 0, 0, 0, 0];
    let list = [vec![0xDB], import.to_vec()].concat();
    let table = [vec![0x86, 0xBC], list].concat();
    let annotated = [vec![0x81, 0x83, 0xDE, 0x8E], table].concat();
    let stream = [vec![0xE0, 0x01, 0x00, 0xEA, 0xEE, 0x92], annotated].concat();
    assert!(
        matches!(read(&stream), Err(ReadError::Binary { fault: BinaryFault::SymbolTable, .. })),
        "{:?}",
        read(&stream)
    );
}

#[test]
fn nesting_is_bounded() {
    let deep = "[".repeat(100_000);
    assert!(matches!(read(deep.as_bytes()), Err(ReadError::Text { .. })));
    // Lists in lists, each of the length that is left.
    let mut stream: Vec<u8> = Vec::new();
    for _ in 0..200 {
        let length = stream.len();
        let header = [0xBE, (length >> 7) as u8 & 0x7F, length as u8 & 0x7F | 0x80];
        stream.splice(0..0, header);
    }
    let stream = [vec![0xE0, 0x01, 0x00, 0xEA], stream].concat();
    match read(&stream) {
        Err(ReadError::Binary { fault: BinaryFault::TooDeep, .. }) => {}
        other => panic!("{other:?}"),
    }
}
