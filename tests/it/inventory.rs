//! What the installer prints of a node's packages is a baseline for the bundler.

use std::io;
use std::time::Duration;

use bundler::rpm::baseline::read_package_list;
use installer::exec::{Command, Exec, Input, Output};
use installer::host::Host;
use installer::inventory::Inventory;

/// A node of which only its packages are known.
struct Rpm;

impl Exec for Rpm {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        if command.words().first().is_none_or(|program| program != "rpm") {
            return Err(io::ErrorKind::NotFound.into());
        }
        let stdout = "dbus\t1:1.12.20-8.el9\tx86_64\nbash\t5.1.8-6.el9\tx86_64\n\
                      gpg-pubkey\tf4a80eb5-53a7ff4b\t(none)\ntzdata\t2024a-1.el9\tnoarch\n";
        Ok(Output { status: Some(0), stdout: stdout.to_owned(), stderr: String::new() })
    }

    fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
        self.run(command, None)
    }
}

#[test]
fn an_inventory_is_a_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::look(folder.path(), Box::new(Rpm)).unwrap();
    let list = Inventory::take(&host).unwrap().list();
    let packages = read_package_list("node.txt", &list).unwrap();
    let shown: Vec<String> = packages.iter().map(ToString::to_string).collect();
    let expected =
        ["bash-5.1.8-6.el9.x86_64", "dbus-1:1.12.20-8.el9.x86_64", "tzdata-2024a-1.el9.noarch"];
    assert_eq!(shown, expected);
}
