//! How a component lies in a registry: the Wasm OCI artifact layout of the CNCF, one manifest with a
//! config that says what the component is and one layer that is the component. The same component
//! makes the same manifest each time it is pushed.

use std::collections::BTreeMap;

use model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use wasmparser::{Encoding, Parser, Payload};

use crate::registry::{INDEX, MANIFEST};
use crate::signature;

const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
/// The config of an artifact that needs none: an empty object.
const NOTHING: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const EMPTY: &[u8] = b"{}";
/// Artifacts are the same whenever they are made, so this is when.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The most imports or exports that are told of a component.
const MAX_NAMES: usize = 1_000;

/// A part of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, content: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(content),
            size: content.len() as u64,
            artifact_type: None,
        }
    }
}

/// A manifest, as far as it matters here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u8,
    #[serde(default)]
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// A list of manifests, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Index {
    #[serde(default)]
    pub(crate) manifests: Vec<Descriptor>,
}

/// An index with one manifest more; what it says of others stays as it is. None where it names that
/// one already.
pub(crate) fn listing(index: Option<&[u8]>, listed: &Descriptor) -> Option<Vec<u8>> {
    let read = index.and_then(|index| serde_json::from_slice::<Json>(index).ok());
    let mut index = read
        .filter(|index| index["manifests"].is_array())
        .unwrap_or_else(|| json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }));
    let manifests = index["manifests"].as_array_mut()?;
    let digest = listed.digest.to_string();
    if manifests.iter().any(|known| known["digest"] == digest) {
        return None;
    }
    manifests.push(json!(listed));
    Some(written(&index))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [Digest; 1],
    component: Names,
}

/// What a component imports and exports.
#[derive(Default, Serialize)]
pub(crate) struct Names {
    exports: Vec<String>,
    imports: Vec<String>,
}

/// The config and the manifest of a component.
///
/// # Errors
/// Why it is no component.
pub(crate) fn of_component(
    component: &[u8],
    annotations: BTreeMap<String, String>,
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let layer = Descriptor::of(LAYER, component);
    let config = Config {
        created: CREATED,
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [layer.digest],
        component: names(component)?,
    };
    let config = written(&config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        artifact_type: None,
        config: Descriptor::of(CONFIG, &config),
        layers: vec![layer],
        subject: None,
        annotations,
    };
    Ok((config, written(&manifest)))
}

/// The manifest of a signature, which refers to that of the component.
pub(crate) fn of_signature(bundle: &[u8], manifest: &[u8]) -> Vec<u8> {
    let content = ("dev.sigstore.bundle.content", "message-signature");
    written(&Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        artifact_type: Some(signature::MEDIA_TYPE.to_owned()),
        config: Descriptor::of(NOTHING, EMPTY),
        layers: vec![Descriptor::of(signature::MEDIA_TYPE, bundle)],
        subject: Some(Descriptor::of(MANIFEST, manifest)),
        annotations: BTreeMap::from(
            [content].map(|(key, value)| (key.to_owned(), value.to_owned())),
        ),
    })
}

fn written(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers can be written")
}

/// The layer that is the component.
///
/// # Errors
/// Why there is none.
pub(crate) fn component_layer(manifest: &[u8]) -> Result<Descriptor, String> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|_| "its manifest is not one of a single artifact".to_owned())?;
    if manifest.config.media_type != CONFIG {
        let kind = printable(&manifest.config.media_type);
        return Err(format!("it is an artifact of another kind, {kind}"));
    }
    match <[Descriptor; 1]>::try_from(manifest.layers) {
        Ok([layer]) if layer.media_type == LAYER => Ok(layer),
        Ok(_) => Err("its layer is no WebAssembly".to_owned()),
        Err(layers) => Err(format!("it has {} layers, and one is meant", layers.len())),
    }
}

