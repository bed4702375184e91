//! The real `helm`, which alone understands charts.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::KubernetesVersion;
use bundle_format::text::brief;

use super::archive;
use super::folder::Folder;
use super::tool::Tool;
use crate::libyaml::document;
use crate::libyaml::node::text;

/// `helm` on this host.
pub(super) struct Helm {
    tool: Tool,
    /// `helm v4.3.2`
    pub(super) version: String,
}

/// What a chart is rendered with.
pub(super) struct Order<'a> {
    pub(super) archive: &'a Path,
    pub(super) release: &'a str,
    pub(super) namespace: &'a str,
    pub(super) kubernetes: &'a KubernetesVersion,
    pub(super) values: Vec<PathBuf>,
}

impl Helm {
    /// Finds it, and asks it for its version.
    pub(super) fn find(home: &Path) -> anyhow::Result<Self> {
        let Some(tool) = Tool::find("helm") else {
            bail!(
                "it is a chart, and this host has no `helm` on the PATH: install helm 3 or 4, or \
                 lock on a host that has it"
            );
        };
        let answer = tool.run(home, ["version", "--template", "{{.Version}}"])?;
        let version = brief(String::from_utf8_lossy(&answer).trim());
        match version.starts_with("v3.") || version.starts_with("v4.") {
            true => Ok(Self { tool, version: format!("helm {version}") }),
            false => bail!("`helm` calls itself {version}: install helm 3 or 4"),
        }
    }

    /// Packs a chart's folder. Helm leaves out what its `.helmignore` says.
    pub(super) fn package(&self, folder: &Folder, home: &Path) -> anyhow::Result<Vec<u8>> {
        let (chart, packed) = (home.join("chart"), home.join("packed"));
        folder.write(&chart).context("copying the chart")?;
        fs::create_dir(&packed).context("packing the chart")?;
        let arguments: [OsString; 4] =
            ["package".into(), chart.into(), "--destination".into(), packed.clone().into()];
        self.tool.run(home, arguments).context(
            "packing the chart: if charts that it depends on are missing, run `helm dependency \
             build` in its folder",
        )?;
        let mut files = fs::read_dir(&packed).context("packing the chart")?.flatten();
        let Some(file) = files.next() else { bail!("`helm package` wrote no file") };
        archive::plain(&fs::read(file.path()).context("reading the packed chart")?)
    }

    /// The name and version of a chart: `metrics-server` and `3.13.0`.
    pub(super) fn name(&self, archive: &Path, home: &Path) -> anyhow::Result<(String, String)> {
        let arguments: [OsString; 3] = ["show".into(), "chart".into(), archive.into()];
        let answer = self.tool.run(home, arguments)?;
        let answer = String::from_utf8_lossy(&answer);
        let documents = document::documents("Chart.yaml", &answer)?;
        let field = |key| documents.first().and_then(|own| text(own, key)).map(brief);
        field("name").zip(field("version")).context("its Chart.yaml has no name or no version")
    }

    /// The Kubernetes YAML of a chart, with its definitions and all its hooks.
    pub(super) fn template(&self, order: &Order<'_>, home: &Path) -> anyhow::Result<String> {
        let mut arguments: Vec<OsString> = vec![
            "template".into(),
            order.release.into(),
            order.archive.into(),
            "--namespace".into(),
            order.namespace.into(),
            "--kube-version".into(),
            order.kubernetes.as_str().into(),
            "--include-crds".into(),
        ];
        for values in &order.values {
            arguments.extend(["--values".into(), values.into()]);
        }
        let answer = self.tool.run(home, arguments)?;
        String::from_utf8(answer).context("what `helm` made is not UTF-8")
    }
}
