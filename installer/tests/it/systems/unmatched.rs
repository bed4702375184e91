//! What the operator reads if no target fits the node.

use super::chosen;
use super::releases::*;

/// The error and its hint.
fn refused(release: &str, families: &[&str]) -> (String, String) {
    let refused = chosen(release, families).unwrap_err();
    let (what, cure) = refused.split_once('\n').unwrap();
    (what.to_owned(), cure.replace(std::env::consts::ARCH, "ARCH"))
}

#[test]
fn what_is_only_like_rhel_is_not_taken_for_it() {
    for (release, families) in [
        (AMAZON_2, ["el2", "el7"]),
        (AMAZON_2023, ["el9", "f38"]),
        (TENCENTOS_2, ["el2", "el7"]),
        (TENCENTOS_4, ["el4", "el9"]),
        (EULEROS_2, ["el8", "el7"]),
        (ANOLIS_8, ["el8", "an7"]),
        (ANOLIS_23, ["el8", "el9"]),
        (ALINUX_3, ["el8", "al3"]),
        (KYLIN_SP1, ["elV10", "el8"]),
        (KYLIN_SP3, ["el8", "el10"]),
        (KYLIN_AZALEA, ["elV10", "el10"]),
        (OPENEULER_20, ["el8", "el7"]),
        (OPENEULER_22, ["el8", "el9"]),
        (OPENEULER_24, ["el9", "el10"]),
        (OPENEULER_22, ["openEuler24.03", "openEuler2"]),
        (OPENEULER_22, ["openEuler", "openEuler--22.03"]),
        (UOS_20, ["el8", "uos2"]),
        (HCE_2, ["hce", "hce20"]),
        (FEDORA_38, ["el9", "fedora3"]),
        (CENTOS_7, ["el8", "centos"]),
        (ROCKY_9, ["el8", "el10"]),
        (ROCKY_10, ["el1", "el9"]),
    ] {
        let (what, _) = refused(release, &families);
        assert!(what.contains(", and the bundle has no target for it: "), "{what}");
    }
}

#[test]
fn it_says_what_the_node_is_and_whom_each_target_is_for() {
    let targets = ["el7", "el9", "an8", "x [{\"ID\": \"a\"}, {\"ID\": \"b\"}]"];
    let (what, _) = refused(OPENEULER_22, &targets);
    let architecture = std::env::consts::ARCH;
    assert_eq!(
        what.replace(architecture, "ARCH"),
        "this node is openEuler 22.03 (LTS-SP3) (ID=openEuler VERSION_ID=22.03, ARCH), and the \
         bundle has no target for it: el7-ARCH is for version 7 of RHEL and its rebuilds; el9-ARCH \
         is for PLATFORM_ID=platform:el9; an8-ARCH is for a system whose PLATFORM_ID, or ID and \
         VERSION_ID together, say an8; x-ARCH is for ID=a or ID=b"
    );
}

