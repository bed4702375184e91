//! The exact version of a chart.

use bundle_format::yaml::quoted;

/// Checks that a text is one version, and not a range of them: `3.13.0`, `v1.18.2-rc.1`.
pub(super) fn check(text: &str) -> Result<(), String> {
    let (numbers, rest) = match text.find(['-', '+']) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let numbers: Vec<&str> = numbers.strip_prefix('v').unwrap_or(numbers).split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let is_mark = |c: char| c.is_ascii_alphanumeric() || "-+.".contains(c);
    match numbers.len() == 3 && numbers.iter().all(is_number) && rest.len() != 1 {
        true if rest.chars().all(is_mark) => Ok(()),
        _ => Err(format!(
            "{} is not the version of one chart: write all of it, such as 3.13.0",
            quoted(text)
        )),
    }
}

/// Whether two versions are one. Helm itself takes a version with or without `v`.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.strip_prefix('v').unwrap_or(text).to_owned();
    number(one) == number(other)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_version_is_exact() {
        for text in ["3.13.0", "v1.18.2", "1.0.0-rc.1", "1.2.3+build.4"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in ["", "3", "3.13", "^3.13.0", "3.13.x", "3.13.0-", "1.2.3-a b", ">=1.0.0"] {
            assert!(check(text).unwrap_err().contains("such as 3.13.0"), "{text}");
        }
    }
}
