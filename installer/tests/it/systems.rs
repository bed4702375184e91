//! Which target is for which system, by real os-release files. They are as their makers
//! publish them, but for the lines that tell nothing of the system (colours, links).

use std::fs;
use std::path::Path;

use bundle_format::lock::LockedTarget;
use installer::exec::system::SystemExec;
use installer::host::Host;
use installer::node::facts::Facts;
use installer::target::{choose, reason};

const CENTOS_7: &str = "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n\nCENTOS_MANTISBT_PROJECT=\"CentOS-7\"\n";
const RHEL_7: &str = "NAME=\"Red Hat Enterprise Linux Server\"\nVERSION=\"7.4 (Maipo)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\nVARIANT_ID=\"server\"\nVERSION_ID=\"7.4\"\nPRETTY_NAME=\"Red Hat Enterprise Linux Server 7.4 (Maipo)\"\n";
const ORACLE_7: &str = "NAME=\"Oracle Linux Server\"\nVERSION=\"7.9\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\nVARIANT_ID=\"server\"\nVERSION_ID=\"7.9\"\nPRETTY_NAME=\"Oracle Linux Server 7.9\"\n";
const SCIENTIFIC_7: &str = "NAME=\"Scientific Linux\"\nVERSION=\"7.8 (Nitrogen)\"\nID=\"scientific\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"7.8\"\nPRETTY_NAME=\"Scientific Linux 7.8 (Nitrogen)\"\n";
const EUROLINUX_7: &str = "VERSION=\"7.9 (Minsk)\"\nID=\"eurolinux\"\nID_LIKE=\"rhel scientific centos fedora\"\nVERSION_ID=\"7.9\"\nPRETTY_NAME=\"EuroLinux 7.9 (Minsk)\"\n";
const RHEL_8: &str = "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"8.4 (Ootpa)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.4\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 8.4 (Ootpa)\"\n";
const ALMA_8: &str = "NAME=\"AlmaLinux\"\nVERSION=\"8.3 (Purple Manul)\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"8.3\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"AlmaLinux 8.3 (Purple Manul)\"\n";
const ROCKY_8: &str = "NAME=\"Rocky Linux\"\nVERSION=\"8.3 (Green Obsidian)\"\nID=\"rocky\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"8.3\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"Rocky Linux 8.3 (Green Obsidian)\"\n";
const CLOUDLINUX_8: &str = "NAME=\"CloudLinux\"\nVERSION=\"8.4 (Valery Rozhdestvensky)\"\nID=\"cloudlinux\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"8.4\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"CloudLinux 8.4 (Valery Rozhdestvensky)\"\n";
const MIRACLE_8: &str = "NAME=\"MIRACLE LINUX\"\nVERSION=\"8.4 (Peony)\"\nID=\"miraclelinux\"\nID_LIKE=\"rhel fedora\"\nPLATFORM_ID=\"platform:el8\"\nVERSION_ID=\"8\"\nPRETTY_NAME=\"MIRACLE LINUX 8.4 (Peony)\"\n";
const RHEL_9: &str = "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.0 (Plow)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.0\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.0 (Plow)\"\n";
const ORACLE_9: &str = "NAME=\"Oracle Linux Server\"\nVERSION=\"9.3\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\nVARIANT_ID=\"server\"\nVERSION_ID=\"9.3\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"Oracle Linux Server 9.3\"\n";
const STREAM_9: &str = "NAME=\"CentOS Stream\"\nVERSION=\"9\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"9\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"CentOS Stream 9\"\n";
const FEDORA_38: &str = "NAME=\"Fedora Linux\"\nVERSION=\"38 (Container Image)\"\nID=fedora\nVERSION_ID=38\nVERSION_CODENAME=\"\"\nPLATFORM_ID=\"platform:f38\"\nPRETTY_NAME=\"Fedora Linux 38 (Container Image)\"\n";
const OPENEULER_20: &str = "NAME=\"openEuler\"\nVERSION=\"20.03 (LTS-SP2)\"\nID=\"openEuler\"\nVERSION_ID=\"20.03\"\nPRETTY_NAME=\"openEuler 20.03 (LTS-SP2)\"\nANSI_COLOR=\"0;31\"\n";
const OPENEULER_22: &str = "NAME=\"openEuler\"\nVERSION=\"22.03 (LTS-SP3)\"\nID=\"openEuler\"\nVERSION_ID=\"22.03\"\nPRETTY_NAME=\"openEuler 22.03 (LTS-SP3)\"\nANSI_COLOR=\"0;31\"\n";
const HCE_2: &str = "NAME=\"Huawei Cloud EulerOS\"\nVERSION=\"2.0 (x86_64)\"\nID=\"hce\"\nVERSION_ID=\"2.0\"\nPRETTY_NAME=\"Huawei Cloud EulerOS 2.0 (x86_64)\"\nANSI_COLOR=\"0;31\"";
const KYLIN_V10: &str = "NAME=\"Kylin Linux Advanced Server\"\nVERSION=\"V10 (Sword)\"\nID=\"kylin\"\nVERSION_ID=\"V10\"\nPRETTY_NAME=\"Kylin Linux Advanced Server V10 (Sword)\"\nANSI_COLOR=\"0;31\"\n";
const KYLIN_AZALEA: &str = "NAME=\"Kylin Linux Advanced Server\"\n\nVERSION=\"V10 (Azalea)\"\nID=\"kylin\"\n\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\n\nVARIANT_ID=\"server\"\nVERSION_ID=\"V10\"\n";
const ANOLIS_8: &str = "NAME=\"Anolis OS\"\nVERSION=\"8.9\"\nID=\"anolis\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"8.9\"\nPLATFORM_ID=\"platform:an8\"\nPRETTY_NAME=\"Anolis OS 8.9\"\n";
const BCLINUX_8: &str = "NAME=\"BigCloud Enterprise Linux\"\nVERSION=\"8.8 (Core)\"\nID=\"bclinux\"\nID_LIKE=\"rhel fedora centos anolis\"\nVERSION_ID=\"8.8\"\nPLATFORM_ID=\"platform:an8\"\nPRETTY_NAME=\"BigCloud Enterprise Linux 8.8 (Core)\"\n";
const ALINUX_3: &str = "NAME=\"Alibaba Cloud Linux\"\nVERSION=\"3 (OpenAnolis Edition)\"\nID=\"alinux\"\nID_LIKE=\"rhel fedora centos anolis\"\nVERSION_ID=\"3\"\nVARIANT=\"OpenAnolis Edition\"\nVARIANT_ID=\"openanolis\"\nALINUX_MINOR_ID=\"2104\"\nPLATFORM_ID=\"platform:al8\"\n";
const TENCENTOS_2: &str = "NAME=\"TencentOS Server\"\nVERSION=\"2.4\"\nID=\"tencentos\"\nID_LIKE=\"rhel fedora centos tlinux\"\nVERSION_ID=\"2.4\"\nPRETTY_NAME=\"TencentOS Server 2.4\"\n";
const TENCENTOS_3: &str = "NAME=\"TencentOS Server\"\nVERSION=\"3.1 (Final)\"\nID=\"tencentos\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"3.1\"\nPLATFORM_ID=\"platform:el8\"\nTENCENT_SUPPORT_PRODUCT=\"tencentos\"\nNAME_ORIG=\"TencentOS Server\n";
const UOS_20: &str = "PRETTY_NAME=\"UOS Server 20\"\nNAME=\"UOS Server 20\"\nVERSION_ID=\"20\"\nVERSION=\"20\"\nID=uos\nVERSION_CODENAME=fuyu\nPLATFORM_ID=\"platform:uel20\"\n";
const REDOS_7: &str = "NAME=\"RED OS\"\nVERSION=\"MUROM (7.3.6)\"\nPLATFORM_ID=\"platform:el7\"\nID=\"redos\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"7.3\"\nPRETTY_NAME=\"RED OS MUROM (7.3.6)\"\n";
const AMAZON_2: &str = "NAME=\"Amazon Linux\"\nVERSION=\"2\"\nID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"\nVERSION_ID=\"2\"\nPRETTY_NAME=\"Amazon Linux 2\"\n";
const AMAZON_2023: &str = "NAME=\"Amazon Linux\"\nVERSION=\"2023\"\nID=\"amzn\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"2023\"\nPLATFORM_ID=\"platform:al2023\"\nPRETTY_NAME=\"Amazon Linux 2023\"\n";
const PHOTON_4: &str = "NAME=\"VMware Photon OS\"\nVERSION=\"4.0\"\nID=photon\nVERSION_ID=4.0\nPRETTY_NAME=\"VMware Photon OS/Linux\"\n";
const SLES_15: &str = "NAME=\"SLES\"\nVERSION=\"15-SP7\"\nVERSION_ID=\"15.7\"\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15 SP7\"\nID=\"sles\"\nID_LIKE=\"suse\"\n";
const LEAP_15: &str = "NAME=\"openSUSE Leap\"\nVERSION=\"15.0\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.0\"\nPRETTY_NAME=\"openSUSE Leap 15.0\"\n";
const DEBIAN_9: &str = "PRETTY_NAME=\"Debian GNU/Linux 9 (stretch)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"9\"\nVERSION=\"9 (stretch)\"\nID=debian\n";
const UBUNTU_22: &str = "PRETTY_NAME=\"Ubuntu 22.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\nID=ubuntu\nID_LIKE=debian\n";

