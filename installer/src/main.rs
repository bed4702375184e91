//! The `installer` program.

fn main() -> std::process::ExitCode {
    installer::cli::run()
}
