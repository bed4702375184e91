//! The URLs of a repository's files, made from its metadata. The metadata may be a
//! stranger's, so it must not lead to another kind of place than the repository's
//! own.

use url::Url;

/// `base` with a slash at its end, which [`Url::join`] needs.
pub fn folder(base: &Url) -> Url {
    let mut folder = base.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", base.path()));
    }
    folder
}

/// The URL of the file whose `href` in metadata is relative to `base`.
///
/// createrepo_c writes names of files unchanged, and other programs write them
/// percent-encoded. An escape such as `%2B` stays as it is. Every other character
/// that has a meaning in a URL, such as `?` and `#`, is escaped.
pub fn file(base: &Url, href: &str) -> Result<Url, String> {
    let problem = |reason: &str| format!("its place `{}` {reason}", href.escape_debug());
    if href.is_empty() || href.ends_with('/') {
        return Err(problem("names no file"));
    }
    if href.contains(char::is_control) {
        return Err(problem("holds control characters"));
    }
    let url = if has_scheme(href) {
        Url::parse(href).map_err(|error| problem(&format!("is no URL: {error}")))?
    } else if href.starts_with("//") {
        return Err(problem(&format!("leads away from {base}")));
    } else {
        let path = escaped(href);
        // So a colon in the first segment does not end a scheme.
        let relative = if path.starts_with('/') { path } else { format!("./{path}") };
        base.join(&relative).map_err(|error| problem(&format!("is no URL: {error}")))?
    };
    // It may lead to another folder of the same server (`../../pool/…` occurs).
    if url.scheme() != base.scheme() || url.host() != base.host() || url.port() != base.port() {
        return Err(problem(&format!("leads away from {base}")));
    }
    nobodys(&url).map_err(|reason| problem(&reason))?;
    Ok(url)
}

/// The base folder of files, if metadata names another one than `repository`, as
/// `createrepo_c --baseurl` does. It may be on another host, but then only over
/// https. It may be on this machine's disk only if the repository is too.
pub fn other_base(repository: &Url, base: &str) -> Result<Url, String> {
    let problem = |reason: &str| format!("its base `{}` {reason}", base.escape_debug());
    let url = Url::parse(base).map_err(|error| problem(&format!("is no URL: {error}")))?;
    fits(repository, &url).map_err(|reason| problem(&reason))?;
    Ok(folder(&url))
}

/// Refuses a URL to which the metadata of `repository` cannot have led.
pub fn fits(repository: &Url, url: &Url) -> Result<(), String> {
    let is_fit = match (repository.scheme(), url.scheme()) {
        (_, "https") | ("file", "file") => true,
        ("http", "http") => url.host() == repository.host(),
        _ => false,
    };
    if !is_fit {
        return Err(format!("leads away from {repository}; only https:// may"));
    }
    nobodys(url)
}

/// Refuses a URL with a user, a password, a query or a fragment.
fn nobodys(url: &Url) -> Result<(), String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or a password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("holds a `?` or a `#`".to_owned());
    }
    Ok(())
}

fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once("://") else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn escaped(path: &str) -> String {
    let mut escaped = String::new();
    for (place, character) in path.char_indices() {
        let rest = path.as_bytes().get(place + 1..place + 3);
        let is_escape = rest.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        match character {
            '%' if !is_escape => escaped.push_str("%25"),
            '#' => escaped.push_str("%23"),
            '?' => escaped.push_str("%3F"),
            '\\' => escaped.push_str("%5C"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://example.com/a+b/x86_64/".parse().unwrap()
    }

    #[test]
    fn a_name_of_a_file_becomes_a_url_of_it() {
        for (href, path) in [
            ("Packages/g/gtk+-1-1.x86_64.rpm", "/a+b/x86_64/Packages/g/gtk+-1-1.x86_64.rpm"),
            ("a%2Bb.rpm", "/a+b/x86_64/a%2Bb.rpm"),
            ("a~b^c.rpm", "/a+b/x86_64/a~b^c.rpm"),
            ("a%b.rpm", "/a+b/x86_64/a%25b.rpm"),
            ("a%", "/a+b/x86_64/a%25"),
            ("a#b.rpm", "/a+b/x86_64/a%23b.rpm"),
            ("a?b.rpm", "/a+b/x86_64/a%3Fb.rpm"),
            ("a b.rpm", "/a+b/x86_64/a%20b.rpm"),
            ("a@b.rpm", "/a+b/x86_64/a@b.rpm"),
            ("a:b.rpm", "/a+b/x86_64/a:b.rpm"),
            ("a\\b.rpm", "/a+b/x86_64/a%5Cb.rpm"),
            ("é.rpm", "/a+b/x86_64/%C3%A9.rpm"),
            ("../../pool/a.rpm", "/pool/a.rpm"),
            ("../../../../../a.rpm", "/a.rpm"),
            ("/a.rpm", "/a.rpm"),
            ("https://example.com/else/a%20b.rpm", "/else/a%20b.rpm"),
        ] {
            assert_eq!(file(&base(), href).unwrap().path(), path, "{href}");
        }
    }

    #[test]
    fn metadata_leads_nowhere_else() {
        for href in [
            "",
            "a/",
            "https://elsewhere.example/a.rpm",
            "http://example.com/a.rpm",
            "https://example.com:8443/a.rpm",
            "https://user:secret@example.com/a.rpm",
            "https://example.com/a.rpm?token=x",
            "//elsewhere.example/a.rpm",
            "///etc/passwd",
            "file:///etc/shadow",
            "a\nb.rpm",
            "a\tb.rpm",
        ] {
            assert!(file(&base(), href).is_err(), "{href:?}");
        }
        let disk: Url = "file:///srv/repo/".parse().unwrap();
        assert!(file(&disk, "../pool/a.rpm").is_ok());
        assert!(file(&disk, "https://example.com/a.rpm").is_err());
    }

    #[test]
    fn another_base_is_as_safe_as_the_repository() {
        let at = |text: &str| text.parse::<Url>().unwrap();
        for (repository, other, fits) in [
            ("https://a.example/r/", "https://a.example/pool", true),
            ("https://a.example/r/", "https://b.example/pool/", true),
            ("https://a.example/r/", "http://a.example/pool", false),
            ("https://a.example/r/", "file:///etc", false),
            ("https://a.example/r/", "//b.example/", false),
            ("https://a.example/r/", "https://u:p@b.example/", false),
            ("https://a.example/r/", "https://b.example/?token=x", false),
            ("http://a.example/r/", "http://a.example:8080/pool", true),
            ("http://a.example/r/", "http://b.example/pool", false),
            ("http://a.example/r/", "https://b.example/pool", true),
            ("http://a.example/r/", "file:///etc", false),
            ("file:///srv/r/", "file:///srv/pool", true),
            ("file:///srv/r/", "https://b.example/pool", true),
            ("file:///srv/r/", "http://b.example/pool", false),
        ] {
            let found = other_base(&at(repository), other);
            assert_eq!(found.is_ok(), fits, "{repository} {other} {found:?}");
        }
        let found = other_base(&at("https://a.example/r/"), "https://b.example/p+q").unwrap();
        assert_eq!(found.as_str(), "https://b.example/p+q/");
    }
}