/// Targets as a lock has them: the family, or the family and its `match`.
fn targets(families: &[&str]) -> Vec<LockedTarget> {
    let target = |family: &&str| {
        let (family, systems) = family.split_once(' ').unwrap_or((family, "[]"));
        let architecture = std::env::consts::ARCH;
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
        (FEDORA_38, "f38", "PLATFORM_ID=platform:f38"),
        (FEDORA_38, "fedora38", "ID=fedora VERSION_ID=38"),
        (OPENEULER_20, "openEuler20.03 openeuler20", "ID=openEuler VERSION_ID=20.03"),
        (
            OPENEULER_22,
            "openEuler22.03 openeuler22.03 openeuler22",
            "ID=openEuler VERSION_ID=22.03",
        ),
        (HCE_2, "hce2 hce2.0", "ID=hce VERSION_ID=2.0"),
        (KYLIN_V10, "kylinV10 kylinv10", "ID=kylin VERSION_ID=V10"),
        (KYLIN_AZALEA, "kylinV10", "ID=kylin VERSION_ID=V10"),
        (ANOLIS_8, "an8", "PLATFORM_ID=platform:an8"),
        (ANOLIS_8, "anolis8", "ID=anolis VERSION_ID=8.9"),
        (BCLINUX_8, "an8", "PLATFORM_ID=platform:an8"),
        (BCLINUX_8, "bclinux8.8", "ID=bclinux VERSION_ID=8.8"),
        (ALINUX_3, "al8", "PLATFORM_ID=platform:al8"),
        (ALINUX_3, "alinux3", "ID=alinux VERSION_ID=3"),
        (TENCENTOS_2, "tencentos2 tencentos2.4", "ID=tencentos VERSION_ID=2.4"),
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
fn what_is_only_like_rhel_is_not_taken_for_it() {
    for (release, families) in [
        (AMAZON_2, ["el2", "el7"]),
        (AMAZON_2023, ["el9", "f38"]),
        (TENCENTOS_2, ["el2", "el7"]),
        (ANOLIS_8, ["el8", "an7"]),
        (ALINUX_3, ["el8", "al3"]),
        (KYLIN_V10, ["elV10", "el8"]),
        (KYLIN_AZALEA, ["elV10", "el10"]),
        (OPENEULER_22, ["el8", "el9"]),
        (OPENEULER_22, ["openEuler24.03", "openEuler2"]),
        (UOS_20, ["el8", "uos2"]),
        (HCE_2, ["hce", "hce20"]),
        (FEDORA_38, ["el9", "fedora3"]),
        (CENTOS_7, ["el8", "centos"]),
    ] {
        let refused = chosen(release, &families).unwrap_err();
        assert!(refused.contains("the bundle has no target for it: "), "{refused}");
    }
    let refused =
        chosen(OPENEULER_22, &["el9", "x [{\"ID\": \"a\"}, {\"ID\": \"b\"}]"]).unwrap_err();
    for words in [
        "this node is openEuler 22.03 (LTS-SP3) (ID=openEuler VERSION_ID=22.03, ",
        "needs a system whose os-release says el9; x-",
        "wants ID=a or ID=b\n",
        "`family: openEuler22.03`",
        "`match: [{ID: \"openEuler\", VERSION_ID: \"22.03\"}]`",
    ] {
        assert!(refused.contains(words), "{words}\n{refused}");
    }
}

#[test]
fn a_match_says_it_and_counts_most() {
    let both = ["el9", "rocks [{\"ID\": \"ol\", \"VERSION_ID\": \"9.*\"}]"];
    assert_eq!(chosen(ORACLE_9, &both).unwrap().1, "its match ID=ol VERSION_ID=9.*");
    assert_eq!(chosen(RHEL_9, &both).unwrap().0, "el9");
    // With a match the family is a name only.
    let narrow = ["el9 [{\"ID\": \"rocky\"}, {\"ID\": \"almalinux\", \"PLATFORM_ID\": \"*el9\"}]"];
    assert!(chosen(RHEL_9, &narrow).unwrap_err().contains("wants ID=rocky or ID=almalinux"));
    let wide = ["el8 [{\"ID_LIKE\": \"anolis\", \"VERSION_ID\": \"*\"}]"];
    assert_eq!(chosen(ALINUX_3, &wide).unwrap().0, "el8");
    assert!(chosen(ANOLIS_8, &wide).is_err());
    // The closest counts, wherever it stands.
    assert_eq!(chosen(ORACLE_9, &["el9", "ol9"]).unwrap().0, "ol9");
    assert_eq!(chosen(ORACLE_9, &["ol9.3", "ol9", "el9"]).unwrap().0, "ol9.3");
}

#[test]
fn what_has_neither_dnf_nor_yum_is_refused_whatever_the_bundle_says() {
    for (release, tool) in [
        (DEBIAN_9, "apt"),
        (UBUNTU_22, "apt"),
        (SLES_15, "zypper"),
        (LEAP_15, "zypper"),
        (PHOTON_4, "tdnf"),
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
