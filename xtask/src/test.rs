//! `cargo xtask test`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::fingerprint::Fingerprint;
use crate::process::{Failure, output, run, run_watching, say, seconds, step};
use crate::{build, dist, node, only, programs, tidy, workspace, www};

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [--force]

Everything that CI runs, cheap checks first; installs what is missing. A check that passed is not run again until a
source file changes.

  --force  runs every check again
";

/// Used by the tests where they stand beside the workspace, unless `CAE_VECTORS` says where they are.
const TEST_VECTORS: &str = "../shared/vectors";

/// One check, and how many things it looked at.
struct Check {
    name: &'static str,
    why: &'static str,
    run: fn() -> Result<Count, Failure>,
}

/// Passed and ignored; a failure fails the check.
#[derive(Clone, Copy, Default)]
struct Count {
    passed: u64,
    ignored: u64,
}

impl Count {
    const ONE: Self = Self {
        passed: 1,
        ignored: 0,
    };
    const IGNORED: Self = Self {
        passed: 0,
        ignored: 1,
    };

    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed.saturating_add(other.passed),
            ignored: self.ignored.saturating_add(other.ignored),
        }
    }
}

const CHECKS: &[Check] = &[
    Check {
        name: "format",
        why: "one layout for everybody",
        run: format,
    },
    Check {
        name: "tidy",
        why: "rules about the sources that no compiler knows",
        run: tidy,
    },
    Check {
        name: "clippy",
        why: "nothing that could panic on input, wrap around or lose bits",
        run: clippy,
    },
    Check {
        name: "component",
        why: "the artefact that ships; the tests run it",
        run: component,
    },
    Check {
        name: "javascript",
        why: "the modules for JavaScript hosts; the tests run them",
        run: javascript,
    },
    Check {
        name: "tests",
        why: "unit tests, properties, scenarios, doctests",
        run: tests,
    },
    Check {
        name: "types",
        why: "TypeScript accepts the declarations, and the examples fit them",
        run: types,
    },
    Check {
        name: "node",
        why: "the module answers in Node, and as the engine did in the tests before",
        run: node_tests,
    },
    Check {
        name: "package",
        why: "the npm package as it is installed, on the runtimes that it is for",
        run: npm_package,
    },
    Check {
        name: "www",
        why: "the page of the policy simulator, driven in a real browser",
        run: page,
    },
    Check {
        name: "dist",
        why: "an archive can be unpacked, checked and run; of the binary of the tests, to spare a release build",
        run: dist_of_tests,
    },
    Check {
        name: "clippy-wasm",
        why: "the bindings, each feature alone, and their packagers",
        run: clippy_wasm,
    },
    Check {
        name: "doc",
        why: "no broken link in the documentation",
        run: doc,
    },
    Check {
        name: "deny",
        why: "what is linked, under which licence, from where",
        run: deny,
    },
    Check {
        name: "advisories",
        why: "known vulnerabilities of the dependencies",
        run: advisories,
    },
];

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &["--force"])?;
    let started = Instant::now();
    let vectors = env::var("CAE_VECTORS").unwrap_or_else(|_| TEST_VECTORS.to_owned());
    let fingerprint = Fingerprint::of(&[".", &vectors], &[&toolchain()])?;
    let mut total = Count::default();
    let mut failed = Vec::new();
    let mut summary = Vec::new();
    for check in CHECKS {
        let note = format!("test-{}", check.name);
        if let Some(count) = fingerprint
            .noted(&note)
            .filter(|_| arguments.is_empty())
            .as_deref()
            .and_then(read_count)
        {
            total = total.plus(count);
            summary.push(format!(
                "  {:<12} ok, unchanged ({})",
                check.name, count.passed
            ));
            continue;
        }
        let begun = Instant::now();
        let result = step(check.name, check.why, check.run);
        let took = seconds(begun.elapsed());
        match result {
            Ok(count) => {
                total = total.plus(count);
                summary.push(match count.passed {
                    0 => format!("  {:<12} ignored: see above", check.name),
                    passed => format!("  {:<12} ok in {took} ({passed})", check.name),
                });
                // What could not run for want of a program runs as soon as that is installed.
                if count.passed > 0 {
                    fingerprint.note(&note, &format!("{} {}", count.passed, count.ignored))?;
                }
            }
            Err(failure) => {
                say(&format!("    {failure}"));
                summary.push(format!("  {:<12} FAILED after {took}", check.name));
                failed.push(check.name);
            }
        }
    }
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\n{}\n\ntest result: {word}. {} passed; {} failed; {} ignored; {} checks; finished in {}",
        summary.join("\n"),
        total.passed,
        failed.len(),
        total.ignored,
        CHECKS.len(),
        seconds(started.elapsed()),
    );
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "failed: {}; what went wrong stands above",
        failed.join(", ")
    )))
}

