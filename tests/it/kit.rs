//! What a contributor and a release rely on: files that say the same thing twice
//! agree, and what the documents link to is there.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The texts of a TOML file's list, in its order.
fn list(path: &str, key: &str) -> Vec<String> {
    let text = text(path);
    let (_, rest) = text.split_once(&format!("\n{key} = [\n")).unwrap();
    let lines = rest.lines().take_while(|line| *line != "]");
    lines.map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
}

/// Every Markdown file of the project's own, but for those of the lab.
fn documents() -> Vec<PathBuf> {
    let folders = [root().to_owned(), root().join("docs"), root().join("docs/zh")];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The name by which a forge links to a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn the_changelog_begins_with_the_version_that_is_built() {
    let changelog = text("CHANGELOG.md");
    let (_, newest) = changelog.split_once("\n## [").unwrap();
    assert_eq!(newest.split(']').next(), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_release_accepts_the_licences_that_are_allowed() {
    let allowed = list("deny.toml", "allow");
    assert!(allowed.contains(&"\"MIT\"".to_owned()), "{allowed:?}");
    assert_eq!(list("about.toml", "accepted"), allowed);
}

#[test]
fn the_rust_of_a_release_can_build_the_project() {
    let script = text("scripts/release");
    let (_, rest) = script.split_once("RUSTUP_TOOLCHAIN:-").unwrap();
    let numbers = |version: &str| -> Vec<u32> {
        version.split('.').map(|part| part.parse().unwrap()).collect()
    };
    let pinned = numbers(rest.split('}').next().unwrap());
    assert!(pinned >= numbers(env!("CARGO_PKG_RUST_VERSION")), "{pinned:?}");
}

#[test]
fn what_the_documents_link_to_is_there() {
    let mut count = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => document.clone(),
                file => document.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", document.display());
            let has = |line: &str| line.starts_with('#') && anchor(line) == part;
            let headings = || fs::read_to_string(&target).unwrap().lines().any(has);
            assert!(part.is_empty() || headings(), "{}: {link}", document.display());
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} links were found");
}
