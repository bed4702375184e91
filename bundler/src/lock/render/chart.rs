//! The manifest of a Helm chart.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{FileKind, FileSource, LockedFile, LockedRendering};
use bundle_format::text::brief;
use bundle_format::{BundlePath, Digest, input};

use super::helm::{Helm, Order};
use super::made::Made;
use super::origin::Origin;
use super::rendered::Rendered;
use super::{archive, hooks};
use crate::libyaml::document;
use crate::lock::task::Task;
use crate::manifest::object::objects;
use crate::spec::{Chart, Manifest, chart_version};

/// The manifest of a chart. The file beside the spec is taken if it was made of the same chart
/// and the same values. Else it is made now.
pub(super) fn render(
    task: &Task<'_>,
    manifest: &Manifest,
    chart: &Chart,
) -> anyhow::Result<Rendered> {
    let name = &manifest.name;
    let origin = Origin::get(task, manifest, chart)?;
    let values = chart.values.iter().map(|file| {
        let path = task.file.beside(file);
        input::file(&path, input::WRITTEN_BY_HAND)
            .with_context(|| format!("reading {}", path.display()))
    });
    let values: Vec<Vec<u8>> = values.collect::<anyhow::Result<_>>()?;
    let from = everything(task, manifest, chart, &origin, &values);
    let (made, packed) = match kept(task, manifest, chart, (&origin, from))? {
        Some(kept) => kept,
        None => make(task, manifest, chart, (origin, from, &values))?,
    };
    let warning = (!made.differs.is_empty()).then(|| {
        format!(
            "manifest {name} has parts that are new each time that the chart is rendered, such as \
             a password or a key: {}; what was made now is in {} and in the bundle, and stays until \
             `bundler lock --upgrade {name}` makes another",
            made.differs.join(", "),
            task.file.rendered(&format!("{name}.yaml")).display()
        )
    });
    let content = task.upstreams.keep(FILE_TYPE, &packed)?;
    Ok(Rendered {
        text: made.text(),
        by: made.by,
        chart: Some(LockedFile {
            kind: FileKind::Chart,
            path: BundlePath::Chart { manifest: name.clone() },
            source: FileSource::Named(chart.from.clone()),
            content,
        }),
        warning,
    })
}

/// The digest of everything that decides what `helm` makes, except helm itself.
fn everything(
    task: &Task<'_>,
    manifest: &Manifest,
    chart: &Chart,
    origin: &Origin,
    values: &[Vec<u8>],
) -> Digest {
    let mut lines = vec![
        format!("release {}", chart.release(&manifest.name)),
        format!("namespace {}", chart.namespace()),
        format!("kubernetes {}", task.file.spec.kubernetes.version.value),
        format!("chart {}", origin.digest()),
    ];
    lines.extend(values.iter().map(|bytes| format!("values {}", Digest::of(bytes))));
    Digest::of(lines.join("\n").as_bytes())
}

/// What lies beside the spec, and the packed chart, if both are of this.
fn kept(
    task: &Task<'_>,
    manifest: &Manifest,
    chart: &Chart,
    (origin, from): (&Origin, Digest),
) -> anyhow::Result<Option<(Made, Vec<u8>)>> {
    let name = &manifest.name;
    let Some(made) = Made::kept(task, name, from)? else { return Ok(None) };
    if let Some((own, version)) = made.by.chart.as_deref().and_then(|own| own.rsplit_once(' ')) {
        check_version(chart, own, version)?;
    }
    let path = task.file.rendered(&format!("{name}.tgz"));
    let packed = match origin {
        Origin::Archive(bytes) => Some(bytes.clone()),
        Origin::Folder(_) => input::file(&path, archive::MAX_CHART).ok(),
    };
    match packed.filter(|bytes| Some(Digest::of(bytes)) == made.archive) {
        Some(packed) => Ok(Some((made, packed))),
        // Made again, it is the same.
        None if made.differs.is_empty() => Ok(None),
        None => bail!(
            "{} is not the chart that was packed for {name}.yaml, and from another one helm would \
             make other passwords or keys ({}): bring the file back, or make others by `bundler \
             lock --upgrade {name}`",
            path.display(),
            made.differs.join(", ")
        ),
    }
}

fn make(
    task: &Task<'_>,
    manifest: &Manifest,
    chart: &Chart,
    (origin, from, values): (Origin, Digest, &[Vec<u8>]),
) -> anyhow::Result<(Made, Vec<u8>)> {
    let name = &manifest.name;
    let home = tempfile::tempdir().context("making a temporary folder")?;
    let home = home.path();
    let helm = Helm::find(home)?;
    let packed = match origin {
        Origin::Archive(bytes) => bytes,
        Origin::Folder(folder) => helm.package(&folder, home)?,
    };
    let write = |name: &str, bytes: &[u8]| {
        let path = home.join(name);
        fs::write(&path, bytes).map(|()| path).context("copying the chart")
    };
    let archive = write("chart.tgz", &packed)?;
    let (own, version) = helm.name(&archive, home)?;
    check_version(chart, &own, &version)?;
    let files = values.iter().enumerate();
    let files = files.map(|(index, bytes)| write(&format!("values-{}.yaml", index + 1), bytes));
    let order = Order {
        archive: &archive,
        release: chart.release(name),
        namespace: chart.namespace(),
        kubernetes: &task.file.spec.kubernetes.version.value,
        values: files.collect::<anyhow::Result<_>>()?,
    };
    let (objects, left_out) = template(&helm, name, &order, home)?;
    let (again, _) = template(&helm, name, &order, home)?;
    let made = Made {
        by: LockedRendering { by: helm.version, chart: Some(format!("{own} {version}")) },
        from,
        archive: Some(Digest::of(&packed)),
        left_out: left_out.iter().map(|object| brief(object)).collect(),
        differs: difference(name, &objects, &again)?,
        objects,
    };
    Ok((made, packed))
}

fn template(
    helm: &Helm,
    name: &str,
    order: &Order<'_>,
    home: &Path,
) -> anyhow::Result<(String, Vec<String>)> {
    Ok(hooks::for_installation(name, &helm.template(order, home)?)?)
}

/// Fails if the chart is another version than the spec says.
fn check_version(chart: &Chart, name: &str, version: &str) -> anyhow::Result<()> {
    match &chart.version {
        Some(wanted) if !chart_version::is_same(wanted, version) => {
            bail!("the chart is {name} {version}, but the spec says {wanted}")
        }
        _ => Ok(()),
    }
}

/// The objects in which two texts of one chart differ.
fn difference(name: &str, one: &str, other: &str) -> anyhow::Result<Vec<String>> {
    if one == other {
        return Ok(Vec::new());
    }
    let read = |text: &str| anyhow::Ok(objects(&document::read(name, text)?).0);
    let (one, other) = (read(one)?, read(other)?);
    let pairs = one.iter().zip(&other).filter(|(one, other)| one.json != other.json);
    let differ: Vec<String> = pairs.map(|(one, _)| brief(&one.title())).collect();
    Ok(if differ.is_empty() { vec!["a part that is no object".to_owned()] } else { differ })
}
