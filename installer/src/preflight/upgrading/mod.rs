//! What is in the way of an upgrade; and an upgrade that is in the way of anything else.

mod apis;
mod behind;
mod by_hand;
mod cluster;
mod etcd;
pub mod new_kubeadm;

use std::path::Path;
use std::time::{Duration, SystemTime};

use bundle_format::bounds::OLDEST_UPGRADED;

use crate::failure::Failure;
use crate::hop;
use crate::host::Host;
use crate::intent::{Intent, Upgrading};
use crate::node::certificates::kept::Keeper;
use crate::node::certificates::pki;
use crate::node::kubeadm::{Kept, image_repository};
use crate::node::paths::{KUBEADM_CONFIG, KUBEADM_JOINED, PACKAGES};
use crate::node::pods;
use crate::node::rpm::Installed;
use crate::receipt::{Stage, Upgrade, upgrade};
use crate::role::Role;
use crate::steps::packages::compared::compare;
use crate::steps::upgrade::drain;

/// How long certificates must be valid at least: an upgrade, and the way back.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let Some(own) = &intent.upgrade else {
        return Ok(upgrade(host.lines()).and_then(in_the_middle).into_iter().collect());
    };
    let open = open(host, intent)?;
    let mut found: Vec<Failure> = other(open, intent).into_iter().collect();
    found.extend(order(own, intent));
    found.extend(repository(host, intent));
    if open.is_some() {
        // It has begun: nothing may answer now, and it goes on.
        return Ok(found);
    }
    found.extend(certificates(host)?);
    found.extend(match intent.role {
        Role::Master => cluster::of_master(host, intent)?,
        Role::Worker => cluster::of_worker(host, intent)?,
    });
    let node = crate::install::Node { host, intent };
    if drain::is_wanted(&node) {
        let config = intent.role.kubeconfig();
        found.extend(pods::lost(&pods::that_move(host, config, &intent.name.to_string())?));
    }
    Ok(found)
}

/// What would not stop an upgrade, and should be known: among it packages of before that the
/// way back would need, and that the node no longer has.
pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let Some(own) = &intent.upgrade else { return Ok(Vec::new()) };
    if open(host, intent)?.is_some() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    if intent.role == Role::Master {
        found.extend(cluster::warnings(host, intent));
        found.extend(by_hand::warnings(host, &own.from));
    }
    let needed = ["kubeadm", "kubelet", "containerd.io", "containerd"];
    let installed = Installed::of(host)?;
    let compared = compare(&installed, intent);
    let replaced = compared.changes.iter().filter_map(|(_, change)| change.replaced());
    let replaced = replaced.filter(|one| needed.contains(&one.was.name.as_str()));
    let files = replaced.map(|one| one.was.file_name());
    let gone: Vec<String> =
        files.filter(|name| !host.exists(Path::new(PACKAGES).join(name))).collect();
    if !gone.is_empty() {
        found.push(Failure::new(
        format!("{PACKAGES} has no {}: this upgrade could not be taken back", gone.join(", ")),
        "take these files out of the bundle that the node was made with, and put them there first",
    ));
    }
    Ok(found)
}

/// The upgrade that has begun; none if this one ends it and begins the next.
fn open<'a>(host: &'a Host, intent: &Intent) -> anyhow::Result<Option<&'a Upgrade>> {
    let ended = hop::ended(host, &intent.bundle)?;
    Ok(upgrade(host.lines()).filter(|_| ended.is_none()))
}

/// The failure of an install on a node whose upgrade has not ended.
fn in_the_middle(open: &Upgrade) -> Option<Failure> {
    let (is, cure) = match open.stage {
        Stage::Begun => (
            "is being upgraded",
            "go on with `installer upgrade` and the same bundle, or back with `installer upgrade \
             --back`",
        ),
        Stage::Returning => ("is on its way back", "go on with `installer upgrade --back`"),
        _ => return None,
    };
    Some(Failure::new(format!("this node {is} {open}"), cure))
}

/// The failure if another upgrade than this one has not ended.
fn other(open: Option<&Upgrade>, intent: &Intent) -> Option<Failure> {
    let open = open?;
    let is_same = open.bundle == intent.bundle.index_digest();
    match open.stage {
        Stage::Returning => in_the_middle(open),
        Stage::Begun if !is_same => Some(Failure::new(
            format!("this node is being upgraded {open}, with another bundle"),
            "go on with that bundle, or back with `installer upgrade --back`",
        )),
        Stage::Made if !is_same => Some(Failure::new(
            format!("the upgrade {open} can still be taken back, and would not be after another"),
            "declare it finished with `installer upgrade --finish`, and run this again",
        )),
        _ => None,
    }
}

/// One minor release at a time, and never back.
fn order(own: &Upgrading, intent: &Intent) -> Option<Failure> {
    let (from, to) = (&own.from, &intent.lock().kubernetes);
    if to.numbers() < from.numbers() {
        return Some(Failure::new(
            format!("this node has Kubernetes {from}, and the bundle has {to}, which is older"),
            "`installer upgrade --back` takes the last upgrade back; nothing else goes back",
        ));
    }
    if from.minor() < OLDEST_UPGRADED {
        return Some(Failure::new(
            format!(
                "this node has Kubernetes {from}, and upgrades from before 1.{OLDEST_UPGRADED} were not tried"
            ),
            "upgrade it by hand as kubernetes.io says, or make a new cluster with the bundle",
        ));
    }
    (to.minor() > from.minor() + 1).then(|| {
        Failure::new(
            format!(
                "this node has Kubernetes {from}, and the bundle has {to}: that is more than \
                     one minor release"
            ),
            format!(
                "on the connected host, write `from: {from}` under `kubernetes` in the spec, and make \
                 the bundle again: it then has the releases in between"
            ),
        )
    })
}

/// kubeadm takes the images from where the cluster has them.
fn repository(host: &Host, intent: &Intent) -> Option<Failure> {
    let path = if intent.role == Role::Master { KUBEADM_CONFIG } else { KUBEADM_JOINED };
    let was = Kept::read(host, path).ok()?.repository;
    let lock = intent.lock();
    let is = image_repository(&lock.kubernetes, lock.sandbox_image.as_ref());
    let name = |one: &Option<String>| one.as_deref().unwrap_or("kubeadm's own").to_owned();
    (was != is).then(|| {
        Failure::new(
            format!(
                "the cluster takes kubeadm's images from the repository {}, and the bundle has them \
                 in {}",
                name(&was),
                name(&is)
            ),
            "make the bundle with the images under their old names",
        )
    })
}

fn certificates(host: &Host) -> anyhow::Result<Vec<Failure>> {
    let then = SystemTime::now() + A_DAY;
    let (all, _) = pki::all(host);
    let ending = all.into_iter().filter(|one| {
        matches!(one.keeper, Keeper::Authority | Keeper::ControlPlane | Keeper::Kubelet)
            && (one.certificate.has_expired(then) || one.certificate.is_early(then))
    });
    let paths: Vec<String> = ending.map(|one| one.path).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Failure::new(
        format!("certificates have expired, or will today: {}", paths.join(", ")),
        "`installer certs renew` on a master; `installer doctor` says more",
    )])
}
