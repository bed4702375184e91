//! `/etc/os-release` (os-release(5)): assignments as a shell has them.

/// The value of a key, as a shell would have it after reading the file; the last
/// assignment counts.
pub(crate) fn value(text: &str, key: &str) -> Option<String> {
    text.lines().rev().find_map(|line| {
        // A line whose quote has no end assigns nothing.
        let words = shlex::split(line.trim_end_matches('\r'))?;
        let (name, value) = words.first()?.split_once('=')?;
        (name == key).then(|| value.to_owned())
    })
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
            ("", None),
        ] {
            assert_eq!(value(line, "ID").as_deref(), expected, "{line}");
        }
    }
}
