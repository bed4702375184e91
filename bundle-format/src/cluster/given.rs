//! The keys that a cluster file sets. The bundle's cluster file is read first, and
//! the site's file overrides it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::file::Cluster;

/// Some keys of a cluster file. Each value is right by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    cluster: Cluster,
    keys: BTreeSet<String>,
}

impl Given {
    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key is written, even without a value.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The keys with their values. The value is null if a key has none.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Value)> {
        let whole = serde_json::to_value(&self.cluster).unwrap_or_default();
        self.keys.iter().map(move |key| (key.as_str(), whole[key.as_str()].clone()))
    }

    /// The cluster with only these keys set.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
}

impl Cluster {
    /// The cluster with the keys of all these files. A later file's key replaces
    /// an earlier one's, as a whole. A key without a value counts as not written.
    pub fn of(given: &[&Given]) -> Result<Self, serde_json::Error> {
        let all = given.iter().flat_map(|one| one.entries());
        let mut all: Map<String, Value> = all.map(|(key, value)| (key.to_owned(), value)).collect();
        all.retain(|_, value| !value.is_null());
        serde_json::from_value(Value::Object(all))
    }
}

impl Serialize for Given {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

/// Reads a cluster, and notes its keys.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys of the cluster file")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Given, A::Error> {
        let mut keys = BTreeSet::new();
        let noting = Noting { map, keys: &mut keys };
        let cluster = Cluster::deserialize(MapAccessDeserializer::new(noting))?;
        Ok(Given { cluster, keys })
    }
}

struct Noting<'a, A> {
    map: A,
    keys: &'a mut BTreeSet<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Noting<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.map.next_key::<String>()? else { return Ok(None) };
        self.keys.insert(key.clone());
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn later_keys_take_the_place_of_earlier_ones() {
        let bundle = given(
            r#"{"podCidr": "10.9.0.0/16", "ntpServers": ["a"], "cniInterface": "eth1",
                "kubelet": {"maxPods": 50, "v": 1.5}, "kubeadm": {"scheduler": {"v": 4}}}"#,
        );
        let file = given(r#"{"ntpServers": ["b"], "cniInterface": null, "kubelet": {"x": [1]}}"#);
        let cluster = Cluster::of(&[&bundle, &file]).unwrap();
        assert_eq!(cluster.pod_cidr.to_string(), "10.9.0.0/16");
        assert_eq!(cluster.service_cidr, Cluster::default().service_cidr);
        assert_eq!(cluster.ntp_servers, ["b"]);
        assert_eq!(cluster.cni_interface, None, "a key without a value takes it out");
        assert_eq!(serde_json::to_string(&cluster.kubelet).unwrap(), r#"{"x":[1]}"#);
        assert_eq!(cluster.kubeadm, bundle.cluster().kubeadm);
        assert_eq!(Cluster::of(&[]).unwrap(), Cluster::default());
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let text = r#"{"cniInterface":null,"ingress":true,"podCidr":"10.9.0.0/16"}"#;
        assert_eq!(serde_json::to_string(&given(text)).unwrap(), text);
        assert!(given(text).has("ingress") && !given(text).has("serviceCidr"));
        assert!(given("{}").is_empty());
        for bad in [r#"{"x": 1}"#, r#"{"ingress": 1}"#, r#"{"ingress":true,"ingress":true}"#, "[]"]
        {
            assert!(serde_json::from_str::<Given>(bad).is_err(), "{bad}");
        }
    }
}
