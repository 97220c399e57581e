//! A plugin's manifest: `plugin.yaml` and, beside it, `settings.schema.json`, carried inside the
//! component as JSON in one top-level custom section.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The name of the custom section.
const SECTION: &str = "servicewright:manifest";

/// What every component begins with: the magic number, then version 13 of the component layer.
const COMPONENT_HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// A plugin's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest(serde_json::Map<String, serde_json::Value>);

impl Manifest {
    /// Reads the manifest of the plugin in `folder`: its `plugin.yaml` as JSON, with the settings'
    /// JSON Schema under `settings`.
    ///
    /// # Errors
    /// Where one of them cannot be read, or the plugin has no id.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("plugin.yaml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: serde_json::Value = serde_saphyr::from_str(&text)
            .with_context(|| format!("{} is not YAML", path.display()))?;
        let serde_json::Value::Object(mut entries) = manifest else {
            bail!("{} is not a map", path.display())
        };
        if !entries.get("id").is_some_and(serde_json::Value::is_string) {
            bail!("{} does not say the plugin's `id`", path.display());
        }
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
        Ok(Self(entries))
    }

    /// The plugin's id.
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap_or_default()
    }

    /// The hooks that it says it answers at.
    pub fn hooks(&self) -> impl Iterator<Item = &str> {
        let hooks = self.0.get("hooks").and_then(serde_json::Value::as_object);
        let hooks = hooks.into_iter().flatten();
        hooks
            .filter(|(_, answers)| **answers == serde_json::Value::Bool(true))
            .map(|(hook, _)| hook.as_str())
    }

    /// Whether it asks for a capability: for `directory`, whether for any kind of thing in it.
    pub(crate) fn asks(&self, capability: &str) -> bool {
        let asked = self.0.get("capabilities");
        asked
            .and_then(|asked| asked.get(capability))
            .is_some_and(is_wanted)
    }

    /// What it says in so many words, such as its `version`.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(serde_json::Value::as_str)
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("JSON that was read can be written")
    }
}

fn is_wanted(asked: &serde_json::Value) -> bool {
    match asked {
        serde_json::Value::Bool(wanted) => *wanted,
        serde_json::Value::Object(parts) => parts.values().any(is_wanted),
        _ => false,
    }
}

/// The component with the manifest appended.
///
/// # Errors
/// Where it is no component.
pub fn append(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>> {
    let manifest = manifest.to_json();
    if !component.starts_with(&COMPONENT_HEADER) {
        bail!("what was built is not a WebAssembly component");
    }
    let mut whole = component.to_vec();
    push_section(&mut whole, SECTION, &manifest);
    Ok(whole)
}

/// Appends a custom section.
pub(crate) fn push_section(whole: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = Vec::with_capacity(content.len() + name.len() + 5);
    push_leb128(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    // The id of custom sections.
    whole.push(0);
    push_leb128(whole, body.len());
    whole.extend_from_slice(&body);
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
    use super::{COMPONENT_HEADER, Manifest, append};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    #[test]
    fn the_manifest_becomes_the_last_section() {
        let title = "x".repeat(200);
        let folder = folder(&[("plugin.yaml", &format!("id: a\ntitle: {title}\n"))]);
        let manifest = Manifest::read(folder.path()).expect("a manifest");
        let whole = append(&COMPONENT_HEADER, &manifest).expect("a component");
        let section = &whole[COMPONENT_HEADER.len()..];
        let content = format!(r#"{{"id":"a","title":"{title}"}}"#);
        // 1 byte of length, 22 of name, 221 of content: 244, which takes two bytes in LEB128.
        assert_eq!(section[..4], [0, 0xf4, 0x01, 22]);
        assert_eq!(&section[4..26], b"servicewright:manifest");
        assert_eq!(&section[26..], content.as_bytes());
    }

    #[test]
    fn a_manifest_has_what_stands_in_the_folder() {
        let folder = folder(&[
            (
                "plugin.yaml",
                "id: router\nhooks: { routing: true, delivery: false }\n",
            ),
            ("settings.schema.json", r#"{ "type": "object" }"#),
        ]);
        let manifest = Manifest::read(folder.path()).expect("a manifest");
        assert_eq!(manifest.id(), "router");
        assert_eq!(manifest.hooks().collect::<Vec<_>>(), ["routing"]);
        assert_eq!(manifest.0["settings"]["type"], "object");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        for (text, said) in [
            ("- a", "is not a map"),
            ("title: x", "does not say the plugin's `id`"),
        ] {
            let folder = folder(&[("plugin.yaml", text)]);
            let error = Manifest::read(folder.path()).expect_err("it is wrong");
            assert!(error.to_string().contains(said), "{error}");
        }
        assert!(Manifest::read(std::path::Path::new("/nowhere")).is_err());
        let folder = folder(&[("plugin.yaml", "id: a")]);
        let manifest = Manifest::read(folder.path()).expect("a manifest");
        assert!(append(b"\0asm\x01\0\0\0", &manifest).is_err());
    }
}
