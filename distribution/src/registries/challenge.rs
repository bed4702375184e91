//! The challenges of a registry that answers 401, in its `WWW-Authenticate` header
//! (RFC 9110 section 11.6.1; distribution's `docs/spec/auth/token.md`).

/// One way to log in that a registry offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A token from `realm`, asked for `service` and `scope`.
    Bearer {
        /// The URL of the token server, as written.
        realm: String,
        /// The registry's name at the token server.
        service: Option<String>,
        /// `repository:library/busybox:pull`.
        scope: Option<String>,
    },
    /// User and password with each request.
    Basic,
}

/// The longest header that is read, in bytes. Real ones are shorter.
const LIMIT: usize = 8 * 1024;

/// The challenges in the value of one header, in order. Leaves out schemes other than
/// Bearer and Basic, a Bearer without a realm, and everything malformed.
pub fn parse(header: &str) -> Vec<Challenge> {
    if header.len() > LIMIT {
        return Vec::new();
    }
    let mut schemes: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches(|c: char| !is_token(c));
        let (word, after) = split_token(rest);
        if word.is_empty() {
            break;
        }
        match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let (value, after) = take_value(value.trim_start());
                if let Some((_, parameters)) = schemes.last_mut() {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            None => {
                schemes.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
    }
    schemes.into_iter().filter_map(|(scheme, parameters)| challenge(&scheme, parameters)).collect()
}

fn challenge(scheme: &str, parameters: Vec<(String, String)>) -> Option<Challenge> {
    let find =
        |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: find("realm")?,
            service: find("service"),
            scope: find("scope"),
        }),
        _ => None,
    }
}

/// A token, or a quoted string with its escapes undone, and the rest of the text.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = split_token(text);
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or("")),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

fn split_token(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !is_token(c)).unwrap_or(text.len()))
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/@?".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn reads_what_registries_send() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull""#;
        let cases = [
            (
                hub,
                vec![bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("repository:library/busybox:pull"),
                )],
            ),
            (r#"Basic realm="Registry Realm""#, vec![Challenge::Basic]),
            ("basic", vec![Challenge::Basic]),
            (
                r#"Basic realm="a, b", bEaReR Realm = "https://r/t" , service=s"#,
                vec![Challenge::Basic, bearer("https://r/t", Some("s"), None)],
            ),
            (r#"Bearer realm="a\"b\\c""#, vec![bearer(r#"a"b\c"#, None, None)]),
            (
                r#"Bearer realm=https://r/t,scope="a:b:pull,push""#,
                vec![bearer("https://r/t", None, Some("a:b:pull,push"))],
            ),
            (r#"Negotiate abc==, Basic realm="x""#, vec![Challenge::Basic]),
        ];
        for (header, challenges) in cases {
            assert_eq!(parse(header), challenges, "{header}");
        }
    }

    #[test]
    fn survives_what_no_registry_should_send() {
        let long = format!("Basic realm=\"{}\"", "x".repeat(LIMIT));
        for header in ["", ",,,", "=", "Bearer", "Bearer service=a", "realm=\"a\"", "é=\"", &long]
        {
            assert_eq!(parse(header), [], "{header}");
        }
        assert_eq!(parse(r#"Bearer realm="open"#), [bearer("open", None, None)]);
        assert_eq!(parse(r#"Bearer realm="x\"#), [bearer("x", None, None)]);
    }
}
