//! What the documents say holds: their commands run, their configurations compile, their links and paths lead
//! somewhere, and the map of `ARCHITECTURE.md` leaves nothing out.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cae_core::Engine;
use cae_core::policy::evidence;
use cae_core::signal::list;
use cae_core::simulation::Scenario;
use cae_tests::service::{Folder, command};
use cae_tests::{artefacts, places};
use serde_json::Value;

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/entra.md",
    EVENTS,
    EVIDENCE,
];

/// Written by `cae event list --markdown`.
const EVENTS: &str = "docs/events.md";

/// Written by `cae policy evidence --markdown`.
const EVIDENCE: &str = "docs/evidence.md";

/// In code, with the look of a path, but standing for any file of a kind.
const KINDS_OF_FILES: [&str; 3] = ["ENGINE.json", "cae.toml", "name/tests.rs"];

#[test]
fn what_the_documents_say_holds() {
    let offences: Vec<String> = DOCUMENTS
        .iter()
        .flat_map(|name| offences(name, &read(name)))
        .collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_map_leaves_nothing_out() {
    let map = read("ARCHITECTURE.md");
    let workspace = read("Cargo.toml");
    let members = workspace.lines().find_map(|line| {
        line.strip_prefix("members = ")
            .and_then(|list| serde_json::from_str::<Vec<String>>(list).ok())
    });
    let mut places: BTreeSet<String> = members.unwrap().into_iter().collect();
    places.remove("core");
    for entry in fs::read_dir(places::root().join("core/src")).unwrap() {
        let stem = entry.unwrap().path().with_extension("");
        places.insert(stem.file_name().unwrap().to_str().unwrap().to_owned());
    }
    places.remove("lib");
    places.retain(|place| {
        ![".rs`", "/`"]
            .iter()
            .any(|end| map.contains(&format!("{place}{end}")))
    });
    assert!(places.is_empty(), "not in ARCHITECTURE.md: {places:?}");
}

#[test]
fn the_event_table_is_the_one_that_the_engine_reads_by() {
    assert!(
        read(EVENTS).trim_end() == list::markdown().trim_end(),
        "{EVENTS} is not of this source: `cae event list --markdown > {EVENTS}`"
    );
}

#[test]
fn the_evidence_table_is_the_one_that_the_engine_looks_by() {
    assert!(
        read(EVIDENCE).trim_end() == evidence::markdown().trim_end(),
        "{EVIDENCE} is not of this source: `cae policy evidence --markdown > {EVIDENCE}`"
    );
}

/// The checks are able to fail.
#[test]
fn a_false_document_is_found_out() {
    for (text, offence) in [
        ("see [there](nowhere/else.md)", "nowhere/else.md"),
        ("`core/src/missing.rs`", "core/src/missing.rs"),
        ("`missing/`", "missing/"),
        ("run `cargo xtask dance`", "dance"),
        ("```sh\ncargo xtask dance # to music\n```", "dance"),
        ("```sh\nrm -r x\n```", "nothing checks"),
        ("```json\n{\n```", "not JSON"),
        ("```json\n{\"resource\": {}}\n```", "issuers"),
        ("```json\n{\"timeline\": []}\n```", "title"),
        ("```cobol\nSTOP RUN.\n```", "nothing checks"),
        ("```toml\n[entra]\n```", "can be used"),
        ("```sh\ncae --wrong\n```", "ended with"),
        ("```console\n$ cae --version\ncae 0.0.0\n```", "prints"),
    ] {
        let needs_program = ["cae -", "dance", "toml"]
            .iter()
            .any(|it| text.contains(it));
        if needs_program && (program("cae").is_none() || program("xtask").is_none()) {
            continue;
        }
        let found = offences("FALSE.md", text).join("\n");
        assert!(found.contains(offence), "{text}: {found}");
    }
}

fn read(name: &str) -> String {
    fs::read_to_string(places::root().join(name)).unwrap()
}

/// Everything in a document that does not hold.
fn offences(name: &str, text: &str) -> Vec<String> {
    let (prose, blocks) = split(text);
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    let mut offences: Vec<String> = links(&prose)
        .filter(|link| !places::root().join(folder).join(link).exists())
        .map(|link| format!("the link to {link} leads nowhere"))
        .collect();
    for code in inline_code(&prose) {
        if let Some(command) = code.strip_prefix("cargo xtask ") {
            offences.extend(check_xtask(command));
        } else if looks_like_a_path(code) && !exists(code) {
            offences.push(format!("there is no {code}"));
        }
    }
    offences.extend(blocks.iter().filter_map(|block| block.check().err()));
    for offence in &mut offences {
        *offence = format!("{name}: {offence}");
    }
    offences
}

/// A fenced block.
struct Block<'d> {
    language: &'d str,
    lines: Vec<&'d str>,
}

