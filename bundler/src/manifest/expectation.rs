//! What a manifest expects of the cluster: values that a site's cluster file may set
//! otherwise, and values that depend on the node.

use std::net::{Ipv4Addr, Ipv6Addr};

use bundle_format::lock::{Aspect, Expectation};
use ipnet::Ipv4Net;
use serde_json::Value;

use super::object::{Object, objects, place_of_pods};
use crate::libyaml::document::File;

/// The label that binds pods and volumes to a machine.
const MACHINE: &str = "kubernetes.io/hostname";

/// All values in `file` that are right only for some clusters. A placeholder in a
/// template is not a value.
pub fn expectations(file: &File) -> Vec<Expectation> {
    let mut all = Vec::new();
    for object in objects(file).0 {
        let mut found = Found { document: object.title(), all: Vec::new() };
        match (object.group(), object.kind()) {
            ("", "Service") => service(&object, &mut found),
            ("", "ConfigMap") => config_map(&object, &mut found),
            ("", "PersistentVolume") => volume(&object.json, &mut found),
            ("crd.projectcalico.org" | "projectcalico.org", "IPPool")
                if is_for_pods(object.json.pointer("/spec").unwrap_or(&Value::Null)) =>
            {
                found.text(Aspect::PodAddresses, &object.json, "/spec/cidr");
            }
            ("operator.tigera.io", "Installation") => operator(&object.json, &mut found),
            ("cilium.io", "CiliumPodIPPool") => {
                for (index, cidr) in list(&object.json, "/spec/ipv4/cidrs").iter().enumerate() {
                    let path = format!("spec.ipv4.cidrs[{index}]");
                    found.add(Aspect::PodAddresses, as_text(cidr), path);
                }
            }
            _ => {}
        }
        if let Some(place) = place_of_pods(object.kind())
            && let Some(pod) = object.json.pointer(place)
        {
            pods(pod, &place.trim_start_matches('/').replace('/', "."), &mut found);
        }
        all.extend(found.all);
    }
    if objects(file).0.iter().any(|object| names_canals_interface(&object.json)) {
        all.retain(|one| one.of != Aspect::DefaultRoute);
    }
    all
}

/// Whether it is the ConfigMap with which Canal tells flannel its interface.
fn names_canals_interface(json: &Value) -> bool {
    !text(json, "/data/canal_iface").is_empty()
}

/// The expectations of one object.
struct Found {
    document: String,
    all: Vec<Expectation>,
}

impl Found {
    /// Adds a value, if it has the right form. From a list with commas, adds
    /// each.
    fn add(&mut self, of: Aspect, text: &str, path: String) {
        for value in text.split(',').map(str::trim).filter(|value| is_one(of, value)) {
            let [value, document, path] = [value, &self.document, &path].map(str::to_owned);
            let one = Expectation { of, value, document, path };
            if !self.all.contains(&one) {
                self.all.push(one);
            }
        }
    }

    /// Adds the text at a place of an object.
    fn text(&mut self, of: Aspect, json: &Value, pointer: &str) {
        let text = json.pointer(pointer).map(written).unwrap_or_default();
        self.add(of, &text, pointer.trim_start_matches('/').replace('/', "."));
    }
}

/// Whether a text is a value of this kind, and not a placeholder such as
/// `$(POD_CIDR)`.
fn is_one(of: Aspect, text: &str) -> bool {
    let is_name = |text: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !text.is_empty() && text.bytes().all(inner)
    };
    match of {
        Aspect::PodAddresses | Aspect::PodNetwork | Aspect::ServiceNetwork => {
            text.parse::<Ipv4Net>().is_ok()
        }
        // NodeLocal DNSCache also answers at an address of its own.
        Aspect::Dns => text.parse().is_ok_and(|address: Ipv4Addr| !address.is_link_local()),
        Aspect::ServiceAddress => text.parse::<Ipv4Addr>().is_ok(),
        Aspect::NodePort | Aspect::Mtu => text.parse::<u16>().is_ok_and(|number| number > 0),
        Aspect::ApiServer | Aspect::Machine | Aspect::Interface | Aspect::DefaultRoute => {
            is_name(text)
        }
        Aspect::Family | Aspect::HostPort => true,
    }
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn service(object: &Object, found: &mut Found) {
    let json = &object.json;
    found.text(Aspect::ServiceAddress, json, "/spec/clusterIP");
    if object.name() == "kube-dns" && object.namespace() == Some("kube-system") {
        found.text(Aspect::Dns, json, "/spec/clusterIP");
    }
    for (index, port) in list(json, "/spec/ports").iter().enumerate() {
        let port = port.get("nodePort").map(written).unwrap_or_default();
        found.add(Aspect::NodePort, &port, format!("spec.ports[{index}].nodePort"));
    }
    let more = list(json, "/spec/clusterIPs").iter().map(as_text);
    if more.chain([text(json, "/spec/clusterIP")]).any(is_ipv6) {
        found.add(Aspect::Family, "IPv6", "spec.clusterIP".to_owned());
    }
    // The API server of a cluster with one IP family refuses both of these.
    if text(json, "/spec/ipFamilyPolicy") == "RequireDualStack" {
        found.add(Aspect::Family, "RequireDualStack", "spec.ipFamilyPolicy".to_owned());
    }
    if list(json, "/spec/ipFamilies").iter().any(|family| family == "IPv6") {
        found.add(Aspect::Family, "IPv6", "spec.ipFamilies".to_owned());
    }
}

