//! One text of a support archive: asked for, bounded, and without secrets.

use std::time::Duration;

use crate::exec::{Command, last};
use crate::host::Host;
use crate::masked::masked;
use crate::node::etcd::RunningEtcd;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, CRI_SOCKET, ETCD_MEMBER, KUBELET_CONF};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for this program, which asks many.
const OWN_PATIENCE: Duration = Duration::from_secs(180);
/// The most bytes of one text. Of a longer text, only the end is kept.
const MOST: usize = 2 << 20;

/// Where a text comes from.
pub(super) enum Source {
    /// A file of the node.
    File(&'static str),
    /// A command that only looks.
    Run(&'static str),
    /// The same, with its lines sorted.
    Sorted(&'static str),
    /// A command of this program.
    Own(&'static str),
    /// etcdctl, in the container of the etcd that runs here.
    Etcd(&'static str),
}

/// What was found.
pub(super) struct Entry {
    /// What was asked.
    pub(super) asked: String,
    /// The text; or why there is none.
    pub(super) text: Result<String, String>,
}

impl Source {
    /// Asks. Whatever comes of it is an answer.
    pub(super) fn ask(&self, host: &Host) -> Entry {
        let (asked, text) = match self {
            Self::File(path) => ((*path).to_owned(), file(host, path)),
            Self::Run(line) => run(host, &Command::of(&whole(host, line)), PATIENCE),
            Self::Sorted(line) => {
                let (asked, text) = run(host, &Command::of(line), PATIENCE);
                (asked, text.map(|text| sorted(&text)))
            }
            Self::Own(arguments) => match std::env::current_exe() {
                Ok(own) => {
                    let (_, text) = run(
                        host,
                        &Command::of("").with(own.to_string_lossy()).with(*arguments),
                        OWN_PATIENCE,
                    );
                    (format!("installer {arguments}"), text)
                }
                Err(error) => (format!("installer {arguments}"), Err(error.to_string())),
            },
            Self::Etcd(arguments) => (format!("etcdctl {arguments}"), etcd(host, arguments)),
        };
        Entry { asked, text: text.map(|text| bounded(masked(&text))) }
    }
}

/// Programs that must be told where to look.
fn whole(host: &Host, line: &str) -> String {
    match line.split_once(' ') {
        Some(("kubectl", rest)) => {
            let config = if host.exists(ADMIN_CONF) { ADMIN_CONF } else { KUBELET_CONF };
            format!("{} --request-timeout 20s {rest}", kubectl(config))
        }
        Some(("crictl", rest)) => format!("crictl --runtime-endpoint {CRI_SOCKET} {rest}"),
        _ => line.to_owned(),
    }
}

fn file(host: &Host, path: &str) -> Result<String, String> {
    match host.read(path) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err("it does not exist".to_owned()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn run(host: &Host, command: &Command, limit: Duration) -> (String, Result<String, String>) {
    let text = match host.answer_within(command, limit) {
        Ok(Some(output)) if output.status == Some(127) => Err("it is not installed".to_owned()),
        // What failed has most often said why.
        Ok(Some(output)) if output.succeeded() => Ok(output.stdout),
        Ok(Some(output)) => {
            Ok(format!("{}\n{}\n(it {})\n", output.stdout, output.stderr, output.end()))
        }
        Ok(None) => Err(format!("it did not answer within {} s", limit.as_secs())),
        Err(error) => Err(format!("{error:#}")),
    };
    (command.to_string(), text)
}

fn etcd(host: &Host, arguments: &str) -> Result<String, String> {
    let absent = "etcd does not run here";
    if !host.exists(ETCD_MEMBER) {
        return Err(absent.to_owned());
    }
    let running = RunningEtcd::running(host).map_err(|error| format!("{error:#}"))?;
    run(host, &running.ok_or(absent)?.etcdctl(arguments), PATIENCE).1
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

fn bounded(text: String) -> String {
    match last(&text, MOST) {
        end if end.len() == text.len() => text,
        end => format!("(the beginning is left out)\n{end}"),
    }
}
