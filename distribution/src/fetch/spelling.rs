//! The two ways to write a plus sign in a URL's path. Both mean the same. But S3 and
//! servers like it read a bare plus as a space, and a few servers do not decode `%2B`
//! (dnf5's issue 1321). So `%2B` is tried first. If it finds nothing, the bare plus
//! is tried.

use url::Url;

/// The spellings of `url` to try, in order. There is only one if the path has no
/// plus.
pub(super) fn spellings(url: &Url) -> Vec<Url> {
    let path = url.path();
    if !path.contains('+') && !path.contains("%2B") && !path.contains("%2b") {
        return vec![url.clone()];
    }
    let bare = path.replace("%2B", "+").replace("%2b", "+");
    let with = |path: &str| {
        let mut url = url.clone();
        url.set_path(path);
        url
    };
    vec![with(&bare.replace('+', "%2B")), with(&bare)]
}

/// Whether to try the other spelling after this status. For a file that does not
/// exist, S3 answers 403 if the caller may not list the bucket.
pub(super) fn is_another_worth_it(status: u16) -> bool {
    matches!(status, 400 | 403 | 404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_goes_first() {
        for (url, wanted) in [
            ("https://a/b.rpm?x=1+2", vec!["https://a/b.rpm?x=1+2"]),
            ("https://a/b%20c.rpm", vec!["https://a/b%20c.rpm"]),
            ("https://a/g++.rpm", vec!["https://a/g%2B%2B.rpm", "https://a/g++.rpm"]),
            ("https://a/g%2b+.rpm?x=+", vec!["https://a/g%2B%2B.rpm?x=+", "https://a/g++.rpm?x=+"]),
            ("https://a/%252B%2B", vec!["https://a/%252B%2B", "https://a/%252B+"]),
        ] {
            let found = spellings(&url.parse().unwrap());
            let found: Vec<&str> = found.iter().map(Url::as_str).collect();
            assert_eq!(found, wanted);
        }
    }
}
