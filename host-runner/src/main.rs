//! The command `cae`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cae_host_runner::cli::main().into()
}
