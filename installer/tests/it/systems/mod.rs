//! Which target is for which system, by real os-release files.

mod releases;
mod unmatched;

use std::fs;
use std::path::Path;

use bundle_format::lock::LockedTarget;
use installer::exec::system::SystemExec;
use installer::host::Host;
use installer::node::facts::Facts;
use installer::target::{choose, reason};

use self::releases::*;

/// Targets as a lock has them: the family, or the family and its `match`. An
/// architecture may come first.
fn targets(families: &[&str]) -> Vec<LockedTarget> {
    let target = |family: &&str| {
        let (architecture, family) = match family.split_once(' ') {
            Some((first, rest)) if first.contains("64") => (first, rest),
            _ => (std::env::consts::ARCH, *family),
        };
        let (family, systems) = family.split_once(' ').unwrap_or((family, "[]"));
        let text = format!(
            "{{\"id\": \"{family}-{architecture}\", \"family\": \"{family}\", \"architecture\": \
             \"{architecture}\", \"match\": {systems}, \"baseline\": \"none\", \"requested\": [], \
             \"repositories\": []}}"
        );
        serde_json::from_str(&text).unwrap()
    };
    families.iter().map(target).collect()
}

fn host(folder: &Path) -> Host {
    Host::look(folder, Box::new(SystemExec { root: Some(folder.to_owned()) })).unwrap()
}

/// The family of the target that is chosen and by which words, or the refusal.
fn chosen(release: &str, families: &[&str]) -> Result<(String, String), String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("etc")).unwrap();
    fs::write(folder.path().join("etc/os-release"), release).unwrap();
    let host = host(folder.path());
    let facts = Facts::gather(&host).unwrap();
    let target = choose(&host, &targets(families), &facts)
        .map_err(|failure| format!("{failure}\n{}", failure.cure()))?;
    let words = reason(&target, &facts.release).unwrap();
    Ok((target.family, words))
}

