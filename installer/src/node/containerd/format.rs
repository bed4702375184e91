//! The formats of a configuration's files. Format 1 has other names for plugins; it
//! becomes format 2, as in containerd itself (`v1Migrate`).

use toml_edit::{Item, TableLike};

use crate::failure::Failure;
use crate::node::containerd::files::{File, Files, put};
use crate::node::containerd::keys::is_of_format_3;

/// The tables whose settings are those of plugins in format 4.
const SERVERS: [&str; 4] = ["grpc", "ttrpc", "debug", "metrics"];

/// Writes files of format 1 in a newer format. If the release cannot merge different
/// formats, all files get the same one, or it is an error. Returns the format of the
/// merged files.
pub(crate) fn unify(files: &mut Files) -> Result<i64, Failure> {
    let release = files.release;
    let newest = release.newest_format();
    let main = files.list.get(..1).unwrap_or_default();
    let format = match release.migrates_files() {
        true => own_format(main, newest),
        false => {
            let explicit = files.list.iter().filter_map(version).filter(|version| *version > 1);
            explicit.max().unwrap_or_else(|| own_format(&files.list, newest))
        }
    };
    for (place, file) in files.list.iter_mut().enumerate() {
        let name = file.path.display();
        match version(file) {
            Some(version) if version > newest => {
                return Err(Failure::new(
                    format!("{name} is of version {version}, which {release} cannot read"),
                    "move it away, and this program writes a new one",
                ));
            }
            Some(version) if version > 1 && version != format && !release.migrates_files() => {
                return Err(Failure::new(
                    format!(
                        "{name} is of version {version}, and another file of containerd's \
                         configuration is of version {format}"
                    ),
                    "write both in the same version; `containerd config migrate` shows the main \
                     file in the newest",
                ));
            }
            // An imported file need not name its format.
            None if place > 0 => rename(file)?,
            None | Some(..=1) => {
                rename(file)?;
                let its_own = place > 0 && release.migrates_files();
                let number = if its_own { 2 } else { format };
                put(file.document.as_table_mut(), "version", number.into());
            }
            Some(_) => rename(file)?,
        }
    }
    Ok(if release.migrates_files() { newest } else { format })
}

fn version(file: &File) -> Option<i64> {
    file.document.get("version").and_then(Item::as_integer)
}

/// The format of files that do not name it: the newest one, unless they have settings
/// that it has elsewhere.
fn own_format(files: &[File], newest: i64) -> i64 {
    let tables = files.iter().filter_map(|file| file.document.get("plugins")?.as_table_like());
    let names: Vec<&str> = tables.flat_map(TableLike::iter).map(|(name, _)| name).collect();
    let has_servers = |file: &File| SERVERS.iter().any(|key| file.document.contains_key(key));
    if names.iter().any(|name| is_of_format_3(name)) {
        newest.min(3)
    } else if !names.is_empty() {
        2
    } else if files.iter().any(has_servers) {
        newest.min(3)
    } else {
        newest
    }
}

/// Renames the plugins of a file from format 1.
fn rename(file: &mut File) -> Result<(), Failure> {
    for list in ["disabled_plugins", "required_plugins"] {
        let list = file.document.get_mut(list).and_then(Item::as_array_mut);
        for plugin in list.into_iter().flat_map(toml_edit::Array::iter_mut) {
            let Some(old) = plugin.as_str() else { continue };
            if !old.contains('.') {
                let decor = plugin.decor().clone();
                *plugin = modern_name(old).into();
                *plugin.decor_mut() = decor;
            }
        }
    }
    let Some(plugins) = file.document.get_mut("plugins").and_then(Item::as_table_like_mut) else {
        return Ok(());
    };
    let old: Vec<String> = plugins.iter().map(|(name, _)| name.to_owned()).collect();
    for name in old.iter().filter(|name| !name.contains('.')) {
        let modern = modern_name(name);
        if plugins.contains_key(&modern) {
            let path = file.path.display();
            return Err(Failure::new(
                format!("{path} has the plugin {name} twice, also as {modern}"),
                "keep one of the two, and run this again",
            ));
        }
        let decor = plugins.key(name).map(|key| key.leaf_decor().clone());
        if let Some(table) = plugins.remove(name) {
            plugins.insert(&modern, table);
        }
        // The comment above it.
        if let Some((mut key, decor)) = plugins.key_mut(&modern).zip(decor) {
            *key.leaf_decor_mut() = decor;
        }
    }
    Ok(())
}

/// The new name of a plugin of format 1 (`v1MigratePluginName`).
fn modern_name(plugin: &str) -> String {
    if plugin.contains('.') {
        return plugin.to_owned();
    }
    let kind = match plugin {
        "cgroups" => "monitor",
        "linux" => "runtime",
        "scheduler" => "gc",
        "bolt" => "metadata",
        "task" => return "io.containerd.runtime.v2.task".to_owned(),
        "opt" | "restart" | "tracing" => "internal",
        "otlp" => "tracing.processor",
        "aufs" | "btrfs" | "devmapper" | "native" | "overlayfs" | "zfs" => "snapshotter",
        name if name.ends_with("-service") => "service",
        _ => "grpc",
    };
    format!("io.containerd.{kind}.v1.{plugin}")
}
