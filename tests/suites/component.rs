//! The component that ships: what it imports, and that it is the one that was built last.

use std::fs;
use std::path::Path;

use wasmparser::{ComponentExternalKind, Parser, Payload};

fn artefact() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/cae/cae.component.wasm");
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask build --component` makes it",
            path.display()
        )
    })
}

/// Everything that any component or module inside the artefact imports, as `module name`.
fn imports(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut of_components, mut of_modules) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // Inner components only rename what the outer one hands them.
            Payload::ComponentImportSection(section) if depth == 1 => {
                of_components.extend(
                    section
                        .into_iter()
                        .map(|import| import.unwrap().name.name.to_owned()),
                );
            }
            Payload::ImportSection(section) => {
                of_modules.extend(section.into_imports().map(|import| {
                    let import = import.unwrap();
                    format!("{} {}", import.module, import.name)
                }));
            }
            _ => {}
        }
    }
    (of_components, of_modules)
}

#[test]
fn nothing_is_imported() {
    let (of_components, of_modules) = imports(&artefact());
    assert!(
        of_components.is_empty(),
        "the component imports {of_components:?}"
    );
    // A module inside may import what the component itself provides: the table of its own resource.
    let foreign: Vec<_> = of_modules
        .iter()
        .filter(|import| {
            !import.starts_with("[export]cae:engine/conversation@") && !import.starts_with(' ')
        })
        .collect();
    assert!(
        foreign.is_empty(),
        "a module in the component imports {foreign:?}"
    );
}

#[test]
fn both_interfaces_are_exported() {
    let bytes = artefact();
    let mut exported = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(section) if depth == 1 => {
                exported.extend(section.into_iter().filter_map(|export| {
                    let export = export.unwrap();
                    (export.kind == ComponentExternalKind::Instance)
                        .then(|| export.name.name.to_owned())
                }));
            }
            _ => {}
        }
    }
    assert_eq!(
        exported,
        ["cae:engine/conversation@0.1.0", "cae:engine/tools@0.1.0"]
    );
}