#[test]
fn systems_of_the_field_have_a_target_without_more_words() {
    for (release, families, words) in [
        (CENTOS_7, "el7 centos7", "ID=centos VERSION_ID=7"),
        (RHEL_7, "el7 rhel7 rhel7.4", "ID=rhel VERSION_ID=7.4"),
        (ORACLE_7, "el7 ol7", "ID=ol VERSION_ID=7.9"),
        (SCIENTIFIC_7, "el7 scientific7", "ID=scientific VERSION_ID=7.8"),
        (EUROLINUX_7, "el7 eurolinux7", "ID=eurolinux VERSION_ID=7.9"),
        (RHEL_8, "el8", "PLATFORM_ID=platform:el8"),
        (ALMA_8, "el8", "PLATFORM_ID=platform:el8"),
        (ROCKY_8, "el8", "PLATFORM_ID=platform:el8"),
        (CLOUDLINUX_8, "el8", "PLATFORM_ID=platform:el8"),
        (MIRACLE_8, "el8", "PLATFORM_ID=platform:el8"),
        (TENCENTOS_3, "el8", "PLATFORM_ID=platform:el8"),
        (RHEL_9, "el9", "PLATFORM_ID=platform:el9"),
        (ORACLE_9, "el9", "PLATFORM_ID=platform:el9"),
        (ORACLE_9, "ol9 ol9.3", "ID=ol VERSION_ID=9.3"),
        (STREAM_9, "el9", "PLATFORM_ID=platform:el9"),
        (STREAM_8, "el8", "PLATFORM_ID=platform:el8"),
        (ROCKY_9, "el9", "PLATFORM_ID=platform:el9"),
        (ALMA_9, "el9", "PLATFORM_ID=platform:el9"),
        (RHEL_10, "el10", "PLATFORM_ID=platform:el10"),
        (ROCKY_10, "el10", "PLATFORM_ID=platform:el10"),
        (ALMA_10, "el10", "PLATFORM_ID=platform:el10"),
        (STREAM_10, "el10", "PLATFORM_ID=platform:el10"),
        (FEDORA_38, "f38", "PLATFORM_ID=platform:f38"),
        (FEDORA_38, "fedora38", "ID=fedora VERSION_ID=38"),
        (OPENEULER_20, "openEuler20.03 openeuler20", "ID=openEuler VERSION_ID=20.03"),
        (
            OPENEULER_22,
            "openEuler22.03 openeuler22.03 openeuler22",
            "ID=openEuler VERSION_ID=22.03",
        ),
        (HCE_2, "hce2 hce2.0", "ID=hce VERSION_ID=2.0"),
        (OPENEULER_22, "openEuler-22.03 openeuler-22", "ID=openEuler VERSION_ID=22.03"),
        (OPENEULER_24, "openEuler24.03 openeuler-24.03", "ID=openEuler VERSION_ID=24.03"),
        (KYLIN_SP1, "kylinV10 kylinv10 kylin-v10", "ID=kylin VERSION_ID=V10"),
        (KYLIN_SP2, "kylinV10", "ID=kylin VERSION_ID=V10"),
        (KYLIN_SP3, "kylinV10", "ID=kylin VERSION_ID=V10"),
        (EULEROS_2, "euleros2 euleros2.0", "ID=euleros VERSION_ID=2.0"),
        (KYLIN_AZALEA, "kylinV10", "ID=kylin VERSION_ID=V10"),
        (ANOLIS_8, "an8", "PLATFORM_ID=platform:an8"),
        (ANOLIS_8, "anolis8", "ID=anolis VERSION_ID=8.9"),
        (ANOLIS_7, "el7", "ID=anolis VERSION_ID=7.9"),
        (ANOLIS_23, "an23", "PLATFORM_ID=platform:an23"),
        (ANOLIS_23, "anolis23 anolis-23", "ID=anolis VERSION_ID=23"),
        (BCLINUX_8, "an8", "PLATFORM_ID=platform:an8"),
        (BCLINUX_8, "bclinux8.8", "ID=bclinux VERSION_ID=8.8"),
        (ALINUX_3, "al8", "PLATFORM_ID=platform:al8"),
        (ALINUX_3, "alinux3", "ID=alinux VERSION_ID=3"),
        (TENCENTOS_2, "tencentos2 tencentos2.4", "ID=tencentos VERSION_ID=2.4"),
        (TENCENTOS_4, "tl4", "PLATFORM_ID=platform:tl4"),
        (UOS_SERVER_A, "uelc20", "PLATFORM_ID=platform:uelc20"),
        (UOS_20, "uel20", "PLATFORM_ID=platform:uel20"),
        (UOS_20, "uos20", "ID=uos VERSION_ID=20"),
        (REDOS_7, "redos7 redos7.3", "ID=redos VERSION_ID=7.3"),
        (REDOS_7, "el7", "PLATFORM_ID=platform:el7"),
        (AMAZON_2, "amzn2", "ID=amzn VERSION_ID=2"),
        (AMAZON_2023, "al2023", "PLATFORM_ID=platform:al2023"),
        (AMAZON_2023, "amzn2023", "ID=amzn VERSION_ID=2023"),
    ] {
        for family in families.split(' ') {
            let found = chosen(release, &["other1", family]);
            assert_eq!(found, Ok((family.to_owned(), words.to_owned())), "{release}");
        }
    }
}

#[test]
fn a_match_says_it_and_counts_most() {
    let both = ["el9", "rocks [{\"ID\": \"ol\", \"VERSION_ID\": \"9.*\"}]"];
    assert_eq!(chosen(ORACLE_9, &both).unwrap().1, "its match ID=ol VERSION_ID=9.*");
    assert_eq!(chosen(RHEL_9, &both).unwrap().0, "el9");
    // With a match the family is a name only.
    let narrow = ["el9 [{\"ID\": \"rocky\"}, {\"ID\": \"almalinux\", \"PLATFORM_ID\": \"*el9\"}]"];
    assert!(chosen(RHEL_9, &narrow).unwrap_err().contains("is for ID=rocky or ID=almalinux"));
    assert_eq!(chosen(ALMA_9, &narrow).unwrap().0, "el9");
    let wide = ["el8 [{\"ID_LIKE\": \"anolis\", \"VERSION_ID\": \"*\"}]"];
    assert_eq!(chosen(ALINUX_3, &wide).unwrap().0, "el8");
    assert!(chosen(ANOLIS_8, &wide).is_err());
    // The closest counts, wherever it stands.
    assert_eq!(chosen(ORACLE_9, &["el9", "ol9"]).unwrap().0, "ol9");
    assert_eq!(chosen(ORACLE_9, &["ol9.3", "ol9", "el9"]).unwrap().0, "ol9.3");
    assert_eq!(chosen(ORACLE_9, &["el9", "ol9", "ol9.3"]).unwrap().0, "ol9.3");
}

