//! The files of containerd's configuration, with all that they import, in the order
//! in which containerd reads them, and their merged result.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use anyhow::Context;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::migration;
use crate::node::containerd::release::Release;
use crate::node::containerd::table::{at, strings};
use crate::node::pattern;

/// One file.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// Its text as the library writes it, which has other line ends in some places.
    before: String,
    pub(crate) document: DocumentMut,
}

/// All files, the main one first.
pub(crate) struct Files {
    pub(crate) release: Release,
    pub(crate) list: Vec<File>,
}

impl Files {
    /// Reads the files as this release of containerd does. A missing main file
    /// counts as empty.
    pub(crate) fn read(host: &Host, main: &str, release: Release) -> anyhow::Result<Self> {
        let mut list: Vec<File> = Vec::new();
        let mut pending: VecDeque<(PathBuf, Option<PathBuf>)> = VecDeque::new();
        pending.push_back((PathBuf::from(main), None));
        while let Some((path, by)) = pending.pop_front() {
            if list.iter().any(|file| file.path == path) {
                continue;
            }
            let text = match (host.text(&path)?, by) {
                (Some(text), _) => text,
                (None, None) => String::new(),
                (None, Some(by)) => return Err(lost(&path, &by).into()),
            };
            let document = parsed(&path, &text)?;
            for import in strings(document.get("imports")) {
                let found = imported(host, &path, &import, release)?;
                pending.extend(found.into_iter().map(|found| (found, Some(path.clone()))));
            }
            list.push(File { path, before: document.to_string(), document });
        }
        Ok(Self { release, list })
    }

    /// The files whose text was changed, the main one last.
    pub(crate) fn edited(&self) -> Vec<(&Path, String)> {
        let texts = self.list.iter().rev().map(|file| (file, file.document.to_string()));
        let edited = texts.filter(|(file, text)| *text != file.before);
        edited.map(|(file, text)| (file.path.as_path(), text)).collect()
    }

    /// The merged configuration.
    pub(crate) fn merged(&self) -> Table {
        let mut merged = Table::new();
        for file in &self.list {
            for (key, item) in self.read_as(file).iter() {
                match (key, item.as_table_like()) {
                    ("plugins", Some(plugins)) if !self.release.merges_tables() => {
                        let mut all = taken(&mut merged, key);
                        for (plugin, item) in plugins.iter() {
                            all.remove(plugin);
                            merge(&mut all, plugin, item);
                        }
                        merged.insert(key, Item::Table(all));
                    }
                    _ => merge(&mut merged, key, item),
                }
            }
        }
        merged
    }

    /// Sets a key, unless the merged value is right already: in the files that
    /// set it otherwise, or else beside other settings of that plugin.
    pub(crate) fn set(&mut self, path: &[&str], value: &Value) -> anyhow::Result<()> {
        if at(&self.merged(), path).is_some_and(|item| is_same(item, value)) {
            return Ok(());
        }
        let mut places = self.places(path);
        places.retain(|place| at(&*self.read_as(&self.list[*place]), path).is_some());
        if places.is_empty() {
            places.push(self.home(path));
        }
        for place in places {
            let path = self.own_path(place, path);
            let File { path: name, document, .. } = &mut self.list[place];
            set(document.as_table_mut(), &path, value.clone())
                .with_context(|| format!("editing {}", name.display()))?;
        }
        Ok(())
    }

    /// Removes a key.
    pub(crate) fn take(&mut self, path: &[&str]) {
        for place in self.places(path) {
            let path = self.own_path(place, path);
            let Some((key, tables)) = path.split_last() else { return };
            let mut table: Option<&mut dyn TableLike> =
                Some(self.list[place].document.as_table_mut());
            for name in tables {
                table = table.and_then(|table| table.get_mut(name)?.as_table_like_mut());
            }
            table.and_then(|table| table.remove(key));
        }
    }

    /// The files that may have a key that counts: all of them if containerd merges tables,
    /// otherwise only the last one with settings of its plugin.
    fn places(&self, path: &[&str]) -> Vec<usize> {
        match self.release.merges_tables() {
            true => (0..self.list.len()).collect(),
            false => vec![self.home(path)],
        }
    }

    /// The last file with settings of a key's plugin. The last one wins.
    fn home(&self, path: &[&str]) -> usize {
        let plugin = path.get(..2).unwrap_or(path);
        let says = |file: &File| at(&*self.read_as(file), plugin).is_some();
        self.list.iter().rposition(says).unwrap_or(0)
    }

