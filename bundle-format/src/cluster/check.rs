//! Contradictions in a cluster file. Each single value has been read by now.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::conflict::Conflict;
use super::endpoint::IPV4_ONLY;
use super::file::Cluster;
use super::given::Given;
use super::{endpoint, kubelet, masters, networks};
use crate::yaml::hint::near;

impl Cluster {
    /// All contradictions. kubeadm must accept the networks, and they must not
    /// overlap with each other or with the machines. Names of machines must be in
    /// `nodes`, and each machine is listed once. No setting of kubelet or kubeadm
    /// may contradict another key.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = networks::conflicts(self);
        found.extend(self.of_nodes());
        found.extend(self.of_ingress());
        found.extend(self.of_servers());
        found.extend(masters::conflicts(self));
        found.extend(self.of_kubelet());
        found.extend(self.of_kubeadm());
        found
    }

    /// Finds two machines with the same name or the same address.
    fn of_nodes(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let before = &self.nodes[..number];
            if before.iter().any(|other| other.name == node.name) {
                let what = format!("a second machine has the name {}", node.name);
                let conflict = Conflict::new("nodes", what, "give each its own name");
                found.push(conflict.item(number).behind("name"));
            }
            if let Some(other) = before.iter().find(|other| other.address == node.address) {
                let what = format!(
                    "{} has the same address as {}, {}",
                    node.name, other.name, node.address
                );
                let conflict = Conflict::new("nodes", what, "give each its own address");
                found.push(conflict.item(number).behind("address"));
            }
        }
        found
    }

    fn of_ingress(&self) -> Vec<Conflict> {
        let Some(names) = &self.ingress_nodes else { return Vec::new() };
        let mut found = Vec::new();
        if names.is_empty() {
            found.push(Conflict::new(
                "ingressNodes",
                "ingressNodes is empty".to_owned(),
                "name a machine of `nodes`, or write `ingress: false`",
            ));
        }
        let machines: Vec<String> = self.nodes.iter().map(|node| node.name.to_string()).collect();
        let machines: Vec<&str> = machines.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        for (number, name) in names.iter().enumerate() {
            let text = name.to_string();
            if !machines.contains(&text.as_str()) {
                let what = format!("ingressNodes names {name}, and nodes has no such machine");
                let cure = match near(&text, &machines) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!(
                        "write `{{name: {name}, address: …}}` under nodes, or another name here"
                    ),
                };
                found.push(Conflict::new("ingressNodes", what, cure).with("nodes").item(number));
            } else if !seen.insert(name) {
                let what = format!("ingressNodes names {name} twice");
                found.push(Conflict::new("ingressNodes", what, "leave it out here").item(number));
            }
        }
        found
    }

    /// The servers in the file must be names or addresses. Neither they nor the
    /// masters' address may be within the networks of pods or Services.
    fn of_servers(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        if let Some(endpoint) = &self.endpoint {
            if let Err(reason) = endpoint::check(endpoint) {
                let (what, cure) = reason.rsplit_once(": ").unwrap_or((&reason, ""));
                found.push(Conflict::new("endpoint", format!("endpoint: {what}"), cure));
            }
            let host = endpoint::host(endpoint).unwrap_or_default();
            found.extend(self.in_a_network("endpoint", "endpoint", host));
        }
        if let Some(control_plane) = &self.control_plane {
            let vip = control_plane.vip.to_string();
            let inside = self.in_a_network("controlPlane", "controlPlane.vip", &vip);
            found.extend(inside.map(|one| one.behind("vip")));
        }
        for (number, server) in self.ntp_servers.iter().enumerate() {
            if let Err(reason) = endpoint::check_host(server) {
                let (what, cure) = reason.rsplit_once(": ").unwrap_or((&reason, ""));
                let what = format!("ntpServers: {what}");
                found.push(Conflict::new("ntpServers", what, cure).item(number));
            }
            found.extend(
                self.in_a_network("ntpServers", "ntpServers", server).map(|one| one.item(number)),
            );
        }
        found
    }

    fn in_a_network(&self, key: &'static str, shown: &str, host: &str) -> Option<Conflict> {
        let Ok(IpAddr::V4(address)) = host.parse() else { return None };
        let networks = [("podCidr", self.pod_cidr), ("serviceCidr", self.service_cidr)];
        let (of, network) = networks.into_iter().find(|(_, one)| one.contains(&address))?;
        let what = format!("{shown} {address} is within {of} {network}");
        Some(Conflict::new(key, what, format!("write another, or choose another {of}")).with(of))
    }

    /// Settings of kubelet that contradict another key.
    fn of_kubelet(&self) -> Vec<Conflict> {
        let driver = self.cgroup_driver.to_string();
        let ours = [
            ("cgroupDriver", "cgroupDriver", driver.as_str()),
            ("staticPodPath", "the folder of kubeadm", "/etc/kubernetes/manifests"),
        ];
        let conflict = |(setting, other, ours)| {
            let said = self.kubelet.get(setting)?.as_str()?;
            told_twice("kubelet", &[setting], said, other, ours)
        };
        ours.into_iter().filter_map(conflict).collect()
    }

    /// Settings of the control plane that contradict another key.
    fn of_kubeadm(&self) -> Vec<Conflict> {
        let (pods, services) = (self.pod_cidr.to_string(), self.service_cidr.to_string());
        let mut found = Vec::new();
        for (part, arguments) in self.kubeadm.parts() {
            for (name, value) in arguments {
                let (name, said) = (name.as_ref(), value.as_ref());
                let (other, ours) = match (part, name) {
                    (_, "service-cluster-ip-range") => ("serviceCidr", services.as_str()),
                    ("controllerManager", "cluster-cidr") => ("podCidr", pods.as_str()),
                    ("apiServer", "secure-port") => ("the port of kubeadm", "6443"),
                    _ => continue,
                };
                found.extend(told_twice("kubeadm", &[part, name], said, other, ours));
            }
        }
        found
    }

    /// The settings in `kubelet` that kubelet of Kubernetes 1.`minor` does not
    /// have.
    pub fn settings_not_of(&self, minor: u32) -> Vec<Conflict> {
        let found = kubelet::not_of_release(&self.kubelet, minor).into_iter();
        let conflict = |(path, when): (Vec<&str>, String)| {
            let what = format!("kubelet.{}: {when}", path.join("."));
            let conflict = Conflict::new("kubelet", what, "leave it out");
            path.iter().fold(conflict, |conflict, key| conflict.behind(*key))
        };
        found.map(conflict).collect()
    }
}

