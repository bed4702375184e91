//! The names of a bundle's files: their paths when extracted.

use std::collections::BTreeSet;

/// Whether a title stays in the folder that it is extracted to, and is one line
/// that can be shown; no file system has longer names.
fn is_plain(title: &str) -> bool {
    !title.is_empty()
        && !title.contains(|character: char| character == '\\' || character.is_control())
        && title.split('/').all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255)
}

/// What is wrong with the titles of one bundle.
pub(crate) fn problems<'a>(titles: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known = BTreeSet::new();
    for title in titles {
        if !is_plain(title) {
            problems.push(format!("a file is named {title:?}"));
        }
        if !known.insert(title) {
            problems.push(format!("two files are named {title:?}"));
        }
    }
    for title in &known {
        for (place, _) in title.match_indices('/') {
            if let Some(folder) = title.get(..place).filter(|folder| known.contains(folder)) {
                problems.push(format!("{folder:?} is a file, and the folder of {title:?} too"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn each_title_is_a_path_of_its_own() {
        assert_eq!(problems(["a/b", "a/c", "ab", "a-"]), [] as [String; 0]);
        for (titles, words) in [
            (vec![""], "named"),
            (vec!["../a"], "named"),
            (vec!["/a"], "named"),
            (vec!["a//b"], "named"),
            (vec!["a/./b"], "named"),
            (vec!["a\\b"], "named"),
            (vec!["a\u{1b}[2J"], "\\u{1b}"),
            (vec!["a\nb"], "\\n"),
            (vec!["a", "a"], "two files"),
            (vec!["a/b/c", "a-", "a/b"], "the folder of"),
        ] {
            let found = problems(titles.clone());
            assert!(found.len() == 1 && found[0].contains(words), "{titles:?}: {found:?}");
        }
    }
}
