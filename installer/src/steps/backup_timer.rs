//! Backups that a master makes by itself: a timer of systemd, and a copy of the installer,
//! because its stick is not always there. The backups stay after a reset.

use bundle_format::cluster::BackupSchedule;

use crate::engine::step::Step;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::paths::{BACKUP_TIMER, PROGRAM};
use crate::receipt::StepName;
use crate::steps::file::file_for;
use crate::steps::unit::{enabled, ended};

const TIMER: &str = "/etc/systemd/system/kubeferry-backup.timer";
const SERVICE: &str = "/etc/systemd/system/kubeferry-backup.service";
/// The command by which systemd reads its files again.
const REREAD: &str = "systemctl daemon-reload";

/// Sets up the timer.
pub struct BackupTimer;

impl Step<Intent> for BackupTimer {
    fn name(&self) -> StepName {
        StepName::BackupTimer
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let Some(backup) = &node.intent.cluster.backup else { return without(host) };
        let mut changes = Vec::new();
        if !host.exists(&backup.folder) {
            let path = backup.folder.as_ref().to_owned();
            changes.push(Change::Make { path, mode: 0o700 });
        }
        if !host.is_running_program(PROGRAM)? {
            changes.push(Change::Own(OfInstall::KeepProgram { path: PROGRAM.into() }));
        }
        for (path, text) in [(SERVICE, service(backup)), (TIMER, timer(backup))] {
            changes.extend(file_for(host, self.name(), path, &text, REREAD)?);
        }
        changes.extend(enabled(host, BACKUP_TIMER)?);
        Ok(changes)
    }
}

/// The changes if the cluster file wants no backups any more.
fn without(host: &Host) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    if host.exists(TIMER) {
        changes.extend(ended(host, BACKUP_TIMER)?);
    }
    let ours = [TIMER, SERVICE, PROGRAM].into_iter().filter(|path| host.exists(path));
    changes.extend(ours.map(|path| Change::Remove { path: path.into() }));
    Ok(changes)
}

fn service(backup: &BackupSchedule) -> String {
    format!(
        "# Written by kubeferry.\n[Unit]\nDescription=Backup of the Kubernetes cluster\n\n\
         [Service]\nType=oneshot\nNice=10\n\
         ExecStart={PROGRAM} backup --folder {} --keep {}\n",
        backup.folder, backup.keep
    )
}

/// The delay keeps several masters from saving at once, and a missed time is made up for
/// at the next boot.
fn timer(backup: &BackupSchedule) -> String {
    format!(
        "# Written by kubeferry.\n[Unit]\nDescription=Backups of the Kubernetes cluster\n\n\
         [Timer]\nOnCalendar={}\nRandomizedDelaySec=10min\nPersistent=true\n\n\
         [Install]\nWantedBy=timers.target\n",
        backup.schedule
    )
}
