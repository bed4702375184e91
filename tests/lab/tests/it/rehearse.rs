//! A rehearsal finds what a bundle lacks, and nothing where nothing lacks.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::Lab;
use lab::rehearse::{Findings, Rehearsal};

use crate::application::Witness;
use crate::support::{ConnectedHost, connected_host, lab};

/// Pods that look for the world: one wants an image that the bundle lacks; one asks for
/// a name and an address; one does so on its node's own network; one pulls what is
/// there.
const OUTWARD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: wants}
spec:
  containers:
    - {name: main, image: registry.lab.example/absent:1.0}
---
apiVersion: v1
kind: Pod
metadata: {name: asks}
spec:
  containers:
    - name: main
      image: registry.lab.example/admission:1.0
      args: [-c, 'nslookup updates.example.com; wget -qO- http://192.0.2.10:8080/; exec sleep 9999']
---
apiVersion: v1
kind: Pod
metadata: {name: asks-as-node}
spec:
  hostNetwork: true
  containers:
    - name: main
      image: registry.lab.example/admission:1.0
      args: [-c, 'wget -qO- http://192.0.2.20/; exec sleep 9999']
---
apiVersion: v1
kind: Pod
metadata: {name: pulls}
spec:
  containers:
    - {name: main, image: 'registry.lab.example/web:1.0', imagePullPolicy: Always}
";

#[test]
fn a_rehearsal_names_what_a_bundle_lacks() {
    let Some(host) = connected_host() else { return };
    let (_, whole) = host.bundle();
    let Some(lab) = lab(&Rehearsal::settings(1)) else { return };
    let _witness = Witness(&lab.nodes()[0]);
    let findings = rehearse(&lab, &whole);
    assert!(findings.is_clean(), "{findings}");
    assert!(findings.to_string().contains("Nothing is missing: "), "{findings}");

    // The same nodes get a bundle with one manifest more.
    let findings = rehearse(&lab, &outward(&host));
    assert!(!findings.is_clean());
    let expected = "\
Images that pods want and the bundle does not have. For the spec:

images:
  - registry.lab.example/absent:1.0 # default/wants

The bundle has registry.lab.example/web:1.0, but default/pulls still pulls it.
For the spec, under the manifest `outward`, `web`:

    patches:
      - pullPolicy: IfNotPresent

DNS names that nothing in the cluster knows:
  updates.example.com: pod default/asks
Connections to addresses outside, all refused:
  192.0.2.10:8080 (tcp): pod default/asks
  192.0.2.20:80 (tcp): pod default/asks-as-node
";
    assert_eq!(findings.to_string(), expected);
}

/// The lab's bundle, with those pods.
fn outward(host: &ConnectedHost) -> std::path::PathBuf {
    fs::write(host.folder().join("outward.yaml"), OUTWARD).unwrap();
    let manifest = "  - name: outward
    file: outward.yaml
    ignoreImages: [registry.lab.example/absent:1.0]
";
    host.bundle_with_manifests(manifest, &[])
}

fn rehearse(lab: &Lab, bundle: &Path) -> Findings {
    let mut rehearsal = Rehearsal::of(bundle).unwrap();
    rehearsal.watch = Duration::from_secs(6);
    let findings = rehearsal.run(lab, &mut |what| {
        println!("{what}");
        Ok(())
    });
    let findings = findings.unwrap();
    println!("{findings}");
    findings
}
