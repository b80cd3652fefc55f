//! `cargo xtask build`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fingerprint::Fingerprint;
use crate::node::Node;
use crate::process::{Failure, output, run, say, step};
use crate::wasm_target::WasmTarget;
use crate::{node, only, workspace, www};

pub(crate) const HELP: &str = "\
Usage: cargo xtask build [--component] [--js] [--www]

Builds the engine as WebAssembly and prints the sizes; without an option, everything:

  --component  the component without imports, for wasmtime: target/cae/cae.component.wasm
  --js         the modules for JavaScript hosts: target/cae/js/web, target/cae/js/bundler, target/cae/js/nodejs, and
               target/cae/js/engine, the small one without tools; left out where node or npm is not installed
  --www        the page of the policy simulator, a static site: target/cae/www; with its module target/cae/js/simulator

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
    only(arguments, &["--component", "--js", "--www"])?;
    let asked =
        |option: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == option);
    if asked("--component") {
        component()?;
    }
    if asked("--js") {
        javascript()?;
    }
    if asked("--www") {
        www::build()?;
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
            let module = compile("component", "wasm", false, &target)?;
            package("package-component", &module, &artefact, &[])
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

/// A module for JavaScript hosts, in a folder for each kind of them.
struct Module {
    name: &'static str,
    features: &'static str,
    profile: &'static str,
    optimise: &'static str,
    /// Rather small than fast.
    small: bool,
    /// Folder below [`workspace::javascript`], and what wasm-bindgen calls the host.
    hosts: &'static [(&'static str, &'static str)],
    /// What a second module exports beside what the glue needs, one without the code for anything else.
    prepared: &'static [&'static str],
}

/// What the compiler uses for this target. Told by name: with all that it knows, binaryen writes types that engines of
/// today do not.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What the glue of wasm-bindgen calls in a module.
const GLUE: &[&str] = &[
    "memory",
    "__externref_table_alloc",
    "__externref_table_dealloc",
    "__wbindgen_exn_store",
    "__wbindgen_externrefs",
    "__wbindgen_free",
    "__wbindgen_malloc",
    "__wbindgen_realloc",
    "__wbindgen_start",
];

const MODULES: &[Module] = &[
    Module {
        name: "cae",
        features: "js,tools",
        profile: "wasm",
        optimise: "-O3",
        small: false,
        hosts: &[("web", "web"), ("bundler", "bundler"), ("nodejs", "nodejs")],
        prepared: &[],
    },
    Module {
        name: "simulator",
        features: "js,simulation",
        profile: "wasm",
        optimise: "-O3",
        small: false,
        hosts: &[("simulator", "web")],
        prepared: &[],
    },
    Module {
        name: "engine",
        features: "js,prepared",
        profile: "wasm-small",
        // A hundredth larger than with `-Oz`, and a tenth faster.
        optimise: "-O3",
        small: true,
        hosts: &[("engine", "web")],
        prepared: &[
            "__wbg_engine_free",
            "engine_begin",
            "engine_decide",
            "engine_presenter",
            "engine_readEvent",
            "engine_setKeys",
            "mergeRecords",
            "prepared",
        ],
    },
];

/// Builds the modules for JavaScript; `false` where there is no node to do it with.
pub(crate) fn javascript() -> Result<bool, Failure> {
    let Some(node) = node::ensure()? else {
        say(node::ABSENT);
        return Ok(false);
    };
    let target = WasmTarget::ensure()?;
    let tools = node.to_string();
    for module in MODULES {
        module.build(&node, &tools, &target)?;
    }
    Ok(true)
}

