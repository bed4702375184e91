//! Real os-release files. They are as their makers publish them, except for the lines
//! that say nothing about the system (colours, links).

pub(super) const CENTOS_7: &str = "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n\nCENTOS_MANTISBT_PROJECT=\"CentOS-7\"\n";
pub(super) const RHEL_7: &str = "NAME=\"Red Hat Enterprise Linux Server\"\nVERSION=\"7.4 (Maipo)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\nVARIANT_ID=\"server\"\nVERSION_ID=\"7.4\"\nPRETTY_NAME=\"Red Hat Enterprise Linux Server 7.4 (Maipo)\"\n";
pub(super) const ORACLE_7: &str = "NAME=\"Oracle Linux Server\"\nVERSION=\"7.9\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\nVARIANT_ID=\"server\"\nVERSION_ID=\"7.9\"\nPRETTY_NAME=\"Oracle Linux Server 7.9\"\n";
pub(super) const SCIENTIFIC_7: &str = "NAME=\"Scientific Linux\"\nVERSION=\"7.8 (Nitrogen)\"\nID=\"scientific\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"7.8\"\nPRETTY_NAME=\"Scientific Linux 7.8 (Nitrogen)\"\n";
pub(super) const EUROLINUX_7: &str = "VERSION=\"7.9 (Minsk)\"\nID=\"eurolinux\"\nID_LIKE=\"rhel scientific centos fedora\"\nVERSION_ID=\"7.9\"\nPRETTY_NAME=\"EuroLinux 7.9 (Minsk)\"\n";
pub(super) const RHEL_8: &str = "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"8.4 (Ootpa)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.4\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 8.4 (Ootpa)\"\n";
pub(super) const ALMA_8: &str = "NAME=\"AlmaLinux\"\nVERSION=\"8.3 (Purple Manul)\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"8.3\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"AlmaLinux 8.3 (Purple Manul)\"\n";
pub(super) const ROCKY_8: &str = "NAME=\"Rocky Linux\"\nVERSION=\"8.3 (Green Obsidian)\"\nID=\"rocky\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"8.3\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"Rocky Linux 8.3 (Green Obsidian)\"\n";
pub(super) const CLOUDLINUX_8: &str = "NAME=\"CloudLinux\"\nVERSION=\"8.4 (Valery Rozhdestvensky)\"\nID=\"cloudlinux\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"8.4\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"CloudLinux 8.4 (Valery Rozhdestvensky)\"\n";
pub(super) const MIRACLE_8: &str = "NAME=\"MIRACLE LINUX\"\nVERSION=\"8.4 (Peony)\"\nID=\"miraclelinux\"\nID_LIKE=\"rhel fedora\"\nPLATFORM_ID=\"platform:el8\"\nVERSION_ID=\"8\"\nPRETTY_NAME=\"MIRACLE LINUX 8.4 (Peony)\"\n";
pub(super) const RHEL_9: &str = "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.0 (Plow)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.0\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.0 (Plow)\"\n";
pub(super) const ORACLE_9: &str = "NAME=\"Oracle Linux Server\"\nVERSION=\"9.3\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\nVARIANT_ID=\"server\"\nVERSION_ID=\"9.3\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"Oracle Linux Server 9.3\"\n";
pub(super) const STREAM_9: &str = "NAME=\"CentOS Stream\"\nVERSION=\"9\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"9\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"CentOS Stream 9\"\n";
pub(super) const FEDORA_38: &str = "NAME=\"Fedora Linux\"\nVERSION=\"38 (Container Image)\"\nID=fedora\nVERSION_ID=38\nVERSION_CODENAME=\"\"\nPLATFORM_ID=\"platform:f38\"\nPRETTY_NAME=\"Fedora Linux 38 (Container Image)\"\n";
pub(super) const OPENEULER_20: &str = "NAME=\"openEuler\"\nVERSION=\"20.03 (LTS-SP2)\"\nID=\"openEuler\"\nVERSION_ID=\"20.03\"\nPRETTY_NAME=\"openEuler 20.03 (LTS-SP2)\"\nANSI_COLOR=\"0;31\"\n";
pub(super) const OPENEULER_22: &str = "NAME=\"openEuler\"\nVERSION=\"22.03 (LTS-SP3)\"\nID=\"openEuler\"\nVERSION_ID=\"22.03\"\nPRETTY_NAME=\"openEuler 22.03 (LTS-SP3)\"\nANSI_COLOR=\"0;31\"\n";
pub(super) const HCE_2: &str = "NAME=\"Huawei Cloud EulerOS\"\nVERSION=\"2.0 (x86_64)\"\nID=\"hce\"\nVERSION_ID=\"2.0\"\nPRETTY_NAME=\"Huawei Cloud EulerOS 2.0 (x86_64)\"\nANSI_COLOR=\"0;31\"";
pub(super) const KYLIN_AZALEA: &str = "NAME=\"Kylin Linux Advanced Server\"\n\nVERSION=\"V10 (Azalea)\"\nID=\"kylin\"\n\nID_LIKE=\"fedora\"\nVARIANT=\"Server\"\n\nVARIANT_ID=\"server\"\nVERSION_ID=\"V10\"\n";
pub(super) const ANOLIS_8: &str = "NAME=\"Anolis OS\"\nVERSION=\"8.9\"\nID=\"anolis\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"8.9\"\nPLATFORM_ID=\"platform:an8\"\nPRETTY_NAME=\"Anolis OS 8.9\"\n";
pub(super) const BCLINUX_8: &str = "NAME=\"BigCloud Enterprise Linux\"\nVERSION=\"8.8 (Core)\"\nID=\"bclinux\"\nID_LIKE=\"rhel fedora centos anolis\"\nVERSION_ID=\"8.8\"\nPLATFORM_ID=\"platform:an8\"\nPRETTY_NAME=\"BigCloud Enterprise Linux 8.8 (Core)\"\n";
pub(super) const ALINUX_3: &str = "NAME=\"Alibaba Cloud Linux\"\nVERSION=\"3 (OpenAnolis Edition)\"\nID=\"alinux\"\nID_LIKE=\"rhel fedora centos anolis\"\nVERSION_ID=\"3\"\nVARIANT=\"OpenAnolis Edition\"\nVARIANT_ID=\"openanolis\"\nALINUX_MINOR_ID=\"2104\"\nPLATFORM_ID=\"platform:al8\"\n";
pub(super) const TENCENTOS_2: &str = "NAME=\"TencentOS Server\"\nVERSION=\"2.4\"\nID=\"tencentos\"\nID_LIKE=\"rhel fedora centos tlinux\"\nVERSION_ID=\"2.4\"\nPRETTY_NAME=\"TencentOS Server 2.4\"\n";
pub(super) const TENCENTOS_3: &str = "NAME=\"TencentOS Server\"\nVERSION=\"3.1 (Final)\"\nID=\"tencentos\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"3.1\"\nPLATFORM_ID=\"platform:el8\"\nTENCENT_SUPPORT_PRODUCT=\"tencentos\"\nNAME_ORIG=\"TencentOS Server\n";
pub(super) const UOS_20: &str = "PRETTY_NAME=\"UOS Server 20\"\nNAME=\"UOS Server 20\"\nVERSION_ID=\"20\"\nVERSION=\"20\"\nID=uos\nVERSION_CODENAME=fuyu\nPLATFORM_ID=\"platform:uel20\"\n";
pub(super) const REDOS_7: &str = "NAME=\"RED OS\"\nVERSION=\"MUROM (7.3.6)\"\nPLATFORM_ID=\"platform:el7\"\nID=\"redos\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"7.3\"\nPRETTY_NAME=\"RED OS MUROM (7.3.6)\"\n";
pub(super) const AMAZON_2: &str = "NAME=\"Amazon Linux\"\nVERSION=\"2\"\nID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"\nVERSION_ID=\"2\"\nPRETTY_NAME=\"Amazon Linux 2\"\n";
pub(super) const AMAZON_2023: &str = "NAME=\"Amazon Linux\"\nVERSION=\"2023\"\nID=\"amzn\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"2023\"\nPLATFORM_ID=\"platform:al2023\"\nPRETTY_NAME=\"Amazon Linux 2023\"\n";
pub(super) const PHOTON_4: &str = "NAME=\"VMware Photon OS\"\nVERSION=\"4.0\"\nID=photon\nVERSION_ID=4.0\nPRETTY_NAME=\"VMware Photon OS/Linux\"\n";
pub(super) const SLES_15: &str = "NAME=\"SLES\"\nVERSION=\"15-SP7\"\nVERSION_ID=\"15.7\"\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15 SP7\"\nID=\"sles\"\nID_LIKE=\"suse\"\n";
pub(super) const LEAP_15: &str = "NAME=\"openSUSE Leap\"\nVERSION=\"15.0\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.0\"\nPRETTY_NAME=\"openSUSE Leap 15.0\"\n";
pub(super) const DEBIAN_9: &str = "PRETTY_NAME=\"Debian GNU/Linux 9 (stretch)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"9\"\nVERSION=\"9 (stretch)\"\nID=debian\n";
pub(super) const UBUNTU_22: &str = "PRETTY_NAME=\"Ubuntu 22.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\nID=ubuntu\nID_LIKE=debian\n";

