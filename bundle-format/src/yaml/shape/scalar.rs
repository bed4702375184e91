//! The type of a scalar, judged by its text alone.

use serde_json::Value;

/// The type that YAML gives a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    /// `true` or `false`.
    Switch,
    Whole,
    Fraction,
    Text,
}

impl Kind {
    /// `plain` says that the text has no quotes. A text in quotes is always a
    /// text.
    pub(super) fn of(text: &str, plain: bool) -> Self {
        let number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        match text {
            _ if !plain => Self::Text,
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => Self::Switch,
            _ if text.parse::<i64>().is_ok() => Self::Whole,
            _ if number && text.parse::<f64>().is_ok() => Self::Fraction,
            ".nan" | ".NaN" | ".NAN" => Self::Fraction,
            _ if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF") => {
                Self::Fraction
            }
            _ => Self::Text,
        }
    }
}

/// Whether JSON can represent this fraction.
pub(super) fn is_finite(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether the schema's type can hold this whole number.
pub(super) fn in_range(schema: &Value, text: &str) -> bool {
    let Ok(number) = text.parse::<i64>() else { return false };
    let is_within = |key: &str, fits: fn(i64, i64) -> bool| {
        schema[key].as_i64().is_none_or(|bound| fits(number, bound))
    };
    // schemars writes the bounds of smaller types only.
    let has_width = schema["format"] != "uint32" || u32::try_from(number).is_ok();
    has_width
        && is_within("minimum", |own, bound| own >= bound)
        && is_within("maximum", |own, bound| own <= bound)
}
