//! Texts without the secrets in them, to show and to send away.

/// Shown in place of a secret.
const HIDDEN: &str = "(secret, not shown)";
/// Words in the names of settings that hold secrets.
const SECRETS: [&str; 7] = ["token", "password", "passwd", "secret", "key-data", "auth\"", "auth "];

/// The text without secrets: tokens, values of settings whose names say so, passwords
/// in URLs, and private keys.
pub(crate) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_key = false;
    for line in text.split_inclusive('\n') {
        let end = if line.ends_with('\n') { "\n" } else { "" };
        let mark = |word: &str| line.contains(word) && line.contains("PRIVATE KEY-----");
        if in_key || mark("-----BEGIN") {
            if !in_key {
                shown += &format!("{HIDDEN}{end}");
            }
            in_key = !mark("-----END");
            continue;
        }
        shown += &masked_line(line.trim_end_matches('\n'));
        shown += end;
    }
    shown
}

fn masked_line(line: &str) -> String {
    let line = without_tokens(line);
    // `key: value`, `key = value`, `"key": "value"`.
    let lower = line.to_ascii_lowercase();
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.\"' ".contains(letter);
    for at in SECRETS.iter().filter_map(|word| lower.find(word)) {
        let rest = line.get(at..).unwrap_or_default();
        let Some(end) = rest.find([':', '=']).filter(|end| rest[..*end].chars().all(inner)) else {
            continue;
        };
        let (name, value) = line.split_at(at + end + 1);
        if !matches!(value.trim(), "" | "true" | "false") {
            return format!("{name} {HIDDEN}");
        }
    }
    without_password(&line)
}

/// A line without words that are tokens, whatever stands before them.
fn without_tokens(line: &str) -> String {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_inner(letter)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        shown += if is_token(word) || is_web_token(word) { HIDDEN } else { word };
        let next = behind.find(is_inner).unwrap_or(behind.len());
        let (between, after) = behind.split_at(next);
        shown += between;
        rest = after;
    }
    shown
}

/// Whether it looks like a bootstrap token: six characters, a dot, and sixteen
/// (kubernetes.io, "Authenticating with Bootstrap Tokens").
pub(crate) fn is_token(word: &str) -> bool {
    let is_part = |part: &str, length| {
        part.len() == length
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    word.split_once('.').is_some_and(|(id, secret)| is_part(id, 6) && is_part(secret, 16))
}

/// Whether it looks like a ServiceAccount's token: three parts, of which the first is
/// JSON in base64 (RFC 7519).
fn is_web_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.split('.').count() == 3
}

/// `http://me:word@proxy` without its password.
fn without_password(line: &str) -> String {
    let Some((scheme, rest)) = line.split_once("://") else { return line.to_owned() };
    let authority = rest.split(['/', ' ', '"', '\'']).next().unwrap_or_default();
    let behind = without_password(rest.get(authority.len()..).unwrap_or_default());
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}{behind}"),
        None => format!("{scheme}://{authority}{behind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        for (text, shown) in [
            ("a: b\n", "a: b\n"),
            ("  token: abc.def\n", "  token: (secret, not shown)\n"),
            ("client-key-data: QQ==", "client-key-data: (secret, not shown)"),
            ("password = \"x\"\n", "password = (secret, not shown)\n"),
            ("proxy=http://me:word@p:3128\n", "proxy=http://(secret, not shown)@p:3128\n"),
            ("a://b:c@d e://f:g@h", "a://(secret, not shown)@d e://(secret, not shown)@h"),
            ("{\"a\": 1, \"auth\": \"QQ\"}", "{\"a\": 1, \"auth\": (secret, not shown)"),
            ("auth = \"QQ\"", "auth = (secret, not shown)"),
            ("x abcdef.0123456789abcdef, y", "x (secret, not shown), y"),
            ("Bearer eyJh.eyJz.c-_1\n", "Bearer (secret, not shown)\n"),
            ("node1.0123456789abcdef kube-system", "node1.0123456789abcdef kube-system"),
            ("token: \n", "token: \n"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nQQ\n-----END RSA PRIVATE KEY-----\nb\n",
                "a\n(secret, not shown)\nb\n",
            ),
        ] {
            assert_eq!(masked(text), shown, "{text}");
        }
    }
}
