//! `guided`: one target with libFuzzer, which is guided by what an input reaches in the code.
//! `scripts/fuzz` builds and runs it. The target's name and the folder for its seeds are in
//! the environment, because the arguments are libFuzzer's.
#![no_main]

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs};

use fuzz::run::Target;
use fuzz::seeds;
use fuzz::targets::TARGETS;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Option<Target>> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").ok()?;
    TARGETS.iter().find(|(other, _)| *other == name).map(|(_, target)| *target)
});

/// Writes the target's seeds, before libFuzzer reads them.
fn write_seeds() {
    let name = env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let folder = PathBuf::from(env::var_os("FUZZ_SEEDS").expect("FUZZ_SEEDS names a folder"));
    fs::create_dir_all(&folder).expect("the folder can be made");
    for (number, seed) in seeds::of(&name).iter().enumerate() {
        fs::write(folder.join(number.to_string()), seed).expect("a seed can be written");
    }
}

fuzz_target!(init: write_seeds(), |data: &[u8]| {
    match *TARGET {
        Some(target) => drop(black_box(target(data))),
        None => panic!("FUZZ_TARGET names no target"),
    }
});
