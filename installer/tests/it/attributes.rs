//! Who may read the node's files: as before, after a run and after a reset.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use installer::engine::reset;
use installer::exec::Command;
use installer::install::Change;
use installer::receipt::{Before, Deed, Line, StepName};
use installer::role::Role;
use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::process::geteuid;

use crate::node::{Fault, Node, kinds};

const OWNER: (u32, u32) = (1234, 1235);
const ACL: &str = "system.posix_acl_access";

/// Attributes that a file may have, in the form in which the kernel takes them
/// (linux/posix_acl_xattr.h, linux/capability.h). By the list user 2000 may read.
fn notes() -> Vec<(&'static str, Vec<u8>)> {
    let mut list = 2_u32.to_le_bytes().to_vec();
    let none = u32::MAX;
    for (tag, may, id) in
        [(1_u16, 6_u16, none), (2, 4, 2000), (4, 0, none), (16, 4, none), (32, 0, none)]
    {
        list.extend([&tag.to_le_bytes()[..], &may.to_le_bytes(), &id.to_le_bytes()].concat());
    }
    let capability = [0x0200_0001_u32, 0x400, 0, 0, 0].map(u32::to_le_bytes).concat();
    vec![
        ("user.site", b"its own".to_vec()),
        ("security.selinux", b"system_u:object_r:net_conf_t:s0\0".to_vec()),
        ("security.capability", capability),
        ("trusted.site", b"root's".to_vec()),
        (ACL, list),
    ]
}

/// Mode, owner, and those of the attributes that are there.
fn seen(path: &Path) -> (u32, (u32, u32), BTreeMap<&'static str, Vec<u8>>) {
    let meta = fs::metadata(path).unwrap();
    let mut buffer = vec![0; 1 << 16];
    let mut all = BTreeMap::new();
    for (name, _) in notes() {
        if let Ok(length) = getxattr(path, name, &mut buffer[..]) {
            all.insert(name, buffer[..length].to_vec());
        }
    }
    (meta.mode() & 0o7777, (meta.uid(), meta.gid()), all)
}

/// Makes a file another's, private but for one user, and with all the attributes
/// that the file system takes.
fn make_private(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if !path.exists() {
        fs::write(path, text).unwrap();
    }
    chown(path, Some(OWNER.0), Some(OWNER.1)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    for (name, value) in notes() {
        setxattr(path, name, &value, XattrFlags::empty()).ok();
    }
    assert!(!seen(path).2.is_empty(), "no attribute can be set on {}", path.display());
}

fn is_root() -> bool {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root, to make another's files");
    }
    geteuid().is_root()
}

/// The files that a run on such a node writes or removes, and for each that it
/// writes, whether it then holds a secret of ours.
fn touched(node: &Node) -> BTreeMap<PathBuf, Option<bool>> {
    let changes = node.plan().into_iter().flat_map(|(_, changes)| changes);
    changes
        .filter_map(|change| match change {
            Change::Write { path, mode, .. } => Some((path, Some(mode == 0o600))),
            Change::Remove { path } => Some((path, None)),
            _ => None,
        })
        .collect()
}

#[test]
fn every_file_that_is_edited_keeps_who_may_read_it_and_a_reset_restores_it() {
    if !is_root() {
        return;
    }
    for make in kinds::nodes() {
        let touched = touched(&make());
        assert!(touched.len() > 8, "{touched:?}");
        let node = make();
        let real = |path: &Path| node.root().join(path.strip_prefix("/").unwrap());
        for path in touched.keys() {
            make_private(&real(path), "# the site's own\n");
        }
        let before: BTreeMap<_, _> = touched
            .keys()
            .map(|path| (path, (seen(&real(path)), fs::read(real(path)).unwrap())))
            .collect();
        node.apply(None).end.unwrap();
        assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()));
        for (path, is_secret) in &touched {
            let Some(is_secret) = is_secret else {
                assert!(!real(path).exists(), "{}", path.display());
                continue;
            };
            let (mut expected, text) = before[path].clone();
            assert_ne!(fs::read(real(path)).unwrap(), text, "{}", path.display());
            if *is_secret {
                // It becomes ours alone.
                (expected.0, expected.1) = (0o600, (0, 0));
                expected.2.remove(ACL);
            }
            assert_eq!(seen(&real(path)), expected, "after a run: {}", path.display());
        }
        let kept = node.root().join("var/lib/kubeferry/before");
        for entry in fs::read_dir(&kept).unwrap() {
            let (mode, owner, _) = seen(&entry.unwrap().path());
            assert_eq!((mode, owner), (0o600, (0, 0)), "a kept copy");
        }
        let mut host = node.look(None).0.open().unwrap();
        assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
        for (path, (attributes, text)) in before {
            assert_eq!(fs::read(real(path)).unwrap(), text, "{}", path.display());
            assert_eq!(seen(&real(path)), attributes, "after a reset: {}", path.display());
        }
    }
}