#[test]
fn of_targets_that_fit_equally_well_the_first_is_chosen() {
    let [wide, narrow] = [
        "wide [{\"ID\": \"openeuler\"}]",
        "narrow [{\"ID\": \"openEuler\", \"VERSION\": \"22.03 (LTS-SP3)\"}]",
    ];
    assert_eq!(chosen(OPENEULER_22, &[wide, narrow]).unwrap().0, "wide");
    assert_eq!(chosen(OPENEULER_22, &[narrow, wide]).unwrap().0, "narrow");
    assert_eq!(chosen(OPENEULER_24, &[narrow, wide]).unwrap().0, "wide");
    for first in ["openEuler22.03", "openEuler-22.03"] {
        let all = [first, "openeuler22.03", "openeuler-22.03"];
        assert_eq!(chosen(OPENEULER_22, &all).unwrap().0, first);
    }
}

#[test]
fn service_packs_are_told_apart_by_other_fields_only() {
    let of = |name: &str| format!("{name} [{{\"ID\": \"kylin\", \"VERSION\": \"* ({name})\"}}]");
    let packs = ["Tercel", "Sword", "Lance"].map(of);
    let packs: Vec<&str> = packs.iter().map(String::as_str).collect();
    for (release, name) in [(KYLIN_SP1, "Tercel"), (KYLIN_SP2, "Sword"), (KYLIN_SP3, "Lance")] {
        assert_eq!(chosen(release, &packs).unwrap().0, name);
    }
    assert!(chosen(KYLIN_AZALEA, &packs).is_err());
}

#[test]
fn what_has_neither_dnf_nor_yum_is_refused_whatever_the_bundle_says() {
    for (release, tool) in [
        (DEBIAN_9, "apt"),
        (UBUNTU_22, "apt"),
        (SLES_15, "zypper"),
        (LEAP_15, "zypper"),
        (PHOTON_4, "tdnf"),
        (DEEPIN_20, "apt"),
        (KYLIN_DESKTOP, "apt"),
    ] {
        let id = release.lines().find_map(|line| line.strip_prefix("ID=")).unwrap();
        let id = id.trim_matches('"');
        let all = [format!("{id}9"), format!("mine [{{\"ID\": \"{id}\"}}]")];
        let refused = chosen(release, &[&all[0], &all[1]]).unwrap_err();
        assert!(refused.contains(&format!("which installs packages by {tool}\n")), "{refused}");
        assert!(refused.contains("dnf or yum"), "{refused}");
    }
}

#[test]
fn a_desktop_with_apt_is_no_server_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let of = || {
        let host = host(folder.path());
        let facts = Facts::gather(&host).unwrap();
        choose(&host, &targets(&["uos20"]), &facts).map_err(|failure| failure.to_string())
    };
    write("etc/os-release", UOS_DESKTOP);
    assert!(of().is_ok(), "a folder may have no programs");
    write("usr/bin/apt-get", "");
    let refused = of().unwrap_err();
    assert!(refused.ends_with("which installs packages by apt"), "{refused}");
    write("usr/bin/dnf", "");
    assert!(of().is_ok(), "apt is a package of some systems with dnf");
}

#[test]
fn the_file_is_read_as_its_manual_says() {
    let folder = tempfile::tempdir().unwrap();
    let of = |files: &[(&str, &str)]| {
        for path in ["etc/os-release", "usr/lib/os-release"] {
            drop(fs::remove_file(folder.path().join(path)));
        }
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let host = host(folder.path());
        let facts = Facts::gather(&host).unwrap();
        let target = choose(&host, &targets(&["openEuler22.03"]), &facts);
        target.map(|_| ()).map_err(|failure| format!("{failure}\n{}", failure.cure()))
    };
    let vendor = ("usr/lib/os-release", OPENEULER_22);
    assert_eq!(of(&[vendor]), Ok(()), "/usr/lib counts where /etc has none");
    assert!(of(&[vendor, ("etc/os-release", ROCKY_8)]).is_err(), "/etc comes first");
    let refused = of(&[vendor, ("etc/os-release", "")]).unwrap_err();
    assert!(refused.contains("no /etc/os-release that says what it is"), "{refused}");
    assert!(refused.contains("restore that file"), "{refused}");
    assert!(of(&[]).unwrap_err().contains("no /etc/os-release"));
    for text in [
        OPENEULER_22.replace('\n', "\r\n"),
        "# comment\n\n  ID='openEuler'   # here\nVERSION_ID=22.03".to_owned(),
        "ID=open\\Euler\nVERSION_ID=\"22\".'03'\n".to_owned(),
        "ID=other\nVERSION_ID=1\nID=\"openEuler\"\nVERSION_ID=22.03\nNAME=\"cut\n".to_owned(),
    ] {
        assert_eq!(of(&[("etc/os-release", &text)]), Ok(()), "{text}");
    }
}
