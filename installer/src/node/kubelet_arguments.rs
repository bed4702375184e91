//! The arguments that files on the node give to kubelet. systemd puts them together
//! (systemd.exec(5), systemd.service(5)): the unit, its drop-ins in the order of
//! their names, and the files of variables that these name. The files of kubelet's
//! package count as the bundle's package brings them.

use std::collections::BTreeMap;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths;

/// kubeadm writes this anew when a node enters its cluster.
pub(crate) const KUBEADM: &str = "/var/lib/kubelet/kubeadm-flags.env";
/// Debian's drop-in reads this file of the site; the RPM's reads
/// `/etc/sysconfig/kubelet`.
const DEBIAN: &str = "/etc/default/kubelet";
const VARIABLE: &str = "KUBELET_EXTRA_ARGS";
/// Where a site's own units and drop-ins are.
const OWN: [&str; 3] =
    ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"];
/// Where units of packages are. They come after the site's.
const OTHERS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];
/// The package's drop-in (kubernetes.io, "the kubelet drop-in file for systemd").
const PACKAGES: (&str, &str) = (
    "10-kubeadm.conf",
    "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n\
     EnvironmentFile=-/etc/sysconfig/kubelet\n\
     ExecStart=\n\
     ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS \
     $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n",
);

/// An argument, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    /// Its name, without dashes.
    pub(crate) name: String,
    /// Its value; none if it has none, or if the value is the next word.
    pub(crate) value: Option<String>,
    /// The file.
    pub(crate) path: String,
    /// The line in that file, from 1.
    pub(crate) line: usize,
}

/// A word of a file.
#[derive(Clone)]
struct Word {
    text: String,
    path: String,
    line: usize,
}

/// The site's unit and all drop-ins, in the order in which systemd reads them.
fn service(host: &Host) -> anyhow::Result<Service> {
    let mut service = Service::default();
    for folder in OWN {
        let path = format!("{folder}/kubelet.service");
        if let Some(text) = regular(host, &path)? {
            service.read(&path, &text);
            break;
        }
    }
    for (path, text) in drop_ins(host)?.into_values() {
        service.read(&path, &text);
    }
    Ok(service)
}

/// The file and line of a command that starts kubelet outside of any cluster: it
/// replaces the package's command, and has no kubeconfig. kubeadm's page on external
/// etcd tells people to do that (kubeadm#1154). None if a variable may bring the
/// kubeconfig.
pub(crate) fn without_cluster(host: &Host) -> anyhow::Result<Option<(String, usize)>> {
    let command = service(host)?.command;
    let Some(program) = command.first().filter(|word| word.text.ends_with("/kubelet")) else {
        return Ok(None);
    };
    let others = ["KUBELET_CONFIG_ARGS", "KUBELET_KUBEADM_ARGS", "KUBELET_EXTRA_ARGS"];
    let may_have_it = command.iter().any(|word| {
        let name = word.text.trim_start_matches('$').trim_matches(['{', '}']);
        word.text.contains('$') && !others.contains(&name)
    });
    let has_it = || {
        let is_it = |one: &Argument| matches!(&*one.name, "kubeconfig" | "bootstrap-kubeconfig");
        anyhow::Ok(arguments(host)?.iter().any(is_it))
    };
    let place = (program.path.clone(), program.line);
    Ok(if may_have_it || has_it()? { None } else { Some(place) })
}

/// All arguments that kubelet gets.
fn arguments(host: &Host) -> anyhow::Result<Vec<Argument>> {
    let service = service(host)?;
    let mut variables = service.variables;
    let mut files = service.files;
    for path in &files {
        let text = regular(host, path)?.unwrap_or_default();
        variables.extend(assignments(path, &text));
    }
    let mut words = Vec::new();
    for word in service.command.into_iter().skip(1) {
        let name = word.text.strip_prefix('$').map(|name| name.trim_matches(['{', '}']));
        match name {
            Some(name) => words.extend(variables.get(name).cloned().unwrap_or_default()),
            None => words.push(word),
        }
    }
    // On an EL system only a site's own drop-in reads this file, so it is meant to
    // count.
    files.retain(|path| path == DEBIAN);
    if files.is_empty() {
        let text = regular(host, DEBIAN)?.unwrap_or_default();
        words.extend(assignments(DEBIAN, &text).remove(VARIABLE).unwrap_or_default());
    }
    let next = |at: usize| words.get(at + 1).filter(|next| !next.text.starts_with('-'));
    let argument = |(at, word): (usize, &Word)| {
        let bare = word.text.strip_prefix("--")?;
        let (name, value) = match bare.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (bare, next(at).map(|next| next.text.clone())),
        };
        // kubelet takes `_` and `-` alike (`WordSepNormalizeFunc`).
        let name = name.replace('_', "-");
        Some(Argument { name, value, path: word.path.clone(), line: word.line })
    };
    Ok(words.iter().enumerate().filter_map(argument).collect())
}

/// The arguments that count on this node: not those that kubeadm left of an earlier
/// cluster, because it writes them anew.
pub(crate) fn holding(host: &Host) -> anyhow::Result<Vec<Argument>> {
    let mut all = arguments(host)?;
    if !host.exists(paths::KUBELET_CONF) {
        all.retain(|argument| argument.path != KUBEADM);
    }
    Ok(all)
}

