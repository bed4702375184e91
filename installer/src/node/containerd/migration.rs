//! How containerd from 2.3 on brings each of its files to format 4, before it merges
//! them: CRI's table of format 2 becomes the tables of its parts (`configMigration` of
//! the plugins in `plugins/cri`). A file of format 4 stays as it is.

use toml_edit::{Item, Table, TableLike};

use crate::node::containerd::keys::{CRI, IMAGES, RUNTIME};
use crate::node::containerd::table::at;

/// CRI's old table, unless the file is of a format that has none.
fn old(file: &Table) -> Option<&dyn TableLike> {
    if format(file) > 3 { None } else { at(file, &["plugins", CRI])?.as_table_like() }
}

/// A file without a number is of format 1.
fn format(file: &Table) -> i64 {
    file.get("version").and_then(Item::as_integer).unwrap_or(1)
}

/// The file's settings in the tables of format 4, as far as we read them.
pub(super) fn migrated(file: &Table) -> Table {
    let mut all = file.clone();
    let Some(old) = old(file) else { return all };
    let mut put = |path: &[&str], item: &Item| {
        let Some((key, tables)) = path.split_last() else { return };
        let mut table: &mut dyn TableLike = &mut all;
        for name in tables {
            let inner = table.entry(name).or_insert_with(toml_edit::table);
            let Some(inner) = inner.as_table_like_mut() else { return };
            table = inner;
        }
        table.insert(key, item.clone());
    };
    for (key, item) in old.iter() {
        let inner = item.as_table_like().into_iter().flat_map(TableLike::iter);
        match key {
            "sandbox_image" => put(&["plugins", IMAGES, "pinned_images", "sandbox"], item),
            "registry" => put(&["plugins", IMAGES, "registry"], item),
            "containerd" => {
                for (key, item) in inner {
                    let path = ["plugins", RUNTIME, "containerd", key];
                    if at(file, &path).is_none() {
                        put(&path, item);
                    }
                }
            }
            key => {
                let path = ["plugins", RUNTIME, key];
                if at(file, &path).is_none() {
                    put(&path, item);
                }
            }
        }
    }
    all
}

/// Where the file itself has, or takes, what format 4 has at `path`: in the table that
/// counts if both have it. A file of format 2 keeps to its old table.
pub(super) fn place<'a>(file: &Table, path: &[&'a str]) -> Vec<&'a str> {
    let (former, rest, old_first) = match path {
        ["plugins", IMAGES, "pinned_images", "sandbox", rest @ ..] => {
            (vec!["plugins", CRI, "sandbox_image"], rest, true)
        }
        ["plugins", IMAGES, "registry", rest @ ..] => {
            (vec!["plugins", CRI, "registry"], rest, true)
        }
        ["plugins", RUNTIME, "containerd", key, rest @ ..] => {
            (vec!["plugins", CRI, "containerd", *key], rest, false)
        }
        ["plugins", RUNTIME, key, rest @ ..] => (vec!["plugins", CRI, *key], rest, false),
        _ => return path.to_vec(),
    };
    let modern = &path[..path.len() - rest.len()];
    let has_old = old(file).is_some() && at(file, &former).is_some();
    let is_old = match (has_old, at(file, modern).is_some()) {
        (true, true) => old_first,
        (false, false) => old(file).is_some() || format(file) == 2,
        (has_old, _) => has_old,
    };
    if is_old { [&former[..], rest].concat() } else { path.to_vec() }
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    fn of(text: &str) -> DocumentMut {
        text.parse().unwrap()
    }

    const SANDBOX: [&str; 4] = ["plugins", IMAGES, "pinned_images", "sandbox"];
    const NAME: [&str; 4] = ["plugins", RUNTIME, "containerd", "default_runtime_name"];

    #[test]
    fn the_old_table_becomes_those_of_its_parts() {
        let text = "[plugins.'io.containerd.grpc.v1.cri']\nsandbox_image = 'a'\n\
                    containerd = {default_runtime_name = 'b'}\n\
                    [plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'c'\n\
                    [plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'd'\n";
        let read = |text: &str, path: &[&str]| {
            let all = migrated(of(text).as_table());
            at(&all, path).and_then(Item::as_str).unwrap_or("none").to_owned()
        };
        for (format, sandbox, name) in
            [("", "a", "d"), ("version = 3\n", "a", "d"), ("version = 4\n", "c", "d")]
        {
            let text = format!("{format}{text}");
            assert_eq!((read(&text, &SANDBOX), read(&text, &NAME)), (sandbox.into(), name.into()));
        }
        let (alone, _) = text.split_once("[plugins.'io.containerd.cri.v1").unwrap();
        assert_eq!((read(alone, &SANDBOX), read(alone, &NAME)), ("a".into(), "b".into()));
        let newest = format!("version = 4\n{alone}");
        assert_eq!((read(&newest, &SANDBOX), read(&newest, &NAME)), ("none".into(), "none".into()));
    }

    #[test]
    fn a_setting_goes_where_it_counts() {
        let is_old = |text: &str, path: &[&str]| place(of(text).as_table(), path)[1] == CRI;
        let both = |text: &str| (is_old(text, &SANDBOX), is_old(text, &NAME));
        assert_eq!(both(""), (false, false));
        assert_eq!(both("version = 2"), (true, true));
        assert_eq!(both("version = 3"), (false, false));
        let old = "[plugins.'io.containerd.grpc.v1.cri']\nsandbox_image = 'a'\n";
        assert_eq!(both(old), (true, true));
        assert_eq!(both(&format!("version = 4\n{old}")), (false, false));
        let new = "[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'c'\n";
        assert_eq!(both(&format!("version = 2\n{new}")), (false, true));
        assert_eq!(both(&format!("{old}{new}")), (true, true));
        assert_eq!(place(of(old).as_table(), &["plugins", "x", "y"]), ["plugins", "x", "y"]);
    }
}
