//! What a program made of a chart or a Kustomization, in a file beside the spec. Charts may
//! make passwords and keys, which differ each time. So a text is kept with what it was
//! made from, and made again only if that changes.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_YAML;
use bundle_format::lock::LockedRendering;
use bundle_format::{Digest, input};

use crate::lock::task::Task;

/// The first line of such a file.
const FIRST: &str = "# `bundler lock` made this. Do not edit it: `patches` in the spec change it.";
/// The key of the last line of the header.
const SUM: &str = "sum";

/// A manifest that was made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// What made it.
    pub(super) by: LockedRendering,
    /// The digest of everything that it was made from.
    pub(super) from: Digest,
    /// The digest of the packed chart, if it is of one.
    pub(super) archive: Option<Digest>,
    /// The objects that were left out, because they are hooks for another time.
    pub(super) left_out: Vec<String>,
    /// The objects that differ each time they are made.
    pub(super) differs: Vec<String>,
    /// The objects.
    pub(super) objects: String,
}

impl Made {
    /// The whole file.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{FIRST}\n# by: {}\n", self.by.by);
        let mut add = |key: &str, value: &str| text += &format!("# {key}: {value}\n");
        if let Some(chart) = &self.by.chart {
            add("chart", chart);
        }
        add("from", &self.from.to_string());
        if let Some(archive) = self.archive {
            add("archive", &archive.to_string());
        }
        self.left_out.iter().for_each(|object| add("left out", object));
        self.differs.iter().for_each(|object| add("differs each time", object));
        let all = sum(&text, &self.objects);
        text + &format!("# {SUM}: {all}\n") + &self.objects
    }

    /// The file of the manifest `name` beside the spec, if it was made from `from` and is not to
    /// be made again. Fails if somebody has edited it, because what he wrote would be lost; also
    /// if it is to be made again.
    pub(super) fn kept(task: &Task<'_>, name: &str, from: Digest) -> anyhow::Result<Option<Self>> {
        let kept = Self::read(&task.file.rendered(&format!("{name}.yaml")), from)?;
        Ok(kept.filter(|_| !task.kept.is_some_and(|kept| kept.upgrades_manifest(name))))
    }

    fn read(path: &Path, from: Digest) -> anyhow::Result<Option<Self>> {
        let text = match input::file_text(path, MAX_YAML) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("reading {}", path.display()))?,
        };
        let Some(made) = Self::parse(&text) else {
            bail!(
                "{} was edited: put your change into the files that it is made of, or into `patches` \
                 of the spec; then bring the file back as it was, or remove it, and `lock` makes \
                 another",
                path.display()
            );
        };
        Ok(Some(made).filter(|made| made.from == from))
    }

    /// The parts of such a file; none if anything in it is not as it was made.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix(FIRST)?.strip_prefix('\n')?;
        let (mut by, mut chart, mut from, mut archive) = (None, None, None, None);
        let (mut left_out, mut differs) = (Vec::new(), Vec::new());
        loop {
            let header = text.strip_suffix(rest)?;
            let (line, behind) = rest.split_once('\n')?;
            let (key, value) = line.strip_prefix("# ")?.split_once(": ")?;
            rest = behind;
            match key {
                "by" => by = Some(value.to_owned()),
                "chart" => chart = Some(value.to_owned()),
                "from" => from = value.parse().ok(),
                "archive" => archive = value.parse().ok(),
                "left out" => left_out.push(value.to_owned()),
                "differs each time" => differs.push(value.to_owned()),
                SUM if value == sum(header, rest).to_string() => break,
                _ => return None,
            }
        }
        let (by, objects) = (LockedRendering { by: by?, chart }, rest.to_owned());
        Some(Self { by, from: from?, archive, left_out, differs, objects })
    }
}

/// The digest of all but the line that has it.
fn sum(header: &str, objects: &str) -> Digest {
    Digest::of(format!("{header}{objects}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_read_again_unless_it_was_edited() {
        let made = Made {
            by: LockedRendering { by: "helm v4".to_owned(), chart: Some("a 1.0.0".to_owned()) },
            from: Digest::of(b"from"),
            archive: Some(Digest::of(b"archive")),
            left_out: vec!["Job a/b (pre-delete)".to_owned()],
            differs: vec!["Secret a".to_owned(), "Secret b".to_owned()],
            objects: "---\na: 1\n".to_owned(),
        };
        let text = made.text();
        assert_eq!(Made::parse(&text), Some(made.clone()));
        for (old, new) in [
            ("a: 1", "a: 2"),
            ("helm v4", "helm v3"),
            ("# differs each time: Secret a\n", ""),
            (&made.from.to_string(), &Digest::of(b"other").to_string()),
            ("(pre-delete)\n", "(pre-delete)\n# left out: b\n"),
        ] {
            assert_eq!(Made::parse(&text.replace(old, new)), None, "{old}");
        }
        assert_eq!(Made::parse(&text[..text.len() - 5]), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        assert_eq!(Made::read(&path, made.from).unwrap(), None);
        std::fs::write(&path, &text).unwrap();
        assert_eq!(Made::read(&path, Digest::of(b"other")).unwrap(), None);
        assert_eq!(Made::read(&path, made.from).unwrap().as_ref(), Some(&made));
        std::fs::write(&path, text + "b: 1\n").unwrap();
        assert!(Made::read(&path, made.from).unwrap_err().to_string().contains("was edited"));
    }
}
