//! What comes in and goes out by other ways than files: pipes, FIFOs, devices, links;
//! and who may read what was written.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use crate::support::demo::{BUNDLER, Demo};

/// Runs a line of bash in which `bundler` is ours, for two minutes at most.
fn bash(demo: &Demo, line: &str) -> Output {
    let line = line.replace("bundler", BUNDLER);
    let mut command = Command::new("timeout");
    command.args(["120", "bash", "-c", &line]).current_dir(demo.folder.path());
    command.env("XDG_CACHE_HOME", demo.path("cache")).output().unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(demo: &Demo, name: &str) -> u32 {
    fs::symlink_metadata(demo.path(name)).unwrap().mode() & 0o7777
}

#[test]
fn links_stay_and_devices_and_fifos_are_not_replaced() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    fs::create_dir(demo.path("big")).unwrap();
    symlink("big/there.tar", demo.path("link.tar")).unwrap();
    let made = demo.ok(&["build", "-q", "-o", "link.tar"]);
    assert_eq!(made, "big/there.tar\n");
    assert!(demo.path("link.tar").is_symlink());
    demo.ok(&["verify", "-q", "link.tar"]);
    demo.ok(&["verify", "-q", "big/there.tar"]);
    assert!(demo.path("big/there.tar.sha256").is_file());
    let made = Command::new("mkfifo").arg(demo.path("fifo")).status().unwrap();
    assert!(made.success());
    for place in ["fifo", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let error = demo.fails(&["build", "-q", "-o", place]);
        assert!(error.contains("no regular file"), "{place}: {error}");
    }
    assert!(fs::metadata(demo.path("fifo")).unwrap().file_type().is_fifo());
    // The lock of a spec may be a link, too.
    fs::rename(demo.path("bundle.yaml.lock.json"), demo.path("big/lock")).unwrap();
    symlink("big/lock", demo.path("bundle.yaml.lock.json")).unwrap();
    fs::write(demo.path("big/lock"), "").unwrap();
    demo.ok(&["lock"]);
    assert!(demo.path("bundle.yaml.lock.json").is_symlink());
    assert!(fs::metadata(demo.path("big/lock")).unwrap().len() > 1000);
}

#[test]
fn the_umask_may_only_take_and_a_file_that_is_there_keeps_who_may_read_it() {
    for (mask, file, program) in
        [("077", 0o600, 0o700), ("000", 0o644, 0o755), ("022", 0o644, 0o755)]
    {
        let demo = Demo::start();
        let line = "bundler lock && bundler build -q && bundler build -q --split 64KiB -o cut.tar && \
                    bundler extract -C out demo.tar && bundler init new.yaml";
        let output = bash(&demo, &format!("umask {mask}; {line}"));
        assert!(output.status.success(), "{output:?}");
        let parts = fs::read_dir(demo.folder.path()).unwrap();
        let parts = parts.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> = parts.filter(|name| name.contains(".part")).collect();
        assert!(files.len() > 2);
        files.extend(
            ["bundle.yaml.lock.json", "demo.tar", "demo.tar.sha256", "cut.tar.sha256", "new.yaml"]
                .map(str::to_owned),
        );
        for name in &files {
            assert_eq!(mode(&demo, name), file, "{name}, umask {mask}");
        }
        let rpms = fs::read_dir(demo.path("out/rpms")).unwrap().next().unwrap().unwrap();
        assert_eq!(rpms.metadata().unwrap().mode() & 0o7777, program, "umask {mask}");
        fs::set_permissions(demo.path("demo.tar"), fs::Permissions::from_mode(0o640)).unwrap();
        demo.ok(&["build", "-q"]);
        assert_eq!(mode(&demo, "demo.tar"), 0o640);
    }
}

#[test]
fn who_has_seen_enough_ends_no_command() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    for line in
        ["schema", "inspect demo.tar", "inspect --json demo.tar", "verify -q demo.tar", "--help"]
    {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(BUNDLER);
        command.args(line.split(' ')).current_dir(demo.folder.path());
        let output = command.stdout(Stdio::from(writer)).output().unwrap();
        // That no signature was asked for.
        let has_note = line.starts_with("verify");
        assert!(output.status.success() && output.stderr.is_empty() != has_note, "{output:?}");
    }
}

#[test]
fn nothing_without_end_is_read() {
    let demo = Demo::start();
    let made = Command::new("mkfifo").arg(demo.path("fifo")).status().unwrap();
    assert!(made.success());
    for spec in ["fifo", "/dev/zero", "<(yes)"] {
        for job in ["lock", "build"] {
            let error = error(&bash(&demo, &format!("bundler {job} {spec}")));
            assert!(error.contains("not a regular file"), "{job} {spec}: {error}");
        }
    }
    let spec = demo.spec();
    for place in ["fifo", "/dev/zero"] {
        let more = format!("manifests: [{{name: own, file: {place}}}]\n");
        let without = spec.split("manifests:").next().unwrap();
        demo.write_spec(&format!("{without}{more}installers: []\n"));
        let error = demo.fails(&["lock"]);
        assert!(error.contains("is not a regular file: write its content into one"), "{error}");
        demo.write_spec(&format!("{spec}registries: {{r.io: {{ca: {place}}}}}\n"));
        let error = demo.fails(&["lock"]);
        assert!(error.contains("is not a regular file") || error.contains("registries"), "{error}");
    }
    let images = |file: &str| bash(&demo, &format!("bundler images {file}"));
    let manifest = "apiVersion: v1\\nkind: Pod\\nmetadata: {name: a}\\n\
                    spec: {containers: [{name: a, image: r.io/a:1}]}\\n";
    for file in [format!("<(printf '{manifest}')"), format!("- < <(printf '{manifest}')")] {
        let found = images(&file);
        assert_eq!(String::from_utf8_lossy(&found.stdout), "r.io/a:1\n", "{found:?}");
    }
    for (file, words) in [
        ("/dev/zero", "it is a device"),
        ("fifo", "nothing was written into it"),
        ("<(yes)", "as nothing of its kind has"),
        ("- < /dev/zero", "as nothing of its kind has"),
    ] {
        let error = error(&images(file));
        assert!(error.contains(words), "{file}: {error}");
    }
    for option in [
        "--repo a=http://127.0.0.1:1/ --baseline /dev/zero",
        "--repo a=http://127.0.0.1:1/,gpgkey=/dev/zero",
    ] {
        let error = error(&bash(&demo, &format!("bundler resolve {option} x")));
        assert!(error.contains("it is a device"), "{option}: {error}");
    }
}
