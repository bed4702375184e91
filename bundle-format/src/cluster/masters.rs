//! What contradicts the masters' one address.

use std::net::Ipv4Addr;

use super::conflict::Conflict;
use super::control_plane::PORT;
use super::file::Cluster;

/// All that is wrong with the address: it must belong to no machine, the endpoint must
/// lead to it, and the masters must be known, because each speaks to the others.
pub(super) fn conflicts(cluster: &Cluster) -> Vec<Conflict> {
    let Some(control_plane) = &cluster.control_plane else { return Vec::new() };
    let vip = control_plane.vip;
    let of = |what: String, cure: &str| Conflict::new("controlPlane", what, cure).behind("vip");
    let mut found = Vec::new();
    if let Some(node) = cluster.nodes.iter().find(|node| node.address == vip) {
        let what = format!("controlPlane.vip {vip} is the address of {}", node.name);
        found.push(of(what, "choose an address that no machine has").with("nodes"));
    }
    if cluster.masters().next().is_none() {
        let what = format!("nobody can hold controlPlane.vip {vip}: nodes names no master");
        let cure = "write each master under nodes, with `role: master`: \
                    `{name: …, address: …, role: master}`";
        found.push(of(what, cure).with("nodes"));
    }
    let endpoint = cluster.endpoint.as_deref().and_then(|text| text.rsplit_once(':'));
    if let Some((host, port)) = endpoint.filter(|(host, _)| !host.is_empty()) {
        let is_other = host.parse::<Ipv4Addr>().is_ok_and(|address| address != vip);
        if is_other || port != PORT {
            let what = format!("endpoint is {host}:{port}, and controlPlane.vip is {vip}");
            let cure = match is_other {
                true => "leave out `endpoint`; or, if a balancer of the site has that address, \
                         `controlPlane`"
                    .to_owned(),
                false => {
                    format!("write the port {PORT}: nothing at this address listens at another")
                }
            };
            found.push(Conflict::new("endpoint", what, cure).with("controlPlane"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::cluster::{Cluster, Given};

    const MASTER: &str = r#""nodes": [{"name": "a", "address": "10.0.0.2", "role": "master"}]"#;

    fn told(text: &str) -> Vec<String> {
        let given: Given = serde_json::from_str(&format!("{{{text}}}")).unwrap();
        given.conflicts().iter().map(ToString::to_string).collect()
    }

    fn of(vip: &str, more: &str) -> Vec<String> {
        told(&format!(r#""controlPlane": {{"vip": "{vip}"}}{more}"#))
    }

    #[test]
    fn the_address_is_the_masters_own_and_no_machines() {
        let none: [&str; 0] = [];
        assert_eq!(of("10.0.0.100", ""), none, "another file has the machines");
        assert_eq!(of("10.0.0.100", &format!(", {MASTER}")), none);
        assert_eq!(
            of("10.0.0.2", &format!(", {MASTER}")),
            ["controlPlane.vip 10.0.0.2 is the address of a"]
        );
        assert_eq!(
            of("10.0.0.100", r#", "nodes": [{"name": "a", "address": "10.0.0.2"}]"#),
            ["nobody can hold controlPlane.vip 10.0.0.100: nodes names no master"]
        );
        assert_eq!(
            of("10.96.0.7", ""),
            ["controlPlane.vip 10.96.0.7 is within serviceCidr 10.96.0.0/12"]
        );
    }

    #[test]
    fn the_endpoint_leads_to_the_address() {
        let with = |endpoint: &str| of("10.0.0.100", &format!(r#", "endpoint": "{endpoint}""#));
        let none: [&str; 0] = [];
        assert_eq!(with("k8s.site:6443"), none, "preflight asks what the name means");
        assert_eq!(with("10.0.0.100:6443"), none);
        for other in ["10.0.0.101:6443", "k8s.site:443"] {
            let what = format!("endpoint is {other}, and controlPlane.vip is 10.0.0.100");
            assert_eq!(with(other), [what]);
        }
        let given: Given =
            serde_json::from_str(r#"{"controlPlane": {"vip": "10.0.0.100"}}"#).unwrap();
        let cluster = given.cluster();
        assert_eq!(cluster.told_endpoint().as_deref(), Some("10.0.0.100:6443"));
        assert_eq!(Cluster::default().told_endpoint(), None);
    }
}
