#!/usr/bin/env bash
# What a node of the lab is before anybody comes: a minimal system that yum and
# dnf take for one of the EL 9 family, with a firewall, a swap file, sshd.
#
# usage: base.sh OUT    (a new folder)
#        RECIPES: this folder;  PACKAGES: see base-os.sh;  DEBS: see rootfs.sh
set -euo pipefail
out=$1
"${RECIPES:?this folder}/rootfs.sh" "$out" \
    ca-certificates cpio curl dbus dnf firewalld hostname iproute2 iptables iputils-arping iputils-ping kmod less libpam-systemd mount \
    openssh-server procps rpm systemd systemd-sysv tar udev util-linux

# --- systemd in namespaces
units=$out/etc/systemd/system
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
    systemd-udevd-kernel.socket systemd-pstore.service e2scrub_reap.service getty@.service \
    console-getty.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer fstrim.timer dev-hugepages.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
    proc-sys-fs-binfmt_misc.automount; do
    ln -sf /dev/null "$units/$unit"
done
# It would set fs.protected_*, which all nodes share with the machine.
ln -sf /dev/null "$out/etc/sysctl.d/99-protect-links.conf"
# No node may touch the clock, so chronyd must neither ask for that nor try.
mkdir -p "$units/chronyd.service.d"
cat >"$units/chronyd.service.d/lab.conf" <<'UNIT'
[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=/usr/sbin/chronyd -x $OPTIONS
UNIT

# --- on a machine without CAP_SYS_RESOURCE, where nobody may lower
# oom_score_adj: runc is found here first, by PATH
cp "$RECIPES/runc.sh" "$out/usr/local/sbin/runc"
chmod 755 "$out/usr/local/sbin/runc"

# --- of the EL 9 family
rm -f "$out/etc/os-release"
cat >"$out/etc/os-release" <<'RELEASE'
NAME="Kubeferry lab"
ID="kubeferry-lab"
ID_LIKE="rhel centos fedora"
VERSION_ID="9"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Kubeferry lab 9 (Debian's packages, dressed as EL 9)"
RELEASE
echo 'Kubeferry lab release 9' >"$out/etc/redhat-release"
ln -sf dnf "$out/usr/bin/yum"
mkdir -p "$out/etc/rpm" "$out/etc/systemd/system-preset" "$out/etc/sysconfig" "$out/etc/yum.repos.d"
# Debian's rpm would keep its database in the user's home.
echo '%_dbpath /var/lib/rpm' >"$out/etc/rpm/macros"
echo 'disable *' >"$out/etc/systemd/system-preset/99-default.preset"
cat >"$out/etc/dnf/dnf.conf" <<'CONF'
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
CONF
# Programs that an EL 9 has in packages of their own, for the product to bring.
rm -f "$out"/usr/sbin/{tc,ebtables,ebtables-save,ebtables-restore}

# --- swap, as an installation leaves it. /proc/swaps is a file of the node's
# own, and these two change it and nothing else: swap is the whole machine's.
cat >"$out/etc/fstab" <<'FSTAB'
# /etc/fstab: mounts at boot
/swapfile  none  swap  defaults  0 0
FSTAB
truncate -s 1M "$out/swapfile"
chmod 600 "$out/swapfile"
for program in swapon swapoff; do
    rm -f "$out/usr/sbin/$program" "$out/sbin/$program"
    cp "$RECIPES/swap.sh" "$out/usr/sbin/$program"
    chmod 755 "$out/usr/sbin/$program"
done

# --- open for the operator
echo 'PermitRootLogin prohibit-password' >"$out/etc/ssh/sshd_config.d/lab.conf"
# Each node makes keys of its own.
rm -f "$out"/etc/ssh/ssh_host_*
mkdir -p "$units/ssh.service.d"
cat >"$units/ssh.service.d/lab.conf" <<'UNIT'
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
UNIT

rm -f "$out/etc/resolv.conf"
: >"$out/etc/resolv.conf"
: >"$out/etc/machine-id"
mkdir -p "$out/lib/modules" "$out/media" "$out/mnt"

# --- the rpm database: one package that says what the above really has
spec=$(mktemp -d)
trap 'rm -rf "$spec"' EXIT
"$RECIPES/base-os.sh" "$out" >"$spec/base-os.spec"
rpmbuild -bb --quiet --target x86_64 --define "_topdir $spec" --define "_rpmdir $spec" \
    "$spec/base-os.spec"
rpm --root "$out" --define '_dbpath /var/lib/rpm' -i "$spec"/x86_64/*.rpm
mkdir -p "$out/usr/share/kubeferry-lab"
cp "$spec"/x86_64/*.rpm "$out/usr/share/kubeferry-lab/base-os.rpm"
