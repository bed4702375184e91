//! What rpm, dnf and yum say of a small node's packages, and do to them. They are in
//! `run/packages`, one a line: name, epoch, version with release, architecture;
//! vendors' keys in `run/keys`; and who needs a package in `run/requires/NAME`.

use std::fs;
use std::path::Path;

use bundle_format::Nevra;
use installer::exec::Output;

use super::commands::said;

const LIST: &str = "run/packages";

pub(super) fn answer(root: &Path, words: &[&str]) -> Option<Output> {
    Some(match words {
        ["rpm", "-q", "--whatrequires", "--qf", _, "--", name] => {
            let users = read(root, &format!("run/requires/{name}"));
            said(!users.is_empty(), &users)
        }
        ["rpm", "-q", "--whatprovides", "--qf", format, "--", names @ ..] => {
            let provides = read(root, "run/provides");
            if format.starts_with('[') {
                return Some(said(true, &provides));
            }
            let own = lines(root).into_iter().filter(|one| names.contains(&one[0].as_str()));
            said(true, &own.map(|one| format!("{}\n", nevra(&one))).collect::<String>())
        }
        ["rpm", "-q", "--qf", _, "--", name] => {
            let keys = read(root, "run/keys");
            let here = keys.lines().filter(|key| is_named(key, name));
            let all: String = here
                .map(|key| format!("{key}\n{}\n", read(root, &format!("run/key-texts/{key}"))))
                .collect();
            said(!all.is_empty(), if all.is_empty() { "package is not installed" } else { &all })
        }
        ["rpm", "-q", "--", name] => {
            let is_there = read(root, "run/keys").lines().any(|key| is_named(key, name));
            said(is_there, if is_there { name } else { "package is not installed" })
        }
        ["rpm", "-qa", "--qf", format] if format.starts_with('[') => {
            said(true, &read(root, "run/relations"))
        }
        ["rpm", "-qa", "--qf", format] => said(true, &printed(root, format)),
        ["rpm", "--erase", "--test", "--", names @ ..] => {
            let going = |name: &str| names.iter().any(|one| one.starts_with(&format!("{name}-")));
            let needs = lines(root).into_iter().filter(|one| going(&one[0])).filter_map(|one| {
                let users = read(root, &format!("run/requires/{}", one[0]));
                let user = users.lines().find(|user| !going(user))?.to_owned();
                Some(format!("\t{} is needed by (installed) {user}-1-1.noarch\n", one[0]))
            });
            let stderr: String = needs.collect();
            Output { stderr: stderr.clone(), ..said(stderr.is_empty(), "") }
        }
        _ => return None,
    })
}

pub(super) fn change(root: &Path, words: &[&str]) -> bool {
    match words {
        ["rpm", "--erase", "--", key] | ["rpm", "--erase", key]
            if key.starts_with("gpg-pubkey-") =>
        {
            let keys = read(root, "run/keys");
            let (going, left): (Vec<&str>, Vec<&str>) =
                keys.lines().partition(|one| is_named(one, key));
            for one in &going {
                drop(fs::remove_file(root.join("run/key-texts").join(one)));
            }
            write(root, "run/keys", &left.iter().map(|one| format!("{one}\n")).collect::<String>());
            !going.is_empty()
        }
        // It leaves a key that is there as it is, and may store it in its own form.
        ["rpm", "--import", files @ ..] => files.iter().all(|file| {
            let text = read(root, file.trim_start_matches('/'));
            let mut name = text.lines().find_map(|line| line.strip_prefix("Comment: "));
            let keys = read(root, "run/keys");
            if let Some(name) = name.take_if(|name| !keys.lines().any(|one| one == *name)) {
                write(root, "run/keys", &format!("{keys}{name}\n"));
                let own = read(root, "run/own-form");
                let text = if own.is_empty() { &text } else { &own };
                write(root, &format!("run/key-texts/{name}"), text);
                return true;
            }
            !text.is_empty()
        }),
        ["rpm", "--upgrade", "--replacepkgs", "--oldpackage", "--", files @ ..] => {
            let mut all = lines(root);
            for file in files {
                let (_, name) = file.rsplit_once('/').unwrap();
                let package: Nevra = name.strip_suffix(".rpm").unwrap().parse().unwrap();
                all.retain(|one| one[0] != package.name);
                let evr = format!("{}-{}", package.evr.version, package.evr.release);
                all.push([package.name, "-".to_owned(), evr, package.arch]);
            }
            store(root, &all);
            true
        }
        ["rpm", "--erase", "--", names @ ..] => {
            let file = |one: &[String; 4]| format!("{}-{}.{}", one[0], one[2], one[3]);
            let all = lines(root);
            let are_there = names.iter().all(|name| all.iter().any(|one| file(one) == *name));
            if are_there {
                let left = all.into_iter().filter(|one| !names.contains(&file(one).as_str()));
                store(root, &left.collect::<Vec<_>>());
            }
            are_there
        }
        [tool, options @ ..] => {
            let at = options.iter().position(|word| *word == "--").unwrap();
            let verb = options[at - 1];
            let mut all = lines(root);
            for word in &options[at + 1..] {
                let package: Nevra = word.parse().unwrap();
                let here = all.iter().position(|one| one[0] == package.name);
                let is_newer = here.is_some_and(|here| {
                    nevra(&all[here]).parse::<Nevra>().unwrap().evr > package.evr
                });
                // yum has a command of its own for this.
                if *tool == "yum" && is_newer != (verb == "downgrade") {
                    continue;
                }
                here.map(|here| all.remove(here));
                let epoch = match package.evr.epoch {
                    0 => "-".to_owned(),
                    epoch => epoch.to_string(),
                };
                let evr = format!("{}-{}", package.evr.version, package.evr.release);
                all.push([package.name, epoch, evr, package.arch]);
            }
            store(root, &all);
            true
        }
        [] => false,
    }
}

/// A key by its whole name, or without what comes last.
fn is_named(key: &str, name: &str) -> bool {
    key == name || key.strip_prefix(name).is_some_and(|end| end.starts_with('-'))
}

fn lines(root: &Path) -> Vec<[String; 4]> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    read(root, LIST).lines().map(|line| words(line).try_into().unwrap()).collect()
}

fn store(root: &Path, all: &[[String; 4]]) {
    let text: String = all.iter().map(|one| one.join(" ") + "\n").collect();
    write(root, LIST, &text);
}

fn nevra([name, epoch, evr, arch]: &[String; 4]) -> String {
    let epoch = if epoch == "-" { String::new() } else { format!("{epoch}:") };
    format!("{name}-{epoch}{evr}.{arch}")
}

/// What rpm prints by a format.
fn printed(root: &Path, format: &str) -> String {
    let shown = |one: [String; 4]| {
        let [name, epoch, evr, arch] = &one;
        let epoch = if epoch == "-" { String::new() } else { format!("{epoch}:") };
        format
            .replace("%{NAME}", name)
            .replace("%|EPOCH?{%{EPOCH}:}:{}|", &epoch)
            .replace("%{VERSION}-%{RELEASE}", evr)
            .replace("%{ARCH}", arch)
            .replace("\\t", "\t")
            .replace("\\n", "\n")
    };
    lines(root).into_iter().map(shown).collect()
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}

fn write(root: &Path, path: &str, text: &str) {
    fs::write(root.join(path), text).unwrap();
}
