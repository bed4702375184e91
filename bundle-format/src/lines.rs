//! The difference between two texts, line by line.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};
use serde::Serialize;

/// How many lines are shown of one text, if the user does not ask for all.
pub const BRIEF: usize = 100;
/// How many characters of a line are shown.
const WIDEST: usize = 400;
/// Longer texts are not compared, because a stranger's text could take minutes. The
/// longest manifests have a third of this.
const MAX_LINES: usize = 100_000;
/// How many lines are shown before and after a change.
const CONTEXT: u32 = 3;

/// The lines of a unified diff, as `diff -u` prints them after its header.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// The first lines.
    pub lines: Vec<String>,
    /// How many lines were left out after them.
    pub left_out: usize,
}

impl Lines {
    fn add(&mut self, limit: usize, line: impl FnOnce() -> String) {
        match self.lines.len() < limit {
            true => self.lines.push(line()),
            false => self.left_out += 1,
        }
    }
}

/// Compares two texts. Bytes that are not UTF-8 are compared by their replacement
/// characters. `None` if a text has too many lines.
pub fn of_texts(before: &[u8], after: &[u8], limit: usize) -> Option<Lines> {
    let count = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    if count(before).max(count(after)) > MAX_LINES {
        return None;
    }
    let [before, after] = [before, after].map(String::from_utf8_lossy);
    let input = InternedInput::new(&*before, &*after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let hunks: Vec<Hunk> = diff.hunks().collect();
    let mut found = Lines { lines: Vec::new(), left_out: 0 };
    for group in hunks.chunk_by(|a, b| a.before.end + 2 * CONTEXT >= b.before.start) {
        show(group, &input, limit, &mut found);
    }
    Some(found)
}

/// Adds a change and the lines around it.
fn show(group: &[Hunk], input: &InternedInput<&str>, limit: usize, found: &mut Lines) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let lead = first.before.start.min(CONTEXT);
    let (start, start_after) = (first.before.start - lead, first.after.start - lead);
    let end = (last.before.end + CONTEXT).min(input.before.len() as u32);
    let end_after = last.after.end + (end - last.before.end);
    found.add(limit, || format!("@@ -{} +{} @@", place(start..end), place(start_after..end_after)));
    let mut add = |mark: char, tokens: &[imara_diff::Token], lines: Range<u32>| {
        let lines = tokens.get(lines.start as usize..lines.end as usize).unwrap_or_default();
        for token in lines {
            let text = input.interner[*token];
            found.add(limit, || cut(&format!("{mark}{}", text.trim_end_matches('\n'))));
            if !text.ends_with('\n') {
                found.add(limit, || "\\ no line break at the end".to_owned());
            }
        }
    };
    let mut position = start;
    for hunk in group {
        add(' ', &input.before, position..hunk.before.start);
        add('-', &input.before, hunk.before.clone());
        add('+', &input.after, hunk.after.clone());
        position = hunk.before.end;
    }
    add(' ', &input.before, position..end);
}

/// The first line, from 1, and the number of lines.
fn place(lines: Range<u32>) -> String {
    let first = if lines.is_empty() { lines.start } else { lines.start + 1 };
    format!("{first},{}", lines.len())
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_texts(before: &[u8], after: &[u8], limit: usize) -> Lines {
        super::of_texts(before, after, limit).unwrap()
    }

    #[test]
    fn changed_lines_stand_between_others() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = before.replace('5', "five").replace('9', "9\nten");
        let found = of_texts(before.as_bytes(), after.as_bytes(), BRIEF);
        let lines =
            ["@@ -2,8 +2,9 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8", " 9", "+ten"];
        assert_eq!(found, Lines { lines: lines.map(str::to_owned).into(), left_out: 0 });
        let found = of_texts(before.as_bytes(), after.as_bytes(), 2);
        assert_eq!((found.lines.len(), found.left_out), (2, 9));
        assert_eq!(of_texts(b"a\n", b"a\n", BRIEF).lines.len(), 0);
        let found = of_texts(b"a", b"a\n", BRIEF);
        assert_eq!(found.lines, ["@@ -1,1 +1,1 @@", "-a", "\\ no line break at the end", "+a"]);
        assert_eq!(of_texts(b"", b"a\n", BRIEF).lines, ["@@ -0,0 +1,1 @@", "+a"]);
    }

    #[test]
    fn large_texts_are_cut_or_not_compared() {
        let lines = |count: usize, step: usize| -> String {
            (0..count).map(|number| format!("{}\n", number * step % 1000)).collect()
        };
        let found = of_texts(lines(9000, 7).as_bytes(), lines(9000, 11).as_bytes(), BRIEF);
        assert!(found.lines.len() == BRIEF && found.left_out > 1000);
        let (most, more) = (lines(MAX_LINES, 7), lines(MAX_LINES + 1, 7));
        assert!(super::of_texts(most.as_bytes(), most.as_bytes(), BRIEF).is_some());
        assert!(super::of_texts(b"", more.as_bytes(), BRIEF).is_none());
        let wide = "é".repeat(5000);
        let found = of_texts(b"", wide.as_bytes(), BRIEF);
        assert!(found.lines.iter().all(|line| line.chars().count() <= WIDEST + 1));
    }

    #[test]
    fn patch_makes_the_one_text_of_the_other() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..40 {
            let mut text = |changes: usize| -> String {
                let mut lines: Vec<String> = (0..60).map(|line| format!("line {line}\n")).collect();
                for _ in 0..changes {
                    let place = random.usize(..lines.len());
                    match random.u8(..3) {
                        0 => drop(lines.remove(place)),
                        1 => lines.insert(place, format!("new {place}\n")),
                        _ => lines[place] = format!("other {place}\n"),
                    }
                }
                lines.concat()
            };
            let (before, after) = (text(round % 9), text(round % 13 + 1));
            let lines = of_texts(before.as_bytes(), after.as_bytes(), usize::MAX).lines;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("text");
            std::fs::write(&path, &before).unwrap();
            let diff = format!("--- text\n+++ text\n{}\n", lines.join("\n"));
            std::fs::write(folder.path().join("diff"), diff).unwrap();
            let mut patch = std::process::Command::new("patch");
            let patch = patch.args(["--fuzz=0", "--silent", "text", "diff"]);
            let Ok(output) = patch.current_dir(folder.path()).output() else {
                eprintln!("skipped: there is no `patch` on this machine");
                return;
            };
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{said}\n{}", lines.join("\n"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after, "round {round}");
        }
    }
}
