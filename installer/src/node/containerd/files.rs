//! The files of containerd's configuration, with those that it imports, in the order
//! in which containerd reads them, and what they come to.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use anyhow::Context;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::release::Release;
use crate::node::pattern;

/// One of them.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    before: String,
    pub(crate) document: DocumentMut,
}

/// All of them, the main one first.
pub(crate) struct Files {
    pub(crate) release: Release,
    pub(crate) list: Vec<File>,
}

impl Files {
    /// Reads them as a release of containerd does. A main one that is not there is
    /// empty.
    pub(crate) fn read(host: &Host, main: &str, release: Release) -> anyhow::Result<Self> {
        let mut list: Vec<File> = Vec::new();
        let mut pending: VecDeque<(PathBuf, Option<PathBuf>)> = VecDeque::new();
        pending.push_back((PathBuf::from(main), None));
        while let Some((path, by)) = pending.pop_front() {
            if list.iter().any(|file| file.path == path) {
                continue;
            }
            let before = match (host.text(&path)?, by) {
                (Some(text), _) => text,
                (None, None) => String::new(),
                (None, Some(by)) => return Err(lost(&path, &by).into()),
            };
            let document = parsed(&path, &before)?;
            for import in strings(document.get("imports")) {
                let found = imported(host, &path, &import, release)?;
                pending.extend(found.into_iter().map(|found| (found, Some(path.clone()))));
            }
            list.push(File { path, before, document });
        }
        Ok(Self { release, list })
    }

    /// Those whose text has become another, the main one last.
    pub(crate) fn edited(&self) -> Vec<(&Path, String)> {
        let texts = self.list.iter().rev().map(|file| (file, file.document.to_string()));
        let edited = texts.filter(|(file, text)| *text != file.before);
        edited.map(|(file, text)| (file.path.as_path(), text)).collect()
    }

    /// What they come to.
    pub(crate) fn merged(&self) -> Table {
        let mut merged = Table::new();
        for file in &self.list {
            for (key, item) in file.document.iter() {
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

    /// Sets a key, unless it holds already: where it is said otherwise, or else beside
    /// what else is said of that plugin.
    pub(crate) fn set(&mut self, path: &[&str], value: &Value) -> anyhow::Result<()> {
        if at(&self.merged(), path).is_some_and(|item| is_same(item, value)) {
            return Ok(());
        }
        let mut places = self.places(path);
        places.retain(|place| at(self.list[*place].document.as_table(), path).is_some());
        if places.is_empty() {
            places.push(self.home(path));
        }
        for place in places {
            let File { path: name, document, .. } = &mut self.list[place];
            set(document.as_table_mut(), path, value.clone())
                .with_context(|| format!("editing {}", name.display()))?;
        }
        Ok(())
    }

    /// Takes out a key.
    pub(crate) fn take(&mut self, path: &[&str]) {
        let Some((key, tables)) = path.split_last() else { return };
        for place in self.places(path) {
            let mut table: Option<&mut dyn TableLike> =
                Some(self.list[place].document.as_table_mut());
            for name in tables {
                table = table.and_then(|table| table.get_mut(name)?.as_table_like_mut());
            }
            table.and_then(|table| table.remove(key));
        }
    }

    /// The files in which a key means something.
    fn places(&self, path: &[&str]) -> Vec<usize> {
        match self.release.merges_tables() {
            true => (0..self.list.len()).collect(),
            false => vec![self.home(path)],
        }
    }

    /// The last file that says anything of a key's plugin: it has the last word.
    fn home(&self, path: &[&str]) -> usize {
        let plugin = path.get(..2).unwrap_or(path);
        let says = |file: &File| at(file.document.as_table(), plugin).is_some();
        self.list.iter().rposition(says).unwrap_or(0)
    }
}

fn lost(path: &Path, by: &Path) -> Failure {
    let (path, by) = (path.display(), by.display());
    Failure::new(
        format!("{by} imports {path}, which is not there, so that containerd does not start"),
        format!("bring {path}, or take it out of `imports` in {by}"),
    )
}

fn parsed(path: &Path, text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.split('\n').count();
        Failure::new(
            format!("{} is not TOML: line {line}: {}", path.display(), error.message()),
            "mend it; or move it away, and this program writes a new one",
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

/// What stands at a path.
pub(crate) fn at<'a>(table: &'a dyn TableLike, path: &[&str]) -> Option<&'a Item> {
    let (key, tables) = path.split_last()?;
    let mut table = table;
    for name in tables {
        table = table.get(name)?.as_table_like()?;
    }
    table.get(key)
}

/// The strings of a list.
pub(crate) fn strings(item: Option<&Item>) -> Vec<String> {
    let list = item.and_then(Item::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The table of a name, taken out; a new one where there is none.
fn taken(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Item::Table(inner)) => inner,
        _ => Table::new(),
    }
}

/// Tables are merged, lists joined, and of all else the last holds (`mergeConfig`).
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

/// Sets a key in a file, with the comment that it has.
fn set(root: &mut Table, path: &[&str], value: Value) -> anyhow::Result<()> {
    let Some((key, tables)) = path.split_last() else { return Ok(()) };
    let mut table: &mut dyn TableLike = root;
    for name in tables {
        if !table.contains_key(name) {
            let mut inner = Table::new();
            // Only tables that hold a value are written.
            inner.set_implicit(true);
            inner.set_dotted(table.is_dotted());
            table.insert(name, Item::Table(inner));
        }
        table = table
            .get_mut(name)
            .and_then(Item::as_table_like_mut)
            .with_context(|| format!("`{name}` is no table"))?;
    }
    let mut value = value;
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
    Ok(())
}
