//! The component that ships imports nothing and exports its three interfaces.
#![cfg(test)]

use std::fs;

use cae_tests::artefacts;
use wasmparser::{Parser, Payload};

/// What stands in the artefact, as far as these tests ask.
#[derive(Debug, Default)]
struct Contents {
    imports: Vec<String>,
    exports: Vec<String>,
    /// `module name` of what the engine's own module, the one with a memory, imports.
    engine_imports: Vec<String>,
}

fn contents() -> Option<Contents> {
    artefacts::component_file().map(|file| read(&fs::read(file).unwrap()))
}

fn read(bytes: &[u8]) -> Contents {
    let mut contents = Contents::default();
    let mut outer = Vec::new();
    let mut module_imports = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::Version { encoding, .. } => {
                outer.push(encoding);
                module_imports.clear();
            }
            Payload::End(_) => {
                outer.pop();
            }
            // Components inside only rename what the outermost one hands them.
            Payload::ComponentImportSection(section) if outer.len() == 1 => {
                contents.imports.extend(
                    section
                        .into_iter()
                        .map(|import| import.unwrap().name.name.to_owned()),
                );
            }
            Payload::ComponentExportSection(section) if outer.len() == 1 => {
                contents.exports.extend(
                    section
                        .into_iter()
                        .map(|export| export.unwrap().name.name.to_owned()),
                );
            }
            Payload::ImportSection(section) => {
                module_imports.extend(section.into_imports().map(|import| {
                    let import = import.unwrap();
                    format!("{} {}", import.module, import.name)
                }));
            }
            Payload::MemorySection(_) => contents.engine_imports.append(&mut module_imports),
            _ => {}
        }
    }
    contents
}

#[test]
fn nothing_is_imported() {
    let Some(mut contents) = contents() else {
        return;
    };
    assert_eq!(contents.imports, [""; 0], "of the component");
    // The component itself provides the tables of its own resources; nothing else may be asked for.
    contents.engine_imports.sort_unstable();
    assert_eq!(
        contents.engine_imports,
        [
            "[export]cae:engine/conversation@0.1.0 [resource-drop]engine",
            "[export]cae:engine/conversation@0.1.0 [resource-new]engine",
            "[export]cae:engine/evaluation@0.1.0 [resource-drop]what-if",
            "[export]cae:engine/evaluation@0.1.0 [resource-new]what-if",
        ],
        "of the module inside"
    );
}

#[test]
fn all_interfaces_are_exported() {
    let Some(contents) = contents() else { return };
    assert_eq!(
        contents.exports,
        [
            "cae:engine/conversation@0.1.0",
            "cae:engine/evaluation@0.1.0",
            "cae:engine/tools@0.1.0"
        ]
    );
}
