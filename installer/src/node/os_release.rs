//! `/etc/os-release` (os-release(5)): assignments as a shell has them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::host::Host;

/// What the system says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OsRelease(BTreeMap<String, String>);

/// The fields by which most targets of bundles tell systems apart.
const SHOWN: [&str; 4] = ["ID", "VERSION_ID", "PLATFORM_ID", "ID_LIKE"];

impl OsRelease {
    /// Reads the node's file. `/usr/lib/os-release` counts only if `/etc` has
    /// none.
    pub(crate) fn of(host: &Host) -> anyhow::Result<Self> {
        let text = match host.read("/etc/os-release")? {
            None => host.read("/usr/lib/os-release")?,
            text => text,
        };
        Ok(Self::parse(&text.unwrap_or_default()))
    }

    /// Reads a text. The last assignment of a field counts.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self(text.lines().filter_map(assignment).collect())
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// The fields that tell this system from others, for people.
    pub fn words(&self) -> String {
        let shown = SHOWN.iter().filter_map(|name| Some((name, self.get(name)?)));
        let words: Vec<String> = shown.map(|(name, value)| format!("{name}={value}")).collect();
        match words.as_slice() {
            [] => "no /etc/os-release that says what it is".to_owned(),
            words => words.join(" "),
        }
    }
}

/// What one line assigns, by a shell's rules.
fn assignment(line: &str) -> Option<(String, String)> {
    // A line whose quote is not closed assigns nothing.
    let words = shlex::split(line.trim_end_matches('\r'))?;
    let (name, value) = words.first()?.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        for (line, expected) in [
            ("ID=centos", Some("centos")),
            ("ID='centos'", Some("centos")),
            ("ID=\"centos\"", Some("centos")),
            ("ID=\"centos\"\r", Some("centos")),
            ("  ID=centos  # as shipped", Some("centos")),
            ("ID=cent'o'\"s\"", Some("centos")),
            ("ID='Red Hat'", Some("Red Hat")),
            ("ID=Red\\ Hat", Some("Red Hat")),
            ("ID=\"a \\\"b\\\" \\$c \\`d\\` \\\\e\"", Some("a \"b\" $c `d` \\e")),
            ("ID='a \"b\"'", Some("a \"b\"")),
            ("ID=", Some("")),
            ("ID=\"\"", Some("")),
            ("ID=a=b", Some("a=b")),
            ("ID=a\nID=b", Some("b")),
            ("ID=a\nID='b", Some("a")),
            ("ID=a#b", Some("a#b")),
            ("#ID=centos", None),
            ("ID =centos", None),
            ("ID_LIKE=centos", None),
            ("ID", None),
            ("\u{feff}ID=centos\r\n", Some("centos")),
            ("", None),
        ] {
            assert_eq!(OsRelease::parse(line).get("ID"), expected, "{line}");
        }
    }
}
