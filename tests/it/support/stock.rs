//! Stock tools of this machine.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

/// Whether a program is there. If not, it says that a test is skipped.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    if !found.status.success() {
        println!("skipped: {program} is not installed");
    }
    found.status.success()
}

/// Whether the test runs as root, without which containerd does not run.
pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// What a program printed, which must succeed.
pub(crate) fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A containerd of its own, ended when dropped.
pub(crate) struct Containerd {
    process: Child,
    socket: String,
}

impl Containerd {
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("containerd.sock").display().to_string();
        let config = format!(
            "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = \"{socket}\"\n",
            folder.display()
        );
        fs::write(folder.join("config.toml"), config).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let process = Command::new("containerd")
            .arg("--config")
            .arg(folder.join("config.toml"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let containerd = Self { process, socket };
        let begun = Instant::now();
        while !containerd.ctr(&["version"]).status.success() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{}",
                fs::read_to_string(folder.join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        containerd
    }

    pub(crate) fn ctr(&self, arguments: &[&str]) -> Output {
        Command::new("ctr")
            .args(["--address", &self.socket, "--namespace", "k8s.io"])
            .args(arguments)
            .output()
            .unwrap()
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
