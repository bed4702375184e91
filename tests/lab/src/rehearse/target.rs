//! Which of a bundle's targets the lab's nodes can be, and what makes them that.

use anyhow::bail;
use bundle_format::lock::{Lock, LockedTarget, System};
use bundle_format::{Architecture, text};

use crate::Node;

/// The first of the bundle's targets that the lab's nodes can be.
pub(super) fn choose(lock: &Lock) -> anyhow::Result<&LockedTarget> {
    let fits = |target: &&LockedTarget| target.architecture == Architecture::X86_64;
    let Some(target) = lock.targets.iter().find(fits) else {
        let ids: Vec<&str> = lock.targets.iter().map(|target| target.id.as_str()).collect();
        bail!("the lab's nodes are x86_64, and the bundle is for {}", ids.join(", "));
    };
    if let Some(tool) = foreign_tool(target) {
        bail!("the lab's nodes install packages by dnf, and {} has {tool}", target.id);
    }
    Ok(target)
}

/// What the target's systems have instead of dnf.
fn foreign_tool(target: &LockedTarget) -> Option<&'static str> {
    let fields = target.systems.iter().flat_map(System::fields);
    fields
        .filter(|(name, _)| *name == "ID")
        .find_map(|(_, id)| bundle_format::lock::foreign_tool(id))
}

/// Makes a node say that it is of the target's family.
pub(super) fn dress(node: &Node, target: &LockedTarget) -> anyhow::Result<()> {
    node.write("/etc/os-release", &os_release(target))?;
    node.run(["chmod", "644", "/etc/os-release"]).map(drop)
}

/// An os-release(5) that the installer takes for one of the target's.
fn os_release(target: &LockedTarget) -> String {
    let mut fields = vec![("NAME".to_owned(), "Kubeferry lab".to_owned())];
    let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    match target.systems.first() {
        // Any text fits `*`.
        Some(system) => {
            for (name, value) in system.fields() {
                add(name, &value.replace('*', "0"));
            }
        }
        None => family_fields(&target.family, &mut add),
    }
    add("PRETTY_NAME", &format!("Kubeferry lab (Debian's packages, dressed as {})", target.id));
    let line = |(name, value): (String, String)| {
        format!("{name}=\"{}\"\n", text::printable(&value).replace(['"', '\\', '$', '`'], ""))
    };
    fields.into_iter().map(line).collect()
}

/// The fields by which the installer knows a family that has no `match`.
fn family_fields(family: &str, add: &mut dyn FnMut(&str, &str)) {
    let digits = family.find(|sign: char| sign.is_ascii_digit()).unwrap_or(family.len());
    let (id, version) = family.split_at(digits);
    match (id, version) {
        // It has no PLATFORM_ID yet.
        ("el", "7") => {
            add("ID", "centos");
            add("ID_LIKE", "rhel fedora");
        }
        ("el", _) => {
            add("ID", "kubeferry-lab");
            add("ID_LIKE", "rhel centos fedora");
            add("PLATFORM_ID", &format!("platform:{family}"));
        }
        _ => add("ID", id),
    }
    add("VERSION_ID", version);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn target(family: &str, systems: Value) -> LockedTarget {
        let target = json!({
            "id": format!("{family}-x86_64"), "family": family, "architecture": "x86_64",
            "match": systems, "baseline": "none", "requested": [], "repositories": [],
        });
        serde_json::from_value(target).unwrap()
    }

    #[test]
    fn a_node_says_what_the_installer_knows_the_family_by() {
        for (family, systems, expected) in [
            ("el9", json!([]), &["PLATFORM_ID=\"platform:el9\"", "VERSION_ID=\"9\""][..]),
            ("el7", json!([]), &["ID=\"centos\"", "VERSION_ID=\"7\""]),
            ("openEuler22.03", json!([]), &["ID=\"openEuler\"", "VERSION_ID=\"22.03\""]),
            ("kylinV10", json!([]), &["ID=\"kylinV\"", "VERSION_ID=\"10\""]),
            (
                "el8",
                json!([{"ID": "anolis", "VERSION_ID": "8.*"}]),
                &["ID=\"anolis\"", "VERSION_ID=\"8.0\""],
            ),
        ] {
            let text = os_release(&target(family, systems));
            for line in expected {
                assert!(text.lines().any(|own| own == *line), "{family}: {text}");
            }
        }
        assert!(!os_release(&target("el7", json!([]))).contains("PLATFORM_ID"));
    }

    #[test]
    fn systems_of_other_packages_are_told() {
        assert_eq!(foreign_tool(&target("x", json!([{"ID": "ubuntu"}]))), Some("apt"));
        assert_eq!(foreign_tool(&target("el9", json!([]))), None);
    }
}
