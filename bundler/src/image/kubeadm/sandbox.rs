//! Asking a kubeadm for its images. It is a vendor's program, which every node will run
//! as root. Here it gets nothing: no privileges, no files except itself and those that the
//! bundler was started with open, no network, no environment, no other process in sight,
//! and little time.
//!
//! util-linux's `unshare` does that, because the bundler is written without `unsafe`. It
//! fails where users may have no user namespaces, or in a container whose root has no
//! CAP_SYS_ADMIN, or if it is too old to know `--root`. Then kubeadm is not asked. Nor
//! is one that is linked dynamically; the one of pkgs.k8s.io is not.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bundle_format::KubernetesVersion;
use bundle_format::text::brief;

use crate::program::{self, Limits, Unfinished};
use crate::rpm::signed_program::SignedProgram;

/// kubeadm 1.37.2 answers in a tenth of a second, with 500 bytes.
const LIMITS: Limits = Limits { patience: Duration::from_secs(10), output: 64 << 10 };
/// How much memory it may use for data, in bytes.
const MEMORY: u64 = 1 << 30;
/// The user that root becomes (`nobody`).
const NOBODY: &str = "65534";

/// Why a kubeadm gave no list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It could not be started like this on this host.
    #[error("it cannot be run apart from everything else here: {0}")]
    NotHere(String),
    /// It ran, and did not answer.
    #[error("{0}")]
    Failed(String),
}

/// What kubeadm `version` prints as its images.
pub fn list(kubeadm: &SignedProgram, version: &KubernetesVersion) -> Result<String, Unanswered> {
    let not_here = |error: io::Error| Unanswered::NotHere(error.to_string());
    let root = tempfile::tempdir().map_err(not_here)?;
    fill(root.path(), kubeadm).map_err(not_here)?;
    let mut command = confined(root.path());
    command.args(["/kubeadm", "config", "images", "list", "--kubernetes-version"]);
    // Without a version, kubeadm would ask the network for the newest.
    command.arg(format!("v{version}"));
    let answer =
        program::run(&mut command, b"", LIMITS).map_err(|unfinished| match unfinished {
            Unfinished::NotStarted(error) => Unanswered::NotHere(format!("`prlimit`: {error}")),
            Unfinished::Ended(why) => Unanswered::Failed(why),
        })?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.errors).into_owned();
        // kubeadm's warnings come first.
        let is_reason = |line: &&str| !line.is_empty() && !is_remark(line);
        let why = said.lines().map(str::trim).find(is_reason).unwrap_or_default();
        return Err(match why {
            // A process that a signal ended, under one that cannot end likewise.
            _ if why.starts_with("unshare: child exit failed") => {
                Unanswered::Failed("it crashed".to_owned())
            }
            "unshare: failed to execute /kubeadm: Permission denied" => {
                let folder = std::env::temp_dir();
                Unanswered::Failed(format!(
                    "the temporary folder {} is mounted noexec: set TMPDIR to another one",
                    folder.display()
                ))
            }
            _ if why.starts_with("unshare: ") || why.starts_with("prlimit: ") => {
                Unanswered::NotHere(brief(why))
            }
            _ => Unanswered::Failed(format!("it ended with {}: {}", answer.status, brief(why))),
        });
    }
    let text = String::from_utf8(answer.output);
    text.map_err(|_| Unanswered::Failed("its answer is not a text".to_owned()))
}

/// Makes `root` the whole file system that kubeadm sees.
fn fill(root: &Path, kubeadm: &SignedProgram) -> io::Result<()> {
    fs::set_permissions(root, Permissions::from_mode(0o755))?;
    fs::write(root.join("kubeadm"), kubeadm.bytes())?;
    fs::set_permissions(root.join("kubeadm"), Permissions::from_mode(0o555))?;
    // kubeadm wants an address of the host although it prints names only. It does
    // without if it can see that there is no route (`ChooseHostInterface` in
    // apimachinery's `pkg/util/net/interface.go`).
    fs::create_dir_all(root.join("proc/net"))?;
    fs::write(root.join("proc/net/route"), "")?;
    fs::write(root.join("proc/net/ipv6_route"), "")
}

/// A command that runs the program in its next argument within `root`.
fn confined(root: &Path) -> Command {
    let mut command = Command::new("prlimit");
    // It may write to pipes, but to no file.
    command.args(["--fsize=0", "--core=0", &format!("--data={MEMORY}")]);
    // With its own numbers of processes, it signals nobody, and dies as a whole.
    let alone = ["unshare", "--pid", "--fork", "--kill-child"];
    if rustix::process::geteuid().is_root() {
        // The kernel forgets whose death it is to share when a process changes its
        // user (prctl(2), PR_SET_PDEATHSIG). So a second process, which stays root, is the
        // one that dies with the first `unshare`, and takes all others along.
        command.args(alone).args(["--", "unshare", "--net", "--ipc", "--fork"]);
        command.args(["--setuid", NOBODY, "--setgid", NOBODY]);
    } else {
        // In a user namespace without any user, it has no privileges at all.
        command.args(alone).args(["--user", "--net", "--ipc"]);
    }
    command.arg("--root").arg(root).arg("--").env_clear().stderr(Stdio::piped());
    command
}

/// Whether a line of standard error only remarks something, in the form of klog.
fn is_remark(line: &str) -> bool {
    let mut characters = line.chars();
    matches!(characters.next(), Some('I' | 'W'))
        && characters.next().is_some_and(|second| second.is_ascii_digit())
}
