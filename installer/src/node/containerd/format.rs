//! One format for all files of a configuration: those of format 1, whose plugins have
//! other names, become ones of 2, as containerd itself does it (`v1Migrate`).

use toml_edit::{Item, TableLike, value};

use crate::failure::Failure;
use crate::node::containerd::files::{File, Files};
use crate::node::containerd::keys::is_of_format_3;

/// Brings all files to one format, and gives it.
pub(crate) fn unify(files: &mut Files) -> Result<i64, Failure> {
    let release = files.release;
    let newest = release.newest_format();
    let explicit = files.list.iter().filter_map(version).filter(|version| *version > 1).max();
    let format = explicit.unwrap_or_else(|| by_names(files).unwrap_or(newest));
    for (place, file) in files.list.iter_mut().enumerate() {
        let name = file.path.display();
        match version(file) {
            Some(version) if version > newest => {
                return Err(Failure::new(
                    format!("{name} is of version {version}, which {release} cannot read"),
                    "move it away, and this program writes a new one",
                ));
            }
            Some(version) if version > 1 && version != format => {
                return Err(Failure::new(
                    format!(
                        "{name} is of version {version}, and another file of containerd's \
                         configuration is of version {format}"
                    ),
                    "write both in the same version; `containerd config migrate` shows the main \
                     file in the newest",
                ));
            }
            // One that is imported need not say it.
            None if place > 0 => rename(file)?,
            None | Some(..=1) => {
                rename(file)?;
                file.document.insert("version", value(format));
            }
            Some(_) => rename(file)?,
        }
    }
    Ok(format)
}

fn version(file: &File) -> Option<i64> {
    file.document.get("version").and_then(Item::as_integer)
}

/// The format by the names of plugins, where no file says it.
fn by_names(files: &Files) -> Option<i64> {
    let tables = files.list.iter().filter_map(|file| file.document.get("plugins")?.as_table_like());
    let mut names = tables.flat_map(TableLike::iter).map(|(name, _)| name).peekable();
    names.peek()?;
    Some(if names.any(is_of_format_3) && files.release.newest_format() > 2 { 3 } else { 2 })
}

/// Gives the plugins of a file their names of today.
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
        if let Some(table) = plugins.remove(name) {
            plugins.insert(&modern, table);
        }
    }
    Ok(())
}

/// What a plugin of format 1 is called since (`v1MigratePluginName`).
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