/// Why the installed kubelet refuses its arguments; none if it takes them, if there
/// are none, or if there is no kubelet. kubelet reads all arguments before it prints
/// its version.
pub(crate) fn refused(host: &Host) -> anyhow::Result<Option<Failure>> {
    let all = holding(host)?;
    if all.is_empty() {
        return Ok(None);
    }
    let word = |one: &Argument| match &one.value {
        Some(value) => format!("--{}={value}", one.name),
        None => format!("--{}", one.name),
    };
    let command = Command::of("kubelet");
    let command = all.iter().map(word).fold(command, Command::with).with("--version");
    let said = host.answer(&command)?;
    if said.succeeded() || said.status == Some(127) {
        return Ok(None);
    }
    // kubelet before 1.23 prints a stack trace after that line.
    let is_why = |line: &&str| line.contains("unknown flag") || line.contains("invalid argument");
    let why = said.stderr.lines().find(is_why).or(said.reason()).unwrap_or("it does not say why");
    let named = |one: &&Argument| {
        let mut words = why.split(|letter: char| letter.is_whitespace() || "\"',".contains(letter));
        words.any(|word| word.strip_prefix("--") == Some(one.name.as_str()))
    };
    let meant: Vec<&Argument> = all.iter().filter(named).collect();
    let meant = if meant.is_empty() { all.iter().collect() } else { meant };
    let place = |one: &&Argument| format!("--{} of {}, line {}", one.name, one.path, one.line);
    let places: Vec<String> = meant.iter().map(place).collect();
    Ok(Some(Failure::new(
        format!("kubelet does not start with its arguments: {why}"),
        format!("take out, or mend, {}", places.join("; ")),
    )))
}

/// The drop-ins in the order of their names, with the package's among them.
fn drop_ins(host: &Host) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let mut found = BTreeMap::new();
    let (packages, _) = PACKAGES;
    for folder in OWN.into_iter().chain(OTHERS) {
        let is_others = OTHERS.contains(&folder);
        let folder = format!("{folder}/kubelet.service.d");
        for name in host.list(&folder)?.into_iter().filter(|name| name.ends_with(".conf")) {
            // The new package brings its own file in place of this one.
            if is_others && name == packages {
                continue;
            }
            let path = format!("{folder}/{name}");
            let text = regular(host, &path)?.unwrap_or_default();
            found.entry(name).or_insert((path, text));
        }
    }
    let (name, text) = PACKAGES;
    let path = format!("/usr/lib/systemd/system/kubelet.service.d/{name}");
    found.entry(name.to_owned()).or_insert((path, text.to_owned()));
    Ok(found)
}

/// What a unit and its drop-ins say; later ones override earlier ones.
#[derive(Default)]
struct Service {
    variables: BTreeMap<String, Vec<Word>>,
    files: Vec<String>,
    command: Vec<Word>,
}

impl Service {
    fn read(&mut self, path: &str, text: &str) {
        for (line, text) in logical_lines(text) {
            let Some((key, value)) = text.split_once('=') else { continue };
            let value = value.trim();
            let word = |text: &str| Word { text: text.to_owned(), path: path.to_owned(), line };
            let split = || shlex::split(value).unwrap_or_default();
            match key.trim() {
                "Environment" if value.is_empty() => self.variables.clear(),
                "Environment" => {
                    for one in split() {
                        let Some((name, value)) = one.split_once('=') else { continue };
                        let words = value.split_ascii_whitespace().map(word).collect();
                        self.variables.insert(name.to_owned(), words);
                    }
                }
                "EnvironmentFile" if value.is_empty() => self.files.clear(),
                "EnvironmentFile" => {
                    self.files.push(value.trim_start_matches('-').trim_matches('"').to_owned());
                }
                "ExecStart" => self.command = split().iter().map(|one| word(one)).collect(),
                _ => {}
            }
        }
    }
}

/// The variables of an environment file, each with the words of its last value.
fn assignments(path: &str, text: &str) -> BTreeMap<String, Vec<Word>> {
    let mut found = BTreeMap::new();
    for (line, text) in logical_lines(text) {
        let Some((name, value)) = text.split_once('=') else { continue };
        let word = |text: &str| Word {
            text: text.trim_matches(['"', '\'']).to_owned(),
            path: path.to_owned(),
            line,
        };
        let words = value.split_ascii_whitespace().map(word);
        found.insert(name.trim().to_owned(), words.filter(|word| !word.text.is_empty()).collect());
    }
    found
}

/// Lines without comments, each joined with its continuations, and its number.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (text, continues) = match line.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (line, false),
        };
        match found.last_mut().filter(|_| goes_on) {
            Some((_, whole)) => *whole = format!("{whole} {text}"),
            None => found.push((number + 1, text.to_owned())),
        }
        goes_on = continues;
    }
    found
}

/// A file's text; none for a unit that is masked by a link to /dev/null.
fn regular(host: &Host, path: &str) -> anyhow::Result<Option<String>> {
    if host.path(host.followed(path)?).is_file() { host.read(path) } else { Ok(None) }
}
