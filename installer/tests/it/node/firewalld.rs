//! firewalld on a small node. Its files, and below `run` its rules at work, hold a word
//! and its value a line. When it reads its files, or ends, all rules in the kernel go:
//! those of others are in `run/iptables`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use installer::exec::Output;

use super::commands::said;

/// Where its files are, and its rules at work.
const FILES: &str = "etc/firewalld";
const WORK: &str = "run/firewalld";

/// Which of both a command is for, and its options; none for another command.
pub(super) fn place<'a>(words: &'a [&'a str]) -> Option<(&'static str, &'a [&'a str])> {
    match words {
        ["firewall-cmd", "--state" | "--reload"] => None,
        ["firewall-cmd", "--permanent", options @ ..] | ["firewall-offline-cmd", options @ ..] => {
            Some((FILES, options))
        }
        ["firewall-cmd", options @ ..] => Some((WORK, options)),
        _ => None,
    }
}

/// What it tells over D-Bus, as `busctl` prints it; none for another command.
pub(super) fn told(root: &Path, words: &[&str]) -> Option<Output> {
    const NAME: &str = "org.fedoraproject.FirewallD1";
    const OBJECT: &str = "/org/fedoraproject/FirewallD1";
    let ["busctl", _, "--", "call", NAME, object, interface, method, arguments @ ..] = words else {
        return None;
    };
    let object = object.strip_prefix(OBJECT).unwrap();
    let place = if object.starts_with("/config") { FILES } else { WORK };
    let failed = |why: &str| Output { stderr: format!("{why}\n"), ..said(false, "") };
    let no_method = format!("Unknown method: {method} is not a valid method of {interface}");
    let is_old = root.join("run/old-firewalld").exists();
    let has_policy = || !read(root, place, "policies/kubeferry-pods").is_empty();
    let interface = interface.strip_prefix(NAME).unwrap();
    let reply = match (object, interface, *method, arguments) {
        ("", ".zone", "getZones", []) | ("/config", ".config", "getZoneNames", []) => {
            format!("as {}", list(&zones(root)))
        }
        ("", ".zone", "getZoneSettings2", _) if is_old => return Some(failed(&no_method)),
        ("", ".zone", "getZoneSettings2", ["s", zone]) => entries(root, zone),
        ("", "", "getZoneSettings", ["s", zone]) => {
            assert!(is_old, "this may tell what is no longer at work");
            settings(root, WORK, zone)
        }
        ("/config", ".config", "getZoneByName", ["s", zone]) => {
            format!("o \"{OBJECT}/config/zone/{zone}\"")
        }
        (object, ".config.zone", "getSettings", []) => {
            settings(root, FILES, object.strip_prefix("/config/zone/").unwrap())
        }
        ("", ".policy", "getPolicySettings", ["s", _])
        | ("/config", ".config", "getPolicyByName", ["s", _])
            if is_old =>
        {
            return Some(failed(&no_method));
        }
        ("", ".policy", "getPolicySettings", ["s", name])
        | ("/config", ".config", "getPolicyByName", ["s", name])
            if !has_policy() =>
        {
            return Some(failed(&format!("INVALID_POLICY: {name}")));
        }
        ("/config", ".config", "getPolicyByName", ["s", _]) => {
            format!("o \"{OBJECT}/config/policy/0\"")
        }
        ("", ".policy", "getPolicySettings", ["s", _])
        | ("/config/policy/0", ".config.policy", "getSettings", []) => {
            let text = read(root, place, "policies/kubeferry-pods");
            let of = |key| text.lines().filter_map(|line| line.strip_prefix(key)).collect();
            let zones = |key| -> String {
                let found: Vec<&str> = of(key);
                list(&found.iter().map(|zone| (*zone).to_owned()).collect::<Vec<_>>())
            };
            let target: Vec<&str> = of("target: ");
            format!(
                "a{{sv}} 4 \"target\" s \"{}\" \"priority\" i -1 \"ingress_zones\" as {} \
                 \"egress_zones\" as {}",
                target.concat(),
                zones("ingress-zones: "),
                zones("egress-zones: ")
            )
        }
        ("", ".direct", "queryRule", ["sssias", rule @ ..])
        | ("/config", ".config.direct", "queryRule", ["sssias", rule @ ..]) => {
            let [ipv, table, chain, priority, count, words @ ..] = rule else { panic!("{rule:?}") };
            assert_eq!(count.parse(), Ok(words.len()));
            let rule = [&[*ipv, *table, *chain, *priority], words].concat().join(" ");
            format!("b {}", read(root, place, "direct").contains(&rule))
        }
        _ => panic!("firewalld does not know {words:?}"),
    };
    Some(said(true, &format!("{reply}\n")))
}

