//! firewalld on a small node: its files hold a word and its value a line.

use std::fs;
use std::path::Path;

use installer::exec::Output;

use super::commands::said;

/// What firewall-cmd says of its files.
pub(super) fn answer(root: &Path, question: &str) -> Output {
    match question.split_once('=') {
        None if question == "--list-all-zones" => {
            let zone = |name: &str| {
                let text = read(root, &format!("zones/{name}"));
                let of = |key: &str| {
                    let lines =
                        text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
                    lines.collect::<Vec<_>>().join(" ")
                };
                format!(
                    "{name}\n  target: default\n  sources: {}\n  services: {}\n  ports: {}\n  \
                     protocols: {}\n  rich rules: \n\n",
                    of("source"),
                    of("service"),
                    of("port"),
                    of("protocol")
                )
            };
            said(true, &["block", "public", "trusted"].map(zone).concat())
        }
        None if question == "--get-policies" => said(true, "site\n"),
        Some(("--info-policy", name)) => {
            let text = read(root, &format!("policies/{name}"));
            said(!text.is_empty(), &text)
        }
        _ => panic!("a small firewalld has no {question}"),
    }
}

/// Does it; gives whether it could.
pub(super) fn change(root: &Path, options: &[&str]) -> bool {
    let (mut file, mut lines, mut gone) = ("zones/public".to_owned(), Vec::new(), Vec::new());
    for option in options {
        let (key, value) = option.split_once('=').unwrap();
        match key {
            "--zone" => file = format!("zones/{value}"),
            "--policy" => file = format!("policies/{value}"),
            "--new-policy" => {
                file = format!("policies/{value}");
                if !read(root, &file).is_empty() {
                    return false;
                }
                lines.push("policy".to_owned());
            }
            "--remove-port" => gone.push(format!("port {value}")),
            "--set-target" => lines.push(format!("target: {value}")),
            "--add-ingress-zone" => lines.push(format!("ingress-zones: {value}")),
            "--add-egress-zone" => lines.push(format!("egress-zones: {value}")),
            key => match key.strip_prefix("--remove-") {
                Some(key) => gone.push(format!("{key} {value}")),
                None => lines.push(format!("{} {value}", key.strip_prefix("--add-").unwrap())),
            },
        }
    }
    let before = read(root, &file);
    let path = root.join(format!("etc/firewalld/{file}.xml"));
    if !before.is_empty() {
        fs::write(path.with_extension("xml.old"), &before).unwrap();
    }
    lines.retain(|line| !before.lines().any(|old| old == line));
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let kept = before.lines().filter(|line| !gone.iter().any(|one| one == line));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    fs::write(path, kept + &lines).unwrap();
    true
}

/// All that it reads when it starts.
pub(super) fn loaded(root: &Path) -> String {
    ["zones/public", "zones/trusted", "policies/kubeferry-pods"]
        .map(|file| read(root, file))
        .concat()
}

fn read(root: &Path, file: &str) -> String {
    fs::read_to_string(root.join(format!("etc/firewalld/{file}.xml"))).unwrap_or_default()
}
