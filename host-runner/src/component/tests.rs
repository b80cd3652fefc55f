use super::*;

/// The component that was built, or a note that there is none.
fn artefact() -> Option<Artefact> {
    let found = Artefact::find();
    if found.is_err() {
        eprintln!("skipped: no component, run `cargo xtask build`");
    }
    found.ok()
}
