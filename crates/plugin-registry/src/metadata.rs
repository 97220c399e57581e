//! What a component says of where it comes from: the custom sections that `wasm-tools metadata` writes,
//! and the list of dependencies that `cargo auditable` embeds. All of it is the author's word: it is
//! shown and decides nothing, what is broken is passed over with a note, and no control character of
//! it reaches a terminal.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};

/// The sections of text, at the top of a component.
const TEXTS: [&str; 7] = [
    "version",
    "licenses",
    "authors",
    "source",
    "homepage",
    "revision",
    "description",
];
/// The section of dependencies, which linkers leave within the inner module.
const DEPENDENCIES: &str = ".dep-v0";
/// The longest text shown, in characters.
const MAX_TEXT: usize = 1_000;
/// The largest section of dependencies, in bytes, and what may come of it.
const MAX_PACKED: usize = 1 << 20;
const MAX_UNPACKED: u64 = 8 << 20;
/// The most dependencies.
const MAX_DEPENDENCIES: usize = 10_000;
/// The most sections looked at.
const MAX_SECTIONS: usize = 100_000;

/// What a component says of where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// Texts by what they say: `version`, `licenses` (an SPDX expression), `authors`, `source`,
    /// `homepage`, `revision`, `description`.
    #[serde(flatten)]
    pub texts: BTreeMap<&'static str, String>,
    /// What it was built from; none where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Vec<Dependency>>,
    /// What could not be read of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A package that a component was built from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from, such as `crates.io`, `git` or `local`.
    pub source: String,
}

impl Metadata {
    /// Reads what a component says. Never fails: what is not there, or broken, is not told.
    pub fn of(component: &[u8]) -> Self {
        let mut metadata = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component).take(MAX_SECTIONS) {
            match payload {
                Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
                Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
                Ok(Payload::CustomSection(section)) => {
                    metadata.section(section.name(), section.data(), depth == 0);
                }
                Ok(_) => {}
                Err(_) => {
                    metadata.note("it is no component from some place on".to_owned());
                    break;
                }
            }
        }
        metadata
    }

    /// The annotations that tell the same of an artifact in a registry.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let told = self.texts.iter();
        told.map(|(what, text)| {
            let name = match *what {
                "homepage" => "url",
                same => same,
            };
            (format!("org.opencontainers.image.{name}"), text.clone())
        })
        .collect()
    }

    fn section(&mut self, name: &str, data: &[u8], is_outermost: bool) {
        if name == DEPENDENCIES && self.dependencies.is_none() {
            match dependencies(data) {
                Ok(found) => self.dependencies = Some(found),
                Err(why) => self.note(format!("its list of dependencies is passed over: {why}")),
            }
        }
        let Some(what) = TEXTS.into_iter().find(|what| *what == name) else {
            return;
        };
        if !is_outermost || self.texts.contains_key(what) {
            return;
        }
        match std::str::from_utf8(data) {
            Ok(text) => {
                self.texts.insert(what, printable(text));
            }
            Err(_) => self.note(format!(
                "its section `{what}` is passed over: it is no text"
            )),
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < 10 {
            self.notes.push(note);
        }
    }
}

/// Dependencies as they are embedded.
#[derive(Deserialize)]
struct Embedded {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    root: bool,
}

fn dependencies(packed: &[u8]) -> Result<Vec<Dependency>, &'static str> {
    if packed.len() > MAX_PACKED {
        return Err("it is too long");
    }
    let mut unpacked = Vec::new();
    let mut reading = ZlibDecoder::new(packed).take(MAX_UNPACKED + 1);
    let read = reading.read_to_end(&mut unpacked);
    read.map_err(|_| "it is not compressed as it should be")?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err("it is too long once it is unpacked");
    }
    let embedded: Embedded =
        serde_json::from_slice(&unpacked).map_err(|_| "it is no JSON of dependencies")?;
    if embedded.packages.len() > MAX_DEPENDENCIES {
        return Err("it has too many entries");
    }
    let others = embedded
        .packages
        .into_iter()
        .filter(|package| !package.root);
    let mut found: Vec<_> = others
        .map(|package| Dependency {
            name: printable(&package.name),
            version: printable(&package.version),
            source: printable(&package.source),
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// What may be shown of a text: no control characters, nor what turns the direction of writing.
fn printable(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let shown = text.chars().map(|letter| {
        if letter.is_control() || turns(letter) {
            ' '
        } else {
            letter
        }
    });
    let shown: String = shown.take(MAX_TEXT).collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::{Dependency, MAX_UNPACKED, Metadata};

    fn length(mut number: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = u8::try_from(number & 0x7f).expect("seven bits");
            number >>= 7;
            if number == 0 {
                bytes.push(low);
                return bytes;
            }
            bytes.push(low | 0x80);
        }
    }

    fn section(name: &str, data: &[u8]) -> Vec<u8> {
        let name = [&length(name.len()), name.as_bytes()].concat();
        [&[0][..], &length(name.len() + data.len()), &name, data].concat()
    }

    fn component(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packing = ZlibEncoder::new(Vec::new(), Compression::default());
        packing.write_all(text).expect("packed");
        packing.finish().expect("packed")
    }

    #[test]
    fn licence_and_dependencies_are_read() {
        let list = r#"{"packages":[
            {"name":"serde","version":"1.0.0","source":"crates.io","dependencies":[]},
            {"name":"router","version":"0.1.0","source":"local","root":true,"dependencies":[0]}]}"#;
        let metadata = Metadata::of(&component(&[
            section("licenses", b"Apache-2.0"),
            section("homepage", b"https://acme.example"),
            section(".dep-v0", &packed(list.as_bytes())),
            section("licenses", b"MIT"),
        ]));
        assert_eq!(metadata.texts["licenses"], "Apache-2.0");
        let serde = Dependency {
            name: "serde".to_owned(),
            version: "1.0.0".to_owned(),
            source: "crates.io".to_owned(),
        };
        assert_eq!(metadata.dependencies, Some(vec![serde]));
        assert_eq!(metadata.notes, [""; 0]);
        let annotations = metadata.annotations();
        let url = "org.opencontainers.image.url";
        assert_eq!(annotations[url], "https://acme.example");
    }

    #[test]
    fn hostile_sections_are_passed_over_and_never_printed_as_they_are() {
        let bomb = vec![b' '; usize::try_from(MAX_UNPACKED).expect("it fits") + 1];
        for broken in [
            b"not packed".to_vec(),
            packed(b"{}"),
            packed(&bomb),
            vec![0; 2 << 20],
        ] {
            let metadata = Metadata::of(&component(&[
                section(".dep-v0", &broken),
                section("version", b"1.0.0"),
            ]));
            assert_eq!(metadata.dependencies, None);
            assert_eq!(metadata.notes.len(), 1, "{:?}", metadata.notes);
            assert_eq!(metadata.texts["version"], "1.0.0");
        }
        let metadata = Metadata::of(&component(&[
            section("authors", "ada\x1b[2J\u{202e}\nroot".as_bytes()),
            section("source", b"\xff\xfe"),
            section("description", &vec![b'x'; 1 << 20]),
        ]));
        assert_eq!(metadata.texts["authors"], "ada [2J  root");
        assert_eq!(metadata.texts["description"].len(), 1_000);
        assert!(!metadata.texts.contains_key("source"));
        assert_eq!(Metadata::of(b"no component").notes.len(), 1);
    }
}
