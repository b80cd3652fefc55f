//! Real clients behind the proxies, each a program of `tests/clients` that is asked line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cae_tests::places;

use super::program;

/// A client that is a program.
pub(super) struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    /// A client for JavaScript, which trusts this certificate.
    pub(super) fn start_node(
        script: &str,
        arguments: &[String],
        certificate: &str,
    ) -> Option<Self> {
        let packages = places::root().join("target/node/node_modules/@azure/core-rest-pipeline");
        let Some(node) = program(&["node"]).filter(|_| packages.is_dir()) else {
            eprintln!(
                "note: node or its packages are not there, {script} is not run: `cargo xtask setup`"
            );
            return None;
        };
        let mut command = Command::new(node);
        command
            .arg(places::root().join("tests/clients").join(script))
            .args(arguments);
        command.env("NODE_EXTRA_CA_CERTS", certificate);
        Some(Self::run(command))
    }

    pub(super) fn start(script: &str, arguments: &[String]) -> Option<Self> {
        let python = places::root().join("target/python/bin/python");
        if !python.is_file() {
            assert!(
                !std::env::var("CAE_REQUIRE_PROGRAMS")
                    .unwrap_or_default()
                    .contains("python")
            );
            eprintln!("note: target/python is not there, {script} is not run: `cargo xtask setup`");
            return None;
        }
        let mut command = Command::new(python);
        command
            .arg(places::root().join("tests/clients").join(script))
            .args(arguments);
        Some(Self::run(command))
    }

    fn run(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    pub(super) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
