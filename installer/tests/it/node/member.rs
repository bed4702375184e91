//! A node that is in a cluster, and at work: what kubeadm, kubelet and the pods'
//! network have left on it besides what the installer did.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use installer::doctor::{Diagnosis, diagnose};
use installer::exec::{Command, Exec};
use installer::role::Role;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::{Commands, Node, kinds};

/// What the API server says of the node.
pub(crate) const READY: &str = r#"{"status": {
    "conditions": [{"type": "Ready", "status": "True", "message": "kubelet is posting ready status"}],
    "nodeInfo": {"kubeletVersion": "v1.28.2"}}}"#;

/// A member of a cluster, and its API server.
pub(crate) struct Member {
    pub(crate) node: Node,
    pub(crate) authority: Authority,
    api: Option<TcpListener>,
}

/// The cluster's authority.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "kubernetes");
        // kubeadm's have this one.
        params.serial_number = Some(0.into());
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    /// A certificate of it that holds in these years.
    pub(crate) fn issue(&self, name: &str, from: i32, until: i32) -> String {
        let mut params = of(name);
        params.not_before = date_time_ymd(from, 1, 2);
        params.not_after = date_time_ymd(until, 1, 2);
        self.sign(&params)
    }

    /// One that holds for so many days more.
    pub(crate) fn issue_for(&self, name: &str, days: u64) -> String {
        let mut params = of(name);
        params.not_before = date_time_ymd(2020, 1, 2);
        params.not_after = (SystemTime::now() + Duration::from_secs(days * 86_400 + 60)).into();
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> String {
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem()
    }
}

fn of(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Member {
    /// One that works.
    pub(crate) fn new(role: Role) -> Self {
        let node = Node::new(role, &kinds::BARE);
        node.apply(None).end.unwrap();
        Self::of(node)
    }

    /// One that a node becomes which the installer has made.
    pub(crate) fn of(node: Node) -> Self {
        let role = node.role;
        let api = TcpListener::bind("127.0.0.1:0").unwrap();
        let member = Self { node, authority: Authority::new(), api: Some(api) };
        member.add_cluster();
        if role == Role::Master {
            member.add_control_plane();
        }
        member
    }

    fn add_cluster(&self) {
        self.write("etc/kubernetes/pki/ca.crt", &self.authority.pem);
        self.write("etc/kubernetes/kubelet.conf", &self.config(None));
        let pem = self.authority.issue("system:node:node-1", 2020, 2090);
        let key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        let path = "var/lib/kubelet/pki/kubelet-client-current.pem";
        self.write(path, &format!("{pem}{key}"));
        self.write("var/lib/kubelet/config.yaml", "cgroupDriver: systemd\nfailSwapOn: true\n");
        self.write("etc/cni/net.d/10-calico.conflist", "{}");
        self.write("run/systemd/active/kubelet", "");
        self.write("run/api-node.json", READY);
        self.write(
            "run/df",
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                              /dev/sda1 1000 400 600 40% /\n",
        );
        let config = self.read("etc/containerd/config.toml");
        let sandbox = "sandbox_image = \"registry.k8s.io/pause:3.9\"\n";
        let table = "[plugins.\"io.containerd.grpc.v1.cri\"]\n";
        self.write("etc/containerd/config.toml", &format!("{config}\n{table}{sandbox}"));
        self.write("run/images", "registry.k8s.io/pause:3.9\n");
    }

    fn add_control_plane(&self) {
        for pod in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            self.write(&format!("etc/kubernetes/manifests/{pod}.yaml"), "");
        }
        super::control_plane::start(self.node.root());
        self.write("var/lib/etcd/member/snap/db", "");
        self.write("etc/kubernetes/pki/ca.key", "");
        for name in ["apiserver", "etcd/server"] {
            let pem = self.authority.issue(name, 2020, 2090);
            self.write(&format!("etc/kubernetes/pki/{name}.crt"), &pem);
        }
        let admin = self.authority.issue("kubernetes-admin", 2020, 2090);
        for path in ["etc/kubernetes/admin.conf", "root/.kube/config"] {
            self.write(path, &self.config(Some(&admin)));
        }
        let own = "kind: ClusterConfiguration\nkubernetesVersion: v1.28.2\n\
                   controlPlaneEndpoint: 10.0.0.2:6443\n---\nkind: InitConfiguration\n\
                   nodeRegistration: {name: node-1}\n\
                   localAPIEndpoint: {advertiseAddress: 10.0.0.2}\n";
        self.write("opt/kubernetes/kubeadm.yaml", own);
    }

    /// A kubeconfig of the cluster.
    pub(crate) fn config(&self, client: Option<&str>) -> String {
        let api = self.api.as_ref().unwrap().local_addr().unwrap();
        config_of(&self.authority.pem, &api.to_string(), client)
    }

    /// Looks for what is wrong, and that nothing else was done.
    pub(crate) fn diagnose(&self) -> Diagnosis {
        let before = self.node.tree();
        let (host, commands) = self.node.look(None);
        let diagnosis = diagnose(&host);
        assert!(commands.made().is_empty(), "a doctor only looks");
        assert_eq!(self.node.tree(), before);
        diagnosis
    }

    /// Types a cure: commands of the node's, one after the other.
    pub(crate) fn type_in(&self, cure: &str) {
        let commands = Commands::of(self.node.root(), None);
        for line in cure.split(" && ") {
            assert!(
                commands.run(&Command::new(shlex::split(line).unwrap()), None).unwrap().succeeded(),
                "{line}"
            );
        }
    }

    /// Ends the API server.
    pub(crate) fn end_api(&mut self) {
        self.api = None;
        self.write("run/api-node.json", "");
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        super::text::write(&self.node, path, text);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.node.root().join(path)).unwrap()
    }

    pub(crate) fn remove(&self, path: &str) {
        let path = self.node.root().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
}

/// A kubeconfig that believes an authority.
pub(crate) fn config_of(authority: &str, api: &str, client: Option<&str>) -> String {
    let user = match client {
        Some(pem) => format!("client-certificate-data: {}", STANDARD.encode(pem)),
        None => "client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem".to_owned(),
    };
    format!(
        "apiVersion: v1\nkind: Config\npreferences: {{}}\ncurrent-context: default\n\
         clusters:\n- name: kubernetes\n  cluster:\n    certificate-authority-data: {}\n    \
         server: https://{api}\n\
         contexts:\n- name: default\n  context:\n    cluster: kubernetes\n    user: me\n\
         users:\n- name: me\n  user:\n    {user}\n    client-key-data: AAAA\n",
        STANDARD.encode(authority)
    )
}
