//! APIs that go with the new version.

use crate::failure::Failure;

/// APIs that clients have asked for since the API server started, and that the new version
/// no longer has (kubernetes.io, "Deprecated API Migration Guide").
pub(super) fn removed(metrics: &str, minor: u32) -> Vec<Failure> {
    let mut gone: Vec<String> = Vec::new();
    for line in metrics.lines() {
        let Some(labels) = line.strip_prefix("apiserver_requested_deprecated_apis{") else {
            continue;
        };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let release =
            label("removed_release").and_then(|text| text.split_once('.')?.1.parse().ok());
        if release.is_some_and(|release: u32| release <= minor) {
            let part = |name: &str| label(name).unwrap_or_default().to_owned();
            let group = part("group");
            let group = if group.is_empty() { String::new() } else { format!("{group}/") };
            gone.push(format!("{} of {group}{}", part("resource"), part("version")));
        }
    }
    gone.sort();
    gone.dedup();
    let failure = |what: String| {
        Failure::new(
            format!("somebody uses {what}, which Kubernetes 1.{minor} no longer has"),
            "find who does, and move them to the next version of that API; then restart the API \
             server, which remembers such a question: `crictl ps --name kube-apiserver` and \
             `crictl stop` with its ID",
        )
    };
    gone.into_iter().map(failure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apis_that_go_are_told() {
        let metrics = "# TYPE apiserver_requested_deprecated_apis gauge\n\
            apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"endpoints\",subresource=\"\",version=\"v1\"} 1\n\
            apiserver_requested_deprecated_apis{group=\"flow\",removed_release=\"1.32\",resource=\"flowschemas\",subresource=\"\",version=\"v1beta3\"} 1\n\
            apiserver_requested_deprecated_apis{group=\"x\",removed_release=\"1.40\",resource=\"y\",subresource=\"\",version=\"v1\"} 1\n";
        let told = |minor| -> Vec<String> {
            removed(metrics, minor).iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(31), [""; 0]);
        assert_eq!(
            told(32),
            ["somebody uses flowschemas of flow/v1beta3, which Kubernetes 1.32 no longer has"]
        );
    }
}
