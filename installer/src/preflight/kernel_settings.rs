//! Kernel settings of the site that break pods' networks or kubelet.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use bundle_format::ImageReference;
use bundle_format::cluster::ProxyMode;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::sysctl;
use crate::preflight::earlier::has_begun;
use crate::steps::manifests;

/// The file for a site's own values, for each boot.
const OWN: &str = "/etc/sysctl.d/99-site.conf";
/// The values that kubelet requires. It sets them itself, unless
/// `protectKernelDefaults` forbids that (its
/// `pkg/kubelet/cm/container_manager_linux.go`, `setupKernelTunables`).
const PROTECTED: [(&str, i64); 6] = [
    ("vm.overcommit_memory", 1),
    ("vm.panic_on_oom", 0),
    ("kernel.panic", 10),
    ("kernel.panic_on_oops", 1),
    ("kernel.keys.root_maxkeys", 1_000_000),
    ("kernel.keys.root_maxbytes", 25_000_000),
];
/// The inotify limits below which Embedded Cluster's preflight fails, and of which
/// kind warns ("Pod errors due to too many open files").
const INOTIFY: [(&str, i64); 2] =
    [("fs.inotify.max_user_instances", 1024), ("fs.inotify.max_user_watches", 65_536)];
/// The number of root's instances that kubelet, containerd and a control plane need.
const INSTANCES: i64 = 32;
/// The number of watches that they need, for their own files and those of each pod.
const WATCHES: i64 = 1024;

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    if intent.cluster.kubelet.get("protectKernelDefaults") == Some(&true.into()) {
        let mut other = Vec::new();
        for (key, wanted) in PROTECTED {
            if number(host, key)?.is_some_and(|now| now != wanted) {
                other.push((key, wanted));
            }
        }
        if !other.is_empty() {
            let keys: Vec<&str> = other.iter().map(|(key, _)| *key).collect();
            found.push(Failure::new(
                format!(
                    "kubelet does not start with protectKernelDefaults: the kernel has other values of {}",
                    keys.join(", ")
                ),
                format!("{}, or take protectKernelDefaults out of the cluster file", set(&other)),
            ));
        }
    }
    found.extend(loose(host, intent)?);
    let ignored = conf(host, "arp_ignore")?;
    if is_deaf(intent, ignored) {
        found.push(Failure::new(
            format!("arp_ignore is {ignored}: pods and this node get no answer from each other"),
            set(&ANSWERING),
        ));
    }
    found.extend(inotify(host)?);
    Ok(found)
}

pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let all = number(host, "net.ipv4.conf.all.rp_filter")?.unwrap_or(0);
    let mut names: Vec<&String> = intent.facts.addresses.iter().map(|(name, _)| name).collect();
    names.dedup();
    let own = match intent.facts.interface(intent.address) {
        Some(name) => host.read(format!("/proc/sys/net/ipv4/conf/{name}/rp_filter"))?,
        None => None,
    };
    let is_strict = own.is_some_and(|text| text.trim() == "1");
    if all == 1 || is_strict && all == 0 && names.len() > 1 {
        // The larger value of `all` and the interface counts, so 2 here is
        // enough. Cilium sets 0 itself when it starts (its
        // `pkg/datapath/loader`), and a file may override that.
        let value = if image(intent, CILIUM).is_some() { 0 } else { 2 };
        found.push(Failure::new(
            "rp_filter is 1: the kernel drops a packet that comes in by another interface than \
             its answer would leave by",
            set(&[("net.ipv4.conf.all.rp_filter", value)]),
        ));
    }
    // kube-proxy sets this itself for IPVS (`strictARP`).
    let ignored = conf(host, "arp_ignore")?;
    let is_ours = ignored == 1 && intent.cluster.proxy_mode == ProxyMode::Ipvs;
    if matches!(ignored, 1 | 2) && !is_ours && !is_deaf(intent, ignored) {
        found.push(Failure::new(
            format!(
                "arp_ignore is {ignored}: this node does not answer when others ask for an \
                 address of another of its interfaces"
            ),
            set(&ANSWERING),
        ));
    }
    if conf(host, "arp_filter")? > 0 {
        found.push(Failure::new(
            "arp_filter is on: this node may not answer pods that ask for its hardware address",
            set(&[("net.ipv4.conf.all.arp_filter", 0), ("net.ipv4.conf.default.arp_filter", 0)]),
        ));
    }
    let mut low = Vec::new();
    for (key, wanted) in INOTIFY {
        if number(host, key)?.is_some_and(|now| now < wanted) {
            low.push((key, wanted));
        }
    }
    if !low.is_empty() && inotify(host)?.is_none() {
        let keys: Vec<String> =
            low.iter().map(|(key, wanted)| format!("{key} is below {wanted}")).collect();
        found.push(Failure::new(
            format!("{}: many pods on a node fail with \"too many open files\"", keys.join(", ")),
            set(&low),
        ));
    }
    Ok(found)
}

