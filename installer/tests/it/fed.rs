//! A command that is run for several things at once.

use std::io::Write;

use installer::exec::Command;
use installer::exec::system::SystemExec;
use installer::host::{Host, LOG};
use installer::receipt::StepName;

#[test]
fn one_that_fails_stops_no_other_and_each_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::look(folder.path(), Box::new(SystemExec { root: None })).unwrap();
    let mut host = host.open().unwrap();
    let items = ["good", "bad", "good", "bad"];
    let named: Vec<(String, &str)> =
        items.iter().enumerate().map(|(number, text)| (format!("image{number}"), *text)).collect();
    let feed = |text: &&str, out: &mut dyn Write| out.write_all(text.as_bytes());
    let command = Command::of("grep --quiet good");
    let ended = host.feed_each(StepName::Images, &command, &named, 2, feed).unwrap();
    let are_good: Vec<bool> = ended.iter().map(Result::is_ok).collect();
    assert_eq!(are_good, [true, false, true, false]);
    let log = std::fs::read_to_string(host.path(LOG)).unwrap();
    for (name, _) in &named {
        assert!(log.contains(&format!("grep --quiet good for {name}\n")), "{log}");
        assert!(log.contains(&format!("{name} took ")), "{log}");
    }
    let receipt = std::fs::read_to_string(host.path("/var/lib/kubeferry/receipt.jsonl")).unwrap();
    assert_eq!(receipt.matches("\"grep\"").count(), 4, "{receipt}");
}
