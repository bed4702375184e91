//! Additional arguments of the control plane's parts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Arguments of each part. The parts have the names that kubeadm gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Arguments {
    /// kube-apiserver's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "argument"}))]
    pub api_server: BTreeMap<Argument, Scalar>,
    /// kube-controller-manager's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "argument"}))]
    pub controller_manager: BTreeMap<Argument, Scalar>,
    /// kube-scheduler's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "argument"}))]
    pub scheduler: BTreeMap<Argument, Scalar>,
}

impl Arguments {
    /// The arguments of each part that has any.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &BTreeMap<Argument, Scalar>)> {
        let all = [
            ("apiServer", &self.api_server),
            ("controllerManager", &self.controller_manager),
            ("scheduler", &self.scheduler),
        ];
        all.into_iter().filter(|(_, arguments)| !arguments.is_empty())
    }
}

/// An argument's name, without its leading dashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "argument"))]
pub struct Argument(String);

impl TryFrom<String> for Argument {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !text.is_empty() && !text.starts_with('-') && text.bytes().all(inner) {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is no argument; write it as `audit-log-maxage`, without dashes before"
        ))
    }
}

impl AsRef<str> for Argument {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Argument> for String {
    fn from(argument: Argument) -> Self {
        argument.0
    }
}

/// A value. YAML may read it as a number or a Boolean, but an argument is a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "String")]
#[schemars(inline, extend("type" = ["string", "boolean", "number"], "examples" = [30]))]
pub struct Scalar(String);

impl TryFrom<serde_json::Value> for Scalar {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
                Ok(Self(value.to_string()))
            }
            _ => Err("an argument's value is one text; write lists with commas".to_owned()),
        }
    }
}

impl AsRef<str> for Scalar {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Scalar> for String {
    fn from(value: Scalar) -> Self {
        value.0
    }
}
