//! The compiler's WebAssembly target: from rustup, or built from source with Debian's toolchain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt, fs};

use crate::process::{Failure, has, output, run, say, step};
use crate::workspace;

const TRIPLE: &str = "wasm32-unknown-unknown";
const WHY: &str =
    "the engine runs as WebAssembly, and this toolchain has no standard library for it";
/// A module without imports cannot print why it panics, nor where: without that it is smaller, and it traps in the
/// function that found the fault.
const ABORT: &[&str] = &[
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
];
/// SHA-256 in a quarter of its code: it names records when a token comes for the first time.
const SMALL: &str = r#"--cfg=sha2_backend_soft="compact""#;
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// How to compile for WebAssembly on this machine.
#[derive(Debug)]
pub(crate) enum WasmTarget {
    /// The toolchain has the target.
    Installed,
    /// Debian's compiler, in the file system that begins here, builds the standard library from source.
    FromSource(PathBuf),
}

impl WasmTarget {
    /// What is there, else what can be installed, the quickest way first.
    pub(crate) fn ensure() -> Result<Self, Failure> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        if has("rustup") {
            // Where rustup cannot download, it says so within two seconds.
            let added = step("WebAssembly target from rustup", WHY, || {
                run(Command::new("rustup").args(["target", "add", TRIPLE]))
            });
            if added.is_ok() && Self::find().is_some() {
                return Ok(Self::Installed);
            }
            say("    rustup cannot fetch it here; Debian's compiler can build it from source");
        }
        install_debian_packages()?;
        Self::find().ok_or_else(|| {
            Failure::new(format!(
                "no WebAssembly target: install it with `rustup target add {TRIPLE}`, or the Debian packages {}",
                DEBIAN_PACKAGES.join(", ")
            ))
        })
    }

    fn find() -> Option<Self> {
        let library = Path::new("lib/rustlib").join(TRIPLE).join("lib");
        if sysroot().is_some_and(|sysroot| sysroot.join(library).is_dir()) {
            return Some(Self::Installed);
        }
        [PathBuf::from("/"), unpacked()]
            .into_iter()
            .find(|root| {
                let source = root.join("usr/lib/rustlib/src/rust/library/std");
                source.is_dir() && root.join("usr/bin/cargo").is_file() && is_recent(root)
            })
            .map(Self::FromSource)
    }

    /// `cargo build` for WebAssembly, with a profile of what is shipped.
    ///
    /// If the module is to be `small`, the standard library is built along with it wherever its source is to be had: it
    /// comes optimised for speed, and its panics with their messages.
    pub(crate) fn cargo_build(&self, profile: &str, small: bool) -> Result<Command, Failure> {
        let mut command = match self {
            Self::Installed => workspace::cargo(),
            Self::FromSource(root) => {
                let mut command = debian_program(root, "cargo");
                command
                    .current_dir(workspace::root())
                    .env("RUSTC", root.join("usr/bin/rustc"))
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker()?);
                command
            }
        };
        command.arg("build");
        let mut flags = without_machine();
        if small {
            flags.push(SMALL.to_owned());
        }
        if matches!(self, Self::FromSource(_)) || small && has_source() {
            flags.extend(ABORT.iter().map(|flag| (*flag).to_owned()));
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .arg("-Zbuild-std=std,panic_abort")
                .arg("-Zbuild-std-features=optimize_for_size");
        }
        command
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .args(["--locked", "--target", TRIPLE, "--profile", profile])
            .arg("--target-dir")
            .arg(target_dir());
        Ok(command)
    }

    /// Where `cargo_build` leaves the module of a crate.
    pub(crate) fn module(profile: &str, name: &str) -> PathBuf {
        target_dir().join(TRIPLE).join(profile).join(name)
    }

    /// The compiler and its version: another one makes other bytes.
    pub(crate) fn compiler(&self) -> String {
        let mut rustc = match self {
            Self::Installed => Command::new("rustc"),
            Self::FromSource(root) => debian_program(root, "rustc"),
        };
        output(rustc.arg("-vV")).unwrap_or_default()
    }
}

impl fmt::Display for WasmTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => f.write_str("part of the toolchain"),
            Self::FromSource(root) => {
                write!(
                    f,
                    "built from source by Debian's compiler under {}",
                    root.display()
                )
            }
        }
    }
}

