//! Real kubeadms, which judge the documents that are written for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use bundle_format::KubernetesVersion;
use lab::built;
use serde_json::Value;

/// The minor releases of Kubernetes whose kubeadm is asked.
const MINORS: std::ops::RangeInclusive<u32> = 28..=37;

/// A kubeadm.
pub(super) struct Kubeadm {
    pub(super) version: KubernetesVersion,
    program: PathBuf,
}

impl Kubeadm {
    /// Those that `scripts/tools` has built. It is told which minors are missing.
    pub(super) fn all() -> Vec<Self> {
        let all = built::programs("kubeadm").into_iter();
        let all = all.map(|(version, program)| Self { version: version.parse().unwrap(), program });
        let all: Vec<Self> = all.collect();
        let has = |minor: &u32| all.iter().any(|one| one.version.minor() == *minor);
        let missing: Vec<String> =
            MINORS.filter(|minor| !has(minor)).map(|minor| format!("1.{minor}")).collect();
        if !missing.is_empty() {
            println!(
                "skipped: there is no kubeadm of {}; `scripts/tools --kubeadms` builds it",
                missing.join(", ")
            );
        }
        assert!(
            !all.is_empty() || env::var_os("CI").is_none(),
            "CI needs a kubeadm that `scripts/tools` builds"
        );
        all
    }

    /// Runs it without this machine's environment.
    pub(super) fn run(&self, words: &[&str], folder: &Path) -> Output {
        let mut command = Command::new(&self.program);
        command.args(words).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        // What it writes in a dry run.
        command.env("KUBEADM_INIT_DRYRUN_DIR", folder).current_dir(folder);
        command.output().unwrap()
    }

    /// Has it validate a file. The result is what it says of it on its way; the error is
    /// why it refuses it.
    pub(super) fn validate(&self, text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), text);
        let said = self.run(&["config", "validate", "--config", &path], folder.path());
        let stderr = String::from_utf8(said.stderr).unwrap();
        if said.status.success() { Ok(stderr) } else { Err(stderr) }
    }

    /// Has it write a file in its newest API.
    pub(super) fn migrated(&self, text: &str) -> Documents {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), text);
        let said = self.run(&["config", "migrate", "--old-config", &path], folder.path());
        let stderr = String::from_utf8(said.stderr).unwrap();
        assert!(said.status.success(), "kubeadm {}: {stderr}\n{text}", self.version);
        documents(&String::from_utf8(said.stdout).unwrap())
    }

    /// What `kubeadm init` makes of a file, in a dry run: each file's name and text.
    pub(super) fn made(&self, text: &str) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), text);
        let line = "init --dry-run --skip-phases preflight --skip-token-print --config";
        let words: Vec<&str> = line.split(' ').chain([path.as_str()]).collect();
        let said = self.run(&words, folder.path());
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "kubeadm {}: {stderr}", self.version);
        let mut made =
            BTreeMap::from([("init".to_owned(), String::from_utf8(said.stdout).unwrap())]);
        let mut folders = vec![folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = fs::read_to_string(&path) {
                    made.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), text);
                }
            }
        }
        made
    }
}

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("kubeadm.yaml");
    fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// Documents by their kind.
pub(super) type Documents = BTreeMap<String, Value>;

/// The documents of a file.
pub(super) fn documents(text: &str) -> Documents {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let all = all.into_iter().map(|one| (one["kind"].as_str().unwrap().to_owned(), one));
    all.collect()
}

/// The places where `after` does not have what `before` has.
pub(super) fn lost(before: &Value, after: Option<&Value>, place: &str) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Some(Value::Object(after))) => {
            let each = before.iter();
            each.flat_map(|(key, one)| lost(one, after.get(key), &format!("{place}.{key}")))
                .collect()
        }
        (before, after) if Some(before) == after => Vec::new(),
        (before, after) => vec![format!("{place}: {before} became {after:?}")],
    }
}
