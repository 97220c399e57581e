//! A plugin's manifest: `plugin.yaml` and, beside it, `settings.schema.json`, carried inside the
//! component as JSON in one top-level custom section.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The name of the custom section.
pub(crate) const SECTION: &str = "servicewright:manifest";

/// What every component begins with: the magic number, then version 13 of the component layer.
const COMPONENT_HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// Reads the manifest of the plugin in `folder`: its `plugin.yaml` as JSON, with the settings'
/// JSON Schema under `settings`.
pub(crate) fn read(folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join("plugin.yaml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut manifest: serde_json::Value =
        serde_saphyr::from_str(&text).with_context(|| format!("{} is not YAML", path.display()))?;
    let Some(entries) = manifest.as_object_mut() else {
        bail!("{} is not a map", path.display())
    };
    let path = folder.join("settings.schema.json");
    if path.exists() {
        let text =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let schema: serde_json::Value = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        if entries.insert("settings".to_owned(), schema).is_some() {
            bail!(
                "{} stands beside a plugin.yaml that has `settings` of its own",
                path.display()
            );
        }
    }
    serde_json::to_vec(&manifest).context("cannot write the manifest as JSON")
}

/// The component with the manifest appended.
pub(crate) fn append(component: &[u8], manifest: &[u8]) -> Result<Vec<u8>> {
    if !component.starts_with(&COMPONENT_HEADER) {
        bail!("cargo built something that is not a WebAssembly component");
    }
    let mut body = Vec::with_capacity(manifest.len() + SECTION.len() + 5);
    push_leb128(&mut body, SECTION.len());
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(manifest);
    let mut whole = component.to_vec();
    // The id of custom sections.
    whole.push(0);
    push_leb128(&mut whole, body.len());
    whole.extend_from_slice(&body);
    Ok(whole)
}

fn push_leb128(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::{COMPONENT_HEADER, append};

    #[test]
    fn the_manifest_becomes_the_last_section() {
        let manifest = "x".repeat(200);
        let whole = append(&COMPONENT_HEADER, manifest.as_bytes()).expect("a component");
        let section = &whole[COMPONENT_HEADER.len()..];
        // 1 byte of length, 22 of name, 200 of content: 223, which takes two bytes in LEB128.
        assert_eq!(section[..4], [0, 0xdf, 0x01, 22]);
        assert_eq!(&section[4..26], b"servicewright:manifest");
        assert_eq!(&section[26..], manifest.as_bytes());
    }

    #[test]
    fn a_core_module_is_refused() {
        assert!(append(b"\0asm\x01\0\0\0", b"{}").is_err());
    }
}
