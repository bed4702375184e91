//! Which file containerd reads: systemd may start it with another than usual.

use std::collections::BTreeMap;

use crate::exec::Command;
use crate::host::Host;
use crate::node::paths::CONTAINERD_CONFIG;

/// How systemd starts containerd.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its configuration.
    pub(crate) path: String,
    /// Its socket, where that is no matter of the configuration.
    pub(crate) address: Option<String>,
}

/// Asks systemd.
pub(crate) fn source(host: &Host) -> anyhow::Result<Source> {
    let question = "systemctl show --property=ExecStart --property=Environment \
                    --property=EnvironmentFiles --property=EnvironmentFile containerd";
    let said = host.answer(&Command::of(question))?.stdout;
    let mut variables = BTreeMap::new();
    for line in said.lines() {
        match line.split_once('=') {
            Some(("Environment", text)) => variables.extend(assignments(text)),
            // The unit's files come after its own variables (systemd.exec(5)).
            Some(("EnvironmentFiles" | "EnvironmentFile", text)) => {
                let path = text.split(" (ignore_errors").next().unwrap_or_default();
                let lines = host.read(path)?.unwrap_or_default();
                let lines = lines.lines().filter(|line| !line.trim_start().starts_with('#'));
                lines.for_each(|line| variables.extend(assignments(line)));
            }
            _ => {}
        }
    }
    let started = said.lines().find_map(|line| line.strip_prefix("ExecStart="));
    Ok(of(started.unwrap_or_default(), &variables))
}

/// Of `{ path=… ; argv[]=/usr/bin/containerd --config X ; ignore_errors=no ; … }`.
fn of(started: &str, variables: &BTreeMap<String, String>) -> Source {
    let line = started.split_once("argv[]=").map_or("", |(_, rest)| rest);
    let line = line.split(" ; ").next().unwrap_or_default();
    let mut words = line.split_ascii_whitespace().flat_map(|word| expanded(word, variables));
    let mut source = Source { path: CONTAINERD_CONFIG.to_owned(), address: None };
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        match name {
            "--config" | "-config" | "-c" => {
                let value = value.or_else(|| words.next());
                // `-c` may be a shell's.
                source.path = value.filter(|path| path.starts_with('/')).unwrap_or(source.path);
            }
            "--address" | "-address" | "-a" => source.address = value.or_else(|| words.next()),
            _ => {}
        }
    }
    source
}

/// A word of a unit's command. `$NAME` alone becomes several, `${NAME}` none
/// (systemd.service(5)).
fn expanded(word: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let value = |name: &str| variables.get(name).cloned().unwrap_or_default();
    if let Some(name) = word.strip_prefix('$')
        && !name.starts_with('{')
    {
        return value(name).split_ascii_whitespace().map(str::to_owned).collect();
    }
    let mut text = String::new();
    let mut rest = word;
    while let Some((before, name, after)) = rest
        .split_once("${")
        .and_then(|(before, rest)| rest.split_once('}').map(|(name, after)| (before, name, after)))
    {
        text += before;
        text += &value(name);
        rest = after;
    }
    vec![text + rest]
}

/// `A=b "C=d e"`, and a line `A="b c"`.
fn assignments(text: &str) -> Vec<(String, String)> {
    let words = shlex::split(text.trim()).unwrap_or_default();
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_that_of_the_command() {
        let variables = assignments(r#"ARGS="--config /env.toml --log-level debug" D=/d"#);
        let variables = variables.into_iter().collect();
        for (words, path, address) in [
            ("", CONTAINERD_CONFIG, None),
            ("--config /a.toml", "/a.toml", None),
            ("--config=/a.toml --address=/b.sock", "/a.toml", Some("/b.sock")),
            ("-c /a.toml -a /b.sock", "/a.toml", Some("/b.sock")),
            ("$ARGS", "/env.toml", None),
            ("--config ${D}/c.toml $NONE", "/d/c.toml", None),
            ("--log-level info", CONTAINERD_CONFIG, None),
            ("-c exec containerd --config /a.toml", "/a.toml", None),
        ] {
            let started = format!(
                "{{ path=/usr/bin/containerd ; argv[]=/usr/bin/containerd {words} ; \
                 ignore_errors=no ; pid=0 }}"
            );
            let source = of(&started, &variables);
            assert_eq!((source.path.as_str(), source.address.as_deref()), (path, address));
        }
        assert_eq!(of("", &variables).path, CONTAINERD_CONFIG);
    }
}
