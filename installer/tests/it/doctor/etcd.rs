//! etcd's database.

use installer::role::Role;

use crate::node::member::Member;

const MIB: u64 = 1 << 20;

/// What is said of a database of so many MiB, with so many of them in use.
fn said(size: u64, in_use: u64, arguments: &str) -> Vec<String> {
    let member = Member::new(Role::Master);
    let pod = format!("spec: {{containers: [{{command: [etcd{arguments}]}}]}}\n");
    member.write("etc/kubernetes/manifests/etcd.yaml", &pod);
    let status = serde_json::json!({"dbSize": size * MIB, "dbSizeInUse": in_use * MIB});
    member.write("run/etcd-status", &serde_json::json!([{ "Status": status }]).to_string());
    let found = member.diagnose();
    assert_eq!((found.findings.len(), found.unknown.len()), (0, 0), "{found:#?}");
    found.warnings.into_iter().map(|one| format!("{}: {}", one.cause, one.cure)).collect()
}

#[test]
fn a_database_near_its_limit() {
    let none: Vec<String> = Vec::new();
    assert_eq!(said(1638, 10, ""), none);
    let found = said(1639, 10, "");
    let words = "etcd's database has 1639 MiB, 10 of them in use; from 2048 MiB on it takes no \
                 changes: crictl exec $(crictl ps";
    assert!(found[0].starts_with(words) && found[0].ends_with(" defrag"), "{found:?}");
    assert!(said(1900, 1800, "")[0].contains(": delete what fills it"));
    assert_eq!(said(1900, 1800, ", --quota-backend-bytes=8589934592"), none);
    assert_eq!(said(1900, 1800, ", --quota-backend-bytes=-1"), none);
    assert_eq!(said(1900, 1800, ", --quota-backend-bytes=0").len(), 1);
    assert_eq!(said(90, 90, ", --quota-backend-bytes=104857600").len(), 1);
}

#[test]
fn an_etcd_that_does_not_say_is_no_warning() {
    let member = Member::new(Role::Master);
    for answer in ["", "[]", "[{\"Status\": {}}]"] {
        member.write("run/etcd-status", answer);
        assert_eq!(member.diagnose().warnings, []);
    }
}
