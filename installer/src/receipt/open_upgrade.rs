//! The upgrade that the receipt tells of, until it is over.

use crate::receipt::line::Line;
use crate::receipt::upgrade::{Stage, Upgrade};

/// The upgrade that can go on or be taken back; none if there is none, or the last one is
/// over.
pub fn upgrade(lines: &[Line]) -> Option<&Upgrade> {
    let last = lines.iter().rev().find_map(of)?;
    (!matches!(last.stage, Stage::Returned | Stage::Finished)).then_some(last)
}

/// The last upgrade, if it was taken back.
pub fn returned(lines: &[Line]) -> Option<&Upgrade> {
    lines.iter().rev().find_map(of).filter(|last| last.stage == Stage::Returned)
}

/// The lines since it began; none if there is no such upgrade.
pub fn since_upgrade(lines: &[Line]) -> &[Line] {
    if upgrade(lines).is_none() {
        return &[];
    }
    let is_over = |line: &Line| {
        of(line).is_some_and(|one| matches!(one.stage, Stage::Returned | Stage::Finished))
    };
    let over = lines.iter().rposition(is_over).map_or(0, |at| at + 1);
    let rest = lines.get(over..).unwrap_or_default();
    let begun = rest.iter().position(|line| of(line).is_some()).unwrap_or(rest.len());
    rest.get(begun..).unwrap_or_default()
}

fn of(line: &Line) -> Option<&Upgrade> {
    match line {
        Line::Upgrade(upgrade) => Some(upgrade),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bundle_format::Digest;

    use super::*;
    use crate::receipt::step::StepName;

    #[test]
    fn only_the_last_one_counts_and_only_until_it_is_over() {
        let begun = Upgrade {
            stage: Stage::Begun,
            from: "1.36.3".parse().unwrap(),
            to: "1.37.2".parse().unwrap(),
            bundle: Digest::of(b""),
        };
        let deed = Line::Finished { step: StepName::Hosts };
        let line = |stage| Line::Upgrade(begun.at(stage));
        assert_eq!((upgrade(&[]), since_upgrade(&[])), (None, &[][..]));
        let mut lines = vec![deed.clone(), line(Stage::Begun), deed.clone(), line(Stage::Begun)];
        assert_eq!(upgrade(&lines), Some(&begun));
        assert_eq!(since_upgrade(&lines).len(), 3);
        for (stage, is_open) in [(Stage::Made, true), (Stage::Returning, true)] {
            lines.push(line(stage));
            assert_eq!(upgrade(&lines).is_some(), is_open);
        }
        assert_eq!(since_upgrade(&lines).len(), 5);
        assert_eq!(returned(&lines), None);
        lines.push(line(Stage::Returned));
        assert_eq!(returned(&lines).unwrap().from, begun.from);
        assert_eq!((upgrade(&lines), since_upgrade(&lines)), (None, &[][..]));
        lines.extend([deed.clone(), line(Stage::Begun)]);
        assert_eq!(since_upgrade(&lines).len(), 1);
        let text = serde_json::to_string(&line(Stage::Made)).unwrap();
        assert!(text.starts_with("{\"line\":\"upgrade\",\"stage\":\"made\",\"from\":\"1.36.3\""));
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line(Stage::Made));
        assert_eq!(begun.to_string(), "from Kubernetes 1.36.3 to 1.37.2");
    }
}
