//! `cargo xtask bench`.

use crate::process::{Failure, run, step};
use crate::{build, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [FILTER…]

Builds the component and runs the benchmarks of the package `cae-tests`: the engine, native and through the component,
then the state: its resident memory, and the speed of its snapshots. A FILTER is a part of a benchmark's name.
";

pub(crate) fn run_command(filters: &[String]) -> Result<(), Failure> {
    build::component()?;
    step(
        "benchmarks",
        "optimised builds take some minutes the first time",
        || {
            run(workspace::cargo()
                .args([
                    "bench",
                    "--locked",
                    "--package",
                    "cae-tests",
                    "--benches",
                    "--",
                ])
                .args(filters))
        },
    )
}
