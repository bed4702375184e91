//! The runtimes in containerd's configuration. Every one that can start a pod must
//! have kubelet's cgroup driver.

use bundle_format::cluster::CgroupDriver;
use toml_edit::{Item, Table, TableLike};

use crate::failure::Failure;
use crate::node::containerd::files::Files;
use crate::node::containerd::keys::Keys;
use crate::node::containerd::table::at;

/// The type of runtimes that runc's shim runs, and that know `SystemdCgroup`: runc,
/// crun and nvidia's, told apart by their `BinaryName`.
const SHIM: &str = "io.containerd.runc.v2";
/// Older shims. Both are gone since containerd 2. The first takes the cgroup driver
/// from the plugin's settings.
const OLD_SHIMS: [&str; 2] = ["io.containerd.runtime.v1.linux", "io.containerd.runc.v1"];
/// The option of the cgroup driver.
const SWITCH: &str = "SystemdCgroup";
/// The runtime of pods that name none.
const USUAL: &str = "runc";

/// Gives all runtimes of that shim the cgroup driver.
pub(crate) fn configure(
    files: &mut Files,
    keys: &Keys,
    driver: CgroupDriver,
) -> anyhow::Result<()> {
    let merged = files.merged();
    let has_legacy = !files.release.merges_tables();
    let chosen = if has_legacy { chosen(&merged, keys) } else { named(&merged, keys) };
    let name_key = [keys.containerd, &["default_runtime_name"]].concat();
    if at(&merged, &name_key).is_some_and(|item| item.as_str() == Some("")) {
        files.set(&name_key, &USUAL.into())?;
    }
    let names = names(&merged, keys);
    check_described(&names, &chosen, keys)?;
    let mut paths: Vec<Vec<&str>> = Vec::new();
    paths.extend(names.iter().map(|name| [keys.containerd, &["runtimes", name.as_str()]].concat()));
    // Two runtimes of containerd 1 have tables of their own.
    for legacy in [LEGACY, "untrusted_workload_runtime"] {
        let path = [keys.containerd, &[legacy]].concat();
        let is_told = !text(&merged, &[&path[..], &["runtime_type"]].concat()).is_empty();
        paths.extend((is_told && has_legacy).then_some(path));
    }
    let no_pivot = [keys.containerd, &["no_pivot"]].concat();
    let is_without_pivot = at(&merged, &no_pivot).and_then(Item::as_bool) == Some(true);
    for path in &paths {
        let is_chosen = path.last() == Some(&chosen.as_str());
        if !takes_shim(files, &merged, path, is_chosen)? {
            continue;
        }
        if is_without_pivot && is_chosen {
            files.set(&[&path[..], &["options", "NoPivotRoot"]].concat(), &true.into())?;
        }
        set_options(files, &merged, path, driver)?;
    }
    if is_without_pivot {
        files.take(&no_pivot);
    }
    if at(&merged, keys.old_switch).and_then(Item::as_bool) == Some(true) {
        files.take(keys.old_switch);
    }
    Ok(())
}

/// The names of all runtimes. The usual one comes first: it needs no table.
fn names(merged: &Table, keys: &Keys) -> Vec<String> {
    let table = at(merged, &[keys.containerd, &["runtimes"]].concat());
    let table = table.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
    let others = table.map(|(name, _)| name).filter(|name| *name != USUAL);
    [USUAL].into_iter().chain(others).map(str::to_owned).collect()
}

fn check_described(names: &[String], chosen: &str, keys: &Keys) -> Result<(), Failure> {
    if chosen == LEGACY || names.iter().any(|name| name == chosen) {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "containerd's default runtime is {chosen}, but {} has no runtime of that name",
            [keys.containerd, &["runtimes"]].concat().join(".")
        ),
        format!(
            "define it in containerd's configuration, or remove `default_runtime_name`: then \
             {USUAL} is the default"
        ),
    ))
}