/// The flags that keep the places of this machine's registry and toolchain out of what is shipped.
fn without_machine() -> Vec<String> {
    let user = env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let registry = env::var_os("CARGO_HOME").map(PathBuf::from).or(user);
    [(registry, "cargo"), (sysroot(), "rust")]
        .into_iter()
        .filter_map(|(place, name)| {
            Some(format!("--remap-path-prefix={}={name}", place?.display()))
        })
        .collect()
}

/// Whether the toolchain has the source of its standard library, or can fetch it.
fn has_source() -> bool {
    let is_there =
        || sysroot().is_some_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir());
    if is_there() {
        return true;
    }
    let added = has("rustup")
        && step(
            "source of the standard library from rustup",
            "the module for the edge is an eighth smaller with one that is built for it",
            || run(Command::new("rustup").args(["component", "add", "rust-src"])),
        )
        .is_ok();
    added && is_there()
}

/// A directory of its own: the compiler may be another one than the workspace's.
fn target_dir() -> PathBuf {
    workspace::root().join("target/wasm-build")
}

fn unpacked() -> PathBuf {
    workspace::root().join("target/debian")
}

fn sysroot() -> Option<PathBuf> {
    output(Command::new("rustc").args(["--print", "sysroot"])).map(PathBuf::from)
}

/// The linker that comes with the default toolchain.
fn linker() -> Result<PathBuf, Failure> {
    let version = output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    sysroot()
        .map(|sysroot| sysroot.join("lib/rustlib").join(host).join("bin/rust-lld"))
        .filter(|linker| linker.is_file())
        .ok_or_else(|| {
            Failure::new(
                "the toolchain has no rust-lld to link WebAssembly with; install Rust with rustup",
            )
        })
}

/// Debian has older compilers under the same name.
fn is_recent(root: &Path) -> bool {
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    output(debian_program(root, "rustc").arg("--version"))
        .as_deref()
        .and_then(|version| version.split(' ').nth(1))
        .is_some_and(|found| numbers(found) >= numbers(wanted))
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

/// A program of Debian's toolchain, which finds its libraries wherever it was unpacked.
fn debian_program(root: &Path, name: &str) -> Command {
    let mut command = Command::new(root.join("usr/bin").join(name));
    if root != Path::new("/") {
        let libraries = root
            .join("usr/lib")
            .join(format!("{}-linux-gnu", env::consts::ARCH));
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command
}

fn install_debian_packages() -> Result<(), Failure> {
    if !has("apt-get") {
        return Err(Failure::new(format!(
            "{WHY}, rustup cannot fetch it and there is no apt-get; install the target {TRIPLE} by hand"
        )));
    }
    let names = DEBIAN_PACKAGES.join(", ");
    if output(Command::new("id").arg("-u")).as_deref() == Some("0") {
        return step(&format!("installing {names}"), WHY, || {
            let install = || {
                run(Command::new("apt-get")
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    .args(["install", "-y", "--no-install-recommends"])
                    .args(DEBIAN_PACKAGES))
            };
            // A fresh machine has no package lists yet.
            install().or_else(|_| {
                run(Command::new("apt-get").arg("update"))?;
                install()
            })
        });
    }
    step(
        &format!("unpacking {names} under target/debian"),
        &format!("{WHY}; without root they are downloaded and unpacked, not installed"),
        unpack_debian_packages,
    )
}

fn unpack_debian_packages() -> Result<(), Failure> {
    let root = unpacked();
    let archives = root.join("archives");
    fs::create_dir_all(&archives)?;
    run(Command::new("apt-get")
        .current_dir(&archives)
        .arg("download")
        .args(DEBIAN_PACKAGES)
        .args(missing_libraries()))?;
    for archive in fs::read_dir(&archives)? {
        run(Command::new("dpkg")
            .arg("-x")
            .arg(archive?.path())
            .arg(&root))?;
    }
    fs::remove_dir_all(&archives)?;
    Ok(())
}

/// The libraries that the packages need, directly or not, and that this machine lacks.
fn missing_libraries() -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    let mut ask: Vec<String> = DEBIAN_PACKAGES.iter().map(ToString::to_string).collect();
    while let Some(package) = ask.pop() {
        let depends = output(Command::new("apt-cache").args([
            "depends",
            "--important",
            "--installed=false",
            &package,
        ]));
        for line in depends.unwrap_or_default().lines() {
            let Some(name) = line.trim().strip_prefix("Depends: ") else {
                continue;
            };
            if name.starts_with("lib") && !is_installed(name) && missing.insert(name.to_owned()) {
                ask.push(name.to_owned());
            }
        }
    }
    missing
}

fn is_installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]))
        .is_some_and(|status| status == "installed")
}
