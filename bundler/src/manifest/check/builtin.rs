//! The kinds of Kubernetes itself, and the versions that serve them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Group, version, kind, scope, first minor, first minor without it, and whether it
/// is on by default.
const TABLE: &str = include_str!("../../../data/kubernetes-kinds.tsv");
/// The last minor in the table.
const KNOWN: u32 = 34;
/// Groups of configuration files for Kubernetes' programs.
const OF_FILES: [(&str, &str); 8] = [
    ("kubeadm.k8s.io", "kubeadm"),
    ("kubelet.config.k8s.io", "kubelet"),
    ("kubeproxy.config.k8s.io", "kube-proxy"),
    ("kubescheduler.config.k8s.io", "kube-scheduler"),
    ("apiserver.config.k8s.io", "kube-apiserver"),
    ("apiserver.k8s.io", "kube-apiserver"),
    ("audit.k8s.io", "kube-apiserver"),
    ("kind.x-k8s.io", "kind"),
];

struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    is_namespaced: bool,
    since: u32,
    until: Option<u32>,
    is_on: bool,
}

impl Row {
    fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    fn is_served(&self, minor: u32) -> bool {
        self.is_on && self.since <= minor && self.until.is_none_or(|until| minor < until)
    }
}

/// Whether Kubernetes serves a kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    /// Kubernetes serves it.
    Served {
        /// Whether its objects are in namespaces; `None` if that is not
        /// known.
        is_namespaced: Option<bool>,
    },
    /// Kubernetes does not serve it. The text has the reason, and what to write
    /// instead.
    Refused(String),
    /// The group is not one of Kubernetes' own.
    Foreign,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row {
            group: next().map(|group| if group == "-" { "" } else { group })?,
            version: next()?,
            kind: next()?,
            is_namespaced: next()? == "namespaced",
            since: next()?.parse().ok()?,
            until: next()?.parse().ok(),
            is_on: next()? == "on",
        })
    })
}

/// Whether the group is one of Kubernetes' own.
pub(super) fn is_group(group: &str) -> bool {
    rows().any(|row| row.group == group)
}

/// Whether Kubernetes 1.`minor` serves objects of this kind.
pub(super) fn served(group: &str, version: &str, kind: &str, minor: u32) -> Builtin {
    if let Some((_, program)) = OF_FILES.iter().find(|(own, _)| *own == group) {
        return Builtin::Refused(format!(
            "this is a configuration file of {program}, not an object of a cluster: take it out"
        ));
    }
    let all: Vec<Row> = rows().collect();
    if !all.iter().any(|row| row.group == group) {
        return Builtin::Foreign;
    }
    let api_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let of_kind: Vec<&Row> = all.iter().filter(|row| row.kind == kind).collect();
    let exact = of_kind.iter().find(|row| row.group == group && row.version == version);
    // The versions to write instead, those of the same group first.
    let mut other: Vec<&&Row> = of_kind.iter().filter(|row| row.is_served(minor)).collect();
    other.sort_by_key(|row| {
        (row.group != group, row.version.contains("beta"), Reverse(row.version))
    });
    let instead = |why: String| {
        Builtin::Refused(match (other.first(), kind) {
            (Some(row), _) => format!("{why}: write `apiVersion: {}`", row.api_version()),
            (None, "PodSecurityPolicy") => format!(
                "{why}: take it out; labels of namespaces (Pod Security admission) replace it"
            ),
            (None, _) => format!("{why}: take it out"),
        })
    };
    match exact {
        Some(row) if row.is_served(minor) => {
            Builtin::Served { is_namespaced: Some(row.is_namespaced) }
        }
        Some(row) if row.until.is_some_and(|until| until <= minor) => instead(format!(
            "Kubernetes 1.{minor} no longer serves {kind} of {api_version}, since 1.{}",
            row.until.unwrap_or_default()
        )),
        Some(row) if row.since > minor => instead(format!(
            "Kubernetes 1.{minor} does not serve {kind} of {api_version}, which came with 1.{}",
            row.since
        )),
        Some(_) => switched_on(kind, group, &api_version),
        None if version.contains("alpha") => switched_on(kind, group, &api_version),
        None if minor > KNOWN => Builtin::Served { is_namespaced: None },
        None if of_kind.iter().any(|row| row.group == group) => {
            instead(format!("{kind} has no version {api_version}"))
        }
        None => unknown(&all, group, kind, minor, &api_version),
    }
}

fn switched_on(kind: &str, group: &str, api_version: &str) -> Builtin {
    Builtin::Refused(format!(
        "{kind} of {api_version} is off by default: if it is switched on in your cluster, name \
         `{kind}.{group}` under `provided.kinds`"
    ))
}

