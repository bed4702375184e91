//! Which machines of a cluster file are meant, and what each is to be.

use std::net::IpAddr;

use bundle_format::cluster::{Cluster, Duty, Member, NodeName};
use bundle_format::yaml::hint::near;

use crate::failure::Failure;
use crate::role::Role;

/// A machine that is to become a node, or a master that is asked for a join file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the cluster.
    pub name: NodeName,
    /// Its address, which is what `ssh` is given.
    pub address: IpAddr,
    /// What it is to be.
    pub role: Role,
    /// Whether it is to be made. A master that is not named in `--only` is asked for a join
    /// file, and is not changed.
    pub is_meant: bool,
}

/// The machines of a cluster file, in its order: those that are named, or all; and all
/// masters.
pub fn machines(cluster: &Cluster, only: &[NodeName]) -> Result<Vec<Machine>, Failure> {
    refuse_unknown(cluster, only)?;
    let is_meant = |member: &Member| only.is_empty() || only.contains(&member.name);
    let unsaid: Vec<&Member> =
        cluster.nodes.iter().filter(|member| is_meant(member) && member.role.is_none()).collect();
    if let Some(first) = unsaid.first() {
        let names: Vec<String> = unsaid.iter().map(|member| member.name.to_string()).collect();
        return Err(Failure::new(
            format!("the cluster file does not say what is to become of {}", names.join(", ")),
            format!(
                "write a role for each: `{{name: {}, address: {}, role: worker}}` or `role: \
                 master`; or name the other machines with --only",
                first.name, first.address
            ),
        ));
    }
    let masters = cluster.masters().count();
    if masters == 0 {
        return Err(Failure::new(
            "no machine in `nodes` of the cluster file is a master",
            "write `role: master` for the first node of the cluster",
        ));
    }
    if masters > 1 && cluster.told_endpoint().is_none() {
        return Err(Failure::new(
            format!(
                "{masters} machines are to be masters, and nodes would look for the API server at \
                 one of them alone"
            ),
            "write `controlPlane` or `endpoint` into the cluster file; `installer manual masters` \
             says how",
        ));
    }
    let machine = |member: &Member| {
        let role = match member.role? {
            Duty::Master => Role::Master,
            Duty::Worker => Role::Worker,
        };
        let is_meant = is_meant(member);
        let (name, address) = (member.name.clone(), member.address);
        (is_meant || role == Role::Master).then_some(Machine { name, address, role, is_meant })
    };
    Ok(cluster.nodes.iter().filter_map(machine).collect())
}

/// Fails if there are no machines, or none of a name.
fn refuse_unknown(cluster: &Cluster, only: &[NodeName]) -> Result<(), Failure> {
    if cluster.nodes.is_empty() {
        return Err(Failure::new(
            "the cluster file has no `nodes`",
            "write each machine under `nodes`: `{name: k8s-master, address: 192.168.1.1, role: \
             master}`",
        ));
    }
    let names: Vec<String> = cluster.nodes.iter().map(|member| member.name.to_string()).collect();
    let Some(unknown) = only.iter().find(|name| !names.contains(&name.to_string())) else {
        return Ok(());
    };
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let cure = match near(&unknown.to_string(), &known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("the cluster file has {}", names.join(", ")),
    };
    Err(Failure::new(format!("no machine of the cluster file is called {unknown}"), cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nodes: &str, only: &[&str]) -> Result<Vec<String>, String> {
        let cluster: Cluster = serde_saphyr::from_str(nodes).unwrap();
        let only: Vec<NodeName> =
            only.iter().map(|name| (*name).to_owned().try_into().unwrap()).collect();
        let shown = |one: &Machine| format!("{} {} {}", one.name, one.role, one.is_meant);
        let found = machines(&cluster, &only);
        found.map(|all| all.iter().map(shown).collect()).map_err(|error| error.to_string())
    }

    const THREE: &str = "nodes: [{name: m, address: 10.0.0.1, role: master}, {name: printer, \
                         address: 10.0.0.9}, {name: w, address: 10.0.0.2, role: worker}]";

    #[test]
    fn each_that_is_meant_says_what_it_is_to_be() {
        let error = of(THREE, &[]).unwrap_err();
        assert_eq!(error, "the cluster file does not say what is to become of printer");
        assert_eq!(of(THREE, &["w"]).unwrap(), ["m master false", "w worker true"]);
        assert_eq!(of(THREE, &["w", "m"]).unwrap(), ["m master true", "w worker true"]);
        let error = of(THREE, &["ww"]).unwrap_err();
        assert_eq!(error, "no machine of the cluster file is called ww");
        assert_eq!(of("{}", &[]).unwrap_err(), "the cluster file has no `nodes`");
        let none = "nodes: [{name: w, address: 10.0.0.2, role: worker}]";
        let error = of(none, &[]).unwrap_err();
        assert_eq!(error, "no machine in `nodes` of the cluster file is a master");
    }

    #[test]
    fn several_masters_need_an_address_that_is_none_of_theirs() {
        let two = "nodes: [{name: a, address: 10.0.0.1, role: master}, {name: b, address: \
                   10.0.0.2, role: master}]";
        assert!(of(two, &[]).unwrap_err().starts_with("2 machines are to be masters"));
        assert!(of(&format!("{two}\ncontrolPlane: {{vip: 10.0.0.100}}"), &[]).is_ok());
    }
}
