//! The files of kernel settings, in the order in which a node reads them, and their
//! lines that override ours.
//!
//! systemd-sysctl reads all files of sysctl.d(5)'s folders, sorted by name without the
//! folder. Of two files with one name, only the one in the first folder is read. A later
//! line for a key replaces an earlier one, unless both have the same value: then the
//! earlier line keeps its place, and a line between the two can override it. After all
//! these files, procps's `sysctl --system`, tuned and sites' scripts read
//! `/etc/sysctl.conf` (sysctl(8)), and ufw its own file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::lines::{lines, shown};
use super::settings::{OLD_NAME, is_concerned};
use super::tuned;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::pattern::{cleaned, fits};

/// The folders of such files. A file in the first two is never hidden by another of
/// its name: systemd prefers `/etc`, and procps before 4 prefers `/run`.
const FOLDERS: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];
/// Files that are read after all others.
const LAST: [&str; 2] = ["/etc/sysctl.conf", "/etc/ufw/sysctl.conf"];
/// The mark before a line that was made a comment.
const COMMENT: &[u8] = b"# kubeferry: ";

/// A text with some of its lines made comments.
pub(super) fn commented(text: &[u8], is_bad: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let line = |line| if is_bad(line) { [COMMENT, line] } else { [&[][..], line] };
    lines(text).flat_map(line).collect::<Vec<_>>().concat()
}

/// A file with lines that override our settings.
pub(crate) struct Undoing {
    /// The file.
    pub(crate) path: PathBuf,
    /// The lines.
    pub(crate) lines: Vec<String>,
    /// The file that gets these lines as comments: the same file, or a copy in
    /// `/etc` of a package's file.
    pub(super) target: PathBuf,
    /// The new text.
    pub(super) text: Vec<u8>,
}

/// The files that override `settings`, which are in the file `own`, or that switch
/// forwarding off on one of `interfaces` or on the pods' interfaces.
pub(super) fn undoing(
    host: &Host,
    own: &str,
    settings: &[(&str, &str)],
    interfaces: &[String],
) -> anyhow::Result<Vec<Undoing>> {
    let own_name = own.rsplit('/').next().unwrap_or(own);
    let mut found: Vec<Undoing> = Vec::new();
    for (path, is_last) in files(host)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let real = cleaned(&host.followed(&path)?);
        if path == Path::new(own) || name == OLD_NAME || !host.path(&real).is_file() {
            continue;
        }
        let is_after = is_last || name.as_str() > own_name;
        let text = host.bytes(&real)?.unwrap_or_default();
        let undoes = |line: &[u8]| {
            let line = shown(line);
            let undoes = |one: &Assignment| one.undoes(is_after, settings, interfaces);
            Assignment::parse(&line).as_ref().is_some_and(undoes)
        };
        let bad: Vec<String> = lines(&text)
            .filter(|line| undoes(line))
            .map(|line| shown(line).trim().to_owned())
            .collect();
        if bad.is_empty() {
            continue;
        }
        // A package's file is not edited. A file of the same name in /etc
        // replaces it.
        let is_packages = FOLDERS[2..].iter().any(|folder| path.starts_with(folder));
        let target = if is_packages { Path::new(FOLDERS[0]).join(&name) } else { real.clone() };
        let text = commented(&text, undoes);
        // A file that is read twice, for example by a link, is written once.
        match found.iter_mut().find(|one| one.target == target) {
            Some(one) if one.lines.len() >= bad.len() => {}
            Some(one) => *one = Undoing { path, lines: bad, target, text },
            None => found.push(Undoing { path, lines: bad, target, text }),
        }
    }
    Ok(found)
}

impl Undoing {
    /// Refuses a file that a program writes anew, and a packaged profile of
    /// tuned.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let (path, told) = (self.path.display(), self.told());
        let (what, cure) = if self.target.starts_with("/run") {
            (
                format!("{path} has `{told}`, and is written again at each boot"),
                "find out what writes it, and change that",
            )
        } else if self.target.starts_with("/usr") {
            (
                format!("{path} has `{told}`, and belongs to tuned's active profile"),
                "choose another profile with `tuned-adm profile`, or copy its folder to \
                 /etc/tuned and remove the line there",
            )
        } else {
            return Ok(());
        };
        Err(Failure::new(what, cure).into())
    }

    /// The lines, for people.
    pub(crate) fn told(&self) -> String {
        self.lines.join("`, `")
    }
}

