//! The lines of Kubernetes that the lab can make a cluster of.

use std::str::FromStr;

use anyhow::bail;

/// A release of Kubernetes, with the parts that fit it: those that its kubeadm
/// names, and the container runtime of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is called: `1.37`.
    pub minor: &'static str,
    /// The release: `1.37.2`.
    pub kubernetes: &'static str,
    /// The release of containerd.
    pub containerd: &'static str,
    /// The release of crictl.
    pub(crate) cri_tools: &'static str,
    /// The release of the CNI plugins.
    pub(crate) cni_plugins: &'static str,
    /// The release of CoreDNS.
    pub(crate) coredns: &'static str,
    /// The release of etcd; none where only Debian has one that is old enough.
    pub(crate) etcd: Option<&'static str>,
}

/// All lines, the oldest first. Of crictl, the module proxy has only 1.30.0,
/// 1.34.0, 1.36.0 and 1.37.0: older lines have 1.34.0.
pub const LINES: [Line; 6] = [
    Line {
        minor: "1.20",
        kubernetes: "1.20.2",
        containerd: "1.6.36",
        cri_tools: "1.34.0",
        cni_plugins: "1.2.0",
        coredns: "1.7.0",
        etcd: None,
    },
    Line {
        minor: "1.28",
        kubernetes: "1.28.2",
        containerd: "1.7.35",
        cri_tools: "1.34.0",
        cni_plugins: "1.2.0",
        coredns: "1.10.1",
        etcd: Some("3.5.9"),
    },
    // The module proxy has neither etcd 3.6.6 nor CoreDNS 1.13.1, which this kubeadm names.
    Line {
        minor: "1.35",
        kubernetes: "1.35.4",
        containerd: "2.2.9",
        cri_tools: "1.34.0",
        cni_plugins: "1.9.1",
        coredns: "1.14.2",
        etcd: Some("3.6.8"),
    },
    Line {
        minor: "1.36",
        kubernetes: "1.36.3",
        containerd: "2.2.9",
        cri_tools: "1.36.0",
        cni_plugins: "1.9.1",
        coredns: "1.14.2",
        etcd: Some("3.6.8"),
    },
    NEWEST,
    RESTAMPED,
];

const NEWEST: Line = Line {
    minor: "1.37",
    kubernetes: "1.37.2",
    containerd: "2.3.7",
    cri_tools: "1.37.0",
    cni_plugins: "1.10.0",
    coredns: "1.14.6",
    etcd: Some("3.7.0"),
};

/// A patch release that cost no compiling: the programs of the newest line, whose version
/// was changed in them byte for byte. Upgrades need two releases.
const RESTAMPED: Line = Line { minor: "1.37.3", kubernetes: "1.37.3", ..NEWEST };

/// The variable that chooses the line of the tests.
const VARIABLE: &str = "KUBEFERRY_LAB_LINE";

impl Line {
    /// The line that the tests are of: the newest, unless the environment's
    /// `KUBEFERRY_LAB_LINE` names another.
    pub fn of_tests() -> anyhow::Result<Self> {
        std::env::var(VARIABLE).map_or(Ok(NEWEST), |minor| minor.parse())
    }

    /// The lab's spec for this line, from the text of `manifests/lab.yaml`, which
    /// is for the newest.
    pub(crate) fn spec(self, text: &str) -> String {
        let lines = text.lines().filter(|line| {
            // Older kubelets refuse a setting that they do not know.
            self.knows_cgroup_setting() || !line.contains("failCgroupV1")
        });
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        text.replace(NEWEST.kubernetes, self.kubernetes).replace(NEWEST.containerd, self.containerd)
    }

    /// The same for a cluster that has another line: with the releases in between.
    pub(crate) fn spec_from(self, older: Option<Self>, text: &str) -> String {
        let text = self.spec(text);
        let Some(older) = older else { return text };
        let version = format!("version: {}\n", self.kubernetes);
        let from = format!("{version}  from: {}\n", older.kubernetes);
        text.replacen(&version, &from, 1).replace(":8080/kubernetes/", ":8080/v$minor/")
    }

    /// `failCgroupV1` is a setting of kubelet from 1.31 on.
    pub fn knows_cgroup_setting(self) -> bool {
        !matches!(self.minor, "1.20" | "1.28")
    }
}

impl Default for Line {
    fn default() -> Self {
        NEWEST
    }
}

impl FromStr for Line {
    type Err = anyhow::Error;

    fn from_str(minor: &str) -> anyhow::Result<Self> {
        let Some(line) = LINES.into_iter().find(|line| line.minor == minor) else {
            bail!(
                "the lab has no Kubernetes {minor}; it has {}",
                LINES.map(|line| line.minor).join(", ")
            )
        };
        Ok(line)
    }
}