/// What it imports and exports.
///
/// # Errors
/// Why it is no component.
pub(crate) fn names(component: &[u8]) -> Result<Names, String> {
    let mut names = Names::default();
    let mut depth = 0_usize;
    let mut is_first = true;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| error.to_string())?;
        if is_first
            && !matches!(
                payload,
                Payload::Version {
                    encoding: Encoding::Component,
                    ..
                }
            )
        {
            return Err("it is a core module; a plugin is a component".to_owned());
        }
        is_first = false;
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                let imports = imports.into_iter().flatten();
                names
                    .imports
                    .extend(imports.map(|import| import.name.name.to_owned()));
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                let exports = exports.into_iter().flatten();
                names
                    .exports
                    .extend(exports.map(|export| export.name.name.to_owned()));
            }
            _ => {}
        }
    }
    names.imports.truncate(MAX_NAMES);
    names.exports.truncate(MAX_NAMES);
    Ok(names)
}

fn printable(text: &str) -> String {
    let printable = text.chars().filter(|letter| !letter.is_control());
    printable.take(100).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::Digest;
    use serde_json::Value;

    use super::{Descriptor, LAYER, component_layer, listing, of_component, of_signature};

    /// The smallest component: nothing in it.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_component_lies_in_the_layout_of_wasm_artifacts() {
        let (config, manifest) = of_component(COMPONENT, BTreeMap::new()).expect("a component");
        let again = of_component(COMPONENT, BTreeMap::new()).expect("a component");
        assert_eq!((&config, &manifest), (&again.0, &again.1));
        let layer = component_layer(&manifest).expect("a layer");
        assert_eq!(layer, Descriptor::of(LAYER, COMPONENT));
        let config: Value = serde_json::from_slice(&config).expect("JSON");
        assert_eq!(config["os"], "wasip2");
        assert_eq!(config["architecture"], "wasm");
        let digest = Digest::of(COMPONENT).to_string();
        assert_eq!(config["layerDigests"], serde_json::json!([digest]));
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(
            manifest["config"]["mediaType"],
            "application/vnd.wasm.config.v0+json"
        );
        assert!(of_component(b"\0asm\x01\0\0\0", BTreeMap::new()).is_err());
    }

    #[test]
    fn a_signature_refers_to_the_components_manifest() {
        let (_, manifest) = of_component(COMPONENT, BTreeMap::new()).expect("a component");
        let signature: Value =
            serde_json::from_slice(&of_signature(b"{\"a\":1}", &manifest)).expect("JSON");
        let digest = Digest::of(&manifest).to_string();
        assert_eq!(signature["subject"]["digest"], digest);
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        assert_eq!(signature["artifactType"], kind);
    }

    #[test]
    fn a_list_of_signatures_keeps_what_others_put_there() {
        let one = Descriptor::of("a", b"one");
        let index = listing(None, &one).expect("a list");
        assert_eq!(listing(Some(&index), &one), None);
        let mut theirs: Value = serde_json::from_slice(&index).expect("JSON");
        theirs["manifests"][0]["annotations"] = serde_json::json!({ "theirs": "yes" });
        let theirs = theirs.to_string();
        let both = listing(Some(theirs.as_bytes()), &Descriptor::of("b", b"two"));
        let both: Value = serde_json::from_slice(&both.expect("a list")).expect("JSON");
        assert_eq!(both["manifests"][0]["annotations"]["theirs"], "yes");
        assert_eq!(both["manifests"].as_array().map(Vec::len), Some(2));
        assert!(listing(Some(b"broken"), &one).is_some());
    }

    #[test]
    fn what_is_no_component_says_so() {
        let manifest = |config: &str, layers: &str| {
            let digest = Digest::of(b"").to_string();
            let part =
                |kind: &str| format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":0}}"#);
            let layers: Vec<_> = layers.split_terminator(',').map(part).collect();
            let (config, layers) = (part(config), layers.join(","));
            format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layers}]}}"#)
        };
        let wasm = "application/vnd.wasm.config.v0+json";
        for (manifest, says) in [
            ("{}".to_owned(), "single artifact"),
            (
                manifest("application/vnd.oci.image.config.v1+json", ""),
                "another kind",
            ),
            (manifest(wasm, ""), "0 layers"),
            (
                manifest(wasm, "application/wasm,application/wasm"),
                "2 layers",
            ),
            (manifest(wasm, "application/gzip"), "no WebAssembly"),
        ] {
            let said = component_layer(manifest.as_bytes()).expect_err("no component");
            assert!(said.contains(says), "{said}");
        }
    }
}