/// flannel's, Cilium's and Calico's settings.
fn config_map(object: &Object, found: &mut Found) {
    let data = |key: &str| object.json.pointer("/data").and_then(|data| data.get(key));
    let net_conf = data("net-conf.json").and_then(Value::as_str);
    if let Some(Ok(conf)) = net_conf.map(serde_json::from_str::<Value>) {
        let path = |key: &str| format!("data[net-conf.json].{key}");
        found.add(Aspect::PodNetwork, text(&conf, "/Network"), path("Network"));
        if conf.get("EnableIPv6") == Some(&Value::Bool(true)) {
            found.add(Aspect::Family, "IPv6", path("EnableIPv6"));
        }
    }
    for (of, key) in [
        (Aspect::PodAddresses, "cluster-pool-ipv4-cidr"),
        (Aspect::ApiServer, "KUBERNETES_SERVICE_HOST"),
        (Aspect::Mtu, "veth_mtu"),
    ] {
        found.add(of, data(key).map(as_text).unwrap_or_default(), format!("data[{key}]"));
    }
}

/// Whether Calico takes addresses of pods from a pool. Some pools are only for
/// tunnels and Services, and some only say where no address is translated.
fn is_for_pods(pool: &Value) -> bool {
    let uses = pool.pointer("/allowedUses").and_then(Value::as_array);
    pool.pointer("/disabled") != Some(&Value::Bool(true))
        && uses.is_none_or(|uses| uses.iter().any(|one| one == "Workload"))
}

/// The settings of Calico's operator, which makes everything else from them.
fn operator(json: &Value, found: &mut Found) {
    let pools = list(json, "/spec/calicoNetwork/ipPools").iter().enumerate();
    for (index, pool) in pools.filter(|(_, pool)| is_for_pods(pool)) {
        let path = format!("spec.calicoNetwork.ipPools[{index}].cidr");
        found.add(Aspect::PodAddresses, text(pool, "/cidr"), path);
    }
    found.text(Aspect::Mtu, json, "/spec/calicoNetwork/mtu");
}

fn volume(json: &Value, found: &mut Found) {
    let terms = list(json, "/spec/nodeAffinity/required/nodeSelectorTerms");
    machines(terms, "spec.nodeAffinity.required", found);
}

/// The machines that node selectors name.
fn machines(terms: &[Value], path: &str, found: &mut Found) {
    let expressions = terms.iter().flat_map(|term| list(term, "/matchExpressions"));
    for expression in expressions {
        if text(expression, "/key") == MACHINE && text(expression, "/operator") == "In" {
            for value in list(expression, "/values") {
                found.add(Aspect::Machine, as_text(value), format!("{path}[{MACHINE}]"));
            }
        }
    }
}

