//! `cargo xtask build`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fingerprint::Fingerprint;
use crate::node::Node;
use crate::process::{Failure, output, run, say, step};
use crate::wasm_target::WasmTarget;
use crate::{node, only, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask build [--component] [--js]

Builds the engine as WebAssembly and prints the sizes; without an option, both:

  --component  the component without imports, for wasmtime: target/cae/cae.component.wasm
  --js         the modules for JavaScript hosts: target/cae/js/web, target/cae/js/bundler, target/cae/js/nodejs;
               left out where node or npm is not installed

What has not changed is not built again.
";

/// What the artefacts are made of, besides their packager.
const SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "core/Cargo.toml",
    "core/src",
    "wasm/Cargo.toml",
    "wasm/src",
    "wasm/wit",
    "xtask/src/build.rs",
    "xtask/src/wasm_target.rs",
];

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &["--component", "--js"])?;
    let asked =
        |option: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == option);
    if asked("--component") {
        component()?;
    }
    if asked("--js") {
        javascript()?;
    }
    Ok(())
}

/// Builds the component.
pub(crate) fn component() -> Result<(), Failure> {
    let target = WasmTarget::ensure()?;
    let artefact = workspace::component();
    build_if_changed(
        "component",
        "package-component",
        &target,
        &[],
        &artefact,
        || {
            let module = compile("component", &target)?;
            package("package-component", &module, &artefact)
        },
    )?;
    offer_to_cae(&artefact)?;
    sizes("component", &artefact)
}

/// Puts a copy where `cae` looks, if that is another place.
fn offer_to_cae(artefact: &Path) -> Result<(), Failure> {
    let Some(offered) = workspace::component_for_cae() else {
        return Ok(());
    };
    let bytes = fs::read(artefact)?;
    if fs::read(&offered).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = offered.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(offered, bytes)?;
    Ok(())
}

/// Builds the modules for JavaScript; `false` where there is no node to do it with.
pub(crate) fn javascript() -> Result<bool, Failure> {
    let Some(node) = node::ensure()? else {
        say(node::ABSENT);
        return Ok(false);
    };
    let target = WasmTarget::ensure()?;
    let folder = workspace::javascript();
    let tools = node.to_string();
    build_if_changed("js", "package-js", &target, &[&tools], &folder, || {
        let module = compile("js", &target)?;
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        package("package-js", &module, &folder)?;
        step(
            "optimising",
            "smaller modules load faster at the edge",
            || optimise(&node, &modules(&folder)),
        )
    })?;
    modules(&folder)
        .iter()
        .try_for_each(|module| sizes("module", module))?;
    Ok(true)
}

/// Hosts differ in the JavaScript around the module, seldom in the module: equal ones are optimised once.
fn optimise(node: &Node, modules: &[PathBuf]) -> Result<(), Failure> {
    let mut done: Vec<(Vec<u8>, &PathBuf)> = Vec::new();
    for module in modules {
        let original = fs::read(module)?;
        if let Some((_, optimised)) = done.iter().find(|(bytes, _)| *bytes == original) {
            fs::copy(optimised, module)?;
            continue;
        }
        run(node
            .tool("wasm-opt")
            .arg("-O3")
            .arg(module)
            .arg("-o")
            .arg(module))?;
        done.push((original, module));
    }
    Ok(())
}

fn modules(folder: &Path) -> Vec<PathBuf> {
    ["web", "bundler", "nodejs"]
        .map(|host| folder.join(host).join("cae_bg.wasm"))
        .into()
}

fn build_if_changed(
    name: &str,
    packager: &str,
    target: &WasmTarget,
    tools: &[&str],
    artefact: &Path,
    build: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let packager = format!("xtask/src/bin/{packager}.rs");
    let compiler = target.compiler();
    let sources = [SOURCES, &[packager.as_str()]].concat();
    let fingerprint = Fingerprint::of(&sources, &[&[compiler.as_str()], tools].concat())?;
    let note = format!("build-{name}");
    if artefact.exists() && fingerprint.noted(&note).is_some() {
        say(&format!("    {name}: unchanged"));
        return Ok(());
    }
    fs::create_dir_all(workspace::artefacts())?;
    build()?;
    fingerprint.note(&note, "")?;
    Ok(())
}

/// Compiles the bindings with one of their features.
fn compile(feature: &str, target: &WasmTarget) -> Result<PathBuf, Failure> {
    let why = match target {
        WasmTarget::Installed => "the engine for WebAssembly",
        WasmTarget::FromSource(_) => {
            "the engine for WebAssembly, the first time with its standard library (a minute)"
        }
    };
    step(&format!("compiling with feature `{feature}`"), why, || {
        run(target
            .cargo_build()?
            .args(["--package", "cae-wasm", "--features", feature]))
    })?;
    Ok(WasmTarget::module("cae_wasm.wasm"))
}

/// Calls a packager, which is built on first use.
fn package(packager: &str, module: &Path, to: &Path) -> Result<(), Failure> {
    step(
        packager,
        "the first time it is compiled itself, which takes a minute or two",
        || run(workspace::heavy(packager).arg(module).arg(to)),
    )
}

fn sizes(what: &str, path: &Path) -> Result<(), Failure> {
    let raw = fs::metadata(path)?.len();
    let shown = path
        .strip_prefix(workspace::root())
        .unwrap_or(path)
        .display();
    let gzipped = output(
        Command::new("sh")
            .arg("-c")
            .arg("gzip -9 -c \"$0\" | wc -c")
            .arg(path),
    )
    .filter(|count| count.parse() != Ok(0_u64));
    match gzipped {
        Some(gzipped) => say(&format!(
            "    {what} {shown}: {raw} bytes, {gzipped} gzipped"
        )),
        None => say(&format!("    {what} {shown}: {raw} bytes")),
    }
    Ok(())
}
