//! `cargo xtask bench`.

use crate::process::{Failure, run, step};
use crate::{build, node, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [FILTER…]
       cargo xtask bench edge

Builds the component and runs the benchmarks of the package `cae-tests`: the engine, native and through the component,
then the state: its resident memory, and the speed of its snapshots. A FILTER is a part of a benchmark's name.

`edge` measures the npm package instead: the size of a worker with it, how soon it decides, and what a request costs in
Node and in workerd.
";

pub(crate) fn run_command(filters: &[String]) -> Result<(), Failure> {
    if filters == ["edge"] {
        return edge();
    }
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

fn edge() -> Result<(), Failure> {
    if !build::javascript()? {
        return Err(Failure::new(node::ABSENT));
    }
    run(&mut node::script("wasm/js", "build")?)?;
    run(&mut node::script("wasm/js", "bench")?)
}
