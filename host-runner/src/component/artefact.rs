//! Finds the component and keeps its compiled form beside it, so that only the first start pays for Cranelift.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::{EngineError, random};
use crate::digest::sha256;

/// The component that the release build found beside itself.
#[cfg(cae_component)]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(env!("CAE_COMPONENT_FILE")));
#[cfg(not(cae_component))]
const EMBEDDED: Option<&[u8]> = None;

/// Where the build leaves the component, below the target directory.
const BUILT: &str = "cae/cae.component.wasm";

/// Largest component that is read.
const MAX_BYTES: u64 = 64 << 20;

/// A component, not yet compiled.
#[derive(Clone, Debug)]
pub struct Artefact {
    /// Where it comes from, for errors.
    name: String,
    wasm: std::borrow::Cow<'static, [u8]>,
    /// Where its compiled form is kept; `None` if there is no safe place.
    compiled: Option<PathBuf>,
}

impl Artefact {
    /// The component in `file`.
    ///
    /// # Errors
    /// The file cannot be read, or is no component by its size.
    pub fn from_file(file: &Path) -> Result<Self, EngineError> {
        let wasm = read_bounded(file)
            .map_err(|error| EngineError::Start(format!("{}: {error}", file.display())))?;
        Ok(Self {
            name: file.display().to_string(),
            wasm: wasm.into(),
            compiled: Some(file.with_extension("cwasm")),
        })
    }

    /// The component that is embedded in this binary, else the one that `cargo xtask build` left in the target
    /// directory which this executable lies in.
    ///
    /// # Errors
    /// There is none.
    pub fn find() -> Result<Self, EngineError> {
        if let Some(wasm) = EMBEDDED {
            return Ok(Self {
                name: "the component in this program".to_owned(),
                wasm: wasm.into(),
                compiled: cache_directory().map(|folder| folder.join("cae.component.cwasm")),
            });
        }
        let executable = std::env::current_exe().unwrap_or_default();
        let built = executable
            .ancestors()
            .map(|folder| folder.join(BUILT))
            .find(|file| file.is_file());
        match built {
            Some(file) => Self::from_file(&file),
            None => Err(EngineError::Start(
                "there is no engine component: run `cargo xtask build`, name one with `--component FILE`, \
                 or choose `--engine native`"
                    .to_owned(),
            )),
        }
    }

    /// Compiles the component, or takes over what an earlier run compiled.
    ///
    /// # Errors
    /// It is no component, or needs what this wasmtime does not offer.
    pub fn compile(&self, engine: &Engine) -> Result<Component, EngineError> {
        if let Some(component) = self.load_compiled(engine) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, &self.wasm).map_err(|error| {
            EngineError::Start(format!(
                "{}: not a component that this program can run; build it with `cargo xtask build` ({error:#})",
                self.name
            ))
        })?;
        if let (Some(file), Ok(code)) = (&self.compiled, component.serialize()) {
            // Without a cache the next start compiles again; that is no error.
            drop(store(file, &stamp(&self.wasm, engine), &code));
        }
        Ok(component)
    }

    /// The same artefact, with its compiled form kept in `file`.
    #[cfg(test)]
    pub(super) fn kept_in(&self, file: &Path) -> Self {
        Self {
            compiled: Some(file.to_owned()),
            ..self.clone()
        }
    }

    /// What an earlier run compiled, if it can be trusted and still fits.
    pub(super) fn load_compiled(&self, engine: &Engine) -> Option<Component> {
        let bytes = read_private(self.compiled.as_deref()?)?;
        let (header, code) = bytes.split_at_checked(HEADER)?;
        if header != [stamp(&self.wasm, engine), sha256(&[code])].concat() {
            return None;
        }
        #[expect(unsafe_code, reason = "the only way to skip Cranelift; argued below")]
        // SAFETY: `code` must be what `Component::serialize` gave. It comes from a regular file that belongs to
        // this user and that nobody else may read or write (`read_private`), which `store` writes and nothing
        // else does. It is checked through the open file and from memory, so it cannot change in between. The
        // header ties it to these component bytes, this wasmtime and its settings (`stamp`), and to its own
        // digest, so neither a damaged nor an outdated file gets here. Who can forge all that acts as this
        // user and can replace this program as well.
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }
}

/// The stamp, then the digest of what follows.
const HEADER: usize = 64;

/// Names what the compiled form depends on: the component, the version of wasmtime and its settings.
fn stamp(wasm: &[u8], engine: &Engine) -> [u8; 32] {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    sha256(&[wasm, &settings.finish().to_be_bytes()])
}

fn store(file: &Path, stamp: &[u8; 32], code: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Written aside and renamed: a reader sees the whole file or none, and writers do not meet.
    let mut aside = file.as_os_str().to_owned();
    aside.push(format!(".{:016x}", random()));
    let mut open = create_private(Path::new(&aside))?;
    let written = [stamp.as_slice(), &sha256(&[code]), code]
        .iter()
        .try_for_each(|part| open.write_all(part))
        .and_then(|()| fs::rename(&aside, file));
    if written.is_err() {
        drop(fs::remove_file(&aside));
    }
    written
}

#[cfg(unix)]
fn create_private(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
}

/// The contents of a file that is this user's alone; `None` if there is none or it is anything else.
#[cfg(unix)]
fn read_private(file: &Path) -> Option<Vec<u8>> {
    use std::os::unix::fs::MetadataExt as _;
    let open = File::open(file).ok()?;
    let found = open.metadata().ok()?;
    // `/proc/self` belongs to who runs this process; where there is none, the home directory tells.
    let user = fs::metadata("/proc/self")
        .or_else(|_| fs::metadata(std::env::var_os("HOME").unwrap_or_default()))
        .ok()?
        .uid();
    if !found.is_file() || found.uid() != user || found.mode() & 0o177 != 0 {
        return None;
    }
    let mut bytes = Vec::new();
    open.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(not(unix))]
fn create_private(_file: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn read_private(_file: &Path) -> Option<Vec<u8>> {
    None
}

fn read_bounded(file: &Path) -> io::Result<Vec<u8>> {
    let mut wasm = Vec::new();
    File::open(file)?
        .take(MAX_BYTES.saturating_add(1))
        .read_to_end(&mut wasm)?;
    if u64::try_from(wasm.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(io::Error::other("larger than any engine component"));
    }
    Ok(wasm)
}

/// The user's cache directory (XDG Base Directory Specification).
fn cache_directory() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute());
    folder
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .map(|folder| folder.join("cae"))
}
