//! What `bundler` prints, page by page, as it was read and found good.

use insta::{Settings, assert_snapshot};

use crate::support::demo::{BUNDLER, Demo};
use crate::support::help;

/// Without what differs from machine to machine, or with the compressor of packages.
fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"127\.0\.0\.1:\d+", "[upstream]");
    settings.add_filter(r"\d+(\.\d+)? ([KMG]i)?B\b", "[size]");
    settings.add_filter(r"(index +)sha256:[0-9a-f]{64}", "${1}[digest]");
    settings
}

#[test]
fn help() {
    settings().bind(|| assert_snapshot!("help", help::pages(BUNDLER)));
}

#[test]
fn inspect() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    settings().bind(|| assert_snapshot!("inspect", demo.ok(&["inspect", "demo.tar"])));
}
