//! The kernel that a target's nodes run, by their package list: some packages must be of
//! exactly its version.

use bundle_format::{Evr, Nevra};

use crate::spec::Target;
use crate::spec::profile::Profile;

/// The package whose version is the kernel's.
const PACKAGE: &str = "kernel-core";
/// How `installer inventory` writes `uname -r`.
const RUNNING: &str = "# kernel: ";

/// The version of the kernel in a package list. If `installer inventory` made the list,
/// it is the running kernel, or none if no package has it. Otherwise it is the newest,
/// which a node runs after its next start.
pub(super) fn of_list(text: &str, packages: &[Nevra]) -> Option<Evr> {
    let mut kernels = packages.iter().filter(|package| package.name == PACKAGE);
    let chosen = match running(text) {
        Some(running) => kernels.find(|kernel| kernel.kernel_release() == running),
        None => kernels.max_by_key(|kernel| &kernel.evr),
    };
    chosen.map(|kernel| kernel.evr.clone())
}

/// The kernel that runs, if `installer inventory` made the list.
pub(super) fn running(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix(RUNNING)).map(str::trim)
}

/// Leaves out the packages of other kernels than `kernel`. A closure has one version of
/// each name, and it must be this one.
pub(super) fn only(packages: Vec<Nevra>, kernel: &Evr) -> Vec<Nevra> {
    let is_other = |package: &Nevra| package.is_kept_beside_others() && package.evr != *kernel;
    packages.into_iter().filter(|package| !is_other(package)).collect()
}

/// The requests for the profile's packages that must be of `kernel`, except for those
/// that the spec itself asks for.
pub(super) fn requests(target: &Target, profile: &Profile, kernel: &Evr) -> Vec<String> {
    let wanted = profile.of_kernel.iter().filter(|package| !target.asks_for(package));
    wanted.map(|package| format!("{package} = {kernel}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_kernel_counts_and_else_the_newest() {
        let kernel = |release: &str| -> Nevra {
            format!("kernel-core-6.12.0-{release}.el10_1.x86_64").parse().unwrap()
        };
        let both = [kernel("124.8.1"), kernel("124.31.1"), "bash-5.2-1.x86_64".parse().unwrap()];
        let of = |text: &str, packages: &[Nevra]| {
            of_list(text, packages).map(|kernel| kernel.to_string())
        };
        let running = |release: &str| format!("# kernel: 6.12.0-{release}.el10_1.x86_64\n");
        assert_eq!(of(&running("124.8.1"), &both).unwrap(), "6.12.0-124.8.1.el10_1");
        assert_eq!(of("", &both).unwrap(), "6.12.0-124.31.1.el10_1");
        // A kernel of another make, and a list without kernels.
        assert_eq!(of("# kernel: 6.12.0-100.el10uek.x86_64\n", &both), None);
        assert_eq!(of("", &both[2..]), None);
        let left = only(both.to_vec(), &both[0].evr);
        assert_eq!(left, [both[0].clone(), both[2].clone()]);
    }
}
