//! Texts that others wrote, on a page. The templates escape what HTML would obey. This shows
//! what a browser would hide, or turn around.

use bundle_format::Digest;
use bundle_format::text::{count, is_hidden};
use maud::{Markup, html};

/// A text of one line. Characters that hide, or turn the text around, are shown as their
/// numbers. A text that is written from right to left does not move what stands beside it.
pub(super) fn text(text: &str) -> Markup {
    if text.is_ascii() && !text.contains(is_hidden) {
        return html! { (text) };
    }
    html! { bdi { @for part in parts(text) { (part.markup()) } } }
}

/// A text of several lines, or with tabs.
pub(super) fn lines(text: &str) -> Markup {
    html! {
        @for (number, line) in text.trim_end().lines().enumerate() {
            @if number > 0 { br; }
            (self::text(line))
        }
    }
}

/// A digest, in groups that an eye can follow. A copy of it has no spaces.
pub(super) fn digest(digest: Digest) -> Markup {
    let hex = digest.hex();
    let groups = hex.as_bytes().chunks(8).map(String::from_utf8_lossy);
    html! { code.digest { span.of { "sha256:" } @for group in groups { span { (group) } } } }
}

/// `1 package, 9 images and 2 manifests`
pub(super) fn listed(counts: &[(usize, &str)]) -> String {
    let words: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, one)| count(*number, one))
        .collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The most names of one sentence of the first screen. The page has all of them further down.
const MOST_NAMES: usize = 10;

/// `a, b and 3 more`
pub(super) fn names(names: &[impl AsRef<str>]) -> Markup {
    let (first, more) = names.split_at(names.len().min(MOST_NAMES));
    let mut parts: Vec<Markup> = first.iter().map(|name| text(name.as_ref())).collect();
    if !more.is_empty() {
        parts.push(html! { (more.len()) " more" });
    }
    joined(&parts)
}

/// `a, b and c`, however many they are
pub(super) fn all_names(names: &[&str]) -> Markup {
    joined(&names.iter().map(|name| text(name)).collect::<Vec<_>>())
}

/// `a, b and c`
pub(super) fn joined(parts: &[Markup]) -> Markup {
    html! {
        @for (number, part) in parts.iter().enumerate() {
            @if number > 0 { (if number + 1 == parts.len() { " and " } else { ", " }) }
            (part)
        }
    }
}

/// A part of a text.
enum Part<'a> {
    /// What stands there as it is.
    Plain(&'a str),
    /// A character that does something else than to stand there.
    Hidden(char),
}

impl Part<'_> {
    fn markup(&self) -> Markup {
        match self {
            Self::Plain(text) => html! { (text) },
            Self::Hidden(character) => {
                html! { span.hidden { (format!("U+{:04X}", u32::from(*character))) } }
            }
        }
    }
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for piece in text.split_inclusive(is_hidden) {
        let last = piece.chars().next_back().filter(|last| is_hidden(*last));
        let plain = last.map_or(piece, |last| &piece[..piece.len() - last.len_utf8()]);
        if !plain.is_empty() {
            parts.push(Part::Plain(plain));
        }
        parts.extend(last.map(Part::Hidden));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_obeyed_or_hidden() {
        let shown = |own: &str| text(own).into_string();
        assert_eq!(shown("kubelet-1.37"), "kubelet-1.37");
        assert_eq!(shown("<script>&\"'"), "&lt;script&gt;&amp;&quot;'");
        assert_eq!(shown("漢\u{5d0}"), "<bdi>漢\u{5d0}</bdi>");
        assert_eq!(
            shown("a\u{202e}<b\u{0}\u{200b}"),
            "<bdi>a<span class=\"hidden\">U+202E</span>&lt;b<span class=\"hidden\">U+0000</span>\
             <span class=\"hidden\">U+200B</span></bdi>"
        );
        assert_eq!(lines("a\nb\n").into_string(), "a<br>b");
    }

    #[test]
    fn a_digest_is_whole_in_groups_of_eight() {
        let shown = digest(Digest::of(b"")).into_string();
        assert!(shown.contains("<span>e3b0c442</span><span>98fc1c14</span>"), "{shown}");
        assert_eq!(shown.matches("<span>").count(), 8);
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let shown = |own: &[&str]| names(own).into_string();
        assert_eq!(shown(&["a"]), "a");
        assert_eq!(shown(&["a", "<", "c"]), "a, &lt; and c");
        assert_eq!(shown(&["a"; 12]), "a, a, a, a, a, a, a, a, a, a and 2 more");
        assert_eq!(all_names(&["b"; 12]).into_string().matches('b').count(), 12);
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        let (packages, images, none) = ((2, "package"), (1, "image"), (0, "key"));
        assert_eq!(listed(&[none]), "nothing");
        assert_eq!(listed(&[packages, none]), "2 packages");
        assert_eq!(listed(&[packages, none, images]), "2 packages and 1 image");
        assert_eq!(listed(&[packages, images, images]), "2 packages, 1 image and 1 image");
    }
}
