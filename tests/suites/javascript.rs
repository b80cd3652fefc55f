//! The types that JavaScript hosts see.

use std::fs;
use std::path::Path;

/// A change of the declarations is a change of the interface: it is reviewed in the golden copy.
#[test]
fn the_declarations_are_those_that_were_reviewed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let generated = root.join("target/cae/js/nodejs/cae.d.ts");
    let Ok(generated_text) = fs::read_to_string(&generated) else {
        eprintln!(
            "not checked: {} is not built (`cargo xtask build --js`, needs node)",
            generated.display()
        );
        return;
    };
    let golden = fs::read_to_string(root.join("wasm/types/cae.d.ts")).unwrap();
    assert!(
        generated_text == golden,
        "the declarations changed; if that is meant: cp target/cae/js/nodejs/cae.d.ts wasm/types/cae.d.ts"
    );
}