#[test]
fn a_file_that_was_removed_or_that_a_command_has_written_comes_back_as_it_was() {
    if !is_root() {
        return;
    }
    let node = kinds::bare(Role::Worker);
    let (gone, told) = (node.root().join("etc/gone"), node.root().join("etc/told"));
    for path in [&gone, &told] {
        make_private(path, "secret");
    }
    let before = [seen(&gone), seen(&told)];
    let mut host = node.look(Some(Fault::Refused(0))).0.open().unwrap();
    host.remove(StepName::Swap, Path::new("/etc/gone")).unwrap();
    let files = [PathBuf::from("/etc/told")];
    host.run(StepName::Certs, &Command::of("true"), &[], &files, None).ok();
    fs::remove_file(&told).unwrap();
    fs::write(&told, "another").unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    assert_eq!([seen(&gone), seen(&told)], before);
    assert_eq!(fs::read_to_string(&told).unwrap(), "secret");
}

#[test]
fn a_receipt_of_an_earlier_version_restores_what_it_knows() {
    let old = r#"{"line":"deed","step":"swap","deed":{"did":"wrote","path":"/etc/fstab","before":{"was":"file","kept":"0","mode":416},"after":null}}"#;
    let line: Line = serde_json::from_str(old).unwrap();
    let Line::Deed { deed: Deed::Wrote { before: Before::File { attributes, .. }, .. }, .. } =
        &line
    else {
        panic!("{line:?}")
    };
    assert_eq!((attributes.mode, attributes.owner), (0o640, None));
    assert_eq!(attributes.extended, None);
    assert_eq!(serde_json::to_string(&line).unwrap(), old);

    if !is_root() {
        return;
    }
    let node = kinds::bare(Role::Worker);
    let real = node.root().join("etc/fstab");
    make_private(&real, "old");
    let before = seen(&real);
    let mut host = node.look(None).0.open().unwrap();
    host.write(StepName::Swap, Path::new("/etc/fstab"), b"new", 0o644).unwrap();
    drop(host);
    let receipt = node.root().join("var/lib/kubeferry/receipt.jsonl");
    let lines = fs::read_to_string(&receipt).unwrap();
    let known: Vec<String> = lines
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(before) = line.pointer_mut("/deed/before").and_then(|it| it.as_object_mut())
            {
                before.retain(|key, _| ["was", "kept", "mode"].contains(&key.as_str()));
            }
            format!("{line}\n")
        })
        .collect();
    fs::write(&receipt, known.concat()).unwrap();
    let mut host = node.look(None).0.open().unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    assert_eq!(seen(&real), before);
}

#[test]
fn a_secret_that_another_may_read_is_written_anew() {
    if !is_root() {
        return;
    }
    let node = kinds::nodes().iter().map(|make| make()).find(|node| {
        node.role == Role::Worker
            && touched(node).values().any(|is_secret| *is_secret == Some(true))
    });
    let node = node.unwrap();
    node.apply(None).end.unwrap();
    let real = node.root().join("root/.kube/config");
    assert_eq!((seen(&real).0, seen(&real).1), (0o600, (0, 0)));
    chown(&real, Some(OWNER.0), Some(OWNER.1)).unwrap();
    assert!(
        node.plan()
            .iter()
            .any(|(step, changes)| *step == StepName::Kubeconfig && !changes.is_empty())
    );
    node.apply(None).end.unwrap();
    assert_eq!(seen(&real).1, (0, 0));
}
