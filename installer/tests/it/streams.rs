//! What comes in and goes out by other ways than files: pipes that nobody reads, FIFOs,
//! devices, and too few file descriptors.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::node::intent::{target, write_bundle_of};

const INSTALLER: &str = env!("CARGO_BIN_EXE_installer");

/// A folder with a bundle and a node that lacks everything.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let architecture = std::env::consts::ARCH.parse().unwrap();
    write_bundle_of(&folder.path().join("small.tar"), &[], |lock| {
        lock.targets = vec![target(architecture)];
    });
    for (path, text) in [
        // As an editor of Windows and a shell's quotes may leave it.
        ("etc/os-release", "ID='rocky'\r\nID_LIKE='rhel centos fedora'\r\nVERSION_ID='9.3'\r\n"),
        ("etc/hosts", "127.0.0.1 localhost\r\n"),
        ("proc/sys/kernel/hostname", "node-1\n"),
        ("proc/meminfo", "MemTotal: 3995432 kB\n"),
        ("proc/cpuinfo", "processor\t: 0\nprocessor\t: 1\n"),
    ] {
        let path = folder.path().join("node").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs a line of bash in which `installer` is ours, for half a minute at most.
fn bash(folder: &Path, line: &str) -> Output {
    let line = line.replace("installer", INSTALLER);
    let mut command = Command::new("timeout");
    command.args(["30", "bash", "-c", &line]).current_dir(folder).output().unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const NODE: &str = "--role master --bundle small.tar --address 10.0.0.2 --root node";

/// What was printed, without when a join file expires: two runs may lie in two seconds.
fn untimed(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    text.lines().filter(|line| !line.starts_with("expires: ")).map(str::to_owned).collect()
}

#[test]
fn who_has_seen_enough_ends_no_command() {
    let folder = folder();
    for line in [
        "manual".to_owned(),
        format!("plan {NODE}"),
        format!("plan {NODE} --json"),
        format!("config {NODE}"),
        format!("preflight {NODE}"),
        format!("preflight {NODE} --json"),
        "verify small.tar".to_owned(),
        "schema".to_owned(),
        "token --sample".to_owned(),
        "inventory --root node".to_owned(),
        format!("plan {NODE} --show /etc/hosts"),
        "no-such-command".to_owned(),
        "--help".to_owned(),
    ] {
        let run = |stdout: Stdio, stderr: Stdio| {
            let mut command = Command::new(INSTALLER);
            command.args(line.split(' ')).current_dir(folder.path());
            command.stdout(stdout).stderr(stderr).output().unwrap()
        };
        let closed = || {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            Stdio::from(writer)
        };
        let whole = run(Stdio::piped(), Stdio::piped());
        let cut = run(closed(), Stdio::piped());
        assert_eq!(cut.status.code(), whole.status.code(), "{line}: {cut:?}");
        assert_eq!(cut.stderr, whole.stderr, "{line}");
        let deaf = run(Stdio::piped(), closed());
        assert_eq!(deaf.status.code(), whole.status.code(), "{line}");
        assert_eq!(untimed(&deaf.stdout), untimed(&whole.stdout), "{line}");
    }
    // A full disk is an error.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let full = Command::new(INSTALLER).arg("manual").stdout(full).output().unwrap();
    assert!(error(&full).contains("No space left"), "{full:?}");
}

#[test]
fn too_few_descriptors_are_told_as_such() {
    let folder = folder();
    let run =
        |line: &str, limit: &str| bash(folder.path(), &format!("{limit} exec installer {line}"));
    let here = "config --role master --bundle small.tar";
    for line in [here, "config --role master --bundle small.tar --address 10.0.0.2 --root node"] {
        let whole = run(line, "");
        let mut few = 0;
        for limit in 3..32 {
            let output = run(line, &format!("ulimit -n {limit};"));
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("(os error 24)") || said.contains("cannot open shared object") {
                few += 1;
                assert!(!output.status.success() && output.stdout.is_empty(), "{limit}: {said}");
            } else {
                assert_eq!(output, whole, "{limit}");
            }
        }
        assert!(few > 0, "{line}");
    }
}

#[test]
fn a_cluster_file_may_come_out_of_a_shells_pipe_and_from_nothing_without_end() {
    let folder = folder();
    let mkfifo = Command::new("mkfifo").arg(folder.path().join("fifo")).status().unwrap();
    assert!(mkfifo.success());
    let config =
        |file: &str| bash(folder.path(), &format!("installer config {NODE} --config {file}"));
    let read = config("<(echo 'podCidr: 10.9.0.0/16')");
    assert!(read.status.success(), "{read:?}");
    assert!(String::from_utf8_lossy(&read.stdout).contains("podCidr: 10.9.0.0/16 # cluster.yaml"));
    assert!(config("/dev/null").status.success());
    for (file, words) in [
        ("fifo", "nothing was written into it"),
        ("/dev/zero", "it is a device"),
        ("<(yes)", "has more than 4194304 bytes"),
        ("node", "it is a folder"),
        ("none", "No such file"),
    ] {
        let error = error(&config(file));
        assert!(error.contains(words), "{file}: {error}");
    }
    for option in ["--join", "--with-kubeconfig"] {
        let line = format!("installer config --role worker --bundle small.tar {option} /dev/zero");
        let join = "--join <(echo x)";
        let line = if option == "--join" { line } else { format!("{line} {join}") };
        let error = error(&bash(folder.path(), &line));
        assert!(
            error.contains("it is a device") || error.contains("is not a join file"),
            "{option}: {error}"
        );
    }
    // A bundle is read from many places at once.
    let error = error(&bash(folder.path(), "installer verify <(cat small.tar)"));
    assert!(error.contains("not a regular file"), "{error}");
}
