//! The reasons why an artifact is in a bundle.

use bundle_format::lock::{Lock, Why};
use bundle_format::text::printable;

use super::naming::{self, Thing};

/// The reasons for each thing that has the name `name` (see [`naming`]). Empty if
/// nothing has it.
pub fn reasons(lock: &Lock, name: &str) -> Vec<String> {
    let own = of_release(lock, name);
    if own.is_empty()
        && let Some((hop, held)) = naming::hop_with(lock, name)
    {
        let head = format!("on the way to {}, for the hop {}:", lock.kubernetes, hop.kubernetes);
        return std::iter::once(head).chain(of_release(&held, name)).collect();
    }
    own
}

fn of_release(lock: &Lock, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for thing in naming::find(lock, name) {
        match thing {
            Thing::Rpm(rpm) => {
                lines.push(format!("{} for {}, from {}", rpm.package, rpm.target, rpm.source));
                lines.extend(rpm.why.iter().map(words));
            }
            Thing::Image(image) => {
                lines.push(format!("{}, {}", image.name, image.root.digest));
                lines.extend(image.why.iter().map(words));
            }
            Thing::Manifest(manifest) => {
                lines.push(format!("manifest {}, from {}", manifest.name, manifest.source));
                lines.push("  the spec lists it".to_owned());
            }
            Thing::File(file) => {
                lines.push(format!("{}, from {}", file.path, file.source));
                lines.push("  the spec lists it".to_owned());
            }
            Thing::OnNodes(target, package) => {
                lines.push(format!("{package} for {}, not in the bundle", target.id));
                lines.push(format!("  already on nodes, by the baseline ({})", target.baseline));
            }
        }
    }
    lines.iter().map(|line| printable(line)).collect()
}

/// The message if nothing has the name `name`.
pub fn nothing(lock: &Lock, name: &str) -> String {
    let meant = naming::meant(lock, name);
    let mut words = match meant.as_slice() {
        [] => format!("nothing is called `{name}`"),
        names => format!("nothing is called `{name}`; did you mean {}?", names.join(", ")),
    };
    let mut baselines: Vec<&str> =
        lock.targets.iter().map(|target| target.baseline.as_str()).collect();
    baselines.retain(|baseline| *baseline != "none");
    baselines.dedup();
    if meant.is_empty() && !baselines.is_empty() {
        let baselines = baselines.join(", ");
        words.push_str(&format!(
            "; a package of the baseline ({baselines}) is already on nodes, and is listed only if \
             the spec asks for it"
        ));
    }
    words
}

fn words(why: &Why) -> String {
    format!("  {why}")
}
