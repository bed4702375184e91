//! What a cluster knows of where its ingress runs: nodes, their labels and taints,
//! and what workloads select by, in files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use installer::exec::Output;

use super::commands::said;

const LABEL: &str = "kubeferry/ingress";

/// kubectl's answer; none where it is asked something else.
pub(super) fn answer(root: &Path, words: &[&str]) -> Option<Output> {
    let listed = |path: &str| {
        let names = read(root, path);
        said(true, &names.lines().map(|name| format!("node/{name}\n")).collect::<String>())
    };
    Some(match words {
        ["kubectl", .., "get", "nodes", "-o", "name"] => listed("run/nodes"),
        ["kubectl", .., "get", "nodes", "-o", "name", "--selector", selector] => {
            assert_eq!(*selector, format!("{LABEL}=true"));
            listed("run/labelled")
        }
        ["kubectl", .., "get", "node", name, "-o", path] if path.contains(LABEL) => {
            let labelled = read(root, "run/labelled").lines().any(|line| line == *name);
            said(true, if labelled { "true" } else { "" })
        }
        ["kubectl", .., "get", "node", name, "-o", "jsonpath={.spec.taints}"] => {
            let path = format!("run/taints/{name}");
            said(root.join(&path).exists(), &read(root, &path))
        }
        ["kubectl", .., "get", kind, name, "-o", path] if path.contains(".nodeSelector.") => {
            said(true, &read(root, &format!("run/selectors/{kind}-{name}")))
        }
        _ => return None,
    })
}

/// Does it; gives whether it was one of these.
pub(super) fn change(root: &Path, words: &[&str]) -> bool {
    match words {
        ["kubectl", .., "label", "--overwrite", "node", name, change] => {
            let text = read(root, "run/labelled");
            let mut labelled: BTreeSet<&str> = text.lines().collect();
            match change.strip_prefix(LABEL) {
                Some("=true") => labelled.insert(name),
                Some("-") => labelled.remove(name),
                _ => panic!("the label is not ours: {change}"),
            };
            let lines: String = labelled.iter().map(|name| format!("{name}\n")).collect();
            write(root, "run/labelled", &lines);
        }
        ["kubectl", .., "patch", kind, name, "--type", "merge", "--patch", patch] => {
            let patch: serde_json::Value = serde_json::from_str(patch).unwrap();
            let selector = &patch["spec"]["template"]["spec"]["nodeSelector"];
            let value = selector[LABEL].as_str().unwrap_or_default();
            write(root, &format!("run/selectors/{kind}-{name}"), value);
        }
        _ => return false,
    }
    true
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
