//! Says what a file is: whether it is a component at all, which hooks it exports, what it imports and
//! what its manifest says. Nothing is compiled for that.

use engine::port::{InspectError, Inspection};
use model::Digest;
use serde_json::Value as Json;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::contract::{PACKAGE, hooks};

/// How large a component may be, in bytes.
const SIZE: usize = 64 << 20;
/// How large a manifest may be, in bytes.
const MANIFEST: usize = 1 << 20;
/// The custom section that holds it.
const SECTION: &str = "servicewright:manifest";

/// Says what a component is.
pub(crate) fn inspect(component: &[u8]) -> Result<Inspection, InspectError> {
    let bytes = component.len();
    if bytes > SIZE {
        return Err(InspectError::TooLarge { bytes, limit: SIZE });
    }
    is_component(component)?;
    Validator::new_with_features(features())
        .validate_all(component)
        .map_err(|error| not(format!("it is broken or cut short: {error}")))?;

    let mut inspection = Inspection {
        digest: Digest::of(component),
        bytes,
        hooks: Vec::new(),
        imports: Vec::new(),
        manifest: None,
    };
    // Sections of what the component is made of are its own affair.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| not(error.to_string()))?;
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(|error| not(error.to_string()))?;
                    inspection
                        .hooks
                        .extend(hooks([export.name.name]).into_keys());
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    let import = import.map_err(|error| not(error.to_string()))?;
                    inspection.imports.push(import.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                if inspection.manifest.is_some() {
                    return Err(not("it has two manifests".to_owned()));
                }
                inspection.manifest = Some(manifest(section.data())?);
            }
            _ => {}
        }
    }
    inspection.hooks.sort_unstable();
    inspection.hooks.dedup();
    Ok(inspection)
}

/// The names of its exports that are hooks of another version, for messages.
pub(crate) fn foreign_hooks(component: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Ok(Payload::ComponentExportSection(exports)) = payload {
            let names = exports.into_iter().flatten().map(|export| export.name.name);
            found.extend(
                names
                    .filter(|name| name.starts_with(PACKAGE) && hooks([*name]).is_empty())
                    .map(ToOwned::to_owned),
            );
        }
    }
    found
}

fn is_component(bytes: &[u8]) -> Result<(), InspectError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(not("it does not begin like WebAssembly".to_owned()));
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version {
            encoding: Encoding::Component,
            ..
        })) => Ok(()),
        Some(Ok(_)) => Err(not(
            "it is a core module; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
                .to_owned(),
        )),
        Some(Err(error)) => Err(not(error.to_string())),
        None => Err(not("it is empty".to_owned())),
    }
}

fn manifest(section: &[u8]) -> Result<Json, InspectError> {
    if section.len() > MANIFEST {
        let bytes = section.len();
        return Err(not(format!(
            "its manifest has {bytes} bytes, at most {MANIFEST} are allowed"
        )));
    }
    serde_json::from_slice(section)
        .map_err(|error| not(format!("its manifest is not JSON: {error}")))
}

/// What this server's engine runs.
fn features() -> WasmFeatures {
    let off = WasmFeatures::MEMORY64
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::THREADS
        | WasmFeatures::GC
        | WasmFeatures::EXCEPTIONS;
    (WasmFeatures::default() | WasmFeatures::COMPONENT_MODEL).difference(off)
}

fn not(why: String) -> InspectError {
    InspectError::NotAComponent(why)
}

#[cfg(test)]
mod tests {
    use super::inspect;

    /// The smallest component: nothing in it.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_is_no_component_says_so() {
        for (bytes, says) in [
            (&b""[..], "does not begin like WebAssembly"),
            (b"#!/bin/sh", "does not begin like WebAssembly"),
            (b"\0asm", "unexpected end"),
            (b"\0asm\x01\0\0\0", "core module"),
            (b"\0asm\x0d\0\x01\0\x00\x50abc", "cut short"),
        ] {
            let error = inspect(bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{bytes:?}: {error}");
        }
        assert!(inspect(EMPTY).unwrap().hooks.is_empty());
    }

    #[test]
    fn the_manifest_is_the_outermost_section() {
        let section = |content: &[u8]| {
            let name = super::SECTION.as_bytes();
            let length = u8::try_from(1 + name.len() + content.len()).unwrap();
            let head = [0, length, u8::try_from(name.len()).unwrap()];
            [&head[..], name, content].concat()
        };
        let component = [EMPTY, &section(br#"{"id":"a"}"#)].concat();
        let manifest = inspect(&component).unwrap().manifest.unwrap();
        assert_eq!(manifest["id"], "a");

        let inner = [EMPTY, &section(b"nonsense")].concat();
        let nested = [EMPTY, &[4, u8::try_from(inner.len()).unwrap()], &inner].concat();
        assert_eq!(inspect(&nested).unwrap().manifest, None);
    }
}