/// Reports a setting below `key` if it differs from `ours`, which is the value of the
/// key `other`, or the value that kubeadm always sets.
fn told_twice(
    key: &'static str,
    below: &[&str],
    said: &str,
    other: &'static str,
    ours: &str,
) -> Option<Conflict> {
    if said == ours {
        return None;
    }
    let what = format!("{key}.{} is {said}, and {other} is {ours}", below.join("."));
    let is_key = ["cgroupDriver", "podCidr", "serviceCidr"].contains(&other);
    let cure = match is_key {
        true if said.contains(':') => format!("leave it out, because {IPV4_ONLY}"),
        true => format!("leave it out here, and write `{other}: {said}` if that is meant"),
        false => "leave it out".to_owned(),
    };
    let conflict = Conflict::new(key, what, cure);
    let conflict = below.iter().fold(conflict, |conflict, one| conflict.behind(*one));
    Some(if is_key { conflict.with(other) } else { conflict })
}

impl Given {
    /// Like [`Cluster::conflicts`], with the defaults for all other keys. Names
    /// of machines are not checked as long as a later file may still list the
    /// machines.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = self.cluster().conflicts();
        found.retain(|conflict| !conflict.keys().any(|key| key == "nodes") || self.has("nodes"));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<&'static str> {
        let given: Given = serde_json::from_str(text).unwrap();
        given.conflicts().iter().map(|conflict| conflict.key).collect()
    }

    #[test]
    fn the_ingress_runs_on_machines_that_are_known() {
        let of =
            |ingress: &str, nodes: &str| keys(&format!(r#"{{"ingressNodes": {ingress} {nodes}}}"#));
        let nodes = r#", "nodes": [{"name": "a", "address": "10.0.0.2"}]"#;
        assert_eq!(of(r#"["a"]"#, nodes), [""; 0]);
        assert_eq!(of(r#"["a", "b"]"#, nodes), ["ingressNodes"]);
        assert_eq!(of("[]", nodes), ["ingressNodes"]);
        assert_eq!(of("[]", ""), ["ingressNodes"]);
        assert_eq!(of(r#"["b"]"#, ""), [""; 0], "another file has the machines");
        let alone: Given = serde_json::from_str(r#"{"ingressNodes": ["b"]}"#).unwrap();
        let whole = Cluster::of(&[&alone]).unwrap();
        assert_eq!(
            whole.conflicts()[0].to_string(),
            "ingressNodes names b, and nodes has no such machine"
        );
    }
}