/// The files in the order in which they are read. `true` marks those that come after
/// all of sysctl.d.
fn files(host: &Host) -> anyhow::Result<Vec<(PathBuf, bool)>> {
    let mut by_name: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for folder in FOLDERS {
        let names = host.list(folder)?.into_iter();
        for name in names.filter(|name| name.ends_with(".conf") && !name.starts_with('.')) {
            let paths = by_name.entry(name.clone()).or_default();
            let is_runtime = folder == FOLDERS[1];
            if paths.is_empty() || is_runtime {
                paths.push(Path::new(folder).join(name));
            }
        }
    }
    let all = by_name.into_values().flatten().map(|path| (path, false));
    let last = LAST.iter().map(|path| (PathBuf::from(path), true));
    Ok(all.chain(last).chain(tuned::files(host)?).collect())
}

/// A line that sets a key. Without a value it excludes the key from patterns.
struct Assignment {
    /// The path below `/proc/sys`. It may be a pattern.
    key: String,
    value: Option<String>,
}

impl Assignment {
    /// None for a comment, or a line that sets nothing (sysctl.d(5)).
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key.strip_prefix('-').unwrap_or(key), Some(value)),
            None => (line.strip_prefix('-')?, None),
        };
        let key = key.trim();
        // If the first separator is a dot, dots and slashes swap their
        // meaning.
        let is_dotted = key.find(['.', '/']).is_some_and(|at| key.as_bytes()[at] == b'.');
        let turned = |letter| match letter {
            '.' if is_dotted => '/',
            '/' if is_dotted => '.',
            letter => letter,
        };
        let key: String = key.chars().map(turned).collect();
        let parts = key.split('/').filter(|part| !part.is_empty());
        let key = parts.collect::<Vec<_>>().join("/");
        Some(Self { key, value: value.map(|value| value.trim().to_owned()) })
    }

    /// Whether it overrides ours. A line for one interface, or with a pattern, is
    /// also applied when an interface appears (udev's `99-systemd.rules`), so it
    /// counts wherever it stands. A key that is written out beats a pattern.
    fn undoes(&self, is_after: bool, settings: &[(&str, &str)], interfaces: &[String]) -> bool {
        let own = settings.iter().find(|(key, _)| key.replace('.', "/") == self.key);
        if let Some((_, wanted)) = own {
            return is_after && self.value.as_deref() != Some(*wanted);
        }
        let parts: Vec<&str> = self.key.split('/').collect();
        let (&[net, ipv4, conf, interface, key], Some(value)) = (parts.as_slice(), &self.value)
        else {
            return false;
        };
        let words = [(net, "net"), (ipv4, "ipv4"), (conf, "conf"), (key, "forwarding")];
        value != "1"
            && is_concerned(interface, interfaces)
            && words.iter().all(|(pattern, word)| fits(pattern, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_systemd_reads_them() {
        let settings = [("net.ipv4.ip_forward", "1"), ("net.ipv4.conf.all.forwarding", "1")];
        let undoes = |line: &str, is_after: bool| {
            let eth0 = ["eth0".to_owned(), "bond0.12".to_owned()];
            Assignment::parse(line).is_some_and(|one| one.undoes(is_after, &settings, &eth0))
        };
        for line in [
            "net.ipv4.ip_forward = 0",
            "net/ipv4/ip_forward=0\r",
            " -net.ipv4.ip_forward=0 ",
            "net.ipv4.ip_forward=",
            "net.ipv4.ip_forward=\"1\"",
            "-net.ipv4.ip_forward",
            "net.ipv4.conf.all.forwarding=0",
            "/net//ipv4/ip_forward = 0",
        ] {
            assert!(undoes(line, true) && !undoes(line, false), "{line}");
        }
        for line in [
            "net.ipv4.conf.eth0.forwarding=0",
            "net/ipv4/conf/bond0.12/forwarding=0",
            "net.ipv4.conf.bond0/12.forwarding=0",
            "net.ipv4.conf.*.forwarding = 0",
            "-net.ipv4.conf.e*.forwarding = 0",
            "net.ipv4.conf.[a-z]th?.forward* = 0",
            "net.ipv4.conf.cali*.forwarding = 0",
            "net.ipv4.conf.veth1*.forwarding = 0",
            "net.ipv4.conf.cni0.forwarding = 0",
        ] {
            assert!(undoes(line, true) && undoes(line, false), "{line}");
        }
        for line in [
            "",
            "# net.ipv4.ip_forward = 0",
            "; net.ipv4.ip_forward = 0",
            "net.ipv4.ip_forward",
            "net.ipv4.ip_forward = 1",
            "-net.ipv4.conf.eth0.forwarding",
            "net.ipv4.conf.eth1.forwarding=0",
            "net.ipv4.conf.docker0.forwarding=0",
            "net.ipv4.conf.eth*.rp_filter=0",
            "net.ipv4.*=0",
            "net.ipv4.ip_forward_use_pmtu=0",
        ] {
            assert!(!undoes(line, true), "{line}");
        }
    }
}
