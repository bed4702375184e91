//! Texts without the secrets in them, to show and to send away.

/// Shown in place of a secret.
const HIDDEN: &str = "(secret, not shown)";
/// Words in the names of settings that hold secrets.
const SECRETS: [&str; 20] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "pass=",
    VRRP,
    "secret",
    "key-data",
    "certificatekey",
    "certificate-key",
    "fastopen_key",
    "auth\"",
    "auth ",
    "auth=",
    "auth:",
    "authorization\"",
    "authorization ",
    "authorization=",
    "authorization:",
    "credential",
];

/// keepalived's password, behind which nothing but a space comes.
const VRRP: &str = "auth_pass ";

/// The text without secrets, as far as they can be recognised: tokens, values of
/// settings whose names say so, passwords in URLs, and private keys.
pub(crate) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_key = false;
    let mut next = Next::None;
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
        let line = line.trim_end_matches('\n');
        if next.hides(line) {
            shown += &" ".repeat(indent(line));
            shown += HIDDEN;
        } else {
            shown += &masked_line(line);
        }
        next = next.after(line);
        shown += end;
    }
    shown
}

/// The same for a difference as `diff -u` writes it, whose lines have a mark before them.
pub(crate) fn masked_difference(text: &str) -> String {
    let is_marked = |line: &str| {
        line.starts_with(['+', '-']) && !line.starts_with("+++ ") && !line.starts_with("--- ")
    };
    let plain = |line: &str| match is_marked(line) {
        true => format!(" {}\n", &line[1..]),
        false => format!("{line}\n"),
    };
    let shown = masked(&text.lines().map(plain).collect::<String>());
    // A private key becomes one line. Then nothing tells which mark is whose.
    if shown.lines().count() != text.lines().count() {
        return shown;
    }
    let marked = text.lines().zip(shown.lines()).map(|(line, shown)| match is_marked(line) {
        true => format!("{}{}\n", &line[..1], shown.get(1..).unwrap_or_default()),
        false => format!("{shown}\n"),
    });
    marked.collect()
}

/// Which of the next lines have the secret that this line only names.
#[derive(Clone, Copy)]
enum Next {
    /// None.
    None,
    /// All lines that are indented by more than this.
    Deeper(usize),
    /// The next line, if it is a `value:` of YAML, or an argument in a list.
    Value,
}

impl Next {
    fn hides(self, line: &str) -> bool {
        match self {
            Self::None => false,
            Self::Deeper(depth) => indent(line) > depth && !line.trim().is_empty(),
            Self::Value => {
                let line = line.trim_start();
                line.starts_with("value:") || line.starts_with("- ") && !line.starts_with("- --")
            }
        }
    }