/// A zone's settings (firewalld.dbus(5), `getZoneSettings`).
fn settings(root: &Path, place: &str, name: &str) -> String {
    let of = |key: &str| list(&of_zone(root, place, name, key));
    format!(
        "(sssbsasa(ss)asba(ssss)asasasasa(ss)b) \"\" \"{name}\" \"\" false \"{}\" {} {} 0 false 0 \
         {} {} {} {} 0 false",
        target(root, place, name),
        of("service"),
        ports(root, place, name),
        of("interface"),
        of("source"),
        of("rich-rule"),
        of("protocol"),
    )
}

/// What a zone has at work (firewalld.dbus(5), `getZoneSettings2`). What is empty is left out.
fn entries(root: &Path, name: &str) -> String {
    let keys = [
        ("service", "services"),
        ("interface", "interfaces"),
        ("source", "sources"),
        ("rich-rule", "rules_str"),
        ("protocol", "protocols"),
    ];
    let values = keys.map(|(key, entry)| (entry, "as", list(&of_zone(root, WORK, name, key))));
    let ports = [("ports", "a(ss)", ports(root, WORK, name))];
    let all = values.into_iter().chain(ports).filter(|(_, _, value)| !value.starts_with("0"));
    let all: Vec<String> =
        all.map(|(entry, of, value)| format!(" \"{entry}\" {of} {value}")).collect();
    let target = target(root, WORK, name);
    format!("a{{sv}} {} \"target\" s \"{target}\"{}", all.len() + 1, all.concat())
}

/// A zone's ports, as pairs.
fn ports(root: &Path, place: &str, name: &str) -> String {
    let ports = of_zone(root, place, name, "port");
    let pairs = ports.iter().map(|port| {
        let (number, protocol) = port.split_once('/').unwrap();
        format!(" \"{number}\" \"{protocol}\"")
    });
    format!("{}{}", ports.len(), pairs.collect::<String>())
}

/// Texts of an array.
fn list(texts: &[String]) -> String {
    let quoted = texts.iter().map(|text| format!(" \"{}\"", text.replace('"', "\\\"")));
    format!("{}{}", texts.len(), quoted.collect::<String>())
}

