//! Why an artifact is there.

use bundle_format::lock::{Lock, Why};

/// The reasons for each artifact called `name`: a package (by name or in
/// full), an image, a manifest or a file. Empty where nothing is called so.
pub fn reasons(lock: &Lock, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for rpm in &lock.rpms {
        if rpm.package.name == name || rpm.package.to_string() == name {
            lines.push(format!("{} for {}, from {}", rpm.package, rpm.target, rpm.source));
            lines.extend(rpm.why.iter().map(words));
        }
    }
    for image in &lock.images {
        let own = image.name.to_string();
        let repository = image.name.repository();
        if own == name
            || image.name.name() == name
            || repository == name
            || repository.rsplit('/').next() == Some(name)
        {
            lines.push(format!("{own}, {}", image.root.digest));
            lines.extend(image.why.iter().map(words));
        }
    }
    for manifest in &lock.manifests {
        if manifest.name == name {
            lines.push(format!("manifest {}, from {}", manifest.name, manifest.source));
            lines.push("  the spec lists it".to_owned());
        }
    }
    for file in &lock.files {
        if file.title == name {
            lines.push(format!("{}, from {}", file.title, file.source));
            lines.push("  the spec lists it".to_owned());
        }
    }
    lines
}

fn words(why: &Why) -> String {
    match why {
        Why::Spec { path, line } => format!("  the spec asks for it: {path}, line {line}"),
        Why::Base { profile } => format!("  every {profile} node needs it"),
        Why::Requires { package, requirement } => format!("  {package} requires {requirement}"),
        Why::Manifest { manifest, document, path } => {
            format!("  manifest {manifest} names it: {document}, {path}")
        }
        Why::Kubeadm { component } => format!("  kubeadm needs it: {component}"),
    }
}
