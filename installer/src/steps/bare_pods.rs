//! Pods that a manifest has by themselves, without a Deployment or the like. The API server
//! takes none before the controller manager has made the ServiceAccount of its namespace.

use serde_json::Value;

/// Whether a manifest has any. The answer is also yes if it cannot be read.
pub(crate) fn are_in(manifest: &str) -> bool {
    let documents: Result<Vec<Value>, _> = serde_saphyr::from_multiple(manifest);
    documents.map_or(true, |documents| documents.iter().any(is_pod))
}

fn is_pod(document: &Value) -> bool {
    let items = document["items"].as_array();
    document["kind"] == "Pod"
        || document["kind"] == "PodList"
        || items.is_some_and(|items| items.iter().any(is_pod))
}

#[cfg(test)]
mod tests {
    use super::are_in;

    #[test]
    fn pods_are_found_alone_and_in_lists_but_not_in_what_makes_pods() {
        assert!(are_in("kind: Namespace\n---\nkind: Pod\nmetadata: {name: a}\n"));
        assert!(are_in("kind: List\nitems: [{kind: Service}, {kind: Pod}]\n"));
        assert!(are_in("kind: PodList\nitems: [{metadata: {name: a}}]\n"));
        assert!(are_in("kind: [\n"));
        let of_deployment = "kind: Deployment\nspec: {template: {kind: Pod}}\n";
        assert!(!are_in(&format!("{of_deployment}---\n---\nkind: PodMonitor\n")));
    }
}