/// The values of a zone's lines.
fn of_zone(root: &Path, place: &str, name: &str, key: &str) -> Vec<String> {
    let text = read(root, place, &format!("zones/{name}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    lines.map(str::to_owned).collect()
}

fn target(root: &Path, place: &str, name: &str) -> String {
    let usual = if name == "trusted" { "ACCEPT" } else { "default" };
    of_zone(root, place, name, "target").pop().unwrap_or_else(|| usual.to_owned())
}

/// What its programs say of its rules; none where that is no question.
pub(super) fn answer(root: &Path, place: &str, options: &[&str]) -> Option<Output> {
    let is_old = root.join("run/old-firewalld").exists();
    Some(match options {
        ["--list-all-zones"] => {
            let zone = |name: &String| {
                let of = |key: &str| of_zone(root, place, name, key);
                let rich = of("rich-rule").into_iter().map(|rule| format!("\n\t{rule}"));
                format!(
                    "{name}\n  target: {}\n  interfaces: {}\n  sources: {}\n  services: {}\n  \
                     ports: {}\n  protocols: {}\n  rich rules: {}\n\n",
                    target(root, place, name),
                    of("interface").join(" "),
                    of("source").join(" "),
                    of("service").join(" "),
                    of("port").join(" "),
                    of("protocol").join(" "),
                    rich.collect::<String>()
                )
            };
            said(true, &zones(root).iter().map(zone).collect::<String>())
        }
        ["--get-zones"] => said(true, &zones(root).join(" ")),
        ["--ipset=machines", "--get-entries"] => said(true, "10.0.0.4\n10.0.0.5\n"),
        ["--ipset=cards", "--get-entries"] => said(true, "00:11:22:33:44:55\n"),
        ["--ipset=timed", "--get-entries"] => said(true, "\n"),
        ["--ipset=pairs", "--get-entries"] => said(true, "10.0.0.0/16,eth0\n"),
        ["--ipset=strange", "--get-entries"] => said(true, "10.0.0.1-10.0.0.9\n"),
        ["--ipset=gone", "--get-entries"] => {
            let stderr = "Error: INVALID_IPSET: gone\n".to_owned();
            Output { status: Some(135), stderr, ..Output::default() }
        }
        ["--direct", "--query-rule", rule @ ..] => {
            said(read(root, place, "direct").contains(&rule.join(" ")), "")
        }
        [question] => {
            let name = question.strip_prefix("--info-policy=")?;
            let text = read(root, place, &format!("policies/{name}"));
            match (is_old, text.is_empty()) {
                (true, _) => Output { status: Some(2), ..Output::default() },
                (_, true) => {
                    let stderr = format!("Error: INVALID_POLICY: {name}\n");
                    Output { status: Some(140), stderr, ..Output::default() }
                }
                _ => said(true, &text),
            }
        }
        _ => return None,
    })
}

/// Does it; gives whether it could.
pub(super) fn change(root: &Path, place: &str, options: &[&str]) -> bool {
    let (mut file, mut lines, mut gone) = ("zones/public".to_owned(), Vec::new(), Vec::new());
    let mut options = options;
    if let ["--direct", what, rule @ ..] = options {
        file = "direct".to_owned();
        let rules = if *what == "--add-rule" { &mut lines } else { &mut gone };
        rules.push(rule.join(" "));
        options = &[];
    }
    for option in options {
        let (key, value) = option.split_once('=').unwrap();
        match key {
            "--zone" => file = format!("zones/{value}"),
            "--policy" => file = format!("policies/{value}"),
            "--new-policy-from-file" => {
                let from = root.join(value.trim_start_matches('/'));
                let name = from.file_stem().unwrap().to_str().unwrap();
                file = format!("policies/{name}");
                // Rules at work know no such thing.
                if place == WORK || !read(root, place, &file).is_empty() {
                    return false;
                }
                lines.extend(policy(&fs::read_to_string(&from).unwrap()));
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
    let before = read(root, place, &file);
    let path = root.join(format!("{place}/{file}.xml"));
    if place == FILES && !before.is_empty() {
        fs::write(path.with_extension("xml.old"), &before).unwrap();
    }
    lines.retain(|line| !before.lines().any(|old| old == line));
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let kept = before.lines().filter(|line| !gone.iter().any(|one| one == line));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    let after = kept + &lines;
    if after.is_empty() && place == WORK {
        remove(&path);
        return true;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, after).unwrap();
    true
}

/// What `--info-policy` says of a policy's file.
fn policy(text: &str) -> Vec<String> {
    let keys = [
        ("target: ", "<policy target=\""),
        ("ingress-zones: ", "<ingress-zone name=\""),
        ("egress-zones: ", "<egress-zone name=\""),
    ];
    let value = |mark| text.split_once(mark).unwrap().1.split('"').next().unwrap();
    keys.map(|(key, mark)| format!("{key}{}", value(mark))).into()
}

/// It reads its files.
pub(super) fn start(root: &Path) {
    stop(root);
    for file in files(root) {
        let (text, path) = (read(root, FILES, &file), root.join(format!("{WORK}/{file}.xml")));
        if !text.is_empty() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// Its rules go, and those of others with them.
pub(super) fn stop(root: &Path) {
    let others = root.join("run/iptables");
    if others.exists() {
        fs::write(others, "").unwrap();
    }
    for file in files(root) {
        remove(&root.join(format!("{WORK}/{file}.xml")));
    }
}

fn files(root: &Path) -> Vec<String> {
    let zones = zones(root).into_iter().map(|zone| format!("zones/{zone}"));
    zones.chain(["policies/kubeferry-pods".to_owned(), "direct".to_owned()]).collect()
}

/// The zones that it has itself, and those that a site has made.
fn zones(root: &Path) -> Vec<String> {
    let mut names: BTreeSet<String> = ["block", "public", "trusted"].map(str::to_owned).into();
    for place in [FILES, WORK] {
        let found = fs::read_dir(root.join(place).join("zones")).into_iter().flatten();
        let found = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.extend(found.filter_map(|name| Some(name.strip_suffix(".xml")?.to_owned())));
    }
    names.into_iter().collect()
}

fn remove(path: &Path) {
    drop(fs::remove_file(path));
    drop(fs::remove_dir(path.parent().unwrap()));
}

fn read(root: &Path, place: &str, file: &str) -> String {
    fs::read_to_string(root.join(format!("{place}/{file}.xml"))).unwrap_or_default()
}
