//! The `installer` program.

/// The crates that it is made of. Nothing here reads them: `bundler` finds them in the file.
static CRATES: &str = include_str!(concat!(env!("OUT_DIR"), "/crates.txt"));

fn main() -> std::process::ExitCode {
    // Without a use, the linker leaves it out.
    std::hint::black_box(CRATES);
    installer::cli::run()
}
