//! `cargo xtask dist`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, has, output, run, say, step};
use crate::{build, node, workspace, www};

pub(crate) const HELP: &str = "\
Usage: cargo xtask dist [--binary FILE]

Makes the release archive, target/dist/cae-VERSION-TARGET.tar.gz, with its checksum beside it: the binary with the
component inside, manual pages, completions, the systemd unit, the documentation, the schemas, the page of the policy
simulator (where node is installed), our licences and those of everything that is linked, and a checksum for each file. The
same sources make the same archive.

  --binary FILE  packs this binary instead of building one
";

/// From the root of the workspace, and where it goes in the archive.
const FILES: &[(&str, &str)] = &[
    ("README.md", "share/doc/cae/README.md"),
    ("CHANGELOG.md", "share/doc/cae/CHANGELOG.md"),
    ("docs/service.md", "share/doc/cae/service.md"),
    ("docs/threats.md", "share/doc/cae/threats.md"),
    ("docs/events.md", "share/doc/cae/events.md"),
    ("docs/evidence.md", "share/doc/cae/evidence.md"),
    ("docs/entra.md", "share/doc/cae/entra.md"),
    ("docs/proxies", "share/doc/cae/proxies"),
    ("LICENSE-MIT", "share/doc/cae/LICENSE-MIT"),
    ("LICENSE-APACHE", "share/doc/cae/LICENSE-APACHE"),
    ("dist/cae.service", "lib/systemd/system/cae.service"),
];

/// What the binary says, and where it goes.
const SAID: &[(&[&str], &str)] = &[
    (
        &["completions", "bash"],
        "share/bash-completion/completions/cae",
    ),
    (&["completions", "zsh"], "share/zsh/site-functions/_cae"),
    (
        &["completions", "fish"],
        "share/fish/vendor_completions.d/cae.fish",
    ),
    (&["config", "schema"], "share/cae/engine.schema.json"),
    (
        &["config", "schema", "--service"],
        "share/cae/cae.schema.json",
    ),
    (
        &["config", "schema", "--scenario"],
        "share/cae/scenario.schema.json",
    ),
];

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    let archive = match arguments {
        [] => {
            let archive = dist(&release()?)?;
            verify(&archive)?;
            archive
        }
        [option, file] if option == "--binary" => dist(Path::new(file))?,
        _ => return Err(Failure::new("--help says what there is")),
    };
    println!("{}", archive.display());
    Ok(())
}

fn release() -> Result<PathBuf, Failure> {
    build::component()?;
    step(
        "cae",
        "the release build, with the component inside (some minutes the first time)",
        || {
            run(workspace::cargo().args([
                "build",
                "--release",
                "--locked",
                "--package",
                "cae-host-runner",
            ]))
        },
    )?;
    Ok(workspace::target().join("release/cae"))
}

/// Packs a binary; the archive.
pub(crate) fn dist(binary: &Path) -> Result<PathBuf, Failure> {
    let version = output(Command::new(binary).arg("--version"))
        .and_then(|said| Some(said.strip_prefix("cae ")?.to_owned()))
        .ok_or_else(|| Failure::new(format!("{}: is no `cae`", binary.display())))?;
    let name = format!("cae-{version}-{}", target()?);
    let dist = workspace::root().join("target/dist");
    let folder = dist.join(&name);
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    let archive = dist.join(format!("{name}.tar.gz"));
    step("archive", "everything that an installation needs", || {
        fill(&folder, binary)?;
        checksums(&folder)?;
        pack(&dist, &name)
    })?;
    Ok(archive)
}

