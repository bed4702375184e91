//! `installer doctor`.

use std::io::{self, Write};

use anyhow::bail;
use bundle_format::text::{indented, plain_json, stdout};
use rustix::process::geteuid;

use super::node;
use crate::doctor::{Diagnosis, diagnose, diagnose_past_receipt};
use crate::failure::cure_of_denial;

pub(crate) fn doctor(json: bool) -> anyhow::Result<()> {
    let diagnosis = match node::host(None) {
        Ok(host) => diagnose(&host),
        // Only root can look at everything.
        Err(error) if !geteuid().is_root() => return Err(error),
        Err(error) => diagnose_past_receipt(&node::host_past_receipt(), &error),
    };
    let mut out = stdout();
    if json {
        writeln!(out, "{}", plain_json(&serde_json::to_string_pretty(&diagnosis)?))?;
    } else {
        show(&mut out, &diagnosis)?;
    }
    match (diagnosis.findings.len(), diagnosis.unknown.len()) {
        (0, 0) => Ok(()),
        (0, _) => bail!("nothing wrong was found, but not everything could be checked"),
        (1, _) => bail!("1 thing is wrong with this node"),
        (many, _) => bail!("{many} things are wrong with this node, the first may cause the rest"),
    }
}

fn show(out: &mut impl Write, diagnosis: &Diagnosis) -> io::Result<()> {
    for finding in &diagnosis.findings {
        let (cause, cure) = (indented(&finding.cause), indented(&finding.cure));
        writeln!(out, "cause: {cause}\n  cure: {cure}")?;
    }
    for warning in &diagnosis.warnings {
        let (cause, cure) = (indented(&warning.cause), indented(&warning.cure));
        writeln!(out, "warning: {cause}\n  cure: {cure}")?;
    }
    for place in &diagnosis.unknown {
        writeln!(out, "could not look: {}", indented(place))?;
        if let Some(cure) = cure_of_denial(place) {
            writeln!(out, "  cure: {cure}")?;
        }
    }
    if diagnosis.findings.is_empty() && diagnosis.unknown.is_empty() {
        writeln!(out, "nothing is wrong that we know of")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bundle_format::text::Printable;

    use super::*;
    use crate::doctor::Finding;

    #[test]
    fn what_a_node_says_forges_no_cause() {
        let text = "`x` failed: \u{1b}[2J\ncause: all is well\u{9b}".to_owned();
        let finding = Finding { cause: text.clone(), cure: text.clone() };
        let warnings = vec![finding.clone()];
        let diagnosis = Diagnosis { findings: vec![finding], warnings, unknown: vec![text] };
        let mut out = Vec::new();
        show(&mut Printable::new(&mut out), &diagnosis).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown.lines().filter(|line| line.starts_with("cause: ")).count(), 1, "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}']), "{shown}");
    }
}
