//! Writes the JavaScript around the module, one folder per kind of host: `package-js MODULE.wasm FOLDER`.

use std::env;
use std::error::Error;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        return Err("usage: package-js MODULE.wasm FOLDER".into());
    };
    for host in ["web", "bundler", "nodejs"] {
        let mut bindgen = Bindgen::new();
        bindgen
            .input_path(module)
            .out_name("cae")
            .typescript(true)
            .remove_name_section(true)
            .remove_producers_section(true);
        match host {
            "web" => bindgen.web(true)?,
            "bundler" => bindgen.bundler(true)?,
            _ => bindgen.nodejs(true)?,
        };
        bindgen.generate(Path::new(folder).join(host))?;
    }
    Ok(())
}
