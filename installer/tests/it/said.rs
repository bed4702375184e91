//! What commands say, and what a run makes of it: the log has it, but for secrets; a
//! step is finished when it is done, and not when its commands have ended.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use installer::exec::{Command, Exec, Input, Output};
use installer::failure::describe;
use installer::host::Host;
use installer::receipt::StepName;
use installer::role::Role;
use installer::status::{Progress, Status};

use crate::node::{Fault, kinds};

/// Ends each command so.
struct Says(Output);

impl Exec for Says {
    fn run(&self, _: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        Ok(self.0.clone())
    }

    fn ask(&self, _: &Command, _: Duration) -> io::Result<Output> {
        Ok(self.0.clone())
    }
}

fn host(root: &Path, status: i32, stdout: &str, stderr: &str) -> Host {
    let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
    let says = Says(Output { status: Some(status), stdout, stderr });
    Host::look(root, Box::new(says)).unwrap().open().unwrap()
}

fn log(root: &Path) -> String {
    fs::read_to_string(root.join("var/log/kubeferry/install.log")).unwrap()
}

#[test]
fn a_step_is_finished_when_it_is_done() {
    let mut found = 0;
    for node in kinds::nodes() {
        let made = node().apply(None).commands.made();
        for (nth, command) in made.iter().enumerate() {
            // Its answer is awaited for a minute.
            if command.ends_with("start containerd") {
                continue;
            }
            let node = node();
            let applied = node.apply(Some(Fault::Idle(nth)));
            let step = applied.changes.last().unwrap().0;
            // Of some, later ones of the step make up for it, or nobody can see it.
            let Err(error) = applied.end else { continue };
            let told = describe(&error, None);
            // What comes after it may fail for want of it.
            if !told.contains("exited with status 1") {
                let words = "its changes were made, but this is still missing: ";
                assert!(told.contains(words), "{command}: {told}");
                assert!(
                    told.contains("hint: the last lines of the log show what its commands said")
                );
                found += 1;
            }
            assert!(log(node.root()).contains("there was nothing to do\n"));
            let status = Status::gather(&node.look(None).0);
            let of = |one: StepName| status.steps.iter().find(|step| step.name == one).unwrap();
            assert_eq!(of(step).progress, Progress::Interrupted, "{command}");
            node.apply(None).end.unwrap();
            let status = Status::gather(&node.look(None).0);
            assert!(status.steps.iter().all(|step| step.progress != Progress::Interrupted));
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn the_log_says_how_long_each_step_took() {
    let node = kinds::bare(Role::Master);
    let applied = node.apply(None);
    applied.end.unwrap();
    let log = log(node.root());
    let lines = log.lines().filter_map(|line| line.strip_prefix("step ")?.split_once(" is done: "));
    let told: Vec<(&str, &str)> = lines.collect();
    let done = applied.changes.iter().filter(|(_, made)| !made.is_empty());
    let done: Vec<String> = done.map(|(step, _)| step.to_string()).collect();
    assert_eq!(told.iter().map(|(step, _)| *step).collect::<Vec<_>>(), done);
    assert!(done.len() > 8, "{done:?}");
    let is_time =
        |text: &str| text.strip_suffix(" s").is_some_and(|one| one.parse::<f32>().is_ok());
    assert!(told.iter().all(|(_, seconds)| is_time(seconds)), "{told:?}");
}

#[test]
fn the_log_has_what_commands_say_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let yum = Command::of("yum --assumeyes install kubelet-1.28.2-0.x86_64");
    let none = "No package kubelet-1.28.2-0.x86_64 available.\n";
    let mut host = host(folder.path(), 1, none, "Error: Nothing to do\n");
    let error = host.run(StepName::Packages, &yum, &[], &[], None).unwrap_err();
    assert!(error.to_string().ends_with(&format!("status 1: {}", none.trim())), "{error}");
    let log = log(folder.path());
    assert!(log.contains(&format!("run {yum}\nit took 0.")), "{log}");
    assert!(log.ends_with(&format!(" s\n{none}Error: Nothing to do\n")), "{log}");
}

#[test]
fn what_is_captured_is_in_no_log_and_no_error() {
    let token = Command::of("kubeadm token create --print-join-command");
    for status in [0, 1] {
        let folder = tempfile::tempdir().unwrap();
        let secret = "kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef\n";
        let mut host = host(folder.path(), status, secret, "W1125 a warning\n");
        match host.capture(StepName::JoinFile, &token) {
            Ok(output) => assert_eq!((output.stdout.as_str(), status), (secret, 0)),
            Err(error) => assert_eq!(
                format!("{error:#}"),
                "`kubeadm token create --print-join-command` exited with status 1: W1125 a warning"
            ),
        }
        let log = log(folder.path());
        assert!(log.contains("a warning") && !log.contains("abcdef"), "{log}");
        let receipt = fs::read_to_string(folder.path().join("var/lib/kubeferry/receipt.jsonl"));
        assert!(!receipt.unwrap().contains("abcdef"));
    }
}

#[test]
fn the_log_has_the_end_of_what_is_endless() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = host(folder.path(), 0, &"a line\n".repeat(1 << 20), "");
    host.run(StepName::Packages, &Command::of("dnf install"), &[], &[], None).unwrap();
    assert!(log(folder.path()).len() < 80 << 10);
}
