//! A bundle that somebody serves on the nodes' network: a running cluster takes images and
//! packages from it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lab::network::{LAN, OPERATOR};
use lab::{Lab, Node, program};
use serde_json::Value;

use crate::application::kubectl;

/// A server on the operator's machine, until it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The operator serves the bundle, and gives each node the files that `serve` prints. Then a
/// worker pulls an image that it does not have, and dnf takes a signed package.
pub(crate) fn assert_nodes_take_from(lab: &Lab, lock: &Value, bundle: &Path) {
    let [master, worker, ..] = lab.nodes() else { panic!("two nodes") };
    let images = lock["images"].as_array().unwrap();
    let mut names = images.iter().map(|image| image["name"].as_str().unwrap());
    let image = names.find(|name| name.contains("/web")).unwrap();
    let pod = ["run", "later", "--image", image, "--image-pull-policy=Always", "--overrides"];
    let place = format!("{{\"spec\":{{\"nodeName\":\"{}\"}}}}", worker.name);
    let ready = ["wait", "--for=condition=Ready", "pod/later", "--timeout=60s"];
    worker.run(["crictl", "rmi", image]).unwrap();

    let (_server, files) = serve(bundle);
    for node in lab.nodes() {
        for (path, text) in &files {
            let folder = Path::new(path).parent().unwrap().to_str().unwrap();
            node.run(["mkdir", "-p", folder]).unwrap();
            node.write(path, text).unwrap();
        }
    }
    kubectl(master, &[&pod[..], &[&place]].concat());
    kubectl(master, &ready);
    assert!(has(worker, image));
    kubectl(master, &["delete", "pod", "later", "--wait=false"]);
    let line = "dnf --assumeyes --repo=kubeferry --downloadonly reinstall socat";
    let said = worker.run(line.split(' ')).unwrap();
    assert!(said.contains("socat"), "{said}");
}

fn has(node: &Node, image: &str) -> bool {
    node.exec(["crictl", "inspecti", image]).unwrap().status.success()
}

/// Starts the server; gives the files that it prints, each with its path.
fn serve(bundle: &Path) -> (Server, Vec<(String, String)>) {
    let mut server = Command::new("ip")
        .args(["netns", "exec", LAN])
        .arg(program("bundler").unwrap())
        .args(["serve", "--quiet", "--listen", &format!("{OPERATOR}:8443")])
        .arg(bundle)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(server.stdout.take().unwrap());
    let mut files: Vec<(String, String)> = Vec::new();
    for line in out.lines().map(Result::unwrap) {
        match line.strip_prefix("# ") {
            Some(title) if title.starts_with("the cluster file") => return (Server(server), files),
            Some(title) => {
                let path = title.split(',').next().unwrap();
                files.push((path.to_owned(), String::new()));
            }
            None => files.last_mut().unwrap().1 += &format!("{line}\n"),
        }
    }
    panic!("the server ended after {files:?}");
}
