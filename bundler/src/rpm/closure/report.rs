//! The solver's report on requests that cannot be met, in plain sentences.

/// How the solver's lines end, and how ours do. Each line begins with packages.
const ENDS: [(&str, &str); 9] = [
    (
        ", which cannot be installed because there are no viable options:",
        ", but no package for it can be installed:",
    ),
    (
        " cannot be installed because there are no viable options:",
        " cannot be installed, because no package for it can:",
    ),
    (", which can be installed with any of the following options:", ", which can be installed as:"),
    (" can be installed with any of the following options:", " can be installed as:"),
    (", for which no candidates were found.", ", but no repository has a package for it"),
    (" would require", " requires"),
    (" would constrain", " cannot be installed together with"),
    (", which conflicts with any installable versions previously reported", ""),
    (
        ", which conflicts with the versions reported above.",
        ", but another version of it is needed above",
    ),
];

/// The report with other words, line by line. Its tree stays.
pub(super) fn plain(report: &str) -> String {
    let lines = report.trim_end().lines();
    let told = lines.filter(|line| *line != "The following packages are incompatible");
    told.map(line).collect::<Vec<_>>().join("\n")
}

fn line(line: &str) -> String {
    let text = line.trim_start_matches([' ', '│', '├', '└', '─']);
    let tree = &line[..line.len() - text.len()];
    if let Some(missing) = text.strip_prefix("No candidates were found for ") {
        let missing = wanted(missing.trim_end_matches('.'));
        return format!("{tree}no repository has a package for {missing}");
    }
    let end = ENDS.iter().find_map(|(from, to)| Some((text.strip_suffix(from)?, to)));
    let (packages, end) = end.unwrap_or((text, &""));
    format!("{tree}{}{end}", wanted(packages))
}

/// What is wanted, without the packages that answer it: these have lines of their own.
/// The solver writes `NAME for WANTED`, once for each name, with `|` between them.
fn wanted(packages: &str) -> String {
    let parts = packages.split(" | ").map(str::trim);
    let mut parts: Vec<&str> =
        parts.map(|part| part.split_once(" for ").map_or(part, |(_, wanted)| wanted)).collect();
    parts.dedup();
    parts.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_what_was_wanted_and_why_it_cannot_be_had() {
        let report = "The following packages are incompatible
├─ kubectl for kubectl = 1.28.2 cannot be installed because there are no viable options:
│  └─ kubectl-1.28.2-0.x86_64 would require
│     ├─ tools for cri | tools2 for cri, which cannot be installed because there are no viable options:
│     │  └─ tools-1-0.x86_64, which conflicts with the versions reported above.
│     └─ (nothing provides it) for libmissing.so, for which no candidates were found.
└─ d can be installed with any of the following options:
   └─ c-1-0.x86_64 would constrain
      └─ d because c-1-0.x86_64 conflicts with d, which conflicts with any installable versions previously reported
";
        let wanted = "├─ kubectl = 1.28.2 cannot be installed, because no package for it can:
│  └─ kubectl-1.28.2-0.x86_64 requires
│     ├─ cri, but no package for it can be installed:
│     │  └─ tools-1-0.x86_64, but another version of it is needed above
│     └─ libmissing.so, but no repository has a package for it
└─ d can be installed as:
   └─ c-1-0.x86_64 cannot be installed together with
      └─ d because c-1-0.x86_64 conflicts with d";
        assert_eq!(plain(report), wanted);
        let missing = "No candidates were found for (nothing provides it) for a >= 2.";
        assert_eq!(plain(missing), "no repository has a package for a >= 2");
    }
}