fn unknown(all: &[Row], group: &str, kind: &str, minor: u32, api_version: &str) -> Builtin {
    if let Some(row) = all.iter().find(|row| row.kind == kind && row.is_served(minor)) {
        return Builtin::Refused(format!(
            "{api_version} has no kind {kind}: write `apiVersion: {}`",
            row.api_version()
        ));
    }
    let near = all
        .iter()
        .filter(|row| row.is_served(minor))
        .map(|row| (strsim::osa_distance(&kind.to_lowercase(), &row.kind.to_lowercase()), row.kind))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let kinds: BTreeSet<&str> = all
        .iter()
        .filter(|row| row.group == group && row.is_served(minor))
        .map(|row| row.kind)
        .collect();
    Builtin::Refused(match near {
        Some((_, meant)) => {
            format!("{api_version} has no kind {kind}: did you mean {meant}?")
        }
        None => format!(
            "{api_version} has no kind {kind} that can be applied; it has {}",
            kinds.into_iter().collect::<Vec<_>>().join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_and_go() {
        let yes = |is| Builtin::Served { is_namespaced: Some(is) };
        for (group, version, kind, minor, wanted) in [
            ("apps", "v1", "Deployment", 28, Ok(yes(true))),
            ("", "v1", "Namespace", 16, Ok(yes(false))),
            ("extensions", "v1beta1", "Ingress", 21, Ok(yes(true))),
            ("extensions", "v1beta1", "Ingress", 22, Err("networking.k8s.io/v1`")),
            (
                "extensions",
                "v1beta1",
                "Deployment",
                16,
                Err("since 1.16: write `apiVersion: apps/v1`"),
            ),
            (
                "networking.k8s.io",
                "v1",
                "Ingress",
                18,
                Err("came with 1.19: write `apiVersion: networking.k8s.io/v1beta1`"),
            ),
            ("policy", "v1beta1", "PodSecurityPolicy", 24, Ok(yes(false))),
            ("policy", "v1beta1", "PodSecurityPolicy", 25, Err("Pod Security admission")),
            ("policy", "v1beta1", "PodDisruptionBudget", 25, Err("`apiVersion: policy/v1`")),
            ("policy", "v1", "PodDisruptionBudget", 20, Err("`apiVersion: policy/v1beta1`")),
            ("batch", "v1beta1", "CronJob", 24, Ok(yes(true))),
            ("batch", "v1beta1", "CronJob", 25, Err("`apiVersion: batch/v1`")),
            ("batch", "v1", "CronJob", 20, Err("came with 1.21")),
            (
                "autoscaling",
                "v2beta2",
                "HorizontalPodAutoscaler",
                26,
                Err("`apiVersion: autoscaling/v2`"),
            ),
            (
                "apiextensions.k8s.io",
                "v1beta1",
                "CustomResourceDefinition",
                22,
                Err("apiextensions.k8s.io/v1`"),
            ),
            ("flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema", 28, Ok(yes(false))),
            (
                "flowcontrol.apiserver.k8s.io",
                "v1beta2",
                "FlowSchema",
                29,
                Err("flowcontrol.apiserver.k8s.io/v1`"),
            ),
            ("resource.k8s.io", "v1beta1", "ResourceClaim", 33, Err("switched on")),
            (
                "resource.k8s.io",
                "v1alpha3",
                "ResourceClaim",
                31,
                Err("`ResourceClaim.resource.k8s.io` under `provided.kinds`"),
            ),
            ("apps", "v1", "Deploymnet", 28, Err("did you mean Deployment?")),
            ("", "v1", "Deployment", 28, Err("write `apiVersion: apps/v1`")),
            (
                "apps",
                "v2",
                "Deployment",
                28,
                Err("no version apps/v2: write `apiVersion: apps/v1`"),
            ),
            ("apps", "v2", "Deployment", 40, Ok(Builtin::Served { is_namespaced: None })),
            (
                "kubeadm.k8s.io",
                "v1beta3",
                "ClusterConfiguration",
                28,
                Err("configuration file of kubeadm"),
            ),
            ("cert-manager.io", "v1", "Issuer", 28, Ok(Builtin::Foreign)),
        ] {
            match (served(group, version, kind, minor), wanted) {
                (Builtin::Refused(words), Err(part)) => assert!(words.contains(part), "{words}"),
                (own, wanted) => assert_eq!(Ok(own), wanted, "{group}/{version} {kind} 1.{minor}"),
            }
        }
    }
}
