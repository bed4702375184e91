//! The profile of tuned, which sets kernel settings when it starts: after
//! systemd-sysctl. It then reads the files of `/etc/sysctl.d` and `/etc/sysctl.conf`
//! anew, unless a site has that off (tuned-main.conf(5), `reapply_sysctl`).

use std::path::PathBuf;

use crate::host::Host;
use crate::node::systemd::unit_is;

/// What it uses, which `tuned-adm profile` writes.
const ACTIVE: &str = "/etc/tuned/active_profile";
const MAIN: &str = "/etc/tuned/tuned-main.conf";
/// Where profiles are, a site's before those of packages.
const FOLDERS: [&str; 4] =
    ["/etc/tuned", "/etc/tuned/profiles", "/usr/lib/tuned", "/usr/lib/tuned/profiles"];

/// The files of its profile, and of those that this includes, each with whether it has
/// the last word.
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

/// The values that a file has for a key.
fn settings<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let value = |line: &'a str| {
        let (own, value) = line.split_once('=')?;
        (own.trim() == key).then(|| value.trim())
    };
    text.lines().filter_map(value).collect()
}