    /// What `line` says of those behind it.
    fn after(self, line: &str) -> Self {
        if matches!(self, Self::Deeper(_)) && (self.hides(line) || line.trim().is_empty()) {
            return self;
        }
        // Some of the names end with a space.
        let lower = line.trim().to_ascii_lowercase() + " ";
        if !SECRETS.iter().any(|word| lower.contains(word)) {
            return Self::None;
        }
        let words = lower.trim_end();
        let is_open = words.ends_with(':') || words.trim_end_matches('-').ends_with(['|', '>']);
        let is_name = words.trim_start_matches("- ").starts_with("name:");
        let is_option = words.starts_with("- --") && !words.contains('=');
        match (is_open, is_name || is_option) {
            (true, _) => Self::Deeper(indent(line)),
            (false, true) => Self::Value,
            (false, false) => Self::None,
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn masked_line(line: &str) -> String {
    let line = without_tokens(line);
    // `key: value`, `key = value`, `"key": "value"`, `--key value`.
    let lower = line.to_ascii_lowercase();
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.\"' ".contains(letter);
    let places = SECRETS.iter().flat_map(|word| lower.match_indices(word)).map(|(at, _)| at);
    let value = places.filter_map(|at| {
        let rest = lower.get(at..)?;
        let end = rest.find([':', '=']).filter(|end| rest[..*end].chars().all(inner));
        let is_bare = rest.starts_with(VRRP) || is_option(&lower, at);
        let end = end.or_else(|| is_bare.then(|| rest.find(' ')).flatten())?;
        let value = line.get(at + end + 1..)?;
        let is_empty = matches!(value.trim(), "" | "true" | "false" | "|" | ">" | "|-" | ">-");
        (!is_empty).then_some(at + end + 1)
    });
    match value.min() {
        Some(at) => {
            let name = line.get(..at).unwrap_or_default().trim_end();
            format!("{} {HIDDEN}", without_password(name))
        }
        None => without_password(&line),
    }
}

/// Whether the word at `at` belongs to an option: `--client-secret`.
fn is_option(line: &str, at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    before.rsplit([' ', '"', '\'']).next().is_some_and(|word| word.starts_with("--"))
}

/// A line without words that are tokens, whatever stands before them.
fn without_tokens(line: &str) -> String {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_inner(letter)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let bare = word.trim_matches('.');
        shown += if is_token(bare) || is_web_token(bare) { HIDDEN } else { word };
        let next = behind.find(is_inner).unwrap_or(behind.len());
        let (between, after) = behind.split_at(next);
        shown += between;
        rest = after;
    }
    shown
}

/// Whether it looks like a bootstrap token: six characters, a dot, and sixteen more
/// (kubernetes.io, "Authenticating with Bootstrap Tokens").
pub(crate) fn is_token(word: &str) -> bool {
    let is_part = |part: &str, length| {
        part.len() == length
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    word.split_once('.').is_some_and(|(id, secret)| is_part(id, 6) && is_part(secret, 16))
}

/// Whether it looks like a ServiceAccount's token, or the beginning of one: its first
/// part is JSON in base64 (RFC 7519).
fn is_web_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.contains('.')
}

/// `http://me:word@proxy` and `iscsi:me:word@target` without what stands before the `@`.
fn without_password(line: &str) -> String {
    let is_end = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '`');
    let mut shown = String::with_capacity(line.len());
    for part in line.split_inclusive(is_end) {
        let word = part.trim_end_matches(is_end);
        let begin = word.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = word.split_at(begin);
        let authority = rest.split('/').next().unwrap_or_default();
        // A digest of an image follows an `@` too.
        let login = authority.rfind('@').filter(|at| {
            let (before, after) = authority.split_at(*at);
            !after.starts_with("@sha256:") && (begin > 0 || before.contains(':'))
        });
        match login {
            Some(at) => {
                shown += scheme;
                shown += HIDDEN;
                shown += rest.get(at..).unwrap_or_default();
            }
            None => shown += word,
        }
        shown += part.get(word.len()..).unwrap_or_default();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_difference_is_shown() {
        let text = "--- /a.yaml\n+++ new manifest\n     - --v=2\n-    - name: PASSWORD\n\
                    -      value: hunter2\n+    - --new\n";
        let shown = "--- /a.yaml\n+++ new manifest\n     - --v=2\n-    - name: PASSWORD\n\
                     -      (secret, not shown)\n+    - --new\n";
        assert_eq!(masked_difference(text), shown);
    }

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
            ("password=hunter2 token=x", "password= (secret, not shown)"),
            ("{\"auth\":\"QQ\",\"identitytoken\":\"x\"}", "{\"auth\": (secret, not shown)"),
            (
                "proxy=http://me:pw@h token: x",
                "proxy=http://(secret, not shown)@h token: (secret, not shown)",
            ),
            (
                "failed password for a, password=hunter2",
                "failed password for a, password= (secret, not shown)",
            ),
            ("auth=\"QQ\"", "auth= (secret, not shown)"),
            ("Authorization = [\"Basic QQ\"]", "Authorization = (secret, not shown)"),
            ("--authorization-mode=Node,RBAC", "--authorization-mode=Node,RBAC"),
            (
                "//nas/x /x cifs user=a,pass=b 0 0",
                "//nas/x /x cifs user=a,pass= (secret, not shown)",
            ),
            ("netroot=iscsi:user:pw@10.0.0.1:::1", "(secret, not shown)@10.0.0.1:::1"),
            ("registry/a:1@sha256:ab", "registry/a:1@sha256:ab"),
            ("it was abcdef.0123456789abcdef.", "it was (secret, not shown)"),
            ("it was eyJa.b.\n", "it was (secret, not shown)\n"),
            (
                "- name: DB_PASSWORD\n  value: x\n- name: A\n",
                "- name: DB_PASSWORD\n  (secret, not shown)\n- name: A\n",
            ),
            (
                "a:\n  password: |\n    x\n    y\n  b: c\n",
                "a:\n  password: |\n    (secret, not shown)\n    (secret, not shown)\n  b: c\n",
            ),
            ("    auth_pass hunter2\n", "    auth_pass (secret, not shown)\n"),
            ("- --token\n- x\n- y\n", "- --token\n(secret, not shown)\n- y\n"),
            ("run --client-secret x y", "run --client-secret (secret, not shown)"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nQQ\n-----END RSA PRIVATE KEY-----\nb\n",
                "a\n(secret, not shown)\nb\n",
            ),
        ] {
            assert_eq!(masked(text), shown, "{text}");
        }
    }
}
