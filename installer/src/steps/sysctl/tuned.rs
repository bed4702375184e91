//! tuned's profile. tuned starts after systemd-sysctl and sets kernel settings. Then
//! it reads `/etc/sysctl.d` and `/etc/sysctl.conf` again, unless the site switched
//! that off (tuned-main.conf(5), `reapply_sysctl`).

use std::path::PathBuf;

use crate::host::Host;
use crate::node::systemd::unit_is;

/// The name of the active profile, written by `tuned-adm profile`.
const ACTIVE: &str = "/etc/tuned/active_profile";
const MAIN: &str = "/etc/tuned/tuned-main.conf";
/// The folders of profiles. A site's come before those of packages.
const FOLDERS: [&str; 4] =
    ["/etc/tuned", "/etc/tuned/profiles", "/usr/lib/tuned", "/usr/lib/tuned/profiles"];

/// The files of the active profile and of those that it includes. `true` marks files
/// that win over sysctl.d.
pub(super) fn files(host: &Host) -> anyhow::Result<Vec<(PathBuf, bool)>> {
    let Some(active) = host.read(ACTIVE)? else { return Ok(Vec::new()) };
    if !unit_is(host, "enabled", "tuned")? && !unit_is(host, "active", "tuned")? {
        return Ok(Vec::new());
    }
    let main = host.read(MAIN)?.unwrap_or_default();
    let off = ["0", "false", "no", "off"];
    let is_last = settings(&main, "reapply_sysctl")
        .last()
        .is_some_and(|value| off.contains(&value.to_lowercase().as_str()));
    let mut names: Vec<String> = active.split_ascii_whitespace().map(str::to_owned).collect();
    let mut found: Vec<(PathBuf, bool)> = Vec::new();
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        at += 1;
        let paths = FOLDERS.map(|folder| PathBuf::from(format!("{folder}/{name}/tuned.conf")));
        let Some(path) = paths.into_iter().find(|path| host.exists(path)) else { continue };
        let text = host.read(&path)?.unwrap_or_default();
        for included in settings(&text, "include").iter().flat_map(|list| list.split([',', ' '])) {
            let included = included.trim().to_owned();
            if !included.is_empty() && !names.contains(&included) {
                names.push(included);
            }
        }
        found.push((path, is_last));
    }
    Ok(found)
}

/// The values of a key in a file.
fn settings<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let value = |line: &'a str| {
        let (own, value) = line.split_once('=')?;
        (own.trim() == key).then(|| value.trim())
    };
    text.lines().filter_map(value).collect()
}
