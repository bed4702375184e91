//! The site's registry.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lab::network::{LAN, OPERATOR};
use lab::{Node, program};

/// The registry's port.
const PORT: u16 = 5443;

/// Debian's docker-registry with TLS on the nodes' network, until it is dropped.
pub(crate) struct SiteRegistry {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for SiteRegistry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl SiteRegistry {
    /// Starts one, and pushes the bundle to it.
    pub(crate) fn start(bundle: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let name = format!("subjectAltName=IP:{OPERATOR}");
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=registry.site", "-addext", &name])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-out", &at("ca.crt")])
            .args(["-keyout", &at("key.pem")])
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n\
             http:\n  addr: {OPERATOR}:{PORT}\n  tls: {{certificate: {}, key: {}}}\n",
            at("storage"),
            at("ca.crt"),
            at("key.pem")
        );
        fs::write(at("registry.yml"), text).unwrap();
        let registry = Self { process: serve(folder.path()), folder };
        registry.take(bundle);
        registry
    }

    /// Where the bundle is.
    pub(crate) fn address() -> String {
        format!("oci://{OPERATOR}:{PORT}/kubeferry/lab:1")
    }

    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again, and waits until it answers.
    pub(crate) fn start_again(&mut self, bundle: &Path) {
        self.process = serve(self.folder.path());
        self.take(bundle);
    }

    /// The file of its certificate.
    pub(crate) fn ca(&self) -> String {
        self.folder.path().join("ca.crt").display().to_string()
    }

    /// Pushes the bundle, as soon as the registry answers.
    fn take(&self, bundle: &Path) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let pushed = Command::new("ip")
                .args(["netns", "exec", LAN])
                .arg(program("bundler").unwrap())
                .args(["push", "--quiet"])
                .arg(bundle)
                .args([Self::address(), "--ca".to_owned(), self.ca()])
                .output()
                .unwrap();
            if pushed.status.success() {
                return;
            }
            let words = String::from_utf8_lossy(&pushed.stderr).into_owned();
            assert!(words.contains("cannot reach") && Instant::now() < end, "{words}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// How many bytes of each blob a node took, by the registry's own log.
    pub(crate) fn taken_by(&self, node: &Node) -> HashMap<String, u64> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let address = format!("{} ", node.address);
        let mut taken = HashMap::new();
        for line in log.lines().filter(|line| line.starts_with(&address)) {
            let Some((_, rest)) = line.split_once("\"GET /v2/kubeferry/lab/blobs/") else {
                continue;
            };
            let (digest, rest) = rest.split_once(' ').unwrap();
            let bytes = rest.split(' ').nth(2).unwrap().parse::<u64>().unwrap();
            *taken.entry(digest.to_owned()).or_default() += bytes;
        }
        taken
    }
}

/// Runs the registry of this folder.
fn serve(folder: &Path) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new("ip");
    command.args(["netns", "exec", LAN, "docker-registry", "serve"]);
    command.arg(folder.join("registry.yml"));
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}
