//! Backups that the cluster file wants, and that are not made.

use std::fs;
use std::time::{Duration, SystemTime};

use super::finding::Finding;
use crate::backup;
use crate::host::Host;
use crate::node::join::JoinFile;
use crate::node::paths::{ADMIN_CONF, BACKUP_TIMER};

/// What a backup may take, beside the timer's own delay.
const SLACK: Duration = Duration::from_secs(3600);

/// The newest backup is older than its schedule.
pub(super) fn old(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !host.exists(ADMIN_CONF) {
        return Ok(None);
    }
    // Another check reports a join file that is gone.
    let Ok(join) = JoinFile::kept(host) else { return Ok(None) };
    let Some(wanted) = &join.cluster.backup else { return Ok(None) };
    let timer = host.path(format!("/etc/systemd/system/{BACKUP_TIMER}"));
    let made = |path: &std::path::Path| fs::metadata(path)?.modified();
    // Before the first backup, its time counts from when the timer was made.
    let Ok(begun) = made(&timer) else { return Ok(None) };
    let folder = host.path(&wanted.folder);
    let newest = backup::folder::of(&folder, &join.master).unwrap_or_default().pop();
    let last = newest.as_deref().and_then(|path| made(path).ok());
    let age = SystemTime::now().duration_since(last.unwrap_or(begun)).unwrap_or_default();
    if age <= wanted.schedule.length() + SLACK {
        return Ok(None);
    }
    let hours = age.as_secs() / 3600;
    let what = match newest {
        Some(path) => format!("the newest backup is {hours} hours old: {}", path.display()),
        None => format!("no backup was made in {hours} hours"),
    };
    let cause = format!("{what}; the cluster file wants one {}", wanted.schedule);
    let cure = "systemctl start kubeferry-backup.service; `journalctl --unit kubeferry-backup` says \
                what went wrong before";
    Ok(Some(Finding::new(cause, cure)))
}
