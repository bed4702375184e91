//! The relations between packages: capabilities with version ranges, and boolean
//! ("rich") dependencies. Grammar and meaning are in rpm's
//! `docs/manual/dependencies.md` and `docs/manual/boolean_dependencies.md`.

use std::cmp::Ordering;
use std::fmt;

use bundle_format::Evr;
use serde::{Deserialize, Serialize};

/// How deep boolean dependencies may nest. Real ones have less than five levels.
const MAX_DEPTH: usize = 32;

/// The comparison in a versioned capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    fn allows_less(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    fn allows_equal(self) -> bool {
        !matches!(self, Self::Less | Self::Greater)
    }

    fn allows_greater(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            "=" | "==" => Self::Equal,
            ">=" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        })
    }
}

/// A range of versions with one end, or a single version: `>= 1.2`, `= 1:3-4`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The comparison.
    pub comparison: Comparison,
    /// The end of the range.
    pub end: Evr,
}

impl Range {
    /// Whether this exact version is in it.
    pub fn holds(&self, evr: &Evr) -> bool {
        match self.end.compare_as_range_end(evr) {
            Ordering::Less => self.comparison.allows_greater(),
            Ordering::Equal => self.comparison.allows_equal(),
            Ordering::Greater => self.comparison.allows_less(),
        }
    }

    /// Whether the two have a version in common (`rpmdsCompareEVR` in rpm's
    /// `lib/rpmds.c`). A missing release on either side matches any.
    pub fn overlaps(&self, other: &Self) -> bool {
        match self.end.compare_as_range_end(&other.end) {
            Ordering::Less => self.comparison.allows_greater() || other.comparison.allows_less(),
            Ordering::Greater => self.comparison.allows_less() || other.comparison.allows_greater(),
            Ordering::Equal => {
                (self.comparison.allows_equal() && other.comparison.allows_equal())
                    || (self.comparison.allows_less() && other.comparison.allows_less())
                    || (self.comparison.allows_greater() && other.comparison.allows_greater())
            }
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison, self.end)
    }
}

/// A name that packages provide or need, with versions: a package, a file, a soname,
/// or any other name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capability {
    /// `kubelet`, `/bin/sh`, `libc.so.6(GLIBC_2.17)(64bit)`.
    pub name: String,
    /// The versions. `None` for any.
    pub range: Option<Range>,
}

impl Capability {
    /// Any version of `name`.
    pub fn any(name: impl Into<String>) -> Self {
        Self { name: name.into(), range: None }
    }

    /// Whether `provided` of the same name fulfils this. If one of the two has no
    /// version, any fits (`rpmdsCompare` in rpm's `lib/rpmds.c`).
    pub fn accepts(&self, provided: Option<&Range>) -> bool {
        match (&self.range, provided) {
            (None, _) | (_, None) => true,
            (Some(wanted), Some(provided)) => wanted.overlaps(provided),
        }
    }

    /// Whether this is a path.
    pub fn is_file(&self) -> bool {
        self.name.starts_with('/')
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.range {
            Some(range) => write!(f, " {range}"),
            // Without a space, the end of an expression would be the name's.
            None if self.name.matches('(').count() > self.name.matches(')').count() => {
                f.write_str(" ")
            }
            None => Ok(()),
        }
    }
}

/// A dependency: a capability, or a boolean expression of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// Some package provides it.
    Capability(Capability),
    /// `(a and b and …)`
    And(Vec<Dependency>),
    /// `(a or b or …)`
    Or(Vec<Dependency>),
    /// `(a if b)`, `(a if b else c)`
    If(Box<Dependency>, Box<Dependency>, Option<Box<Dependency>>),
    /// `(a unless b)`, `(a unless b else c)`
    Unless(Box<Dependency>, Box<Dependency>, Option<Box<Dependency>>),
    /// `(a with b with …)`: one package provides all of them.
    With(Vec<Dependency>),
    /// `(a without b)`: one package provides the first and not the second.
    Without(Box<Dependency>, Box<Dependency>),
}

/// A text that is not a dependency.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is not a dependency: {reason}", cut(.text))]
pub struct DependencyError {
    text: String,
    reason: &'static str,
}

