//! containerd's configuration with what Kubernetes needs in it. It is edited by path,
//! so that what else stands in the file stays.

use anyhow::Context;
use bundle_format::ImageReference;
use bundle_format::cluster::CgroupDriver;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::failure::Failure;

/// Where containerd has what Kubernetes needs.
pub(super) struct Keys {
    /// The sandbox image.
    pub(super) sandbox: &'static [&'static str],
    /// The table on registries.
    registry: &'static [&'static str],
    /// The table on the runtime runc.
    pub(super) runc: &'static [&'static str],
}

/// The keys of a version of the configuration.
pub(super) fn keys(version: i64) -> Keys {
    if version <= 2 {
        Keys {
            sandbox: &["plugins", "io.containerd.grpc.v1.cri", "sandbox_image"],
            registry: &["plugins", "io.containerd.grpc.v1.cri", "registry"],
            runc: &["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes", "runc"],
        }
    } else {
        Keys {
            sandbox: &["plugins", "io.containerd.cri.v1.images", "pinned_images", "sandbox"],
            registry: &["plugins", "io.containerd.cri.v1.images", "registry"],
            runc: &["plugins", "io.containerd.cri.v1.runtime", "containerd", "runtimes", "runc"],
        }
    }
}

/// The configuration with what Kubernetes needs in it. `version` 2 is containerd
/// 1.x's, 3 and 4 are 2.x's (containerd's `docs/cri/config.md`); a file without
/// it is version 1, which is written anew since its keys are others.
pub(super) fn configured(
    before: &str,
    major: u32,
    sandbox: Option<&ImageReference>,
    driver: CgroupDriver,
) -> anyhow::Result<String> {
    let mut document: DocumentMut = before.parse().map_err(|error| {
        Failure::new(
            format!("it is not TOML: {error}"),
            "mend it, or move it away to have one written",
        )
    })?;
    let newest = if major >= 2 { 3 } else { 2 };
    let version = document.get("version").and_then(Item::as_integer).unwrap_or(1);
    if version < 2 {
        if document.contains_key("plugins") {
            return Err(Failure::new(
                "its version is 1, whose plugins have other names",
                "move it away to have one written, or have `containerd config migrate` renew it",
            )
            .into());
        }
        document.insert("version", value(newest));
    }
    let version = version.max(if version < 2 { newest } else { version });
    enable_cri(&mut document);
    let systemd = driver == CgroupDriver::Systemd;
    let root = document.as_table_mut();
    let keys = keys(version);
    if let (Some(sandbox), Some((key, table))) = (sandbox, keys.sandbox.split_last()) {
        set(root, table, key, sandbox.to_string().into())?;
    }
    set(root, keys.registry, "config_path", "/etc/containerd/certs.d".into())?;
    set(root, keys.runc, "runtime_type", "io.containerd.runc.v2".into())?;
    let options = [keys.runc, &["options"]].concat();
    set(root, &options, "SystemdCgroup", systemd.into())?;
    Ok(document.to_string())
}

/// The packages of Docker's vendor switch CRI off.
fn enable_cri(document: &mut DocumentMut) {
    let Some(plugins) = document.get_mut("disabled_plugins").and_then(Item::as_array_mut) else {
        return;
    };
    let kept: Array = plugins.iter().filter(|plugin| !is_cri(plugin.as_str())).cloned().collect();
    if kept.len() != plugins.len() {
        *plugins = kept;
    }
}

/// Whether a plugin is CRI, or a part of it since containerd 2.
pub(super) fn is_cri(plugin: Option<&str>) -> bool {
    plugin.is_some_and(|name| {
        name == "cri"
            || name.starts_with("io.containerd.grpc.v1.cri")
            || name.starts_with("io.containerd.cri.v1.")
    })
}

/// Sets a key in the table at a path. A value that is right already is left as
/// it is written, comment and all.
fn set(root: &mut Table, path: &[&str], key: &str, new: toml_edit::Value) -> anyhow::Result<()> {
    let mut table: &mut dyn toml_edit::TableLike = root;
    for name in path {
        if !table.contains_key(name) {
            let mut inner = Table::new();
            // Only tables that hold a value are written.
            inner.set_implicit(true);
            table.insert(name, Item::Table(inner));
        }
        table = table
            .get_mut(name)
            .and_then(Item::as_table_like_mut)
            .with_context(|| format!("`{name}` is no table"))?;
    }
    let mut item = Item::Value(new);
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        let text = |item: &Item| item.to_string().trim().to_owned();
        let mut bare = old.clone();
        bare.decor_mut().clear();
        if text(&Item::Value(bare)) == text(&item) {
            return Ok(());
        }
        if let Some(value) = item.as_value_mut() {
            *value.decor_mut() = old.decor().clone();
        }
    }
    table.insert(key, item);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(before: &str, major: u32) -> String {
        let sandbox = "registry.k8s.io/pause:3.9".parse().unwrap();
        configured(before, major, Some(&sandbox), CgroupDriver::Systemd).unwrap()
    }

    #[test]
    fn the_vendors_file_gets_cri_back() {
        let text = done("#root = \"/x\"\ndisabled_plugins = [\"cri\"]\n", 1);
        assert!(text.starts_with("#root = \"/x\"\ndisabled_plugins = []\nversion = 2\n"), "{text}");
        assert!(text.contains("sandbox_image = \"registry.k8s.io/pause:3.9\""), "{text}");
        assert!(text.contains("SystemdCgroup = true"), "{text}");
        assert_eq!(done(&text, 1), text);
    }

    #[test]
    fn settings_of_the_user_stay() {
        let own = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  \
                   sandbox_image = \"old\" # ours\n  max_concurrent_downloads = 9\n";
        let text = done(own, 1);
        assert!(text.contains("sandbox_image = \"registry.k8s.io/pause:3.9\" # ours"), "{text}");
        assert!(text.contains("max_concurrent_downloads = 9"), "{text}");
    }

    #[test]
    fn line_breaks_of_windows_are_read_and_a_second_run_finds_nothing_to_do() {
        let own = "# ours\r\ndisabled_plugins = [\"cri\"]\r\nroot = \"/x\" # big\r\n[debug]\r\n  \
                   level = \"info\"";
        let text = done(own, 1);
        assert!(
            text.contains("root = \"/x\" # big") && text.contains("level = \"info\""),
            "{text}"
        );
        assert!(text.starts_with("# ours") && text.contains("disabled_plugins = []"), "{text}");
        assert_eq!(done(&text, 1), text);
    }

    #[test]
    fn containerd_2_has_other_paths() {
        let text = done("", 2);
        assert!(text.contains("version = 3"), "{text}");
        assert!(text.contains("[plugins.\"io.containerd.cri.v1.images\".pinned_images]"), "{text}");
        assert_eq!(done(&text, 2), text);
    }

    #[test]
    fn version_1_is_refused_with_its_cure() {
        let old = "[plugins.cri]\nsandbox_image = \"x\"\n";
        let error = configured(old, 1, None, CgroupDriver::Cgroupfs).unwrap_err();
        assert!(error.to_string().contains("version is 1"), "{error}");
    }
}
