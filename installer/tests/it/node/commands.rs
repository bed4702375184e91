//! What the commands of a small node do. What a kernel or systemd would hold in
//! memory they leave below `proc`, `sys` and `run`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

use installer::exec::{Command, Exec, Input, Output};

use super::{applied, control_plane, etcd, firewalld, ingress, packages, upgrading};

/// What goes wrong, at the command of that number, from 0, that changes something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It cannot be started.
    Refused(usize),
    /// It does what it should, and then fails.
    Late(usize),
    /// It does what it should, and then the power is lost.
    Killed(usize),
    /// It says that it did, and did nothing.
    Idle(usize),
    /// The power is lost while it writes its first file.
    Half(usize),
    /// No command; but what was started answers from the second time on.
    Slow,
    /// No command; but the question that begins so is ended before it is answered.
    Mute(&'static str),
    /// No command; but the question that begins so is never answered.
    Hung(&'static str),
}

const KEEPALIVED: &str = "etc/keepalived/keepalived.conf";
const EXPORTS: &str = "etc/exports.d/kubeferry.exports";

#[derive(Clone)]
pub(crate) struct Commands {
    root: PathBuf,
    fault: Option<Fault>,
    made: Arc<Mutex<Vec<String>>>,
    was_asked: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    told: Arc<AtomicUsize>,
}

impl Exec for Commands {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        let words: Vec<&str> = command.words().iter().map(String::as_str).collect();
        if let Some(Fault::Mute(question)) = self.fault
            && command.to_string().starts_with(question)
        {
            return Ok(Output::default());
        }
        if self.is_gone(words[0]) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if let Some(answer) = self.answer(&words) {
            return answer;
        }
        let nth = self.made.lock().unwrap().len();
        self.made.lock().unwrap().push(command.to_string());
        match self.fault {
            Some(Fault::Refused(at)) if at == nth => Err(io::Error::other("it was refused")),
            Some(Fault::Late(at)) if at == nth => {
                self.change(&words);
                Ok(Output { status: Some(1), ..Output::default() })
            }
            Some(Fault::Killed(at)) if at == nth => {
                self.change(&words);
                std::panic::resume_unwind(Box::new("the power was lost"));
            }
            Some(Fault::Idle(at)) if at == nth => Ok(said(true, "there was nothing to do\n")),
            Some(Fault::Half(at)) if at == nth => {
                self.cut_short(&words);
                Ok(Output { status: None, ..Output::default() })
            }
            _ => Ok(said(self.change(&words), "")),
        }
    }

    fn ask(&self, command: &Command, limit: Duration) -> io::Result<Output> {
        if let Some(Fault::Hung(question)) = self.fault
            && command.to_string().starts_with(question)
        {
            let what = format!("did not answer within {} s", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        self.run(command, None)
    }
}

pub(super) fn said(good: bool, text: &str) -> Output {
    let status = Some(i32::from(!good));
    Output { status, stdout: text.to_owned(), stderr: String::new() }
}

impl Commands {
    pub(super) fn of(root: &Path, fault: Option<Fault>) -> Self {
        Self {
            root: root.to_owned(),
            fault,
            made: Arc::default(),
            was_asked: Arc::default(),
            asked: Arc::default(),
            told: Arc::default(),
        }
    }

    /// The commands that changed something, or failed to.
    pub(crate) fn made(&self) -> Vec<String> {
        self.made.lock().unwrap().clone()
    }

    /// How often firewalld's own programs were asked, which are slow.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }

    /// How often firewalld was asked over D-Bus.
    pub(crate) fn told(&self) -> usize {
        self.told.load(Relaxed)
    }

    /// The answer to a question; none where it is none.
    fn answer(&self, words: &[&str]) -> Option<io::Result<Output>> {
        // While there is `run/api-silent`: until kubelet starts.
        if words[0] == "kubectl" && self.root.join("run/api-silent").exists() {
            return Some(Ok(said(false, "")));
        }
        let parts = [
            ingress::answer(&self.root, words),
            packages::answer(&self.root, words),
            applied::answer(&self.root, words),
            etcd::answer(&self.root, words),
            upgrading::answer(&self.root, words),
        ];
        if let Some(output) = parts.into_iter().flatten().next() {
            return Some(Ok(output));
        }
        Some(Ok(match words {
            ["hostname"] => said(true, &self.read("proc/sys/kernel/hostname")),
            ["systemctl", "is-active", unit] => {
                let is = self.has("active", unit);
                let word = if self.has("failed", unit) { "activating\n" } else { "inactive\n" };
                // As systemd 219 has it.
                let word = if self.has("absent", unit) { "unknown\n" } else { word };
                said(is, if is { "active\n" } else { word })
            }
            ["systemctl", "is-enabled", unit] => {
                let is = |word| self.has(word, unit).then_some(word);
                let word = is("masked").or(is("enabled"));
                said(word == Some("enabled"), word.unwrap_or("disabled"))
            }
            ["systemctl", "show", "--property=LoadState", unit] => {
                let is_gone = self.is_gone(unit) || self.has("absent", unit);
                let word = if is_gone { "not-found" } else { "loaded" };
                said(true, &format!("LoadState={word}\n"))
            }
            ["systemctl", "show", "--property=LoadState", "--property=ActiveState", units @ ..] => {
                let (absent, loaded) = ("not-found\nActiveState=inactive", "loaded");
                let state = |unit| if self.has("absent", unit) { absent } else { loaded };
                let told = units.iter().map(|unit| format!("LoadState={}", state(unit)));
                said(true, &told.collect::<Vec<_>>().join("\n\n"))
            }
            ["systemctl", "show", "--property=ExecStart", ..] => said(true, "ExecStart=\n"),
            // What it says of its configuration nobody knows who has only its files.
            ["containerd", ..] | ["ctr", "plugins", ..] => {
                Output { status: Some(127), ..Output::default() }
            }
            ["chronyc", "-c", "sources"] => {
                let follows = self.read("run/systemd/active/chronyd").contains("server 10.0.0.1");
                said(true, if follows { "^,*,10.0.0.1,3\n" } else { "" })
            }
            ["crictl", .., "info"] => {
                let early =
                    matches!(self.fault, Some(Fault::Slow)) && !self.was_asked.swap(true, Relaxed);
                said(self.has("active", "containerd") && !early, "")
            }
            ["chronyc", "-c", "tracking"] => {
                let own = self.read("run/chrony/tracking");
                let good = "0A000001,10.0.0.1,11,1700000000.0,0.000012,0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.0,Normal\n";
                said(self.has("active", "chronyd"), if own.is_empty() { good } else { &own })
            }
            ["crictl", .., "version"] => said(!self.root.join("run/mute").exists(), ""),
            ["ctr", "-n", "k8s.io", "images", "check", "--quiet"] => {
                let images = self.read("run/images");
                said(!images.is_empty(), &images)
            }
            ["ctr", "-n", "k8s.io", "content", "ls", "--quiet"] => {
                said(true, &self.read("run/content"))
            }
            ["df", "--portability", ..] => said(true, &self.read("run/df")),
            ["journalctl", "--unit", ..] => said(true, &self.read("run/journal")),
            ["kubelet", options @ .., "--version"] => {
                // As its own command line has it: `run/no-flags` has those that are gone.
                let gone = self.read("run/no-flags");
                let is_gone = |option: &&&str| gone.lines().any(|one| option.starts_with(one));
                match options.iter().find(is_gone) {
                    Some(option) => {
                        let name = option.split('=').next().unwrap();
                        let stderr = format!("F1127 server.go:156] unknown flag: {name}\nstack\n");
                        Output { stderr, ..said(false, "") }
                    }
                    None => said(true, "Kubernetes v1.28.2\n"),
                }
            }
            ["kubectl", .., "get", "--raw", "/api/v1/nodes/node-1"] => {
                let node = self.read("run/api-node.json");
                let stderr = self.read("run/api-says");
                Output { stderr, ..said(!node.is_empty(), &node) }
            }
            ["kubectl", .., "get", "sa", "default"] => said(true, "default"),
            ["kubectl", .., "get", "daemonset", "kube-proxy"]
                if !self.root.join("run/api-says").exists() =>
            {
                said(self.root.join("etc/kubernetes/admin.conf").exists(), "")
            }
            ["kubectl", .., "get", "node" | "daemonset", "node-1" | "kube-proxy"] => {
                let stderr = self.read("run/api-says");
                Output { status: Some(1), stdout: String::new(), stderr }
            }
            ["firewall-cmd", "--state"] => {
                let status = if self.has("active", "firewalld") { 0 } else { 252 };
                Output { status: Some(status), ..Output::default() }
            }
            ["kubeadm", "config", "images", "list", "--kubernetes-version", version, ..] => {
                let listed = self.read("run/kubeadm-images");
                let known = ["v1.28.2", "v1.29.1", "v1.30.4"].contains(version);
                said(known && !listed.is_empty(), &listed)
            }
            ["modprobe", "--dry-run", name] => {
                said(!self.read("run/no-modules").lines().any(|one| one == *name), "")
            }
            ["ss", "-ltnp"] => said(true, &self.read("run/listening")),
            ["xfs_info", _] => match self.read("run/xfs_info") {
                text if text.is_empty() => Output { status: Some(127), ..Output::default() },
                text => said(true, &text),
            },
            ["env", _, "getent", "ahostsv4", name] => {
                let known = self.read("run/dns");
                let line = known.lines().find(|line| name.ends_with(&format!(".{line}.")));
                said(line.is_some(), if line.is_some() { "192.0.2.7 STREAM x\n" } else { "" })
            }
            ["kubectl", .., "get", "daemonset", name, "-o", _] => {
                said(true, &self.read(plugin(name)))
            }
            ["kubectl", .., "get", "--raw", "/readyz"] => {
                said(self.read("run/tasks").contains("kube-apiserver"), "ok")
            }
            ["ctr", "-n", "k8s.io", "tasks", "list"] => control_plane::tasks(&self.root),
            ["ctr", "-n", "k8s.io", "containers", "list", filter] => {
                assert!(filter.contains("kind\"==container"), "{filter}");
                control_plane::with_images(&self.root)
            }
            ["ctr", "-n", "k8s.io", "containers", "list", "--quiet", filter] => {
                control_plane::containers(&self.root, filter)
            }
            ["kubeadm", words @ .., "--help"] => control_plane::help(&self.root, words),
            ["kubeadm", "kubeconfig", "user", options @ ..]
            | ["kubeadm", "alpha", "kubeconfig", "user", options @ ..] => {
                control_plane::person(&self.root, options)
            }
            ["ip", "-o", "-4", "addr", "show"] => {
                let own = self.read("run/addresses");
                let usual = "2: eth0    inet 10.0.0.2/24 brd 10.0.0.255 scope global eth0\n";
                let moving = self.moving().map(|vip| format!("2: eth0    inet {vip}/32 scope\n"));
                let own = if own.is_empty() { usual } else { &own };
                said(true, &format!("{own}{}", moving.unwrap_or_default()))
            }
            ["grep", .., address, "/proc/net/fib_trie"] => {
                said(self.moving().as_deref() == Some(address), "")
            }
            ["ip", "-4", "neigh", "show", "to", _] => said(true, &self.read("run/neighbour")),
            ["arping", "-D", ..] => match self.read("run/arping").trim().parse() {
                Ok(status) => Output { status: Some(status), ..Output::default() },
                Err(_) => said(true, ""),
            },
            ["/usr/libexec/keepalived/kubeferry-readyz"] => {
                said(!self.root.join("run/not-ready").exists(), "")
            }
            ["getent", "ahosts", name] => {
                let known = self.read("run/names");
                let mut lines = known.lines().filter_map(|line| line.split_once(' '));
                let found = lines.find_map(|(own, to)| (own == *name).then_some(to));
                said(found.is_some(), &format!("{} STREAM x\n", found.unwrap_or_default()))
            }
            ["ip", "-o", "route", "get", address] => {
                let routes = self.read("run/routes");
                let by = routes.lines().find_map(|line| line.strip_prefix(address));
                said(by.is_some(), &format!("{address} via 10.0.0.254 dev {}\n", by.unwrap_or("?")))
            }
            ["nmcli", "--get-values", "GENERAL.CON-UUID", "device", "show", device] => {
                said(true, &format!("of-{device}\n"))
            }
            ["nmcli", "--get-values", "connection.zone", "connection", "show", of] => {
                said(true, &self.read(&format!("run/nmcli/{of}")))
            }
            ["kubectl", "--kubeconfig", "/etc/kubernetes/kubelet.conf", .., "/api/v1/nodes"]
                if self.root.join("run/own-node-only").exists() =>
            {
                said(false, "")
            }
            ["kubectl", .., "get", "--raw", "/api/v1/nodes"] => {
                let nodes = self.read("run/api-nodes.json");
                let list = if nodes.is_empty() { "{\"items\": []}" } else { &nodes };
                said(!self.root.join("run/api-says").exists(), list)
            }
            words => {
                if let Some(told) = firewalld::told(&self.root, words) {
                    self.told.fetch_add(1, Relaxed);
                    return Some(Ok(told));
                }
                let (place, options) = firewalld::place(words)?;
                let output = firewalld::answer(&self.root, place, options)?;
                self.asked.fetch_add(1, Relaxed);
                output
            }
        }))
    }

    /// Does it; gives whether it could.
    fn change(&self, words: &[&str]) -> bool {
        if words == ["systemctl", "restart", "kubelet"] {
            self.remove("run/api-silent");
        }
        if let Some(could) = etcd::change(&self.root, words) {
            return could;
        }
        if let Some(good) = upgrading::change(&self.root, words) {
            return good;
        }
        match words {
            ["hostnamectl", "set-hostname", name] => {
                self.write("proc/sys/kernel/hostname", &format!("{name}\n"));
                self.write("etc/hostname", &format!("{name}\n"));
            }
            ["systemctl", .., unit] if self.is_gone(unit) => return false,
            ["systemctl", "daemon-reload"] => self.reload_units(),
            ["systemctl", "enable", unit] => self.write(&state("enabled", unit), ""),
            ["systemctl", "disable", unit] => self.remove(&state("enabled", unit)),
            ["systemctl", "disable", "--now", unit] => {
                self.remove(&state("enabled", unit));
                self.stop(unit);
            }
            ["systemctl", "enable", "--now", "firewalld"] => {
                self.write(&state("enabled", "firewalld"), "");
                self.write(&state("active", "firewalld"), "");
                firewalld::start(&self.root);
            }
            ["systemctl", "try-restart", unit] if !self.has("active", unit) => {}
            // A site's own unit lies where the link is to be.
            ["systemctl", "mask", unit]
                if self.root.join("etc/systemd/system").join(unit).exists() =>
            {
                return false;
            }
            ["systemctl", "restart", "swap.target"] | ["networkctl", "reload"] => {}
            ["systemctl", "mask", unit] => self.write(&state("masked", unit), ""),
            ["systemctl", "unmask", unit] => self.remove(&state("masked", unit)),
            ["systemctl", "reload", unit] if !self.has("active", unit) => return false,
            ["systemctl", "start", unit] if self.has("active", unit) => {}
            ["systemctl", "try-restart" | "restart" | "start", "firewalld"] => {
                self.write(&state("active", "firewalld"), "");
                firewalld::start(&self.root);
            }
            ["systemctl", "restart", "kubelet"]
                if self.root.join("etc/kubernetes/manifests").exists() =>
            {
                self.write(&state("active", "kubelet"), &self.read("var/lib/kubelet/config.yaml"));
                control_plane::start(&self.root);
            }
            ["ctr", "-n", "k8s.io", "tasks", "kill", "--signal", _, id] => {
                return control_plane::end(&self.root, id, self.has("active", "kubelet"));
            }
            ["kubeadm", "certs", "renew", "all", ..] => {
                control_plane::renew(&self.root);
            }
            ["kubeadm", "init", "phase", "kubeconfig", "kubelet", ..] => {
                self.write("etc/kubernetes/kubelet.conf", &self.read("run/kubelet.conf"));
            }
            ["systemctl", "start" | "restart" | "reload", unit] => {
                let path = match *unit {
                    "chronyd" => "etc/chrony.conf",
                    "containerd" => "etc/containerd/config.toml",
                    "kubelet" => "var/lib/kubelet/config.yaml",
                    "nfs-server" => EXPORTS,
                    "keepalived" => KEEPALIVED,
                    "NetworkManager" => "etc/NetworkManager/conf.d/kubeferry.conf",
                    unit => &state("loaded", unit),
                };
                self.write(&state("active", unit), &self.read(path));
            }
            ["systemctl", "stop", unit] => self.stop(unit),
            ["swapoff", "-a"] => self.write("proc/swaps", "Filename Type\n"),
            ["swapon", "-a", "--ifexists"] => {
                let fstab = self.read("etc/fstab");
                let swaps = fstab.lines().filter(|line| line.contains(" swap "));
                let devices = swaps.filter(|line| !line.starts_with('#'));
                let lines = devices.map(|line| format!("{line}\n")).collect::<String>();
                self.write("proc/swaps", &format!("Filename Type\n{lines}"));
            }
            ["modprobe", name] => {
                let loaded = self.read("proc/modules");
                self.write("proc/modules", &format!("{loaded}{name} 1\n"));
                if *name == "br_netfilter" {
                    let has_ipv6 = self.root.join("proc/sys/net/ipv6").exists();
                    for key in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
                        if has_ipv6 || !key.ends_with("ip6tables") {
                            let path = format!("proc/sys/net/bridge/{key}");
                            self.write(&path, &self.read("run/bridges"));
                        }
                    }
                }
            }
            ["sysctl", "-w", setting] => return self.set(setting),
            ["sysctl", "--load", path] => {
                let text = self.read(path.trim_start_matches('/'));
                return text.lines().all(|line| self.set(&line.replace(' ', "")));
            }
            ["kubectl", .., "set", "env", workload, _, variable] => {
                let file = plugin(workload.strip_prefix("daemonset/").unwrap());
                match variable.split_once('=') {
                    None => self.remove(file),
                    Some((_, value)) => self.write(file, value),
                }
            }
            ["exportfs", "-ra"] => {
                if self.has("active", "nfs-server") {
                    self.write(&state("active", "nfs-server"), &self.read(EXPORTS));
                }
            }
            ["firewall-cmd", "--reload"] => firewalld::start(&self.root),
            [program @ ("firewall-cmd" | "firewall-offline-cmd"), ..] => {
                let (place, options) = firewalld::place(words).unwrap();
                let can = self.has("active", "firewalld") == (*program == "firewall-cmd");
                return can && firewalld::change(&self.root, place, options);
            }
            ["kubeadm", "init", ..] => self.write("etc/kubernetes/admin.conf", ""),
            ["kubectl", ..] if ingress::change(&self.root, words) => {}
            ["kubectl", ..] if applied::change(&self.root, words) => {}
            ["setenforce", value] => self.write("sys/fs/selinux/enforce", value),
            ["chronyc", "waitsync", ..] => return self.has("active", "chronyd"),
            ["dnf" | "yum" | "rpm", ..] => return packages::change(&self.root, words),
            _ => panic!("a small node has no `{}`", words.join(" ")),
        }
        true
    }

    /// Begins it, and leaves a file without its end.
    fn cut_short(&self, words: &[&str]) {
        match words {
            ["kubeadm", "certs", "renew", "all", ..] => {
                self.write("etc/kubernetes/pki/apiserver.crt", "-----BEGIN CERTIFI");
                self.write("etc/kubernetes/admin.conf", "");
            }
            ["kubeadm", "init" | "join", ..] => self.write("etc/kubernetes/kubelet.conf", ""),
            ["kubeadm", "upgrade", "apply", ..] => upgrading::cut_short(&self.root),
            _ => {}
        }
    }

    /// Sets a key of the kernel's, if it has that.
    fn set(&self, setting: &str) -> bool {
        let (key, value) = setting.split_once('=').unwrap();
        let path = format!("proc/sys/{}", key.replace('.', "/"));
        let is_there = self.root.join(&path).exists();
        let value = format!("{value}\n");
        let is_new = self.read(&path) != value;
        if is_there {
            self.write(&path, &value);
        }
        // These two are one switch, which all interfaces follow when it is turned.
        if is_new && ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"].contains(&key) {
            self.write("proc/sys/net/ipv4/ip_forward", &value);
            let conf = "proc/sys/net/ipv4/conf";
            for interface in fs::read_dir(self.root.join(conf)).unwrap() {
                let name = interface.unwrap().file_name().into_string().unwrap();
                self.write(&format!("{conf}/{name}/forwarding"), &value);
            }
        }
        is_there
    }

    /// systemd reads the units that are the node's own.
    fn reload_units(&self) {
        let loaded = self.root.join("run/systemd/loaded");
        fs::remove_dir_all(&loaded).unwrap();
        fs::create_dir(&loaded).unwrap();
        for unit in fs::read_dir(self.root.join("etc/systemd/system")).unwrap() {
            let unit = unit.unwrap();
            if !unit.path().is_file() {
                continue;
            }
            fs::copy(unit.path(), loaded.join(unit.file_name())).unwrap();
        }
    }

    /// Whether others have removed this unit or program: `run/gone` has one a line.
    fn is_gone(&self, name: &str) -> bool {
        self.read("run/gone").lines().any(|one| one == name)
    }

    /// The address that keepalived gives to this node while it runs.
    fn moving(&self) -> Option<String> {
        let told = self.read("run/systemd/active/keepalived");
        let is_elsewhere = self.root.join("run/held-elsewhere").exists();
        let (_, after) = told.split_once("virtual_ipaddress {").filter(|_| !is_elsewhere)?;
        after.split_ascii_whitespace().next().map(str::to_owned)
    }

    fn stop(&self, unit: &str) {
        self.remove(&state("active", unit));
        if unit == "firewalld" {
            firewalld::stop(&self.root);
        }
    }

    fn has(&self, word: &str, unit: &str) -> bool {
        self.root.join(state(word, unit)).exists()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        drop(fs::remove_file(self.root.join(path)));
    }
}

fn state(word: &str, unit: &str) -> String {
    format!("run/systemd/{word}/{unit}")
}

/// Where the variable of a network plugin's DaemonSet is.
fn plugin(name: &str) -> &'static str {
    match name {
        "calico-node" => "run/calico",
        "kube-flannel-ds" => "run/flannel",
        _ => panic!("{name}"),
    }
}
