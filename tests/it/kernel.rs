//! Packages that must be of the very kernel that a target's nodes run.

use std::fs;

use serde_json::Value;

use crate::support::demo::Demo;

/// A demo whose target is el10, with these lines.
fn el10(lines: &str) -> Demo {
    let demo = Demo::start();
    let target = format!("family: el10\n    architecture: x86_64\n{lines}");
    let own = "family: el9\n    architecture: x86_64\n";
    assert!(demo.spec().contains(own));
    demo.write_spec(&demo.spec().replace(own, &target));
    demo
}

/// The list of a node: its running kernel, and the kernels that are installed.
fn list(demo: &Demo, running: &str, installed: &[&str]) {
    let mut text = String::new();
    if !running.is_empty() {
        text = format!("# kernel: 6.12.0-{running}.el10_1.x86_64\n");
    }
    for kernel in installed {
        text += &format!("kernel-core\t6.12.0-{kernel}.el10_1\tx86_64\n");
    }
    fs::write(demo.path("node.list"), text + "tzdata\t2023c-1.el9\tnoarch\n").unwrap();
}

/// The kernel packages of the lock, and its warnings about them.
fn locked(demo: &Demo) -> (Vec<String>, Vec<String>) {
    demo.ok(&["lock"]);
    let text = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    let lock: Value = serde_json::from_str(&text).unwrap();
    let texts = |value: &Value| value.as_str().unwrap().to_owned();
    let rpms = lock["rpms"].as_array().unwrap().iter().map(|rpm| texts(&rpm["package"]));
    let warnings = lock["warnings"].as_array().unwrap().iter().map(texts);
    (
        rpms.filter(|rpm| rpm.starts_with("kernel")).collect(),
        warnings.filter(|warning| warning.contains("kernel-modules-extra")).collect(),
    )
}

const BASELINE: &str = "    baseline: {packages: node.list}\n";

#[test]
fn modules_are_of_the_kernel_that_the_nodes_list_names() {
    let demo = el10(BASELINE);
    let extra = |kernel: &str| vec![format!("kernel-modules-extra-6.12.0-{kernel}.el10_1.x86_64")];
    for (running, installed, wanted) in [
        ("124.8.1", &["124.8.1", "124.31.1"][..], "124.8.1"),
        ("124.31.1", &["124.8.1", "124.31.1"], "124.31.1"),
        // The list of `rpm -qa` does not say which one runs.
        ("", &["124.8.1", "124.31.1"], "124.31.1"),
        // A kernel that only its node still has.
        ("124.5.1", &["124.5.1"], "124.5.1"),
    ] {
        list(&demo, running, installed);
        assert_eq!(locked(&demo), (extra(wanted), Vec::new()), "{running} {installed:?}");
    }
    list(&demo, "124.1.1", &["124.1.1"]);
    let error = demo.fails(&["lock"]);
    assert!(error.contains("kernel-modules-extra = 6.12.0-124.1.1.el10_1"), "{error}");
}

#[test]
fn a_target_without_a_known_kernel_is_warned_of() {
    let warned = |demo: &Demo, words: &str| {
        let (rpms, warnings) = locked(demo);
        assert_eq!(rpms, [""; 0]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(words), "{warnings:?}");
    };
    warned(&el10(""), "run `installer inventory` on a node");
    let demo = el10(BASELINE);
    list(&demo, "124.8.1", &[]);
    warned(&demo, "has no kernel-core of that kernel, 6.12.0-124.8.1.el10_1.x86_64: name");
    // The spec may say it.
    let demo = el10("    packages: ['kernel-modules-extra = 6.12.0-124.8.1.el10_1']\n");
    let both = ["kernel-core", "kernel-modules-extra"]
        .map(|name| format!("{name}-6.12.0-124.8.1.el10_1.x86_64"));
    assert_eq!(locked(&demo), (both.to_vec(), Vec::new()));
}
