//! What kubectl's own reader made of some hundred texts, most of them mutations
//! of a few: `judged.jsonl` holds the answers of k8s.io/apimachinery 0.34.1
//! (`YAMLOrJSONDecoder` and sigs.k8s.io/yaml 1.6.0), the last ones those of 0.37.2. The fuzzing target `kubectl` asks it
//! about new ones.

use serde::Deserialize;
use serde_json::Value;

use super::super::node::{Data, Node, ScalarStyle, scalar};
use super::super::value;
use super::*;

#[derive(Deserialize)]
struct Judged {
    text: String,
    #[serde(default)]
    documents: Vec<Value>,
    #[serde(default)]
    refused: bool,
}

fn json(text: &str) -> Result<Vec<Value>, String> {
    let documents = documents("x", text).map_err(|error| error.to_string())?;
    documents.iter().map(|node| value::json(node).map_err(|error| error.to_string())).collect()
}

/// Numbers as floats: Go writes large ones with other digits.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), rounded(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn texts_are_read_as_kubectl_reads_them() {
    let mut counts = (0, 0);
    let mut wrong = Vec::new();
    for line in include_str!("judged.jsonl").lines() {
        let Judged { text, documents, refused } = serde_json::from_str(line).unwrap();
        let wanted: Vec<Value> = documents.iter().map(rounded).collect();
        match json(&text).map(|own| own.iter().map(rounded).collect::<Vec<Value>>()) {
            Ok(_) if refused => wrong.push(format!("kubectl refuses {text:?}")),
            Ok(own) if own != wanted => wrong.push(format!("{text:?}: {own:?}, not {wanted:?}")),
            Ok(_) => counts.0 += 1,
            Err(error) if !refused => wrong.push(format!("kubectl takes {text:?}: {error}")),
            Err(_) => counts.1 += 1,
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts.0 > 260 && counts.1 > 80, "{counts:?}");
}

/// Every text without escapes stands where its node says.
fn check_spans(text: &str, node: &Node) -> usize {
    match &node.data {
        Data::Sequence(items) => items.iter().map(|item| check_spans(text, item)).sum(),
        Data::Mapping(entries) => {
            let all = entries.iter().flat_map(|(key, value)| [key, value]);
            all.map(|node| check_spans(text, node)).sum()
        }
        Data::Scalar(scalar) => {
            let found = text.get(node.span.clone()).unwrap();
            let quote = match scalar.style {
                ScalarStyle::Plain => "",
                ScalarStyle::SingleQuoted => "'",
                ScalarStyle::DoubleQuoted => "\"",
                _ => return 0,
            };
            assert_eq!(found, format!("{quote}{}{quote}", scalar.text));
            let line = 1 + text[..node.span.start].matches('\n').count();
            assert_eq!(node.line, line, "{found}");
            1
        }
    }
}

#[test]
fn values_stand_where_they_are_said_to() {
    for (text, count) in [
        ("é: ü\r\n---\r\n'ß': [\"日本\", b, fd00::]\r\n", 6),
        ("\u{feff}a: b # ü\n--- # ü\n\u{feff}c: d\n", 4),
        (" {\"ü\": \"日\", \"a\": [1, true]}\n\n---\nd: \"ß\"", 7),
    ] {
        let documents = documents("x", text).unwrap();
        let found: usize = documents.iter().map(|node| check_spans(text, node)).sum();
        assert_eq!(found, count, "{text}");
    }
    // An anchor stands in front of what it is about, and belongs to it.
    let text = "a: &x b\nc: {d: *x, e: 'f'}\n";
    let document = &documents("x", text).unwrap()[0];
    let anchored = super::super::node::get(document, "a").unwrap();
    assert_eq!(&text[anchored.span.clone()], "&x b");
}

#[test]
fn what_kubectl_reads_in_some_releases_only_is_told() {
    let oddities = |text: &str| {
        let file = read("x", text).unwrap();
        file.oddities.iter().map(|one| (one.line, one.since)).collect::<Vec<_>>()
    };
    assert_eq!(oddities("--- # a\na: 1\n---\n# b\nb: 1\n--- # c\nc: 1\n"), [(6, 22)]);
    assert_eq!(oddities("{\"a\": 1}\n---\nb: 1\n"), [(2, 33)]);
    assert_eq!(oddities("{a: 1}\n"), [(1, 33)]);
    assert_eq!(oddities("{\"a\": 1}\n{\"b\": 1}\n"), []);
}

#[test]
fn what_kubectl_passes_over_is_told() {
    for (text, unread) in [
        ("a: 1\n...\nb: 1\n", vec![3]),
        ("a: 1\n...\n---\nb: 1\n...\n", vec![]),
        ("[a]\n]\n", vec![2]),
        ("a: 1\n...\n# b\n", vec![]),
    ] {
        assert_eq!(read("x", text).unwrap().unread, unread, "{text}");
    }
}

#[test]
fn what_is_no_yaml_says_where() {
    for (text, place) in [
        ("a: 1\n---\nb: [\n", "x:4:1: "),
        ("a: \"\\/\"\n", "x:1:4: "),
        ("a: 1\n--- b\n", "x:2:4: "),
        ("a: 1\nb: \u{7}\n", "x:2:4: "),
        ("a: 1\n---\nb: *c\n", "x:3:4: "),
        ("{\"a\": 1}\n{\"b\": 1}\nc\n", "x:3:1: "),
    ] {
        let error = documents("x", text).unwrap_err().to_string();
        assert!(error.starts_with(place), "{text:?}: {error}");
    }
}

#[test]
fn aliases_count_with_what_they_stand_for() {
    let mut text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = level - 1;
        let items = vec![format!("*a{before}"); 10].join(", ");
        text += &format!("b{level}: &a{level} [{items}]\n");
    }
    let error = documents("x", &text).unwrap_err().to_string();
    assert!(error.contains("keys and values"), "{error}");
}

#[test]
fn of_equal_keys_the_last_counts() {
    let file =
        read("x", "a: 1\nb: &b {a: 2, c: 3}\na: 4\n'<<': 5\nd: {c: 1, <<: *b, a: 6}\n").unwrap();
    let document = &file.documents[0].node;
    let get = |node: &Node, key: &str| {
        super::super::node::merged(node)
            .into_iter()
            .find(|(name, _)| *name == key)
            .and_then(|(_, node)| scalar(node))
            .map(|(text, _)| text.to_owned())
    };
    assert_eq!(get(document, "a").as_deref(), Some("4"));
    let merged = super::super::node::get(document, "d").unwrap();
    assert_eq!(get(merged, "c").as_deref(), Some("3"));
    assert_eq!(get(merged, "a").as_deref(), Some("6"));
}

#[test]
fn a_key_that_kubectl_takes_by_chance_is_refused() {
    for text in ["1: a\n'1': b\n", "0x1F: a\n31: b\n'31': c\n", "y: a\n\"true\": b\n"] {
        let error = json(text).unwrap_err();
        assert!(error.contains("is a key twice, written in two ways"), "{text}: {error}");
    }
    assert_eq!(json("0x1F: a\n31: b\n").unwrap()[0]["31"], "b");
}

/// The library ends the program at the second of them, which a ConfigMap may have in it.
#[test]
fn a_block_that_ends_in_spaces_is_read() {
    for text in ["a: |\n  b\n", "a: |\n  b\n   ", "a: >1\n   "] {
        assert_eq!(nested(text).unwrap().len(), 1, "{text:?}");
    }
}