fn read_count(note: &str) -> Option<Count> {
    let (passed, ignored) = note.split_once(' ')?;
    Some(Count {
        passed: passed.parse().ok()?,
        ignored: ignored.parse().ok()?,
    })
}

fn toolchain() -> String {
    output(Command::new("rustc").arg("-vV")).unwrap_or_default()
}

fn format() -> Result<Count, Failure> {
    run(workspace::cargo().args(["fmt", "--all", "--check"])).map(|()| Count::ONE)
}

fn tidy() -> Result<Count, Failure> {
    tidy::check().map(|_| Count::ONE)
}

fn clippy() -> Result<Count, Failure> {
    clippy_on(&["--workspace", "--all-targets"])
}

fn clippy_wasm() -> Result<Count, Failure> {
    let mut passed = clippy_on(&[
        "--package",
        "cae-wasm",
        "--all-targets",
        "--features",
        "component",
    ])?
    .plus(clippy_on(&[
        "--package",
        "xtask",
        "--features",
        "package-component,collect-licences",
    ])?);
    if node::ensure()?.is_some() {
        passed = passed
            .plus(clippy_on(&[
                "--package",
                "cae-wasm",
                "--all-targets",
                "--features",
                "js,tools",
            ])?)
            .plus(clippy_on(&[
                "--package",
                "cae-wasm",
                "--all-targets",
                "--features",
                "js,simulation",
            ])?)
            .plus(clippy_on(&[
                "--package",
                "xtask",
                "--features",
                "package-js",
            ])?);
    }
    Ok(passed)
}

fn clippy_on(what: &[&str]) -> Result<Count, Failure> {
    run(workspace::cargo()
        .args(["clippy", "--locked"])
        .args(what)
        .args(["--", "--deny", "warnings"]))
    .map(|()| Count::ONE)
}

fn component() -> Result<Count, Failure> {
    build::component().map(|()| Count::ONE)
}

fn javascript() -> Result<Count, Failure> {
    Ok(if build::javascript()? {
        Count::ONE
    } else {
        Count::IGNORED
    })
}

fn tests() -> Result<Count, Failure> {
    // A test that is gone must not leave its questions behind for Node to ask.
    let _ = fs::remove_dir_all(workspace::artefacts().join("transcripts"));
    // The bindings are not part of the workspace's default features, and as a whole link only for WebAssembly.
    let bindings = ["--package", "cae-wasm", "--lib", "--features", "component"];
    Ok(cargo_test(&["--workspace", "--no-fail-fast"])?.plus(cargo_test(&bindings)?))
}

fn cargo_test(what: &[&str]) -> Result<Count, Failure> {
    let mut total = Count::default();
    run_watching(
        workspace::cargo()
            .args(["test", "--locked"])
            .args(what)
            // The artefacts are built by now: a test that finds none must not pass for want of it.
            .env("CAE_REQUIRE_ARTEFACTS", "1")
            .env("CAE_REQUIRE_PROGRAMS", programs::ensure()?.join(",")),
        |line| {
            if line.starts_with("test result:") {
                total = total.plus(Count {
                    passed: count(line, "passed"),
                    ignored: count(line, "ignored"),
                });
            }
        },
    )?;
    Ok(total)
}

/// The number before a word of cargo's `test result: ok. 3 passed; 0 failed; …`.
fn count(line: &str, word: &str) -> u64 {
    line.split([';', '.'])
        .filter_map(|part| part.trim().split_once(' '))
        .find_map(|(number, what)| (what == word).then(|| number.parse().ok()).flatten())
        .unwrap_or(0)
}

fn dist_of_tests() -> Result<Count, Failure> {
    run(workspace::cargo().args(["build", "--locked", "--package", "cae-host-runner"]))?;
    let archive = dist::dist(&workspace::target().join("debug/cae"))?;
    dist::verify(&archive).map(|()| Count::ONE)
}