/// From release-engineering/productmd#182.
pub(super) const KYLIN_SP1: &str = "NAME=\"Kylin Linux Advanced Server\"\nVERSION=\"V10 (Tercel)\"\nID=\"kylin\"\nVERSION_ID=\"V10\"\nPRETTY_NAME=\"Kylin Linux Advanced Server V10 (Tercel)\"\nANSI_COLOR=\"0;31\"\n";
/// From kubernetes-sigs/kubespray#9144.
pub(super) const KYLIN_SP2: &str = "NAME=\"Kylin Linux Advanced Server\"\nVERSION=\"V10 (Sword)\"\nID=\"kylin\"\nVERSION_ID=\"V10\"\nPRETTY_NAME=\"Kylin Linux Advanced Server V10 (Sword)\"\nANSI_COLOR=\"0;31\"\n";
/// From CISOfy/lynis#1612.
pub(super) const KYLIN_SP3: &str = "NAME=\"Kylin Linux Advanced Server\"\nVERSION=\"V10 (Lance)\"\nID=\"kylin\"\nVERSION_ID=\"V10\"\nPRETTY_NAME=\"Kylin Linux Advanced Server V10 (Lance)\"\nANSI_COLOR=\"0;31\"\n";
/// From tailscale/tailscale#8359.
pub(super) const KYLIN_DESKTOP: &str = "NAME=\"Kylin\"\nVERSION=\"V10 (juniper)\"\nID=kylin\nID_LIKE=debian\nVERSION_ID=\"v10\"\nPRETTY_NAME=\"Kylin V10\"\nUBUNTU_CODENAME=juniper\n";
/// From ansible/ansible#86957.
pub(super) const UOS_SERVER_A: &str = "PRETTY_NAME=\"UnionTech OS Server 20\"\nNAME=\"UnionTech OS Server 20\"\nVERSION_ID=\"20\"\nVERSION=\"20\"\nID=\"uos\"\nVERSION_CODENAME=\"kongzi\"\nPLATFORM_ID=\"platform:uelc20\"\n";
/// From a user's report; ansible's fixture uos_20.json has the same fields.
pub(super) const UOS_DESKTOP: &str = "PRETTY_NAME=\"UOS Desktop 20 Pro\"\nNAME=\"uos\"\nVERSION_ID=\"20\"\nVERSION=\"20\"\nID=uos\nVERSION_CODENAME=eagle\n";
/// From a user's report.
pub(super) const ANOLIS_7: &str = "NAME=\"Anolis OS\"\nVERSION=\"7.9\"\nID=\"anolis\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"7.9\"\nPRETTY_NAME=\"Anolis OS 7.9\"\n\nCENTOS_MANTISBT_PROJECT=\"CentOS-7\"\n";
/// From a user's report.
pub(super) const ANOLIS_23: &str = "NAME=\"Anolis OS\"\nVERSION=\"23\"\nID=\"anolis\"\nVERSION_ID=\"23\"\nPLATFORM_ID=\"platform:an23\"\nPRETTY_NAME=\"Anolis OS 23\"\nANSI_COLOR=\"0;31\"\n";
/// From a user's report.
pub(super) const EULEROS_2: &str = "NAME=\"EulerOS\"\nVERSION=\"2.0 (SP8)\"\nID=\"euleros\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"2.0\"\nPRETTY_NAME=\"EulerOS 2.0 (SP8)\"\nANSI_COLOR=\"0;31\"\n";
/// From chef/os_release.
pub(super) const OPENEULER_24: &str = "NAME=\"openEuler\"\nVERSION=\"24.03 (LTS-SP2)\"\nID=\"openEuler\"\nVERSION_ID=\"24.03\"\nPRETTY_NAME=\"openEuler 24.03 (LTS-SP2)\"\nANSI_COLOR=\"0;31\"\n";
/// From which-distro/os-release.
pub(super) const ROCKY_10: &str = "NAME=\"Rocky Linux\"\nVERSION=\"10.0 (Red Quartz)\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"10.0\"\nPLATFORM_ID=\"platform:el10\"\nPRETTY_NAME=\"Rocky Linux 10.0 (Red Quartz)\"\n";
/// From which-distro/os-release.
pub(super) const ALMA_10: &str = "NAME=\"AlmaLinux\"\nVERSION=\"10.0 (Purple Lion)\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"10.0\"\nPLATFORM_ID=\"platform:el10\"\nPRETTY_NAME=\"AlmaLinux 10.0 (Purple Lion)\"\n";
/// From which-distro/os-release.
pub(super) const RHEL_10: &str = "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"10.0 (Coughlan)\"\nID=\"rhel\"\nID_LIKE=\"centos fedora\"\nVERSION_ID=\"10.0\"\nPLATFORM_ID=\"platform:el10\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 10.0 (Coughlan)\"\n";
/// From a user's report.
pub(super) const STREAM_10: &str = "NAME=\"CentOS Stream\"\nVERSION=\"10 (Coughlan)\"\nRELEASE_TYPE=stable\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"10\"\nPLATFORM_ID=\"platform:el10\"\nPRETTY_NAME=\"CentOS Stream 10 (Coughlan)\"\n";
/// From which-distro/os-release.
pub(super) const STREAM_8: &str = "NAME=\"CentOS Stream\"\nVERSION=\"8\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"8\"\nPLATFORM_ID=\"platform:el8\"\nPRETTY_NAME=\"CentOS Stream 8\"\n";
/// From which-distro/os-release.
pub(super) const ALMA_9: &str = "NAME=\"AlmaLinux\"\nVERSION=\"9.6 (Sage Margay)\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.6\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"AlmaLinux 9.6 (Sage Margay)\"\n";
/// From which-distro/os-release.
pub(super) const ROCKY_9: &str = "NAME=\"Rocky Linux\"\nVERSION=\"9.5 (Blue Onyx)\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.5\"\nPLATFORM_ID=\"platform:el9\"\nPRETTY_NAME=\"Rocky Linux 9.5 (Blue Onyx)\"\n";
/// From which-distro/os-release.
pub(super) const TENCENTOS_4: &str = "NAME=\"TencentOS Server\"\nVERSION=\"4.2\"\nID=\"tencentos\"\nID_LIKE=\"tencentos\"\nVERSION_ID=\"4.2\"\nPLATFORM_ID=\"platform:tl4\"\nPRETTY_NAME=\"TencentOS Server 4.2\"\n";
/// From chef/os_release, which has no VERSION_ID either.
pub(super) const XENSERVER_7: &str = "NAME=\"XenServer\"\nVERSION=\"7.6.0\"\nID=\"xenenterprise\"\nID_LIKE=\"centos rhel fedora\"\nPRETTY_NAME=\"XenServer 7.6.0\"\n";
/// From which-distro/os-release.
pub(super) const DEEPIN_20: &str = "PRETTY_NAME=\"Deepin 20.9\"\nNAME=\"Deepin\"\nVERSION_ID=\"20.9\"\nVERSION=\"20.9\"\nID=Deepin\n";
