//! Makes a component of the core module: `package-component MODULE.wasm COMPONENT.wasm`.

use std::error::Error;
use std::{env, fs};

use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, component] = arguments.as_slice() else {
        return Err("usage: package-component MODULE.wasm COMPONENT.wasm".into());
    };
    let bytes = ComponentEncoder::default()
        .module(&fs::read(module)?)?
        .validate(true)
        .encode()?;
    fs::write(component, bytes)?;
    Ok(())
}
