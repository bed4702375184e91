//! Packages that the spec asks for and that the bundle does not hold, because the
//! nodes have them.

use std::collections::HashMap;

use bundle_format::lock::Why;

/// A warning for each package that the spec asks for and that the baseline has
/// already. `why` has the reasons for the packages that were left out.
pub(super) fn warnings(
    target: &str,
    baseline: &str,
    why: &HashMap<String, Vec<Why>>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (package, reasons) in why {
        let asked = reasons.iter().find_map(|why| match why {
            Why::Spec { path, line } => Some((path, line)),
            _ => None,
        });
        if let Some((path, line)) = asked {
            warnings.push(format!(
                "target {target}: {package} ({path}, line {line}) is already on nodes, by the \
                 baseline ({baseline}); the bundle does not hold it"
            ));
        }
    }
    warnings.sort();
    warnings
}