/// The text outside and the fenced blocks.
fn split(text: &str) -> (String, Vec<Block<'_>>) {
    let (mut prose, mut blocks, mut inside) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(language) => {
                inside = true;
                let lines = Vec::new();
                blocks.push(Block { language, lines });
            }
            None if inside => blocks.last_mut().unwrap().lines.push(line),
            None => prose.extend([line, "\n"]),
        }
    }
    (prose, blocks)
}

impl Block<'_> {
    fn check(&self) -> Result<(), String> {
        match self.language {
            // A drawing.
            "text" => Ok(()),
            "sh" => self.lines.iter().try_for_each(|line| {
                let (command, _comment) = line.split_once(" #").unwrap_or((line, ""));
                check_command(command.trim(), None)
            }),
            "console" => {
                let text = self.lines.join("\n");
                text.split("$ ").skip(1).try_for_each(|exchange| {
                    let (command, output) = exchange.split_once('\n').unwrap_or((exchange, ""));
                    check_command(command, Some(output.trim_end()))
                })
            }
            "json" => check_json(&self.lines.join("\n")),
            "toml" => check_service(&self.lines.join("\n")),
            other => Err(format!("nothing checks a block of `{other}`")),
        }
    }
}

/// Runs a command of ours and compares what it prints with what the document shows.
fn check_command(command: &str, shown: Option<&str>) -> Result<(), String> {
    if command.is_empty() || command.starts_with('#') {
        return Ok(());
    }
    if let Some(command) = command.strip_prefix("cargo xtask ") {
        return check_xtask(command).map_or(Ok(()), Err);
    }
    if !command.starts_with("cae ") {
        return Err(format!("nothing checks `{command}`"));
    }
    let Some(cae) = program("cae") else {
        return Ok(());
    };
    let output = Command::new("sh")
        .args(["-c", &format!("cae() {{ \"$CAE\" \"$@\"; }}\n{command}")])
        .env("CAE", cae)
        .current_dir(places::root())
        .output()
        .map_err(|error| format!("`{command}`: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{command}` ended with {}: {error}", output.status));
    }
    match shown {
        Some(shown) if shown != printed.trim_end() => {
            Err(format!("`{command}` prints\n{printed}, not\n{shown}"))
        }
        _ => Ok(()),
    }
}

/// What is wrong with `cargo xtask` and these words after it.
fn check_xtask(words: &str) -> Option<String> {
    let xtask = program("xtask")?;
    let mut words = words.split_whitespace();
    let name = words.next().unwrap_or_default();
    let asked: &[&str] = if name == "help" {
        &["help"]
    } else {
        &[name, "--help"]
    };
    let output = Command::new(xtask).args(asked).output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Some(format!("there is no `cargo xtask {name}`"));
    }
    words
        .find(|word| word.starts_with("--") && !help.contains(word))
        .map(|option| format!("`cargo xtask {name}` has no {option}"))
}

/// A program of this workspace; tests of the whole workspace build it.
fn program(name: &str) -> Option<PathBuf> {
    artefacts::find(name, "cargo build")
}

fn check_json(text: &str) -> Result<(), String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("a block is not JSON: {error}"))?;
    if value.get("resource").is_some() {
        Engine::new(text, 0).map_err(|faults| format!("{:?}", faults.0))?;
    } else if value.get("timeline").is_some() {
        Scenario::read(text).map_err(|faults| format!("{:?}", faults.0))?;
    }
    Ok(())
}

/// Checks a `cae.toml`, beside the secrets that it names.
fn check_service(text: &str) -> Result<(), String> {
    let folder = Folder::new("documents");
    let secrets = text
        .lines()
        .filter_map(|line| line.split_once("SecretFile = "));
    for (_, name) in secrets {
        folder.write(name.trim().trim_matches('"'), "a secret");
    }
    let file = folder.write("cae.toml", text);
    let Some(mut check) = command(&["serve", "--check", "--config", file.to_str().unwrap()]) else {
        return Ok(());
    };
    let output = check.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("a block is no cae.toml that can be used: {said}"))
}

/// Where the relative links lead.
fn links(prose: &str) -> impl Iterator<Item = &str> {
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

fn inline_code(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

fn looks_like_a_path(code: &str) -> bool {
    const ENDINGS: [&str; 8] = ["/", ".rs", ".md", ".toml", ".json", ".wit", ".ts", ".mjs"];
    let letters = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    // What begins with a slash is the path of a request.
    code.chars().all(letters)
        && !code.starts_with('/')
        && ENDINGS.iter().any(|ending| code.ends_with(ending))
        && !KINDS_OF_FILES.contains(&code)
}

/// Whether a path leads somewhere from the root, or from a folder that the text has come to.
fn exists(path: &str) -> bool {
    if places::root().join(path).exists() {
        return true;
    }
    let name = Path::new(path);
    files(&places::root())
        .iter()
        .any(|file| file.ends_with(name))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found
}
