//! The names of things in links, so that a reviewer can say which one he means.

use std::collections::HashMap;

use bundle_format::Digest;

/// The most characters of a thing's own name in its link.
const LONGEST: usize = 60;
/// The digits of its digest behind it. No other name of the page ends so.
const DIGITS: usize = 12;

/// The links that are in use on the page.
#[derive(Default)]
pub(super) struct Anchors(HashMap<String, usize>);

impl Anchors {
    /// The name of one more thing: its words, then the beginning of its digest. The same things
    /// in the same order have the same names.
    pub(super) fn name(&mut self, words: &[&str], digest: Digest) -> String {
        let digits: String = digest.hex().chars().take(DIGITS).collect();
        let name = format!("{}-{digits}", plain(&words.join("-")));
        let number = self.0.entry(name.clone()).or_default();
        *number += 1;
        match number {
            1 => name,
            number => format!("{name}-{number}"),
        }
    }
}

/// The letters, digits and dots of a text of others, with one hyphen for all else between them.
fn plain(text: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let words = text.split(|c| !is_kept(c)).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    name.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_hostile_name_but_letters_digits_and_dots_is_in_a_link() {
        assert_eq!(
            plain("image-amd64-registry.k8s.io/pause-3.10"),
            "image-amd64-registry.k8s.io-pause-3.10"
        );
        assert_eq!(plain("\" onload='x'><b>\u{202e}\0\n#%20"), "onload-x-b-20");
        assert_eq!(plain(&"long/".repeat(50)).len(), LONGEST);
        assert_eq!(plain("\u{6f22}"), "");
    }

    #[test]
    fn two_things_never_have_one_name() {
        let (mut anchors, digest) = (Anchors::default(), Digest::of(b""));
        let names = ["a", "A", "a/", "a-2"].map(|own| anchors.name(&["image", own], digest));
        let wanted = ["", "-2", "-3"].map(|end| format!("image-a-e3b0c44298fc{end}"));
        assert_eq!(names[..3], wanted);
        assert_eq!(names[3], "image-a-2-e3b0c44298fc");
    }
}
