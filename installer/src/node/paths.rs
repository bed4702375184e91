//! Where things lie on a node: the one name of each path that several files speak of.

/// kubeadm's folder: kubeconfigs, certificates, the control plane's pods.
pub(crate) const KUBERNETES: &str = "/etc/kubernetes";
/// The administrator's kubeconfig, which kubeadm writes on masters.
pub(crate) const ADMIN_CONF: &str = "/etc/kubernetes/admin.conf";
/// kubelet's kubeconfig, which kubeadm writes on every node.
pub(crate) const KUBELET_CONF: &str = "/etc/kubernetes/kubelet.conf";
/// The files by which kubelet starts the control plane's pods.
pub(crate) const STATIC_PODS: &str = "/etc/kubernetes/manifests";
/// The cluster's certificates.
pub(crate) const PKI: &str = "/etc/kubernetes/pki";
/// The cluster's authority, which kubeadm leaves on every node.
pub(crate) const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";
/// The authority's key, which only masters have.
pub(crate) const AUTHORITY_KEY: &str = "/etc/kubernetes/pki/ca.key";

/// kubelet's own folder.
pub(crate) const KUBELET: &str = "/var/lib/kubelet";
/// kubelet's settings, which kubeadm writes.
pub(crate) const KUBELET_CONFIG: &str = "/var/lib/kubelet/config.yaml";
/// The certificate by which kubelet speaks to the API server. It renews it itself
/// (kubernetes.io, "Configure Certificate Rotation for the Kubelet").
pub(crate) const KUBELET_CLIENT: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";
/// etcd's folder.
pub(crate) const ETCD: &str = "/var/lib/etcd";
/// The data of a member of etcd.
pub(crate) const ETCD_MEMBER: &str = "/var/lib/etcd/member";

/// containerd's configuration, unless systemd starts it with another.
pub(crate) const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";
/// containerd's images and containers, unless its configuration says otherwise.
pub(crate) const CONTAINERD_DATA: &str = "/var/lib/containerd";
/// containerd's socket, as a URL.
pub(crate) const CRI_SOCKET: &str = "unix:///run/containerd/containerd.sock";
/// Where containerd looks for the settings of registries.
pub(crate) const REGISTRIES: &str = "/etc/containerd/certs.d";
/// Where containerd looks for the pods' networks.
pub(crate) const NETWORKS: &str = "/etc/cni/net.d";

/// Where kubectl, run by root, looks for its kubeconfig.
pub(crate) const ROOT_KUBECONFIG: &str = "/root/.kube/config";
/// keepalived's configuration.
pub(crate) const KEEPALIVED_CONF: &str = "/etc/keepalived/keepalived.conf";
/// What keepalived runs to ask the master's own API server. Of this folder, SELinux lets
/// a program connect anywhere (`keepalived_unconfined_script_exec_t`).
pub(crate) const READYZ_CHECK: &str = "/usr/libexec/keepalived/kubeferry-readyz";
/// chrony's configuration.
pub(crate) const CHRONY_CONF: &str = "/etc/chrony.conf";

/// The installer's folder for what Kubernetes needs while it runs and people look
/// for: kubeadm's configuration, manifests, the join file.
pub(crate) const SERVICE_FOLDER: &str = "/opt/kubernetes";
/// What `kubeadm init` is told.
pub(crate) const KUBEADM_CONFIG: &str = "/opt/kubernetes/kubeadm.yaml";
/// What `kubeadm join` is told. It holds secrets, and is there only meanwhile.
pub(crate) const KUBEADM_JOIN: &str = "/opt/kubernetes/kubeadm-join.yaml";
/// How a worker or a further master has joined.
pub(crate) const KUBEADM_JOINED: &str = "/opt/kubernetes/kubeadm-joined.yaml";
/// The copy of the installer that a timer runs. SELinux lets systemd run what is in a
/// folder `bin`.
pub(crate) const PROGRAM: &str = "/opt/kubernetes/bin/installer";
/// The timer of backups.
pub(crate) const BACKUP_TIMER: &str = "kubeferry-backup.timer";
/// What a worker keeps of its join file, without the token.
pub(crate) const JOINED: &str = "/opt/kubernetes/joined.yaml";
/// The name servers that kubelet gives to pods.
pub(crate) const RESOLV_CONF: &str = "/opt/kubernetes/resolv.conf";
/// The repository of the bundle's packages.
pub(crate) const PACKAGES: &str = "/var/lib/kubeferry/packages";
/// What dnf and yum read in place of the node's own settings.
pub(crate) const DNF_CONFIG: &str = "/var/lib/kubeferry/dnf.conf";
/// The file from which firewalld reads the policy for pods. The policy gets the file's name.
pub(crate) const PODS_POLICY: &str = "/var/lib/kubeferry/kubeferry-pods.xml";
/// Copies of vendors' keys that were in rpm's database. They go with the receipt.
pub(crate) const KEYS_BEFORE: &str = "/var/lib/kubeferry/keys-before";
/// What an upgrade keeps of the node as it was, for the way back.
pub(crate) const UPGRADE: &str = "/var/lib/kubeferry/upgrade";
