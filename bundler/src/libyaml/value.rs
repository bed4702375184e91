//! The meaning of a manifest's values: the JSON that kubectl makes of them. Its
//! reader (go-yaml 2) follows YAML 1.1, in which `yes` is true and `010` is 8.

use std::collections::HashMap;

use base64::Engine;
use serde_json::{Map, Number, Value};

use super::node::{Data, Node, Scalar, is_merge};

/// A value that JSON cannot express.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct ValueError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// The JSON of a node.
pub fn json(node: &Node) -> Result<Value, ValueError> {
    Ok(match &node.data {
        Data::Scalar(scalar) => meant(scalar).map_err(|reason| fail(node, reason))?,
        Data::Sequence(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Data::Mapping(_) => {
            let mut filled = Filled::default();
            filled.add(node)?;
            Value::Object(filled.map)
        }
    })
}

/// Checks an entry that a later one with the same text as its key replaces. kubectl reads
/// it all the same, so it can be what kubectl refuses.
pub(super) fn replaced(key: &Node, value: &Node, later: &Node) -> Result<(), ValueError> {
    decodes(value)?;
    let (name, meant) = named(key)?;
    match named(later)?.1 == meant {
        true => Ok(()),
        false => Err(at_random(later, &name)),
    }
}

/// Whether kubectl's reader takes a value, which may then be one that JSON cannot express.
fn decodes(node: &Node) -> Result<(), ValueError> {
    match &node.data {
        Data::Scalar(Scalar { tag: None, .. }) => Ok(()),
        Data::Scalar(scalar) => match scalar.tag.as_deref() {
            Some("tag:yaml.org,2002:float") if is_infinite(&scalar.text) => Ok(()),
            _ => meant(scalar).map(drop).map_err(|reason| fail(node, reason)),
        },
        Data::Sequence(items) => items.iter().try_for_each(decodes),
        Data::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
            match &key.data {
                _ if is_merge(key) => drop(sources(value)?),
                Data::Scalar(_) => decodes(key)?,
                _ => drop(named(key)?),
            }
            decodes(value)
        }),
    }
}

fn fail(node: &Node, reason: String) -> ValueError {
    ValueError { line: node.line, reason }
}

fn at_random(key: &Node, name: &str) -> ValueError {
    let name = short(name);
    fail(key, format!("`{name}` is a key twice, written in two ways: kubectl takes any of them"))
}

/// The entries of a mapping, each with what its key means to kubectl.
#[derive(Default)]
struct Filled {
    map: Map<String, Value>,
    meant: HashMap<String, Value>,
}

impl Filled {
    /// Adds a mapping's entries. A later entry replaces an earlier one with the same key.
    /// Merged entries take the place of `<<`.
    fn add(&mut self, node: &Node) -> Result<(), ValueError> {
        let Data::Mapping(entries) = &node.data else { return Err(not_merged(node)) };
        for (key, value) in entries {
            if is_merge(key) {
                sources(value)?.into_iter().try_for_each(|source| self.add(source))?;
                continue;
            }
            let (name, meant) = named(key)?;
            // `1` and `"1"` are two keys until they are the names of JSON.
            if self.meant.insert(name.clone(), meant.clone()).is_some_and(|other| other != meant) {
                return Err(at_random(key, &name));
            }
            self.map.insert(name, json(value)?);
        }
        Ok(())
    }
}

/// The mappings that `<<` merges, in the order in which kubectl does.
fn sources(value: &Node) -> Result<Vec<&Node>, ValueError> {
    let sources: Vec<&Node> = match &value.data {
        Data::Sequence(sources) => sources.iter().rev().collect(),
        _ => vec![value],
    };
    let other = sources.iter().find(|source| !matches!(source.data, Data::Mapping(_)));
    other.map_or(Ok(()), |other| Err(not_merged(other)))?;
    Ok(sources)
}

fn not_merged(node: &Node) -> ValueError {
    fail(node, "`<<` merges a value that is not a mapping".to_owned())
}

/// A key as a text, because JSON has no other keys, and what it means.
fn named(key: &Node) -> Result<(String, Value), ValueError> {
    let refused = || fail(key, "a key that is a mapping, a list or nothing".to_owned());
    match &key.data {
        Data::Scalar(scalar) => {
            let meant = meant(scalar).map_err(|reason| fail(key, reason))?;
            let name = match &meant {
                Value::String(text) => text.clone(),
                Value::Bool(value) => value.to_string(),
                Value::Number(value) => key_number(value),
                _ => return Err(refused()),
            };
            Ok((name, meant))
        }
        _ => Err(refused()),
    }
}

/// A number as a key, formatted like Go's `%g` with a precision of 32 bits.
fn key_number(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    #[allow(clippy::cast_possible_truncation, reason = "as kubectl does")]
    let short = float as f32;
    let text = format!("{short:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        power @ (..-4 | 21..) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", power.abs())
        }
        _ => format!("{short}"),
    }
}

/// The meaning of a scalar.
fn meant(scalar: &Scalar) -> Result<Value, String> {
    let text = scalar.text.as_str();
    let tag =
        scalar.tag.as_deref().map(|tag| tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag));
    let tagged = |wanted: &str| Err(format!("`{}` is no {wanted}", short(text)));
    match tag {
        None if scalar.implicit => resolve(text),
        None | Some("str") => Ok(Value::from(text)),
        Some("timestamp") => match is_timestamp(text) {
            true => Ok(Value::from(text)),
            false => tagged("timestamp"),
        },
        Some(kind @ ("null" | "bool" | "int" | "float")) => {
            let value = resolve(text)?;
            match (kind, &value) {
                ("null", Value::Null) | ("bool", Value::Bool(_)) => Ok(value),
                ("int", Value::Number(number)) if !number.is_f64() => Ok(value),
                ("float", Value::Number(number)) if number.is_f64() || number.is_i64() => Ok(value),
                _ => tagged(kind),
            }
        }
        Some("binary") => {
            let plain: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            match base64::engine::general_purpose::STANDARD.decode(plain) {
                Ok(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
                Err(_) => tagged("base64"),
            }
        }
        Some(_) => Ok(Value::from(text)),
    }
}

/// The meaning of a text without quotes.
fn resolve(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Ok(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Ok(Value::Bool(false));
        }
        _ if is_infinite(text) => return Err(format!("`{text}` is a number that JSON has not")),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => float(text),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| is_float(&plain).then(|| float(&plain)).flatten())
        }
        _ => None,
    };
    Ok(number.map_or_else(|| Value::from(text), Value::Number))
}

fn is_infinite(text: &str) -> bool {
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(plain, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// A whole number as Go's `ParseInt` reads it in base 0.
fn integer(text: &str) -> Option<Number> {
    let (is_negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    match (is_negative, text.starts_with('+')) {
        (true, _) => i64::try_from(-i128::from(size)).ok().map(Number::from),
        // Go reads unsigned numbers without a sign.
        (false, true) => i64::try_from(size).ok().map(Number::from),
        (false, false) => Some(Number::from(size)),
    }
}

fn float(text: &str) -> Option<Number> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = text.parse().ok().filter(|_| is_plain)?;
    Number::from_f64(value)
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", after)) => !after.is_empty() && digits(after),
        Some((before, after)) => digits(before) && digits(after),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    exponent_fits && mantissa_fits
}

/// Whether go-yaml reads it as a point in time, which stays a text. It begins with a
/// year of four digits and `-`.
fn is_timestamp(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4
        && text.as_bytes().get(4) == Some(&b'-')
        && !text.get(5..).unwrap_or_default().is_empty()
}

fn short(text: &str) -> String {
    text.chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