/// The part of a text that is shown. The text may be a stranger's and very long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((place, _)) => format!("{}…", text.get(..place).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Dependency {
    /// Reads `name`, `name >= version` or a boolean expression.
    pub fn parse(text: &str) -> Result<Self, DependencyError> {
        let fail = |reason| DependencyError { text: text.to_owned(), reason };
        let tokens = tokens(text);
        let mut parser = Parser { tokens: &tokens, depth: 0 };
        let dependency = parser.operand().map_err(fail)?;
        match parser.tokens {
            [] => Ok(dependency),
            _ => Err(fail("there is more text behind its end")),
        }
    }

    /// All capabilities in an expression.
    pub fn capabilities(&self) -> Vec<&Capability> {
        let mut found = Vec::new();
        let mut pending = vec![self];
        while let Some(dependency) = pending.pop() {
            match dependency {
                Self::Capability(capability) => found.push(capability),
                Self::And(parts) | Self::Or(parts) | Self::With(parts) => {
                    pending.extend(parts);
                }
                Self::Without(a, b) | Self::If(a, b, None) | Self::Unless(a, b, None) => {
                    pending.extend([&**a, &**b]);
                }
                Self::If(a, b, Some(c)) | Self::Unless(a, b, Some(c)) => {
                    pending.extend([&**a, &**b, &**c]);
                }
            }
        }
        found
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => capability.fmt(f),
            Self::And(parts) => chain(f, parts, "and"),
            Self::Or(parts) => chain(f, parts, "or"),
            Self::If(a, b, None) => write!(f, "({a} if {b})"),
            Self::If(a, b, Some(c)) => write!(f, "({a} if {b} else {c})"),
            Self::Unless(a, b, None) => write!(f, "({a} unless {b})"),
            Self::Unless(a, b, Some(c)) => write!(f, "({a} unless {b} else {c})"),
            Self::With(parts) => chain(f, parts, "with"),
            Self::Without(a, b) => write!(f, "({a} without {b})"),
        }
    }
}

fn chain(f: &mut fmt::Formatter<'_>, parts: &[Dependency], operator: &str) -> fmt::Result {
    f.write_str("(")?;
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            write!(f, " {operator} ")?;
        }
        write!(f, "{part}")?;
    }
    f.write_str(")")
}

