//! Writes the JavaScript around a module for one kind of host: `package-js MODULE.wasm FOLDER NAME HOST`.

use std::env;
use std::error::Error;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder, name, host] = arguments.as_slice() else {
        return Err("usage: package-js MODULE.wasm FOLDER NAME web|bundler|nodejs".into());
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name(name)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    match host.as_str() {
        "web" => bindgen.web(true)?,
        "bundler" => bindgen.bundler(true)?,
        "nodejs" => bindgen.nodejs(true)?,
        other => return Err(format!("{other}: no such host").into()),
    };
    bindgen.generate(Path::new(folder))?;
    Ok(())
}