/// The lines are those that a spec takes, and they do not take the target away from the
/// nodes that it is for today.
#[test]
fn the_hint_has_the_words_for_the_spec() {
    for (release, families, ways) in [
        (
            OPENEULER_22,
            &["el8"][..],
            &[
                "add a target with `family: openEuler22.03` and `architecture: ARCH`",
                "if the packages of el8-ARCH are right for this node, write there `match: [{ID: \
                 \"openEuler\", VERSION_ID: \"22.03\"}, {PLATFORM_ID: \"platform:el8\"}]`",
            ][..],
        ),
        (
            KYLIN_SP3,
            &["el7"],
            &[
                "add a target with `family: kylinV10` and `architecture: ARCH`",
                "if the packages of el7-ARCH are right for this node, write there `match: [{ID: \
                 \"kylin\", VERSION_ID: \"V10\"}]`, and an entry for each other system that it is \
                 for",
            ],
        ),
        // Its packages are those of another release: no `match` makes them right.
        (ROCKY_9, &["el8"], &["add a target with `family: el9` and `architecture: ARCH`"]),
        (ROCKY_10, &["el9"], &["add a target with `family: el10` and `architecture: ARCH`"]),
        (CENTOS_7, &["el9"], &["add a target with `family: el7` and `architecture: ARCH`"]),
        (
            ANOLIS_8,
            &["anolis7.9", "el8"],
            &[
                "add a target with `family: an8` and `architecture: ARCH`",
                "if the packages of anolis7.9-ARCH are right for this node, write there `match: \
                 [{ID: \"anolis\", VERSION_ID: \"8.9\"}]`, and an entry for each other system that \
                 it is for",
            ],
        ),
        // The spec refuses an empty value.
        (
            XENSERVER_7,
            &["el8"],
            &[
                "add a target with a `family` of your own naming, `architecture: ARCH` and `match: [{ID: \"xenenterprise\"}]`",
                "if the packages of el8-ARCH are right for this node, write there `match: [{ID: \
                 \"xenenterprise\"}, {PLATFORM_ID: \"platform:el8\"}]`",
            ],
        ),
    ] {
        let (_, cure) = refused(release, families);
        let all = "change the spec, and run `bundler lock` and `bundler build` again: ";
        assert_eq!(cure, format!("{all}{}", ways.join("; or ")), "{release}");
    }
}

#[test]
fn it_never_asks_for_the_bundle_that_is_there() {
    for (release, families, ways) in [
        // A name without a version fits nothing, so it is this target that must change.
        (
            OPENEULER_22,
            "openEuler",
            "if the packages of openEuler-ARCH are right for this node, write there `family: \
             openEuler22.03`: `openEuler` without a version fits no node",
        ),
        (
            OPENEULER_22,
            "openEuler22.03 [{\"ID\": \"openEuler\", \"VERSION\": \"*SP4*\"}]",
            "if the packages of openEuler22.03-ARCH are right for this node, add `{ID: \
             \"openEuler\", VERSION_ID: \"22.03\"}` to its `match`",
        ),
        (
            ALMA_9,
            "el9 [{\"ID\": \"rocky\"}]",
            "if the packages of el9-ARCH are right for this node, add `{ID: \"almalinux\", \
             VERSION_ID: \"9.6\"}` to its `match`",
        ),
    ] {
        let (_, cure) = refused(release, &[families]);
        let all = "change the spec, and run `bundler lock` and `bundler build` again: ";
        assert_eq!(cure, format!("{all}{ways}"), "{release}");
    }
    // Nor where the bundle has the family for another processor as well.
    let other = if std::env::consts::ARCH == "x86_64" { "aarch64" } else { "x86_64" };
    let families = [&*format!("{other} el9"), "el9 [{\"ID\": \"rocky\"}]"];
    let (_, cure) = refused(ALMA_9, &families);
    assert!(!cure.contains("add a target"), "{cure}");
}

#[test]
fn where_the_architecture_differs_that_is_said() {
    let here = std::env::consts::ARCH;
    let other = if here == "x86_64" { "aarch64" } else { "x86_64" };
    for (release, target) in [
        (OPENEULER_22, "openEuler22.03"),
        (ROCKY_9, "el9"),
        (KYLIN_SP3, "mine [{\"ID\": \"kylin\"}]"),
    ] {
        let (what, cure) = refused(release, &[&format!("{other} {target}"), "el8"]);
        let (family, _) = target.split_once(' ').unwrap_or((target, ""));
        let said = format!("{family}-{other} is for this system, but for {other}; el8-{here} is ");
        assert!(what.contains(&said), "{what}");
        let first = format!("add a target like {family}-{other}, with `architecture: ARCH`");
        assert!(cure.contains(&format!("again: {first}")), "{cure}");
        assert!(!cure.contains("`family: "), "{cure}");
    }
    let (what, cure) = refused(ROCKY_9, &[&format!("{other} el8")]);
    assert!(what.ends_with(&format!("el8-{other} is for {other}")), "{what}");
    assert!(cure.ends_with("again: add a target with `family: el9` and `architecture: ARCH`"));
}