const CALICO: &str = "calico/node";
const CILIUM: &str = "cilium/cilium";
const ANSWERING: [(&str, i64); 2] =
    [("net.ipv4.conf.all.arp_ignore", 0), ("net.ipv4.conf.default.arp_ignore", 0)];

/// Whether pods and the node cannot resolve each other's addresses. 8 answers nobody.
/// 2 answers only senders in the interface's own network; Calico's pods are not,
/// because each has a network of one address. 3 answers for all but addresses of
/// scope host, and 4 to 7 mean nothing (`arp_ignore` in Linux' `net/ipv4/arp.c`).
fn is_deaf(intent: &Intent, ignored: i64) -> bool {
    ignored == 8 || ignored == 2 && image(intent, CALICO).is_some()
}

/// An old Calico, which does not start with loose reverse path filtering.
fn loose(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let key = "net.ipv4.conf.all.rp_filter";
    let now = number(host, key)?;
    // Before 3.12 it exited (its release notes, "RPF").
    let is_old = |image: &ImageReference| {
        let tag = image.tag().unwrap_or_default().trim_start_matches('v').to_owned();
        let mut parts = tag.split('.').map_while(|part| part.parse::<u32>().ok());
        matches!((parts.next(), parts.next()), (Some(major), Some(minor)) if (major, minor) < (3, 12))
    };
    if now == Some(2) && image(intent, CALICO).is_some_and(is_old) {
        return Ok(Some(Failure::new(
            format!("{key} is 2, and Calico before 3.12 does not start with it"),
            set(&[(key, 1)]),
        )));
    }
    Ok(None)
}

/// An image of the applied manifests, by its name in any registry.
fn image<'a>(intent: &'a Intent, name: &str) -> Option<&'a ImageReference> {
    let mut images = manifests::wanted(intent).flat_map(|manifest| &manifest.images);
    images.find(|image| format!("/{}", image.repository()).ends_with(&format!("/{name}")))
}

/// Too few inotify instances or watches for kubelet and containerd to start.
fn inotify(host: &Host) -> anyhow::Result<Option<Failure>> {
    let [(instances, _), (watches, _)] = INOTIFY;
    let taken = taken(host);
    let few = number(host, instances)?.is_some_and(|most| most - taken < INSTANCES);
    if !few && number(host, watches)?.is_none_or(|most| most >= WATCHES) {
        return Ok(None);
    }
    let (key, used) = if few {
        (instances, format!(", of which {taken} are taken"))
    } else {
        (watches, String::new())
    };
    let now = number(host, key)?.unwrap_or(0);
    Ok(Some(Failure::new(
        format!("{key} is {now}{used}: too few for kubelet and containerd"),
        set(&INOTIFY),
    )))
}

/// The number of inotify instances of root's processes, as far as they can be seen. A
/// forked process shares its parent's instance: it has the same number, and the same
/// watches.
fn taken(host: &Host) -> i64 {
    let processes = fs::read_dir(host.path("/proc")).into_iter().flatten().flatten();
    let is_roots = |one: &fs::DirEntry| one.metadata().is_ok_and(|found| found.uid() == 0);
    let mut own = BTreeSet::new();
    for process in processes.filter(is_roots).map(|one| one.path()) {
        let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        for file in files {
            let leads = fs::read_link(file.path());
            if leads.is_ok_and(|to| to.as_os_str() == "anon_inode:inotify") {
                let number = file.file_name();
                let watches = fs::read(process.join("fdinfo").join(&number)).unwrap_or_default();
                own.insert((number, watches));
            }
        }
    }
    i64::try_from(own.len()).unwrap_or(i64::MAX)
}

fn number(host: &Host, key: &str) -> anyhow::Result<Option<i64>> {
    Ok(sysctl::now(host, key)?.and_then(|text| text.parse().ok()))
}

/// The value for new interfaces, such as those of pods: the larger of the two.
fn conf(host: &Host, key: &str) -> anyhow::Result<i64> {
    let of = |place: &str| number(host, &format!("net.ipv4.conf.{place}.{key}"));
    Ok(of("all")?.max(of("default")?).unwrap_or(0))
}

/// The commands that set values now, and at each boot.
fn set(values: &[(&str, i64)]) -> String {
    let words: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!(
        "`sysctl -w {}`, and the same lines in {OWN}, since the last file that has a key wins",
        words.join(" ")
    )
}
