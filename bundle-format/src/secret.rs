//! Hiding what may be a password or a token in a text that is shown: the person who
//! reads the errors may not be the one who wrote the file.

use std::borrow::Cow;

/// How a single value is shown: without a user and password before a host, and
/// without parameters.
pub fn hidden(value: &str) -> Cow<'_, str> {
    let parts = value.split_once("://").filter(|(scheme, _)| !scheme.contains('@'));
    let (scheme, rest) = match parts {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, value),
    };
    // A digest follows an `@` too, and is not a secret.
    let digest = rest.rfind("@sha").filter(|place| is_digest(rest.get(place + 1..)));
    let end = digest.unwrap_or(rest.len());
    let (name, digest) = rest.split_at(end);
    let user = name.rfind('@').filter(|place| {
        scheme.is_some() || name.get(..*place).is_some_and(|before| before.contains(':'))
    });
    let shown = user.and_then(|place| name.get(place + 1..)).unwrap_or(name);
    let query = shown
        .find(['?', '#'])
        .filter(|place| scheme.is_some() || shown.get(*place..).is_some_and(|q| q.contains('=')));
    let path = query.and_then(|place| shown.get(..=place)).unwrap_or(shown);
    if user.is_none() && query.is_none() {
        return Cow::Borrowed(value);
    }
    let scheme = scheme.map(|scheme| format!("{scheme}://")).unwrap_or_default();
    let user = if user.is_some() { "…@" } else { "" };
    let query = if query.is_some() { "…" } else { "" };
    Cow::Owned(format!("{scheme}{user}{path}{query}{digest}"))
}

fn is_digest(text: Option<&str>) -> bool {
    text.and_then(|text| text.split_once(':')).is_some_and(|(algorithm, hex)| {
        matches!(algorithm, "sha256" | "sha512")
            && !hex.contains('@')
            && hex.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// A sentence, with each of its words as it may be shown.
pub fn hidden_within(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'');
    let mut shown = String::new();
    for part in text.split_inclusive(is_end) {
        let word = part.trim_end_matches(is_end);
        shown.push_str(&hidden(word));
        shown.push_str(part.get(word.len()..).unwrap_or_default());
    }
    shown
}

/// A line of broken YAML. In it, nobody can tell where a value ends, so a password
/// may contain anything.
pub fn hidden_line(line: &str) -> String {
    let scheme = line.find("://").map(|place| place + 3);
    let user =
        scheme.and_then(|start| line.get(start..)?.rfind('@').map(|end| (start, start + end)));
    match user {
        Some((start, end)) => {
            let (before, after) = (line.get(..start), line.get(end..));
            let after = hidden_within(&format!("://{}", after.unwrap_or_default()));
            let after = after.strip_prefix("://").unwrap_or(&after);
            format!("{}{after}", before.unwrap_or_default())
        }
        None => hidden_within(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_passwords_and_parameters_are_hidden() {
        for (text, shown) in [
            ("https://u:pw@a.example.com/k", "https://…@a.example.com/k"),
            ("https://u:p/w@x@a.example.com/k", "https://…@a.example.com/k"),
            ("https://token@a.example.com/k?x=y", "https://…@a.example.com/k?…"),
            ("https://a.example.com/k?token=x#y", "https://a.example.com/k?…"),
            ("https://a.example.com/k#token", "https://a.example.com/k#…"),
            ("u:pw@a.example.com/x:1", "…@a.example.com/x:1"),
            ("u:pw@a.example.com/k?token=x", "…@a.example.com/k?…"),
            ("u:pw@a.example.com/x:1@sha256:00", "…@a.example.com/x:1@sha256:00"),
            ("a.example.com/x:1@sha256:00", "a.example.com/x:1@sha256:00"),
            ("u:sha256@sha256:p@a.example.com/x", "…@a.example.com/x"),
            ("busybox@sha256:00", "busybox@sha256:00"),
            ("tcpdump >= 4", "tcpdump >= 4"),
            ("me@example.com", "me@example.com"),
            ("what?", "what?"),
        ] {
            assert_eq!(hidden(text), shown);
        }
        let words = "\"https://u:pw@a/b?c=d\", `u:pw@a/x:1` or b@sha256:0, and x@y: z";
        let shown = "\"https://…@a/b?…\", `…@a/x:1` or b@sha256:0, and x@y: z";
        assert_eq!(hidden_within(words), shown);
        for (line, shown) in [
            ("  url: https://u:p w,'x@a/b?c=d", "  url: https://…@a/b?…"),
            ("  keys: [https://u:pw@a/b, https://c/d", "  keys: [https://…@a/b, https://c/d"),
            ("  keys: [https://a/b?c=d", "  keys: [https://a/b?…"),
            ("  pullFrom: u:pw@a/b: c", "  pullFrom: …@a/b: c"),
        ] {
            assert_eq!(hidden_line(line), shown);
        }
    }
}
