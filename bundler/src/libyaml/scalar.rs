//! A scalar, and its meaning to kubectl. Its reader (go-yaml 2) follows YAML 1.1, in which
//! `yes` is true and `010` is 8.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
pub use libyaml_safer::ScalarStyle;
use serde_json::{Number, Value};

/// Before the name of each of YAML's own tags.
const YAML: &str = "tag:yaml.org,2002:";

/// A text, a number, a word such as `true`, or nothing, as it is written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Its text, without quotes and with escapes and base64 resolved.
    pub text: String,
    /// How it is written.
    pub style: ScalarStyle,
    /// The tag in front of it: `tag:yaml.org,2002:str`.
    pub tag: Option<String>,
    /// Whether the text decides the type: it has no quotes, or the tag `!`.
    pub implicit: bool,
}

impl Scalar {
    /// Decodes `!!binary`: it is a text like any other to kubectl, also as a key.
    pub(super) fn decoded(mut self) -> Result<Self, String> {
        if self.yaml_tag() == Some("binary") {
            let plain: String = self.text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            let bytes = STANDARD.decode(plain).map_err(|_| self.is_no("base64"))?;
            self.text = String::from_utf8_lossy(&bytes).into_owned();
            self.tag = Some(format!("{YAML}str"));
        }
        Ok(self)
    }

    fn yaml_tag(&self) -> Option<&str> {
        self.tag.as_deref().map(|tag| tag.strip_prefix(YAML).unwrap_or(tag))
    }

    fn is_no(&self, wanted: &str) -> String {
        format!("`{}` is no {wanted}", short(&self.text))
    }

    /// Whether it is a number that JSON cannot express.
    pub(super) fn is_infinite(&self) -> bool {
        is_infinite(&self.text)
    }

    /// What it means.
    pub(super) fn meant(&self) -> Result<Value, String> {
        let text = self.text.as_str();
        match self.yaml_tag() {
            None if self.implicit => resolve(text),
            Some("timestamp") if !is_timestamp(text) => Err(self.is_no("timestamp")),
            Some(kind @ ("null" | "bool" | "int" | "float")) => {
                let value = resolve(text)?;
                let is_it = match (kind, &value) {
                    ("null", Value::Null) | ("bool", Value::Bool(_)) => true,
                    ("int", Value::Number(number)) => !number.is_f64(),
                    ("float", Value::Number(number)) => number.is_f64() || number.is_i64(),
                    _ => false,
                };
                if is_it { Ok(value) } else { Err(self.is_no(kind)) }
            }
            _ => Ok(Value::from(text)),
        }
    }

    /// Its name as a key, because JSON has no keys but texts, and whether it is a text
    /// itself: `y` and `'true'` have the same name. `None` if it cannot be a key.
    pub(super) fn name(&self) -> Option<(Cow<'_, str>, bool)> {
        match self.meant().ok()? {
            Value::String(_) => Some((Cow::Borrowed(&self.text), true)),
            value => Some((Cow::Owned(key_name(&value)?), false)),
        }
    }
}

/// The name of a key of JSON for what a key of YAML means.
pub(super) fn key_name(meant: &Value) -> Option<String> {
    match meant {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(key_number(value)),
        _ => None,
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

/// The beginning of a text, for a message.
pub(super) fn short(text: &str) -> String {
    text.chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