/// Does what somebody does who downloads an archive: checks it, unpacks it, checks the files, runs the binary.
pub(crate) fn verify(archive: &Path) -> Result<(), Failure> {
    let dist = archive.parent().unwrap_or(Path::new("."));
    let unpacked = dist.join("unpacked");
    if unpacked.is_dir() {
        fs::remove_dir_all(&unpacked)?;
    }
    fs::create_dir_all(&unpacked)?;
    let check = |folder: &Path, sums: &Path| {
        run(Command::new("sha256sum")
            .current_dir(folder)
            .args(["--check", "--quiet", "--strict"])
            .arg(sums))
    };
    check(dist, &archive.with_extension("gz.sha256"))?;
    run(Command::new("tar")
        .current_dir(&unpacked)
        .arg("-xzf")
        .arg(archive))?;
    let folder = fs::read_dir(&unpacked)?
        .next()
        .ok_or_else(|| Failure::new("the archive is empty"))??
        .path();
    check(&folder, Path::new("SHA256SUMS"))?;
    // Without what lies around in a checkout.
    let version = output(
        Command::new(folder.join("bin/cae"))
            .current_dir(&folder)
            .env_clear()
            .arg("--version"),
    );
    version.ok_or_else(|| Failure::new("the binary of the archive does not run"))?;
    Ok(fs::remove_dir_all(&unpacked)?)
}

fn fill(folder: &Path, binary: &Path) -> Result<(), Failure> {
    let cae = folder.join("bin/cae");
    copy(binary, &cae)?;
    if has("strip") {
        run(Command::new("strip").arg(&cae))?;
    } else {
        say("    binutils is not installed: the binary keeps the names of its functions");
    }
    for (from, to) in FILES {
        copy(&workspace::root().join(from), &folder.join(to))?;
    }
    if www::build()? {
        copy(&www::folder(), &folder.join("share/cae/simulator"))?;
    } else {
        say(node::ABSENT);
    }
    for (arguments, to) in SAID {
        let said = output(Command::new(binary).args(*arguments));
        let said = said.ok_or_else(|| Failure::new(format!("`cae {}`", arguments.join(" "))))?;
        write(&folder.join(to), &format!("{said}\n"))?;
    }
    let pages = folder.join("share/man/man1");
    fs::create_dir_all(&pages)?;
    run(Command::new(binary).args(["man", "--out"]).arg(&pages))?;
    let licences = folder.join("share/doc/cae/LICENSES-THIRD-PARTY.txt");
    run(workspace::heavy("collect-licences").arg(licences))
}

/// `SHA256SUMS`, as `sha256sum --check` reads it.
fn checksums(folder: &Path) -> Result<(), Failure> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let names = files
        .iter()
        .filter_map(|file| file.strip_prefix(folder).ok());
    let sums = output(
        Command::new("sha256sum")
            .current_dir(folder)
            .arg("--")
            .args(names),
    );
    let sums = sums.ok_or_else(|| Failure::new("`sha256sum` is missing (coreutils)"))?;
    write(&folder.join("SHA256SUMS"), &format!("{sums}\n"))
}

/// Names, order, owners and times are the same wherever and whenever it is packed.
fn pack(dist: &Path, name: &str) -> Result<(), Failure> {
    let archive = format!("{name}.tar.gz");
    let time = output(workspace::git().args(["log", "-1", "--format=%ct"])).unwrap_or_default();
    let time = if time.is_empty() { "0" } else { &time };
    run(Command::new("tar")
        .current_dir(dist)
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--mtime=@{time}"))
        .args(["--mode=u=rwX,go=rX", "--use-compress-program=gzip -9n"])
        .args(["-cf", &archive, name]))?;
    let sum = output(Command::new("sha256sum").current_dir(dist).arg(&archive));
    let sum = sum.ok_or_else(|| Failure::new("`sha256sum` is missing (coreutils)"))?;
    write(&dist.join(format!("{archive}.sha256")), &format!("{sum}\n"))
}

/// The target that this toolchain builds for.
fn target() -> Result<String, Failure> {
    let said = output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    if from.is_dir() {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map_err(|error| Failure::new(format!("{}: {error}", from.display())))?;
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(file, text)?)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
