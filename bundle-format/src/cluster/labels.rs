//! Labels and taints of a machine, by the rules of Kubernetes and kubelet.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::node_name::is_subdomain;

/// A label's key: `disk`, `site.org/rack`. Of Kubernetes' own labels, only those that
/// kubelet may set itself are allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "label-key"))]
pub struct LabelKey(String);

/// Kubernetes' own labels that kubelet may set when it registers a node
/// (kubernetes.io, `kubelet --node-labels`).
const OF_KUBELET: [&str; 12] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/instance-type",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

impl TryFrom<String> for LabelKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !is_key(&text) {
            return Err(format!("`{text}` is no label's key; write `name` or `domain/name`"));
        }
        let domain = text.split_once('/').map_or("", |(domain, _)| domain);
        let below = |parent: &str| domain == parent || domain.ends_with(&format!(".{parent}"));
        let reserved = below("kubernetes.io") || below("k8s.io");
        let open = below("kubelet.kubernetes.io") || below("node.kubernetes.io");
        if reserved && !open && !OF_KUBELET.contains(&text.as_str()) {
            return Err(format!(
                "kubelet does not start with the label `{text}`; give it with `kubectl label node`"
            ));
        }
        Ok(Self(text))
    }
}

impl From<LabelKey> for String {
    fn from(key: LabelKey) -> Self {
        key.0
    }
}

impl fmt::Display for LabelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A label's value. It may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "label-value"))]
pub struct LabelValue(String);

impl TryFrom<String> for LabelValue {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || is_name(&text) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no label's value; write letters, digits, `-`, `_` and `.`"))
    }
}

impl From<LabelValue> for String {
    fn from(value: LabelValue) -> Self {
        value.0
    }
}

impl fmt::Display for LabelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A taint: `key=value:NoSchedule`, or without a value: `key:NoSchedule`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "taint"))]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<LabelValue>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

impl TryFrom<String> for Taint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (what, effect) = text.rsplit_once(':')?;
            let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
            let (key, value) = match what.split_once('=') {
                Some((key, value)) => (key, Some(LabelValue::try_from(value.to_owned()).ok()?)),
                None => (what, None),
            };
            (known && is_key(key)).then(|| (key.to_owned(), value, effect.to_owned()))
        };
        let (key, value, effect) = parse().ok_or_else(|| {
            format!(
                "`{text}` is no taint; write key=value:EFFECT, where EFFECT is NoSchedule, \
                 PreferNoSchedule or NoExecute"
            )
        })?;
        Ok(Self { key, value, effect })
    }
}

impl From<Taint> for String {
    fn from(taint: Taint) -> Self {
        let value = taint.value.map(|value| format!("={value}")).unwrap_or_default();
        format!("{}{value}:{}", taint.key, taint.effect)
    }
}

/// Whether a text is a qualified name, as Kubernetes calls it.
fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_name(name),
        None => is_name(text),
    }
}

fn is_name(text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    bytes.len() <= 63 && bytes.iter().all(inner) && is_end(bytes.first()) && is_end(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_that_kubelet_starts_with() {
        let key = |text: &str| LabelKey::try_from(text.to_owned());
        for good in ["disk", "site.org/rack", "topology.kubernetes.io/zone", "A_1.b"] {
            assert_eq!(key(good).unwrap().to_string(), good);
        }
        assert!(key("gpu.node.kubernetes.io/kind").is_ok());
        for bad in ["", "-a", "a/b/c", "A.org/x", "a b", "/x", "x/"] {
            assert!(key(bad).unwrap_err().contains("is no label's key"), "{bad}");
        }
        for reserved in ["node-role.kubernetes.io/worker", "x.k8s.io/y", "kubernetes.io/role"] {
            assert!(key(reserved).unwrap_err().contains("kubectl label node"), "{reserved}");
        }
    }

    #[test]
    fn taints_are_read_as_kubectl_writes_them() {
        let taint = |text: &str| Taint::try_from(text.to_owned());
        for good in ["gpu=yes:NoSchedule", "gpu:NoExecute", "a.org/b=:PreferNoSchedule"] {
            assert_eq!(String::from(taint(good).unwrap()), good);
        }
        for bad in ["gpu", "gpu=yes", "gpu=yes:Never", "=x:NoSchedule", "a=b=c:NoSchedule"] {
            assert!(taint(bad).unwrap_err().contains("is no taint"), "{bad}");
        }
    }
}
