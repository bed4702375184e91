//! The help of a program.

use std::process::Command;

/// The help of a program and of each of its subcommands, on a terminal of 80 columns.
pub(crate) fn pages(program: &str) -> String {
    let name = program.rsplit('/').next().unwrap();
    let mut pages = String::new();
    let mut next = vec![Vec::new()];
    while let Some(words) = next.pop() {
        let page = page(program, &words);
        pages +=
            &format!("$ {} --help\n{page}\n", [&[name.to_owned()], &words[..]].concat().join(" "));
        let below = subcommands(&page).into_iter().rev();
        next.extend(below.map(|one| [&words[..], &[one]].concat()));
    }
    pages
}

fn page(program: &str, words: &[String]) -> String {
    let mut command = Command::new(program);
    let output = command.args(words).arg("--help").env_clear().env("COLUMNS", "80").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn subcommands(page: &str) -> Vec<String> {
    let list = page.split_once("\nCommands:\n").map_or("", |(_, list)| list);
    list.lines()
        .take_while(|line| !line.is_empty())
        // What a name says may take more lines, which are indented further.
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
