//! Embeds the engine component into a release build, if it was built before (`cargo xtask build`).

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(cae_component)");
    println!("cargo::rerun-if-changed=build.rs");
    // Other profiles read the component from the target directory when they start, so that a new component
    // needs no new `cae`.
    if std::env::var_os("PROFILE").is_none_or(|profile| profile != "release") {
        return;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let built = out
        .ancestors()
        .map(|folder| folder.join("cae/cae.component.wasm"))
        .find(|file| file.is_file());
    match built {
        Some(file) => {
            println!("cargo::rerun-if-changed={}", file.display());
            println!("cargo::rustc-env=CAE_COMPONENT_FILE={}", file.display());
            println!("cargo::rustc-cfg=cae_component");
        }
        None => {
            // Look again next time: a file that does not exist counts as changed.
            let target = out.ancestors().nth(4).unwrap_or(Path::new(""));
            println!(
                "cargo::rerun-if-changed={}",
                target.join("cae/cae.component.wasm").display()
            );
            println!("cargo::warning=no engine component to embed: run `cargo xtask build`");
        }
    }
}
