//! What systemd-networkd sets for forwarding when it starts, or configures an
//! interface: `IPv4Forwarding=`, since systemd 256 (systemd.network(5),
//! networkd.conf(5)). The older `IPForward=` could only switch forwarding on, and now
//! does nothing.

use std::path::{Path, PathBuf};

use super::super::lines::{lines, shown};
use super::files::{Undoing, commented};
use super::settings::is_concerned;
use crate::host::Host;
use crate::node::systemd::unit_is;

/// systemd's folders. Of two files with one name, the one in the first folder counts.
const FOLDERS: [&str; 4] =
    ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
const UNIT: &str = "systemd-networkd";

/// The command by which networkd reads its files of interfaces again.
pub(super) const REREAD: &str = "networkctl reload";

/// Lines that switch forwarding off: for all, or on one of `interfaces` or of the
/// pods' interfaces.
pub(super) fn undoing(host: &Host, interfaces: &[String]) -> anyhow::Result<Vec<Undoing>> {
    if !unit_is(host, "active", UNIT)? && !unit_is(host, "enabled", UNIT)? {
        return Ok(Vec::new());
    }
    let mut found = of_group(host, &whole(host, "networkd.conf")?, &[])?;
    for name in names(host, "network", ".network")? {
        let files = whole(host, &format!("network/{name}"))?;
        found.extend(of_group(host, &files, interfaces)?);
    }
    Ok(found)
}

/// Whether networkd runs, and so must read its files again.
pub(super) fn runs(host: &Host) -> anyhow::Result<bool> {
    unit_is(host, "active", UNIT)
}

/// The names of files in a folder below any of systemd's.
fn names(host: &Host, folder: &str, end: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for place in FOLDERS {
        names.extend(host.list(format!("{place}/{folder}"))?);
    }
    names.retain(|name| name.ends_with(end));
    names.sort();
    names.dedup();
    Ok(names)
}

/// A file, and then its drop-ins.
fn whole(host: &Host, name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let drop_ins = format!("{name}.d");
    let more = names(host, &drop_ins, ".conf")?;
    let all = more.into_iter().map(|one| format!("{drop_ins}/{one}"));
    let first = |name: String| {
        let paths = FOLDERS.map(|folder| Path::new(folder).join(&name));
        paths.into_iter().find(|path| host.exists(path))
    };
    Ok([name.to_owned()].into_iter().chain(all).filter_map(first).collect())
}

/// The lines of one file and its drop-ins. None if a later one switches forwarding on
/// again, or if the file is for other interfaces.
fn of_group(host: &Host, files: &[PathBuf], interfaces: &[String]) -> anyhow::Result<Vec<Undoing>> {
    let (mut found, mut is_off, mut named) = (Vec::new(), false, Vec::new());
    for path in files.iter().filter(|path| host.path(path).is_file()) {
        let text = host.bytes(path)?.unwrap_or_default();
        let mut bad = Vec::new();
        let mut section = String::new();
        for line in lines(&text).map(shown) {
            let line = line.trim();
            if line.starts_with('[') {
                section = line.to_owned();
            }
            match (section.as_str(), line.split_once('=')) {
                ("[Network]", Some((key, value))) if key.trim() == "IPv4Forwarding" => {
                    is_off = is_no(value.trim());
                    if is_off {
                        bad.push(line.to_owned());
                    }
                }
                ("[Match]", Some((key, value))) if key.trim() == "Name" => {
                    named.extend(value.split_ascii_whitespace().map(str::to_owned));
                }
                _ => {}
            }
        }
        if !bad.is_empty() {
            let target = match path.strip_prefix("/usr/local/lib").or(path.strip_prefix("/usr/lib"))
            {
                // A file of the same name in /etc hides a package's
                // file.
                Ok(inner) => Path::new("/etc").join(inner),
                Err(_) => path.clone(),
            };
            let text = commented(&text, |line| bad.iter().any(|one| *one == shown(line).trim()));
            found.push(Undoing { path: path.clone(), lines: bad, target, text });
        }
    }
    let is_meant = |name: &String| name.starts_with('!') || is_concerned(name, interfaces);
    let is_for_ours = named.is_empty() || named.iter().any(is_meant);
    Ok(if is_off && is_for_ours { found } else { Vec::new() })
}

/// Whether systemd reads the value as "no" (systemd.syntax(7)).
fn is_no(value: &str) -> bool {
    ["0", "no", "n", "false", "f", "off"].iter().any(|no| value.eq_ignore_ascii_case(no))
}
