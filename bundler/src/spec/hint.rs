//! What was meant by a key that does not exist.

/// What people write who know yum or other tools, and what it is here.
const KNOWN: [(&str, &str, &str); 6] = [
    ("gpgkey", "keys", "`keys`, a list,"),
    ("arch", "architecture", "`architecture`"),
    ("repos", "repositories", "`repositories`"),
    ("excludepkgs", "exclude", "`exclude`, a list,"),
    ("excludepackages", "exclude", "`exclude`, a list,"),
    ("image", "images", "`images`, a list,"),
];

/// A key that was meant, and the words that say so.
pub(super) struct Hint<'a> {
    pub(super) meant: Option<&'a str>,
    pub(super) words: String,
}

/// Looks for what was meant by `key` among the keys that may stand there.
pub(super) fn hint<'a>(key: &str, keys: &[&'a str]) -> Hint<'a> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let wanted = plain(key);
    if let Some(meant) = keys.iter().find(|name| plain(name) == wanted) {
        return Hint { meant: Some(meant), words: format!("write `{meant}` instead") };
    }
    for (wrong, right, words) in KNOWN {
        if let Some(meant) = keys.iter().find(|name| wrong == wanted && **name == right) {
            return Hint { meant: Some(meant), words: format!("write {words} instead") };
        }
    }
    let near = keys
        .iter()
        .map(|name| (strsim::osa_distance(&wanted, &plain(name)), *name))
        .filter(|(distance, _)| *distance <= 2 && distance * 2 < wanted.chars().count())
        .min();
    match near {
        Some((_, meant)) => Hint { meant: Some(meant), words: format!("did you mean `{meant}`?") },
        None => Hint { meant: None, words: format!("the keys here are {}", keys.join(", ")) },
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn near_misses_and_yums_words() {
        let keys = ["id", "baseUrl", "mirrorList", "keys", "repoGpgcheck", "exclude"];
        for (key, words) in [
            ("baseurl", "write `baseUrl` instead"),
            ("repo_gpgcheck", "write `repoGpgcheck` instead"),
            ("gpgkey", "write `keys`, a list, instead"),
            ("idd", "did you mean `id`?"),
            ("excldue", "did you mean `exclude`?"),
            ("cost", "the keys here are id, baseUrl, mirrorList, keys, repoGpgcheck, exclude"),
        ] {
            assert_eq!(hint(key, &keys).words, words, "{key}");
        }
    }
}
