//! Configurations that nobody wrote: settings of several formats, spread over a main
//! file and its drop-ins.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, TableLike};

use super::{MAIN, Machine, Release, apply, dump, intent};

/// A sequence of numbers, the same ones for the same seed.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// The names of a format's tables.
struct Names {
    sandbox: &'static str,
    images: &'static str,
    runtime: &'static str,
    disabled: &'static [&'static str],
}

const FIRST: Names = Names {
    sandbox: "[plugins.cri]\nsandbox_image",
    images: "plugins.cri",
    runtime: "plugins.cri",
    disabled: &["cri", "zfs"],
};
const OLD: Names = Names {
    sandbox: "[plugins.'io.containerd.grpc.v1.cri']\nsandbox_image",
    images: "plugins.'io.containerd.grpc.v1.cri'",
    runtime: "plugins.'io.containerd.grpc.v1.cri'",
    disabled: &["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.zfs"],
};
const NEW: Names = Names {
    sandbox: "[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox",
    images: "plugins.'io.containerd.cri.v1.images'",
    runtime: "plugins.'io.containerd.cri.v1.runtime'",
    disabled: &["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"],
};

/// The files of a configuration: the main one first.
pub(super) fn files(release: &Release, seed: u64) -> Vec<(String, String)> {
    let mut numbers = Numbers(seed);
    for _ in 0..4 {
        numbers.below(2);
    }
    let all = numbers.one(&[2, 2, 3]);
    let mut files = Vec::new();
    let count = numbers.one(&[0, 1, 1, 2, 3]);
    for place in 0..=count {
        let (number, names) = format(release, &mut numbers, all);
        let mut head = number.map(|number| format!("version = {number}\n")).unwrap_or_default();
        if place == 0 && count > 0 {
            head += "imports = [\"/etc/containerd/conf.d/*.toml\"]\n";
        }
        let text = head + &settings(&mut numbers, number, names);
        let path = match place {
            0 => "etc/containerd/config.toml".to_owned(),
            place => format!("etc/containerd/conf.d/{place}.toml"),
        };
        files.push((path, text));
    }
    files
}

/// A file's format, and the names in it. `all` is that of files that must have the same.
fn format(release: &Release, numbers: &mut Numbers, all: u32) -> (Option<u32>, &'static Names) {
    if release.migrates() {
        let number = numbers.one(&[None, Some(1), Some(2), Some(3), Some(4)]);
        let names = match number {
            None | Some(1) => numbers.one(&[&FIRST, &OLD]),
            Some(2 | 3) => numbers.one(&[&OLD, &NEW]),
            _ => &NEW,
        };
        return (number, names);
    }
    match (release.major(), all) {
        (1, 3) => (numbers.one(&[None, Some(1)]), &FIRST),
        (1, _) => (Some(2), &OLD),
        (_, 2) => (Some(2), &OLD),
        _ => (Some(3), &NEW),
    }
}

fn settings(numbers: &mut Numbers, number: Option<u32>, names: &Names) -> String {
    let Names { sandbox, images, runtime, disabled } = names;
    let mut text = String::new();
    if numbers.chance(40) {
        text += &format!("disabled_plugins = ['{}']\n", numbers.one(disabled));
    }
    if number != Some(4) && numbers.chance(30) {
        text += &format!("[grpc]\nmax_recv_message_size = {}\n", 16_777_217 + numbers.below(9));
    }
    if numbers.chance(50) {
        text += &format!("{sandbox} = 'site/pause:{}'\n", numbers.below(9));
    }
    if numbers.chance(40) {
        let header = format!("[{images}]\n");
        // TOML takes a table's header once.
        let line = format!("max_concurrent_downloads = {}\n", 4 + numbers.below(9));
        text += &if text.contains(&header) { line } else { header + &line };
    }
    match numbers.below(5) {
        0 => text += &format!("[{images}.registry]\nconfig_path = ''\n"),
        1 => text += &format!("[{images}.registry]\nconfig_path = '/opt/own'\n"),
        2 => {
            text += &format!(
                "[{images}.registry.mirrors.'a{}.site']\nendpoint = ['https://m.site']\n",
                numbers.below(3)
            );
        }
        3 => {
            text += &format!(
                "[{images}.registry.configs.'m.site'.tls]\nca_file = '/etc/ca.crt'\n\
                 [{images}.registry.configs.'m.site'.auth]\nusername = 'robot'\n"
            );
        }
        _ => {}
    }
    if numbers.chance(20) {
        text += &format!("[{runtime}.containerd]\ndefault_runtime_name = 'runc'\n");
    }
    for (name, program) in [("runc", "/usr/sbin/runc"), ("nvidia", "/usr/bin/nvidia")] {
        if numbers.chance(40) {
            let place = format!("{runtime}.containerd.runtimes.{name}");
            let is_systemd = numbers.chance(50);
            text += &format!(
                "[{place}]\nruntime_type = 'io.containerd.runc.v2'\n[{place}.options]\nBinaryName = \
                 '{program}'\n"
            );
            if numbers.chance(80) {
                text += &format!("SystemdCgroup = {is_systemd}\n");
            }
        }
    }
    if numbers.chance(30) {
        let name = if names.images == FIRST.images {
            "scheduler"
        } else {
            "'io.containerd.gc.v1.scheduler'"
        };
        text += &format!("[plugins.{name}]\npause_threshold = 0.0{}\n", 3 + numbers.below(6));
    }
    text
}

/// Settings that are ours to change.
const OURS: [&str; 8] = [
    "sandbox_image",
    "sandbox",
    "runtime_type",
    "runtime_engine",
    "runtime_root",
    "no_pivot",
    "systemd_cgroup",
    "config_path",
];

/// Values that say nothing, and a default: containerd 1 says them only of a runtime that
/// has no table.
const DEFAULTS: [&str; 6] = ["''", "\"\"", "0", "false", "[]", "\"podsandbox\""];

/// What containerd says of all settings that are not ours, by their places.
fn others(document: &DocumentMut) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut tables = vec![(String::new(), document.as_table() as &dyn TableLike)];
    while let Some((place, table)) = tables.pop() {
        for (key, item) in table.iter() {
            let is_moved = place.ends_with(".registry") && key == "mirrors" || key == "tls";
            let is_ours = OURS.contains(&key) || key.eq_ignore_ascii_case("SystemdCgroup");
            let is_head =
                place.is_empty() && ["version", "imports", "disabled_plugins"].contains(&key);
            // While CRI is off, containerd 2.0 to 2.2 shows the old table.
            let key = match key {
                "io.containerd.grpc.v1.cri" => "cri",
                key => key.strip_prefix("io.containerd.cri.v1.").map_or(key, |_| "cri"),
            };
            let place = format!("{place}.{key}");
            match item.as_table_like() {
                _ if is_moved || is_ours || is_head => {}
                Some(inner) => tables.push((place, inner)),
                None => drop(found.insert(place, item.to_string().trim().to_owned())),
            }
        }
    }
    found
}

/// What containerd says of other settings than ours is the same before and after.
pub(super) fn assert_others_stay(release: &Release, files: &[(&str, &str)]) {
    let machine = Machine::new(release, files);
    let before = others(&dump(&machine, MAIN).1);
    apply(&machine, &intent(release)).unwrap();
    let after = others(&dump(&machine, MAIN).1);
    for (place, value) in before {
        if !DEFAULTS.contains(&value.as_str()) {
            assert_eq!(after.get(&place), Some(&value), "containerd {}: {place}", release.version);
        }
    }
}