/// Splits at spaces and at the parentheses of boolean expressions. Parentheses inside
/// a name, as in `libc.so.6()(64bit)`, belong to the name.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for mut word in text.split_whitespace() {
        while let Some(rest) = word.strip_prefix('(') {
            tokens.push("(");
            word = rest;
        }
        let mut open = 0usize;
        let mut end = word.len();
        for (place, byte) in word.bytes().enumerate() {
            match byte {
                b'(' => open += 1,
                b')' if open == 0 => {
                    end = place;
                    break;
                }
                b')' => open -= 1,
                _ => {}
            }
        }
        let (name, closing) = word.split_at(end);
        if !name.is_empty() {
            tokens.push(name);
        }
        tokens.extend(closing.split("").filter(|part| !part.is_empty()));
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn operand(&mut self) -> Result<Dependency, &'static str> {
        match self.next() {
            None => Err("it ends where a name should be"),
            Some(")") => Err("there is `)` where a name should be"),
            Some("(") => self.expression(),
            Some(name) => {
                let name = name.to_owned();
                let comparison = self.tokens.first().copied().and_then(Comparison::parse);
                let Some(comparison) = comparison else {
                    return Ok(Dependency::Capability(Capability { name, range: None }));
                };
                self.next();
                let version = self.next().ok_or("a version is missing behind the comparison")?;
                // Without its epoch, such a version would begin an expression.
                if version.contains('(') {
                    return Err("its version has a parenthesis");
                }
                let end = version.parse().map_err(|_| "its version is malformed")?;
                let range = Some(Range { comparison, end });
                Ok(Dependency::Capability(Capability { name, range }))
            }
        }
    }

    /// Reads the text between `(` and `)`.
    fn expression(&mut self) -> Result<Dependency, &'static str> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it nests too deep");
        }
        let first = self.operand()?;
        let operator = self.next().ok_or("a `)` is missing")?;
        let dependency = match operator {
            ")" => {
                self.depth -= 1;
                return Ok(first);
            }
            "and" => Dependency::And(self.chained(first, operator)?),
            "or" => Dependency::Or(self.chained(first, operator)?),
            "with" => Dependency::With(self.chained(first, operator)?),
            "without" => Dependency::Without(Box::new(first), Box::new(self.operand()?)),
            "if" => {
                let condition = Box::new(self.operand()?);
                Dependency::If(Box::new(first), condition, self.otherwise()?)
            }
            "unless" => {
                let condition = Box::new(self.operand()?);
                Dependency::Unless(Box::new(first), condition, self.otherwise()?)
            }
            _ => return Err("an operator is not one of and, or, if, unless, else, with, without"),
        };
        match self.next() {
            Some(")") => {
                self.depth -= 1;
                Ok(dependency)
            }
            Some(next) if next == operator => Err("only and, or and with can be chained"),
            Some(_) => Err("operators are mixed without parentheses"),
            None => Err("a `)` is missing"),
        }
    }

    /// `first` and everything that `operator` joins to it. It becomes a list of
    /// any length, so that a walk through the tree goes only as deep as the
    /// parentheses do.
    fn chained(
        &mut self,
        first: Dependency,
        operator: &str,
    ) -> Result<Vec<Dependency>, &'static str> {
        let mut parts = vec![first, self.operand()?];
        while self.tokens.first() == Some(&operator) {
            self.next();
            parts.push(self.operand()?);
        }
        Ok(parts)
    }

    fn otherwise(&mut self) -> Result<Option<Box<Dependency>>, &'static str> {
        if self.tokens.first() != Some(&"else") {
            return Ok(None);
        }
        self.next();
        Ok(Some(Box::new(self.operand()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_prints_the_same() {
        for text in [
            "kubelet",
            "kubelet >= 1.28.2-0",
            "libc.so.6(GLIBC_2.17)(64bit)",
            "config(bash) = 4.2-1",
            "((a or b) and c)",
            "(a >= 1 if b < 2:3-4 else (c with d = 1))",
            "(perl(A::B) >= 1 without perl(A::B) >= 2)",
            "(a with b(c )",
            "(a unless b)",
            "(libc.so.6()(64bit) or (musl and x))",
            "((feature1 or a) unless (b or c) else d)",
            "(a or b or c)",
            "(a and b and (c with d with e))",
        ] {
            assert_eq!(Dependency::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_chain_may_be_long_and_a_nest_may_not_be_deep() {
        for operator in ["and", "or", "with"] {
            let names: Vec<String> = (0..20_000).map(|number| format!("n{number}")).collect();
            let text = format!("({})", names.join(&format!(" {operator} ")));
            assert!(Dependency::parse(&text).unwrap().to_string() == text);
        }
        for (opening, closing) in [("(", ")"), ("(a or ", ")"), ("(a if b else ", ")")] {
            let nest = |depth| format!("{}x{}", opening.repeat(depth), closing.repeat(depth));
            assert!(Dependency::parse(&nest(MAX_DEPTH)).is_ok(), "{opening}");
            let error = Dependency::parse(&nest(20_000)).unwrap_err().to_string();
            assert!(error.ends_with("…` is not a dependency: it nests too deep"), "{error}");
        }
    }

    #[test]
    fn malformed_ones_are_errors() {
        let deep = "(".repeat(5000);
        for text in [
            "",
            "(",
            ")",
            "a >=",
            "(a or)",
            "(a b)",
            "a b",
            "(a or b and c)",
            "(a if b if c)",
            "(a without b without c)",
            "(a nor b)",
            "(a if b else)",
            &deep,
        ] {
            assert!(Dependency::parse(text).is_err(), "{text:.20}");
        }
    }

    #[test]
    fn ranges_overlap_as_rpm_says() {
        let overlap = |wanted: &str, provided: &str| {
            let range = |text: &str| match Dependency::parse(text) {
                Ok(Dependency::Capability(capability)) => capability,
                other => panic!("{other:?}"),
            };
            range(wanted).accepts(range(provided).range.as_ref())
        };
        let cases = [
            ("a", "a", true),
            ("a", "a = 1", true),
            ("a = 1", "a", true),
            ("a = 1.0", "a = 1.0-5", true),
            ("a = 1.0-5", "a = 1.0", true),
            ("a = 1.0-4", "a = 1.0-5", false),
            ("a >= 1", "a = 1-1", true),
            ("a > 1", "a = 1-1", false),
            ("a > 1", "a = 1.1-1", true),
            ("a < 2", "a >= 1", true),
            ("a < 1", "a >= 1", false),
            ("a <= 1", "a >= 1", true),
            ("a < 1:0", "a = 5", true),
            ("a >= 1.0", "a = 1.0~rc1", false),
            ("a >= 2:2.74", "a = 2:2.119-1", true),
        ];
        for (wanted, provided, expected) in cases {
            assert_eq!(overlap(wanted, provided), expected, "{wanted} / {provided}");
        }
    }
}
