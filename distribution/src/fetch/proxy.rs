//! The proxies in the environment. If the HTTP library does not understand a proxy's
//! value, it ignores it and connects directly, and often gets no answer. So such a
//! value is reported.

use std::env;

use url::Url;

use super::no_proxy::NoProxy;

/// The names of a variable, as curl, Go and the HTTP library read them: the first
/// that is set counts.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];

/// What to write. The wrong value is not repeated, because it may contain a password.
const CURE: &str = "write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT";

/// The mistakes in them.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    https: Option<String>,
    http: Option<String>,
}

impl Mistakes {
    /// The mistakes in the environment.
    pub(super) fn of_environment(no_proxy: &NoProxy) -> Self {
        Self::of(|name| env::var(name).ok(), no_proxy)
    }

    fn of(value: impl Fn(&str) -> Option<String>, no_proxy: &NoProxy) -> Self {
        // Of each pair, the library reads the first that is set, even if it is
        // empty.
        let first = |names: [&'static str; 2]| {
            let (name, text) = names.into_iter().find_map(|name| Some((name, value(name)?)))?;
            (!text.trim().is_empty()).then_some((name, text))
        };
        let of = |names| {
            let (name, text) = first(names).or_else(|| first(ALL))?;
            let wrong = wrong(text.trim())
                .map(|why| format!("{name} is not the URL of a proxy: {why}; {CURE}"));
            wrong.or_else(|| no_proxy.mistake())
        };
        Self { https: of(HTTPS), http: of(HTTP) }
    }

    /// Why `url` cannot be reached through its proxy.
    pub(super) fn about(&self, url: &Url) -> Option<&str> {
        let mistake = if url.scheme() == "https" { &self.https } else { &self.http };
        mistake.as_deref()
    }
}

/// Why a text is not the URL of a proxy.
fn wrong(text: &str) -> Option<String> {
    if text.contains(|letter: char| letter.is_whitespace() || "\"'<>\\".contains(letter)) {
        return Some("it has a blank, a quote or a backslash in it".to_owned());
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".to_owned(), text),
    };
    if scheme.starts_with("socks") {
        return Some("this program supports only HTTP proxies, and none of SOCKS".to_owned());
    }
    if !matches!(scheme.as_str(), "http" | "https") {
        return Some("it begins neither with http:// nor with https://".to_owned());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let after = rest.strip_prefix(authority).unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains('@') || after.contains(['@', '#', '?']) {
        return Some(
            "in a user and a password write `@` as %40, `#` as %23, `/` as %2F and `?` as %3F"
                .to_owned(),
        );
    }
    if !matches!(after, "" | "/") && !text.contains("://") {
        return Some("its `http://` is misspelt".to_owned());
    }
    let is_host = Url::parse(&format!("http://{host}/")).is_ok_and(|url| url.has_host());
    let port =
        host.rsplit_once(':').filter(|(front, _)| !front.contains(':') || front.ends_with(']'));
    let is_port = port.is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
    (!is_host || !is_port).then(|| "its host or its port is not valid".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_proxy_or_says_why_not() {
        for good in [
            "http://proxy:3128",
            "https://proxy.site:443/",
            "proxy:3128",
            "proxy",
            "http://jane:p%40ss@proxy:3128",
            "http://10.0.0.1:3128",
            "http://[fd00::1]:3128",
        ] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for (bad, words) in [
            ("\"http://proxy:3128\"", "a quote"),
            ("http://proxy:31 28", "a blank"),
            ("http//proxy:3128", "is misspelt"),
            ("http:/proxy:3128", "is misspelt"),
            ("htp://proxy:3128", "begins neither"),
            ("socks5://proxy:1080", "none of SOCKS"),
            ("http://jane:p@ss@proxy:3128", "`@` as %40"),
            ("http://jane:p#ss@proxy:3128", "`#` as %23"),
            ("http://jane:p/ss@proxy:3128", "`/` as %2F"),
            ("http://proxy:PORT", "its port"),
            ("http://proxy:", "its port"),
            ("http://proxy:99999", "its port"),
            ("http://:3128", "its host"),
            ("http://", "its host"),
        ] {
            let told = wrong(bad).unwrap_or_default();
            assert!(told.contains(words), "{bad}: {told}");
            assert!(!told.contains("ss@") && !told.contains("jane"), "{told}");
        }
    }

    #[test]
    fn the_variable_that_counts_is_named() {
        let of = |set: &[(&str, &str)], no_proxy: &str, url: &str| {
            let value = |name: &str| {
                set.iter().find(|(own, _)| *own == name).map(|(_, text)| (*text).to_owned())
            };
            let mistakes = Mistakes::of(value, &NoProxy::parse(no_proxy));
            mistakes.about(&url.parse().unwrap()).unwrap_or_default().to_owned()
        };
        let (tls, plain) = ("https://a.example/", "http://a.example/");
        assert_eq!(of(&[], "http://a", tls), "");
        let bad = [("https_proxy", "http//p")];
        let words = "https_proxy is not the URL of a proxy: its `http://` is misspelt; write http://HOST:PORT";
        assert!(of(&bad, "", tls).starts_with(words), "{}", of(&bad, "", tls));
        assert_eq!(of(&bad, "", plain), "");
        assert!(
            of(&[("ALL_PROXY", "p:x")], "", plain)
                .starts_with("ALL_PROXY is not the URL of a proxy")
        );
        // The first counts, even if it is empty.
        let both = [("HTTPS_PROXY", "http://p:1"), ("https_proxy", "http//p")];
        assert_eq!(of(&both, "", tls), "");
        assert_eq!(of(&[("HTTPS_PROXY", " "), both[1]], "", tls), "");
        let good = [("HTTPS_PROXY", "http://p:1")];
        for entry in ["http://a.site", "10.0.0.0/33", "10.0/8", "a.site/"] {
            let told = of(&good, &format!("b.site,{entry}"), tls);
            let words = format!("`{entry}` in NO_PROXY");
            assert!(told.starts_with(&words) && told.contains("write"), "{told}");
        }
        for entries in ["localhost, .site 10.0.0.0/8", "*", "[::1]:80,a.site:443", "<local>"] {
            assert_eq!(of(&good, entries, tls), "", "{entries}");
        }
    }
}