    /// A file's settings, where containerd reads them.
    fn read_as<'a>(&self, file: &'a File) -> Cow<'a, Table> {
        let table = file.document.as_table();
        match self.release.migrates_files() {
            true => Cow::Owned(migration::migrated(table)),
            false => Cow::Borrowed(table),
        }
    }

    /// Where a file itself has what containerd reads at this path.
    fn own_path<'a>(&self, place: usize, path: &[&'a str]) -> Vec<&'a str> {
        match self.release.migrates_files() {
            true => migration::place(self.list[place].document.as_table(), path),
            false => path.to_vec(),
        }
    }
}

fn lost(path: &Path, by: &Path) -> Failure {
    let (path, by) = (path.display(), by.display());
    Failure::new(
        format!("{by} imports {path}, which does not exist, so containerd does not start"),
        format!("restore {path}, or remove it from `imports` in {by}"),
    )
}

fn parsed(path: &Path, text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.split('\n').count();
        Failure::new(
            format!("{} is not TOML: line {line}: {}", path.display(), error.message()),
            "fix it; or move it away, and this program writes a new one",
        )
    })
}

/// The files that an import names (`resolveImports`).
fn imported(
    host: &Host,
    by: &Path,
    import: &str,
    release: Release,
) -> anyhow::Result<Vec<PathBuf>> {
    let is_pattern = import.contains('*');
    let beside = by.parent().unwrap_or(Path::new("/"));
    let root = Path::new("/");
    let base = if is_pattern && !release.has_patterns_beside_file() { root } else { beside };
    let path = pattern::cleaned(&base.join(import));
    if is_pattern { pattern::matches(host, &path) } else { Ok(vec![path]) }
}

/// Takes the table of this name out; a new one if there is none.
fn taken(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Item::Table(inner)) => inner,
        _ => Table::new(),
    }
}

/// Merges tables, joins lists; otherwise the last value wins (`mergeConfig`).
fn merge(to: &mut Table, key: &str, item: &Item) {
    if let Some(from) = item.as_table_like() {
        let mut inner = taken(to, key);
        from.iter().for_each(|(key, item)| merge(&mut inner, key, item));
        to.insert(key, Item::Table(inner));
        return;
    }
    let old = to.get_mut(key).and_then(Item::as_array_mut);
    match (item.as_array(), old) {
        (Some(new), Some(old)) => old.extend(new.iter().cloned()),
        _ => drop(to.insert(key, item.clone())),
    }
}

fn is_same(item: &Item, value: &Value) -> bool {
    match value {
        Value::String(text) => item.as_str() == Some(text.value()),
        Value::Boolean(is) => item.as_bool() == Some(*is.value()),
        Value::Integer(number) => item.as_integer() == Some(*number.value()),
        _ => false,
    }
}

/// Sets a key in a file, and keeps its comments and how it is spelt.
fn set(root: &mut Table, path: &[&str], value: Value) -> anyhow::Result<()> {
    let Some((key, tables)) = path.split_last() else { return Ok(()) };
    let mut table: &mut dyn TableLike = root;
    for name in tables {
        if !table.contains_key(name) {
            let mut inner = Table::new();
            // Tables that hold only other tables get no header.
            inner.set_implicit(true);
            inner.set_dotted(table.is_dotted());
            table.insert(name, Item::Table(inner));
        }
        table = table
            .get_mut(name)
            .and_then(Item::as_table_like_mut)
            .with_context(|| format!("`{name}` is no table"))?;
    }
    put(table, key, value);
    Ok(())
}

/// Sets a key of a table. The library's `insert` loses the comment above it.
pub(super) fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(item) => {
            if let Some(old) = item.as_value() {
                *value.decor_mut() = old.decor().clone();
            }
            *item = Item::Value(value);
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_set_keeps_its_comments() {
        let text = "# why\n\t'a' = 1 # old\n[t]\n# where\nb.\"c\" = 'x' # late\nd = { e = 1 }\n";
        let mut document: DocumentMut = text.parse().unwrap();
        for path in [&["a"][..], &["t", "b", "c"], &["t", "d", "e"]] {
            set(document.as_table_mut(), path, 7.into()).unwrap();
        }
        let wanted = "# why\n\t'a' = 7 # old\n[t]\n# where\nb.\"c\" = 7 # late\nd = { e = 7 }\n";
        assert_eq!(document.to_string(), wanted);
    }
}