fn pods(pod: &Value, path: &str, found: &mut Found) {
    found.add(Aspect::Machine, text(pod, "/nodeName"), format!("{path}.nodeName"));
    let selector = pod.pointer("/nodeSelector").and_then(|selector| selector.get(MACHINE));
    let selected = selector.map(as_text).unwrap_or_default();
    found.add(Aspect::Machine, selected, format!("{path}.nodeSelector[{MACHINE}]"));
    let affinity =
        "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    machines(list(pod, affinity), &format!("{path}.affinity.nodeAffinity"), found);
    let is_of_host = pod.pointer("/hostNetwork") == Some(&Value::Bool(true));
    for key in ["initContainers", "containers"] {
        for container in list(pod, &format!("/{key}")) {
            let path = format!("{path}.{key}[{}]", text(container, "/name"));
            variables(container, &path, found);
            arguments(container, &path, found);
            if is_by_default_route(container) {
                found.add(Aspect::DefaultRoute, text(container, "/name"), path.clone());
            }
            if key == "containers" {
                ports(container, is_of_host, &path, found);
            }
        }
    }
}

fn variables(container: &Value, path: &str, found: &mut Found) {
    for variable in list(container, "/env") {
        let (name, value) = (text(variable, "/name"), text(variable, "/value"));
        let path = format!("{path}.env[{name}]");
        match name {
            "CALICO_IPV4POOL_CIDR" | "IPALLOC_RANGE" => {
                found.add(Aspect::PodAddresses, value, path);
            }
            "KUBERNETES_SERVICE_HOST" if is_ipv6(value) => {
                found.add(Aspect::Family, "IPv6", path);
            }
            "KUBERNETES_SERVICE_HOST" => found.add(Aspect::ApiServer, value, path),
            "IP_AUTODETECTION_METHOD" => {
                let names = value.strip_prefix("interface=").unwrap_or_default();
                // A name with a dot may be an expression, which Calico
                // evaluates.
                if is_one(Aspect::Interface, names) && !names.contains('.') {
                    found.add(Aspect::Interface, names, path);
                }
            }
            _ => {}
        }
    }
}

/// Whether the container is flannel's, which takes the interface of the default route if
/// nothing names another (flannel, "Command line options"; each is also a variable).
fn is_by_default_route(container: &Value) -> bool {
    let words = || ["/command", "/args"].into_iter().flat_map(|key| list(container, key));
    let is_option = |word: &str| word.trim_start_matches('-').starts_with("iface");
    let names_one = |variable: &Value| {
        // A value from a ConfigMap is empty where flannel is to choose (Canal).
        text(variable, "/name").starts_with("FLANNELD_IFACE")
            && variable.pointer("/valueFrom/configMapKeyRef").is_none()
    };
    words().any(|word| as_text(word).ends_with("/flanneld"))
        && !words().any(|word| is_option(as_text(word)))
        && !list(container, "/env").iter().any(names_one)
}

/// The arguments of flannel, Weave, kube-router and NodeLocal DNSCache, and arguments
/// of the same name in other programs: `--cluster-cidr=NETWORK`, or in two words.
fn arguments(container: &Value, path: &str, found: &mut Found) {
    for key in ["command", "args"] {
        let words: Vec<&str> = list(container, &format!("/{key}")).iter().map(as_text).collect();
        for (index, word) in words.iter().enumerate() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, value),
                None => (*word, words.get(index + 1).copied().unwrap_or_default()),
            };
            if !name.starts_with('-') {
                continue;
            }
            let of = match name.trim_start_matches('-') {
                "cluster-cidr" | "cluster-pool-ipv4-cidr" | "pod-network-cidr" => {
                    Aspect::PodAddresses
                }
                "service-cluster-ip-range" | "service-cidr" => Aspect::ServiceNetwork,
                "localip" => Aspect::Dns,
                "iface" => Aspect::Interface,
                _ => continue,
            };
            found.add(of, value, format!("{path}.{key}[{name}]"));
        }
    }
}

/// Ports of the node itself. Two families may have the same.
fn ports(container: &Value, is_of_host: bool, path: &str, found: &mut Found) {
    for port in list(container, "/ports") {
        let key = if is_of_host { "/containerPort" } else { "/hostPort" };
        let Some(number) = port.pointer(key).and_then(Value::as_u64).filter(|one| *one > 0) else {
            continue;
        };
        let protocol = match text(port, "/protocol") {
            "UDP" => "UDP",
            "SCTP" => "SCTP",
            _ => "TCP",
        };
        let value = format!("{number}/{protocol}");
        found.add(Aspect::HostPort, &value, format!("{path}.ports[{number}]"));
    }
}

fn list<'a>(json: &'a Value, pointer: &str) -> &'a [Value] {
    json.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).map(as_text).unwrap_or_default()
}

fn as_text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text, or a number as it is written.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
