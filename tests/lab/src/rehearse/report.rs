//! The findings, for a person: first what can be pasted into the spec.

use std::collections::BTreeSet;
use std::fmt;

use bundle_format::text::{brief, count, indented};

use super::findings::Findings;
use super::watch::Destination;

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = &self.failure {
            writeln!(f, "The installation stopped:\n{}", indented(failure.trim_end()))?;
        }
        self.images(f)?;
        if !self.names.is_empty() {
            writeln!(f, "DNS names that nothing in the cluster knows:")?;
            for (name, who) in &self.names {
                writeln!(f, "  {}: {}", brief(name), listed(who))?;
            }
        }
        if !self.connections.is_empty() {
            writeln!(f, "Connections to addresses outside, all refused:")?;
            for (to, who) in &self.connections {
                writeln!(f, "  {to}: {}", listed(who))?;
            }
        }
        if !self.pods.is_empty() {
            writeln!(f, "Pods that did not become Ready:")?;
            for (pod, why) in &self.pods {
                writeln!(f, "  {}: {}", brief(pod), brief(why))?;
            }
        }
        if !self.kubelets.is_empty() {
            let who = listed(&self.kubelets);
            writeln!(f, "No fault of the bundle: {who} asked whether this is AWS.")?;
        }
        if self.unseen > 0 {
            let packets = count_of(self.unseen, "packet");
            writeln!(f, "tcpdump did not see {packets}, so this list may be incomplete.")?;
        }
        if self.is_clean() {
            let pods = count(self.count, "pod");
            writeln!(f, "Nothing is missing: {pods} Ready or done, and nothing looked for more.")?;
        }
        Ok(())
    }
}

impl Findings {
    fn images(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.lacking.is_empty() {
            writeln!(f, "Images that pods want and the bundle does not have. For the spec:\n")?;
            writeln!(f, "images:")?;
            for (image, who) in &self.lacking {
                writeln!(f, "  - {} # {}", brief(image), listed(who))?;
            }
            writeln!(f)?;
        }
        for (image, pulled) in &self.pulled_anyway {
            let (image, pods) = (brief(image), listed(&pulled.pods));
            writeln!(f, "The bundle has {image}, but {pods} still pulls it.")?;
            let manifests = pulled.manifests.join("`, `");
            if pulled.manifests.is_empty() {
                writeln!(f, "Set its imagePullPolicy to IfNotPresent where the pod is made.")?;
            } else {
                writeln!(f, "For the spec, under the manifest `{}`:\n", brief(&manifests))?;
                writeln!(f, "    patches:\n      - pullPolicy: IfNotPresent\n")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, " ({})", self.protocol)
    }
}

fn listed(who: &BTreeSet<String>) -> String {
    who.iter().map(|one| brief(one)).collect::<Vec<_>>().join(", ")
}

fn count_of(number: u64, one: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one)
}
