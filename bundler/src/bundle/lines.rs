//! What changed from one text to another, line by line.

use imara_diff::{Algorithm, BasicLineDiffPrinter, Diff, InternedInput, UnifiedDiffConfig};
use serde::Serialize;

/// How many lines of one text are shown, unless all are asked for.
pub const BRIEF: usize = 100;
/// How much of a line is shown, in characters.
const WIDEST: usize = 400;

/// The lines of a unified diff, as `diff -u` has them below its head.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// The first of them.
    pub lines: Vec<String>,
    /// How many more there are.
    pub left_out: usize,
}

/// Compares two texts; what is no UTF-8 in them counts by what stands for it.
pub(super) fn of_texts(before: &[u8], after: &[u8], limit: usize) -> Lines {
    let [before, after] = [before, after].map(String::from_utf8_lossy);
    let input = InternedInput::new(&*before, &*after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let printer = BasicLineDiffPrinter(&input.interner);
    let text = diff.unified_diff(&printer, UnifiedDiffConfig::default(), &input).to_string();
    let mut all = text.split_terminator('\n');
    let lines = all.by_ref().take(limit).map(cut).collect();
    Lines { lines, left_out: all.count() }
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
        let found = of_texts(b"a", b"a\nb", BRIEF);
        assert!(found.lines.contains(&"+b".to_owned()), "{found:?}");
    }

    #[test]
    fn large_texts_take_no_longer_than_they_are() {
        let lines = |step: usize| -> String {
            (0..400_000).map(|number| format!("{}\n", number * step % 1000)).collect()
        };
        let begun = std::time::Instant::now();
        let found = of_texts(lines(7).as_bytes(), lines(11).as_bytes(), BRIEF);
        assert!(found.lines.len() == BRIEF && found.left_out > 1000);
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
        let wide = "é".repeat(5000);
        let found = of_texts(b"", wide.as_bytes(), BRIEF);
        assert!(found.lines.iter().all(|line| line.chars().count() <= WIDEST + 1));
    }
}
