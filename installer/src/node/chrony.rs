//! What chrony says of the node's clock, by its CSV.

use crate::exec::Command;
use crate::host::Host;

/// By how many seconds clocks may differ when a node enters its cluster.
pub(crate) const ALLOWED: f64 = 30.0;

/// The clock beside its source's.
#[derive(Debug, PartialEq)]
pub(crate) struct Tracking {
    /// The source's name.
    pub(crate) source: String,
    /// By how many seconds they differ.
    pub(crate) away: f64,
    /// Whether chronyd gives its time to others.
    pub(crate) is_synchronised: bool,
}

/// The clock beside its source's; none where chronyd does not say.
pub(crate) fn tracking(host: &Host) -> anyhow::Result<Option<Tracking>> {
    let said = host.answer(&Command::of("chronyc -c tracking"))?;
    Ok(tracked(&said.stdout))
}

/// Reference, name, stratum, its time, the system clock's offset in seconds, …,
/// and last the leap status (chronyc(1), "tracking").
fn tracked(csv: &str) -> Option<Tracking> {
    let fields: Vec<&str> = csv.trim().split(',').collect();
    let away = fields.get(4)?.parse::<f64>().ok()?.abs();
    let is_synchronised = fields.last() != Some(&"Not synchronised");
    Some(Tracking { source: (*fields.get(1)?).to_owned(), away, is_synchronised })
}

/// Whether it follows a source; none where chronyd does not say. The second field
/// is the state, of which `*` is the selected source (chronyc(1), "sources").
pub(crate) fn follows(host: &Host) -> anyhow::Result<Option<bool>> {
    let said = host.answer(&Command::of("chronyc -c sources"))?;
    let is_selected = |line: &str| line.split(',').nth(1) == Some("*");
    Ok(said.succeeded().then(|| said.stdout.lines().any(is_selected)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracking_is_read_or_not_said() {
        let line = "0A000001,10.0.0.1,11,1700000000.1,-45.25,0.1,0.1,1.0,0.0,0.1,0.1,0.1,64.2,";
        for (leap, is_synchronised) in [("Normal", true), ("Not synchronised", false)] {
            let source = "10.0.0.1".to_owned();
            let expected = Tracking { source, away: 45.25, is_synchronised };
            assert_eq!(tracked(&format!("{line}{leap}\n")), Some(expected));
        }
        for odd in ["", "506 Cannot talk to daemon\n", ",,,,", "a,b,c,d,e", "\u{0}"] {
            assert_eq!(tracked(odd), None, "{odd:?}");
        }
    }
}
