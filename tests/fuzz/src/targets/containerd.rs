use std::path::Path;

use installer::steps::containerd::Containerd;
use toml_edit::DocumentMut;

use super::READ;
use crate::node::settle;

const CONFIG: &str = "/etc/containerd/config.toml";

/// containerd's configuration, edited for a cluster. What is written is TOML.
pub(super) fn containerd(bytes: &[u8]) -> String {
    let said = |line: &str| {
        line.starts_with("containerd --version")
            .then(|| "containerd containerd.io 1.7.35 0123\n".to_owned())
    };
    let settled = settle(&Containerd, &[(CONFIG, bytes)], said);
    if let Some(refusal) = settled.refusal {
        return refusal;
    }
    if let Some(written) = settled.written.get(Path::new(CONFIG)) {
        let text = str::from_utf8(written).expect("it was text before");
        assert!(text.parse::<DocumentMut>().is_ok(), "no TOML:\n{text}");
    }
    READ.to_owned()
}
