//! `guided`: one target with libFuzzer, which is guided by what an input reaches in the code.
//! `scripts/fuzz` builds and runs it. The target's name is in the environment, because the
//! arguments are libFuzzer's.
#![no_main]

use std::env;
use std::hint::black_box;
use std::sync::LazyLock;

use fuzz::run::Target;
use fuzz::targets::TARGETS;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Option<Target>> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").ok()?;
    TARGETS.iter().find(|(other, _)| *other == name).map(|(_, target)| *target)
});

fuzz_target!(|data: &[u8]| {
    match *TARGET {
        Some(target) => drop(black_box(target(data))),
        None => panic!("FUZZ_TARGET names no target"),
    }
});
