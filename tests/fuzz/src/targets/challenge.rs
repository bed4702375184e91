use bundler::image::challenge::{Challenge, parse};

use super::{READ, text};

/// `WWW-Authenticate`.
pub(super) fn challenge(bytes: &[u8]) -> String {
    let challenges = parse(&text(bytes));
    assert!(challenges.len() <= bytes.len());
    let kind = |one: &Challenge| match one {
        Challenge::Basic => "basic",
        Challenge::Bearer { service: Some(_), scope: Some(_), .. } => "bearer",
        Challenge::Bearer { .. } => "bare bearer",
    };
    let kinds: Vec<&str> = challenges.iter().take(3).map(kind).collect();
    format!("{READ}: {}", kinds.join(", "))
}
