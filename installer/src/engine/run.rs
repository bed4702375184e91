//! The plan and the run: both ask each step what is still to be done.

use crate::node::join;
use std::io::Write;

use anyhow::{Context, bail};
use bundle_format::ImageReference;
use bundle_format::archive::writer;
use bundle_format::layout::Layout;
use bundle_format::lock::LockedImage;

use crate::engine::change::{Change, Render};
use crate::engine::step::{Node, Step};
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::join::{JoinFile, Machine};
use crate::receipt::{Line, StepName};

/// What a step would change.
pub struct Planned {
    /// The step.
    pub step: &'static dyn Step,
    /// Its changes; none when it is done.
    pub changes: Vec<Change>,
}

/// Asks all steps, and changes nothing.
pub fn plan(
    host: &Host,
    intent: &Intent,
    steps: &[&'static dyn Step],
) -> anyhow::Result<Vec<Planned>> {
    let node = Node { host, intent };
    let asked = |step: &&'static dyn Step| {
        let changes =
            step.changes(&node).with_context(|| format!("planning step `{}`", step.name()))?;
        Ok(Planned { step: *step, changes })
    };
    steps.iter().map(asked).collect()
}

/// Notes that steps are finished in which an earlier run was interrupted, where
/// nothing is left to do.
pub fn settle(host: Host, plan: &[Planned]) -> anyhow::Result<()> {
    let names = plan.iter().filter(|planned| planned.changes.is_empty());
    let names = names.map(|planned| planned.step.name());
    let names: Vec<StepName> = names.filter(|name| host.was_interrupted(*name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut host = host.open()?;
    names.iter().try_for_each(|name| host.finish(*name))
}

/// Makes all changes of all steps, and says each step's end to `report`. Gives
/// the number of changes.
pub fn apply(
    host: &mut Host,
    intent: &Intent,
    steps: &[&'static dyn Step],
    report: &mut dyn FnMut(usize, StepName, &[Change]),
) -> anyhow::Result<usize> {
    host.begin(Line::Begun {
        role: intent.role.to_string(),
        bundle: intent.bundle.index_digest(),
    })?;
    let mut made = 0;
    for (number, step) in steps.iter().enumerate() {
        let doing = || format!("step {}/{} `{}` failed", number + 1, steps.len(), step.name());
        let changes = step.changes(&Node { host, intent }).with_context(doing)?;
        report(number, step.name(), &changes);
        if changes.is_empty() {
            if host.was_interrupted(step.name()) {
                host.finish(step.name())?;
            }
            continue;
        }
        step.before(&Node { host, intent }).with_context(doing)?;
        let failed = |error: anyhow::Error| match step.cure() {
            Some(cure) => Failure::new(doing(), cure).because(error).into(),
            None => error.context(doing()),
        };
        for change in &changes {
            make(host, intent, step.name(), change).map_err(failed)?;
            made += 1;
        }
        host.check(step.name());
        check(host, intent, *step).map_err(failed)?;
        host.finish(step.name())?;
    }
    Ok(made)
}

/// Asks a step anew whose changes were made. What it would only wait for is awaited.
fn check(host: &mut Host, intent: &Intent, step: &dyn Step) -> anyhow::Result<()> {
    let mut left = step.changes(&Node { host, intent })?;
    if left.iter().all(|change| matches!(change, Change::Await { .. })) && !left.is_empty() {
        left.iter().try_for_each(|change| make(host, intent, step.name(), change))?;
        left = step.changes(&Node { host, intent })?;
    }
    left.first().map_or(Ok(()), |change| {
        let what = format!("it was done, but is still to do: {change}");
        let cure = "the log's last lines have what the commands said that were to do it";
        Err(Failure::new(what, cure).into())
    })
}

fn make(host: &mut Host, intent: &Intent, step: StepName, change: &Change) -> anyhow::Result<()> {
    match change {
        Change::Unpack { folder, files } => {
            for (path, content) in files {
                // Checked on the way; one that is damaged gets no name.
                let mut blob = intent.bundle.open_blob(&content.descriptor)?;
                let digest = content.descriptor.digest;
                host.copy(step, &folder.join(path), digest, &mut blob, 0o644)?;
            }
            Ok(())
        }
        Change::Import { images } => import(host, intent, step, images),
        Change::Capture { command, render, path } => {
            let output = host.capture(step, command)?;
            let text = match render {
                Render::JoinFile => JoinFile::of_command(
                    &output.stdout,
                    join::HOURS,
                    intent.endpoint(),
                    intent.name.clone(),
                    intent.address,
                    intent.cluster.clone(),
                )?
                .knowing(vec![Machine::of(host, &intent.name)?])
                .text()?,
            };
            host.write(step, path, text.as_bytes(), 0o600)
        }
        change => make_without_bundle(host, step, change),
    }
}

/// Makes a change that needs nothing but the node.
pub(crate) fn make_without_bundle(
    host: &mut Host,
    step: StepName,
    change: &Change,
) -> anyhow::Result<()> {
    match change {
        Change::Write { path, text, mode, then: None, .. } => host.write(step, path, text, *mode),
        Change::Write { path, text, mode, then: Some(then), .. } => {
            host.write_for(step, path, text, *mode, then)
        }
        Change::Remove { path } => host.remove(step, path),
        Change::Make { path, mode } => host.make(step, path, *mode),
        Change::Claim { path, mode } => host.claim(step, path, *mode),
        Change::Install { packages, commands } => {
            commands.iter().try_for_each(|command| host.install(step, command, packages))
        }
        Change::Run { command, undo, files } => {
            host.run(step, command, undo, files, None).map(drop)
        }
        Change::Await { command, seconds } => host.await_success(command, *seconds),
        Change::Unpack { .. } | Change::Import { .. } | Change::Capture { .. } => {
            bail!("without a bundle nobody can {change}")
        }
    }
}

/// Streams images into containerd, one after the other in the order in which a
/// node needs them: no copy lies on the disk meanwhile.
fn import(
    host: &mut Host,
    intent: &Intent,
    step: StepName,
    images: &[ImageReference],
) -> anyhow::Result<()> {
    for image in &intent.lock().images {
        if !images.contains(&image.name) {
            continue;
        }
        let platform = platform(image, intent)?;
        let command =
            Command::of("ctr -n k8s.io images import --platform").with(platform).with("-");
        let layout = Layout::of_image_by_all_names(image)?;
        let mut feed = |out: &mut dyn Write| {
            writer::write(
                out,
                &layout,
                |blob| intent.bundle.open_blob(blob).map_err(std::io::Error::other),
                |_| {},
            )
        };
        host.run(step, &command, &[], &[], Some(&mut feed))
            .with_context(|| format!("importing {}", image.name))?;
    }
    Ok(())
}

fn platform(image: &LockedImage, intent: &Intent) -> anyhow::Result<String> {
    let architecture = intent.facts.architecture;
    if !image.platforms.iter().any(|platform| platform.architecture == architecture) {
        bail!("the bundle has {} for other processors only", image.name);
    }
    Ok(format!("linux/{}", architecture.oci()))
}
