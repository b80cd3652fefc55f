//! The types that JavaScript hosts see.
#![cfg(test)]

use std::fs;

use cae_tests::{artefacts, places};

/// A change of the declarations is a change of the interface: it is reviewed in the golden copy.
#[test]
fn the_declarations_are_those_that_were_reviewed() {
    let Some(generated) = artefacts::javascript("nodejs/cae.d.ts") else {
        return;
    };
    let generated = fs::read_to_string(generated).unwrap();
    let golden = fs::read_to_string(places::root().join("wasm/types/cae.d.ts")).unwrap();
    assert!(
        generated == golden,
        "the declarations changed; if that is meant: cp target/cae/js/nodejs/cae.d.ts wasm/types/cae.d.ts"
    );
}
