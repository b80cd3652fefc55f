//! Writes the licences of everything that the binary links: `collect-licences FILE`.
//!
//! What is linked is what cargo resolves for `cae`, and for the component inside it. Equal texts are written once.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file] = arguments.as_slice() else {
        return Err("usage: collect-licences FILE".into());
    };
    let linked = linked()?;
    let described = metadata()?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    let packages = described.get("packages").and_then(Value::as_array);
    for package in packages.into_iter().flatten() {
        let text = |name: &str| {
            package
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let name = format!("{} {}", text("name"), text("version"));
        // Ours are not from a registry.
        if !linked.contains(&name) || package.get("source").is_none_or(Value::is_null) {
            continue;
        }
        let title = format!("{name} ({})", text("license"));
        let folder = Path::new(text("manifest_path")).parent();
        let found = licences(folder.unwrap_or(Path::new("")))?;
        if found.is_empty() {
            without.push(format!("{title}: {}", text("repository")));
        }
        for licence in found {
            texts.entry(licence).or_default().push(title.clone());
        }
    }
    let mut out = String::from(
        "The binary `cae` links these packages, each under the licence that stands below its name.\n",
    );
    for (licence, packages) in &texts {
        let rule = "=".repeat(80);
        write!(
            out,
            "\n{rule}\n{}\n{rule}\n\n{}\n",
            packages.join("\n"),
            licence.trim_end()
        )?;
    }
    if !without.is_empty() {
        write!(
            out,
            "\n{}\nThese packages bring no text; their licence is named by its SPDX identifier (https://spdx.org/licenses).\n\n{}\n",
            "=".repeat(80),
            without.join("\n")
        )?;
    }
    fs::write(file, out)?;
    Ok(())
}

/// Names and versions of what is linked.
fn linked() -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut all = BTreeSet::new();
    for of in [
        &["--package", "cae-host-runner"][..],
        &["--package", "cae-wasm", "--features", "component"],
    ] {
        let mut tree = cargo();
        tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
            .args(["--format", "{p}"])
            .args(of);
        let tree = said(&mut tree)?;
        // `name v1.2.3`, and for ours a path.
        all.extend(tree.lines().filter_map(|line| {
            let (name, version) = line.split_once(" v")?;
            Some(format!("{name} {}", version.split(' ').next()?))
        }));
    }
    Ok(all)
}

fn metadata() -> Result<Value, Box<dyn Error>> {
    let mut command = cargo();
    command.args(["metadata", "--locked", "--format-version", "1"]);
    Ok(serde_json::from_str(&said(&mut command)?)?)
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn said(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The texts of a package, whatever their files are called.
fn licences(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_uppercase();
        let is_licence = [
            "LICENSE",
            "LICENCE",
            "COPYING",
            "COPYRIGHT",
            "NOTICE",
            "UNLICENSE",
        ]
        .iter()
        .any(|word| name.starts_with(word));
        if is_licence && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        // Line ends and indentation differ, the words do not.
        let text = fs::read_to_string(file)?.replace('\r', "");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        texts.push(lines.join("\n").trim_matches('\n').to_owned());
    }
    Ok(texts)
}
