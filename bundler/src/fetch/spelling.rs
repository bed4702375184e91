//! The two ways to write a plus sign in a URL's path. Both mean the same, but
//! S3 and what imitates it read a bare one as a space, and a few servers do not
//! undo `%2B` (dnf5's issue 1321). So the escape goes first, and the other
//! follows where that finds nothing.

use url::Url;

/// The spellings of `url` to ask for, in order; one where no plus is in its path.
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

/// Whether an answer may mean that the other spelling is the right one: S3 says
/// 403 of what is not there to who may not list.
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