impl Module {
    fn build(&self, node: &Node, tools: &str, target: &WasmTarget) -> Result<(), Failure> {
        let built = self.hosts.iter().map(|(folder, _)| self.file(folder));
        let Some(artefact) = built.clone().next_back() else {
            return Ok(());
        };
        let name = format!("js-{}", self.name);
        build_if_changed(&name, "package-js", target, &[tools], &artefact, || {
            let module = compile(self.features, self.profile, self.small, target)?;
            for (folder, host) in self.hosts {
                let to = workspace::javascript().join(folder);
                if to.is_dir() {
                    fs::remove_dir_all(&to)?;
                }
                package("package-js", &module, &to, &[self.name, host])?;
            }
            step(
                "optimising",
                "smaller modules load faster at the edge",
                || {
                    self.optimise(node, &built.clone().collect::<Vec<_>>())?;
                    self.without_reading(node, &artefact)
                },
            )
        })?;
        built
            .clone()
            .chain(
                prepared_of(&artefact)
                    .exists()
                    .then(|| prepared_of(&artefact)),
            )
            .try_for_each(|module| sizes("module", &module))
    }

    /// A module that runs in the memory of the first with less code: what reads a configuration is gone. Data and the
    /// table of functions stay where they are.
    fn without_reading(&self, node: &Node, module: &Path) -> Result<(), Failure> {
        if self.prepared.is_empty() {
            return Ok(());
        }
        let exports: Vec<&str> = GLUE.iter().chain(self.prepared).copied().collect();
        let nodes = exports
            .iter()
            .map(|name| format!(r#"{{"name": "{name}", "export": "{name}"}}"#));
        let root = format!(
            r#"{{"name": "host", "root": true, "reaches": ["{}"]}}"#,
            exports.join(r#"", ""#)
        );
        let graph = workspace::artefacts().join("reachable.json");
        let list: Vec<String> = nodes.chain([root]).collect();
        fs::write(&graph, format!("[{}]", list.join(",\n")))?;
        let to = prepared_of(module);
        let argument = format!("--graph-file={}", graph.display());
        run(node
            .tool("wasm-metadce")
            .args(FEATURES)
            .arg(&argument)
            .arg(module)
            .arg("-o")
            .arg(&to)
            .stdout(std::process::Stdio::null()))?;
        run(node
            .tool("wasm-opt")
            .arg(self.optimise)
            .arg(&to)
            .arg("-o")
            .arg(&to))
    }

    fn file(&self, folder: &str) -> PathBuf {
        let name = format!("{}_bg.wasm", self.name);
        workspace::javascript().join(folder).join(name)
    }

    /// Hosts differ in the JavaScript around the module, seldom in the module: equal ones are optimised once.
    fn optimise(&self, node: &Node, modules: &[PathBuf]) -> Result<(), Failure> {
        let mut done: Vec<(Vec<u8>, &PathBuf)> = Vec::new();
        for module in modules {
            let original = fs::read(module)?;
            if let Some((_, optimised)) = done.iter().find(|(bytes, _)| *bytes == original) {
                fs::copy(optimised, module)?;
                continue;
            }
            run(node
                .tool("wasm-opt")
                .arg(self.optimise)
                .arg(module)
                .arg("-o")
                .arg(module))?;
            done.push((original, module));
        }
        Ok(())
    }
}

fn prepared_of(module: &Path) -> PathBuf {
    module.with_file_name("prepared_bg.wasm")
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

/// Compiles the bindings with some of their features.
fn compile(
    features: &str,
    profile: &str,
    small: bool,
    target: &WasmTarget,
) -> Result<PathBuf, Failure> {
    let why = match target {
        WasmTarget::Installed => "the engine for WebAssembly",
        WasmTarget::FromSource(_) => {
            "the engine for WebAssembly, the first time with its standard library (a minute)"
        }
    };
    step(
        &format!("compiling with features `{features}`"),
        why,
        || {
            run(target.cargo_build(profile, small)?.args([
                "--package",
                "cae-wasm",
                "--features",
                features,
            ]))
        },
    )?;
    Ok(WasmTarget::module(profile, "cae_wasm.wasm"))
}

/// Calls a packager, which is built on first use.
fn package(packager: &str, module: &Path, to: &Path, how: &[&str]) -> Result<(), Failure> {
    step(
        packager,
        "the first time it is compiled itself, which takes a minute or two",
        || run(workspace::heavy(packager).arg(module).arg(to).args(how)),
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