/// The declarations that are generated, and a program that uses all of them, under the strictest rules.
fn types() -> Result<Count, Failure> {
    let Some(node) = node::ensure()? else {
        return Ok(Count::IGNORED);
    };
    run(node
        .tool("tsc")
        .current_dir(workspace::root())
        .args(["--project", "tests/javascript"]))
    .map(|()| Count::ONE)
}

fn node_tests() -> Result<Count, Failure> {
    if node::ensure()?.is_none() {
        return Ok(Count::IGNORED);
    }
    let suites = javascript_suites()?;
    let mut command = Command::new("node");
    command
        .current_dir(workspace::root())
        .args(["--test", "--test-reporter=spec"])
        .args(suites);
    count_node(&mut command)
}

/// The package in `wasm/js`: built, packed, installed and run.
fn npm_package() -> Result<Count, Failure> {
    if node::ensure()?.is_none() {
        return Ok(Count::IGNORED);
    }
    let programs = programs::ensure()?.join(",");
    run(&mut node::script("wasm/js", "build")?)?;
    count_node(
        node::script("wasm/js", "test")?
            .env("CAE_REQUIRE_ARTEFACTS", "1")
            .env("CAE_REQUIRE_PROGRAMS", programs)
            .env("CAE_BINARY", workspace::target().join("debug/cae")),
    )
}

/// Runs suites of Node's test runner, which says at its end how many tests passed; of several runs, their sum.
fn count_node(command: &mut Command) -> Result<Count, Failure> {
    let mut total = Count::default();
    run_watching(command, |line| {
        let mut words = line.split_whitespace().skip(1);
        match (
            words.next(),
            words.next().and_then(|number| number.parse().ok()),
            words.next(),
        ) {
            (Some("pass"), Some(passed), None) => {
                total.passed = total.passed.saturating_add(passed);
            }
            (Some("skipped"), Some(ignored), None) => {
                total.ignored = total.ignored.saturating_add(ignored);
            }
            _ => {}
        }
    })?;
    Ok(total)
}

/// The page of the simulator: its types, then a browser that is driven through it.
fn page() -> Result<Count, Failure> {
    match www::tests()? {
        Some(mut tests) => count_node(&mut tests),
        None => Ok(Count::IGNORED),
    }
}

fn javascript_suites() -> Result<Vec<PathBuf>, Failure> {
    let mut suites = Vec::new();
    for entry in std::fs::read_dir(workspace::root().join("tests/javascript"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            suites.push(path);
        }
    }
    suites.sort();
    Ok(suites)
}

fn doc() -> Result<Count, Failure> {
    run(workspace::cargo()
        .env("RUSTDOCFLAGS", "--deny warnings")
        .args(["doc", "--locked", "--workspace", "--no-deps"]))
    .map(|()| Count::ONE)
}

/// Needs nothing but the program, so that it runs without a network too.
fn deny() -> Result<Count, Failure> {
    if !has_cargo_deny() {
        say("    cargo-deny is not installed; `cargo install cargo-deny --locked` brings it");
        return Ok(Count::IGNORED);
    }
    let mut command = workspace::cargo();
    command.args(["deny", "--locked", "check", "--hide-inclusion-graph"]);
    run(command.args(["licenses", "bans", "sources"])).map(|()| Count::ONE)
}

/// Needs the database of advisories, which is on GitHub. Where that cannot be reached nothing was checked, and the
/// count says so.
fn advisories() -> Result<Count, Failure> {
    if !has_cargo_deny() {
        return Ok(Count::IGNORED);
    }
    if run(workspace::cargo().args(["deny", "--locked", "fetch", "db"])).is_err() {
        say("    advisories were NOT checked: their database cannot be fetched here");
        return Ok(Count::IGNORED);
    }
    run(workspace::cargo().args(["deny", "--locked", "check", "advisories"])).map(|()| Count::ONE)
}

fn has_cargo_deny() -> bool {
    output(workspace::cargo().args(["deny", "--version"])).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_line_of_cargo() {
        let line = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!((count(line, "passed"), count(line, "ignored")), (12, 3));
        assert_eq!(count("test result: FAILED. x", "passed"), 0);
    }
}
