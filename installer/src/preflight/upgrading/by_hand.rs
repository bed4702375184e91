//! What somebody wrote by hand into the files of the control plane. kubeadm writes these
//! files anew, from its own settings in the cluster.

use bundle_format::KubernetesVersion;

use crate::failure::Failure;
use crate::host::Host;
use crate::masked::masked_difference;
use crate::node::paths::{ADMIN_CONF, STATIC_PODS};

/// How many changed lines of a file are shown.
const SHOWN: usize = 5;

/// A warning for each file. The installed kubeadm, asked for its own version, tells only
/// what it did not write itself.
pub(super) fn warnings(host: &Host, from: &KubernetesVersion) -> Vec<Failure> {
    let said = host.query(&format!("kubeadm upgrade diff v{from} --kubeconfig {ADMIN_CONF}"));
    if !said.succeeded() {
        return vec![Failure::new(
            format!(
                "kubeadm does not say whether somebody has changed files in {STATIC_PODS}: {}",
                said.end()
            ),
            "it writes them anew; compare them with the copy in /var/lib/kubeferry/upgrade after the \
             upgrade",
        )];
    }
    changed(&masked_difference(&said.stdout))
        .into_iter()
        .map(|(path, lines)| warning(&path, &lines))
        .collect()
}

fn warning(path: &str, lines: &[String]) -> Failure {
    let shown: Vec<String> = lines.iter().take(SHOWN).map(|line| format!("`{line}`")).collect();
    let more = lines.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Failure::new(
        format!(
            "kubeadm writes {path} anew, and takes back what somebody changed there: {}{more}",
            shown.join(", ")
        ),
        "what is to stay belongs into kubeadm's settings in the cluster, under `extraArgs`: \
         `kubectl -n kube-system edit configmap kubeadm-config`",
    )
}

/// The changed lines of each file that differs. What kubeadm would only add, somebody has
/// taken out.
fn changed(diff: &str) -> Vec<(String, Vec<String>)> {
    let mut files: Vec<(String, Vec<String>)> = Vec::new();
    for line in diff.lines() {
        if let Some(path) = line.strip_prefix("--- ") {
            files.push((path.trim().to_owned(), Vec::new()));
            continue;
        }
        if line.starts_with("+++ ") {
            continue;
        }
        let Some((_, lines)) = files.last_mut() else { continue };
        if let Some(text) = line.strip_prefix('-') {
            lines.push(plain(text).to_owned());
        } else if let Some(text) = line.strip_prefix('+') {
            lines.push(format!("without {}", plain(text)));
        }
    }
    files.retain(|(_, lines)| !lines.is_empty());
    files
}

/// An entry of a YAML list without its dash.
fn plain(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix("- ").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_differ_are_told() {
        // What kubeadm 1.36.3 said on a node.
        let said = "[upgrade/diff] Reading configuration from the \"kubeadm-config\" ConfigMap in \
                    namespace \"kube-system\"...\n\
                    --- /etc/kubernetes/manifests/kube-apiserver.yaml\n+++ new manifest\n\
                    @@ -15,3 +15,3 @@\n   - command:\n     - kube-apiserver\n\
                    -    - --profiling=false\n+    - --profiling=true\n";
        let path = "/etc/kubernetes/manifests/kube-apiserver.yaml".to_owned();
        let lines = ["--profiling=false", "without --profiling=true"].map(str::to_owned);
        assert_eq!(changed(said), [(path.clone(), lines.to_vec())]);
        assert_eq!(changed("[upgrade/diff] Reading configuration\n"), []);
        let many = vec!["--a=b".to_owned(); 7];
        let text = warning(&path, &many).to_string();
        assert!(text.ends_with("`--a=b`, `--a=b`, `--a=b`, `--a=b`, `--a=b` and 2 more"), "{text}");
    }
}
