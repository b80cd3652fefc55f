//! `cargo xtask`: build and test automation, without dependencies so that it starts at once.

mod bench;
mod build;
mod demo;
mod dist;
mod fingerprint;
mod node;
mod process;
mod programs;
mod setup;
mod test;
mod tidy;
mod wasm_target;
mod workspace;
mod www;

use std::process::ExitCode;

use process::Failure;

/// A command: its name, one line for the overview, and its own help.
struct Command {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        summary: "installs what is missing, builds, and shows both flows of continuous access evaluation",
        help: demo::HELP,
        run: demo::run_command,
    },
    Command {
        name: "test",
        summary: "everything that CI runs, cheap checks first",
        help: test::HELP,
        run: test::run_command,
    },
    Command {
        name: "build",
        summary: "builds the component, the modules for JavaScript and the simulator's page, and prints their sizes",
        help: build::HELP,
        run: build::run_command,
    },
    Command {
        name: "www",
        summary: "builds the page of the policy simulator and serves it on this machine",
        help: www::HELP,
        run: www::run_command,
    },
    Command {
        name: "setup",
        summary: "installs what building needs and this machine lacks",
        help: setup::HELP,
        run: setup::run_command,
    },
    Command {
        name: "dist",
        summary: "makes the release archive",
        help: dist::HELP,
        run: dist::run_command,
    },
    Command {
        name: "bench",
        summary: "runs the benchmarks, native and through the component",
        help: bench::HELP,
        run: bench::run_command,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let asked = matches!(name.as_str(), "" | "help" | "--help" | "-h");
        if !asked {
            eprintln!("xtask: there is no command `{name}`\n");
        }
        overview();
        return ExitCode::from(if asked { 0 } else { 2 });
    };
    if rest
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        println!("{}", command.help.trim_end());
        return ExitCode::SUCCESS;
    }
    match (command.run)(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn overview() {
    println!("Usage: cargo xtask COMMAND [OPTION…]\n");
    for command in COMMANDS {
        println!("  {:<8}{}", command.name, command.summary);
    }
    println!("\n`cargo xtask COMMAND --help` says more.");
}

/// Refuses options that a command does not have.
fn only(arguments: &[String], known: &[&str]) -> Result<(), Failure> {
    match arguments
        .iter()
        .find(|argument| !known.contains(&argument.as_str()))
    {
        None => Ok(()),
        Some(unknown) => Err(Failure::new(format!(
            "unknown option `{unknown}`; --help lists what there is"
        ))),
    }
}