/// Whether that shim runs a runtime. Runtimes of older shims are moved to it.
fn takes_shim(
    files: &mut Files,
    merged: &Table,
    path: &[&str],
    is_chosen: bool,
) -> anyhow::Result<bool> {
    let key = [path, &["runtime_type"]].concat();
    let kind = text(merged, &key);
    if OLD_SHIMS.contains(&kind) || kind.is_empty() && (is_chosen || path.ends_with(&[USUAL])) {
        files.set(&key, &SHIM.into())?;
        return Ok(true);
    }
    Ok(kind == SHIM)
}

/// Sets a runtime's options.
fn set_options(
    files: &mut Files,
    merged: &Table,
    path: &[&str],
    driver: CgroupDriver,
) -> anyhow::Result<()> {
    let options = [path, &["options"]].concat();
    let option = |name| [&options[..], &[name]].concat();
    // CRI refuses these keys together with that shim: they are options of the
    // shim.
    for (old, new) in [("runtime_engine", "BinaryName"), ("runtime_root", "Root")] {
        let old = [path, &[old]].concat();
        let value = text(merged, &old);
        if !value.is_empty() {
            if text(merged, &option(new)).is_empty() {
                files.set(&option(new), &value.into())?;
            }
            files.take(&old);
        }
    }
    // containerd ignores case in keys; if several spell one key, it is undefined
    // which counts.
    for other in other_cases(merged, &options) {
        files.take(&[&options[..], &[other.as_str()]].concat());
    }
    files.set(&option(SWITCH), &(driver == CgroupDriver::Systemd).into())
}

/// The same option in other spellings of upper and lower case.
fn other_cases(merged: &Table, options: &[&str]) -> Vec<String> {
    let options = at(merged, options).and_then(Item::as_table_like);
    let names = options.into_iter().flat_map(TableLike::iter).map(|(name, _)| name);
    let others = names.filter(|name| name.eq_ignore_ascii_case(SWITCH) && *name != SWITCH);
    others.map(str::to_owned).collect()
}

/// A table of containerd 1: a runtime, and the default one.
const LEGACY: &str = "default_runtime";

/// The name of the default runtime.
pub(crate) fn chosen(merged: &Table, keys: &Keys) -> String {
    let legacy = [keys.containerd, &[LEGACY, "runtime_type"]].concat();
    if text(merged, &legacy).is_empty() { named(merged, keys) } else { LEGACY.to_owned() }
}

fn named(merged: &Table, keys: &Keys) -> String {
    let name = text(merged, &[keys.containerd, &["default_runtime_name"]].concat());
    if name.is_empty() { USUAL } else { name }.to_owned()
}

/// The cgroup driver of each runtime that has one, the default runtime first. runc
/// always exists; it is listed if pods can be started by it.
pub(crate) fn drivers(merged: &Table, keys: &Keys) -> Vec<(String, CgroupDriver)> {
    let chosen = chosen(merged, keys);
    let table = at(merged, &[keys.containerd, &["runtimes"]].concat());
    let names = table.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
    let others = names.map(|(name, _)| name).filter(|name| *name != chosen && *name != USUAL);
    let others: Vec<String> = others.map(str::to_owned).collect();
    let all = [chosen].into_iter().chain(others);
    all.filter_map(|name| driver(merged, keys, &name).map(|driver| (name, driver))).collect()
}

fn driver(merged: &Table, keys: &Keys, name: &str) -> Option<CgroupDriver> {
    let path = match name {
        LEGACY => [keys.containerd, &[LEGACY]].concat(),
        name => [keys.containerd, &["runtimes", name]].concat(),
    };
    let switch = match text(merged, &[&path[..], &["runtime_type"]].concat()) {
        "io.containerd.runtime.v1.linux" => keys.old_switch.to_vec(),
        SHIM | "io.containerd.runc.v1" | "" => [&path[..], &["options", SWITCH]].concat(),
        _ => return None,
    };
    let is_systemd = at(merged, &switch).and_then(Item::as_bool) == Some(true);
    Some(if is_systemd { CgroupDriver::Systemd } else { CgroupDriver::Cgroupfs })
}

fn text<'a>(table: &'a Table, path: &[&str]) -> &'a str {
    at(table, path).and_then(Item::as_str).unwrap_or_default()
}
