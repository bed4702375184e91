//! A Helm chart, from which a manifest is made.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text;

/// The longest name of a release, in bytes.
const MAX_RELEASE: usize = 53;

/// A Helm chart, with what it is rendered with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chart {
    /// Where the chart is: a folder or a `.tgz` beside the spec, the URL of a `.tgz`, the
    /// URL of a chart repository, or `oci://` with the chart's name in a registry.
    #[schemars(with = "text::ChartSource")]
    pub from: String,
    /// The chart's name in a chart repository.
    #[serde(default)]
    #[schemars(with = "Option<text::ChartName>")]
    pub name: Option<String>,
    /// The chart's exact version. A chart repository and a registry need it; of a folder
    /// or a `.tgz`, it is compared.
    #[serde(default)]
    #[schemars(with = "Option<text::ChartVersion>")]
    pub version: Option<String>,
    /// The name of Helm's release, which charts put into names of objects. Left out: the
    /// manifest's name.
    #[serde(default)]
    #[schemars(with = "Option<text::Name>")]
    pub release: Option<String>,
    /// The namespace that the chart is for. Left out: `default`.
    #[serde(default)]
    #[schemars(with = "Option<text::Namespace>")]
    pub namespace: Option<String>,
    /// Files with the chart's values, from the spec's folder. Later ones win.
    #[serde(default)]
    #[schemars(with = "Vec<text::File>")]
    pub values: Vec<String>,
}

/// The kinds of places that a chart comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A folder or an archive beside the spec.
    Local,
    /// An archive at a URL.
    Archive,
    /// A chart repository, which has an `index.yaml`.
    Repository,
    /// A registry.
    Registry,
}

impl Chart {
    /// Which kind of place `from` is.
    pub(crate) fn kind(&self) -> From {
        match self.from.split_once("://") {
            None => From::Local,
            Some(("oci", _)) => From::Registry,
            Some((_, path)) if path.ends_with(".tgz") => From::Archive,
            Some(_) => From::Repository,
        }
    }

    /// The namespace that objects without one of their own get.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }

    /// The name of Helm's release.
    pub(crate) fn release<'a>(&'a self, manifest: &'a str) -> &'a str {
        self.release.as_deref().unwrap_or(manifest)
    }

    /// What Helm would say against the release's name (`ValidateReleaseName` in helm
    /// 4.3.2's `pkg/chart/v2/util/validate_name.go`).
    pub(super) fn release_problem(&self, manifest: &str) -> Option<String> {
        let release = self.release(manifest);
        let is_label =
            |part: &str| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
        let is_release = release.len() <= MAX_RELEASE && release.split('.').all(is_label);
        (!is_release).then(|| {
            format!(
                "`{release}` cannot be the name of a release of Helm: give a `release` with at most \
                 {MAX_RELEASE} letters, digits, `.` and `-`, a letter or digit at both ends of each \
                 part"
            )
        })
    }

    /// What its keys lack, or have too much.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let (name, version) = (self.name.is_some(), self.version.is_some());
        match self.kind() {
            From::Repository if !name => {
                Some(("from", "a chart repository has many charts: give the `name` of one"))
            }
            From::Repository | From::Registry if !version => {
                Some(("from", "give the `version` of the chart: another day, there is a newer one"))
            }
            From::Local | From::Archive | From::Registry if name => {
                Some(("name", "only a chart repository needs a `name`: leave it out"))
            }
            _ => None,
        }
    }
}
