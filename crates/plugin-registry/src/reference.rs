//! The name of an artifact in a registry: `registry/repository:tag@sha256:…`, of which tag and digest
//! may each be left out. The registry is always named: nothing is fetched from where nobody said.

use std::fmt;
use std::str::FromStr;

use model::Digest;
use thiserror::Error;

/// The longest name of a repository, its registry included.
const MAX_NAME: usize = 255;
/// The longest tag.
const MAX_TAG: usize = 128;

/// The name of an artifact in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The host of the registry, with its port where it has one.
    pub registry: String,
    /// The repository in it.
    pub repository: String,
    /// The tag, `latest` where neither tag nor digest is said.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

/// A text is no reference.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` names no artifact: {why}; one reads like registry.example/acme/router:1.0.0")]
pub struct ReferenceError {
    text: String,
    why: &'static str,
}

impl Reference {
    /// The same artifact by digest alone: what it names never changes.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |why: &'static str| ReferenceError {
            text: text.chars().take(MAX_NAME).collect(),
            why,
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse();
                let digest = digest.map_err(|_| wrong("its digest is no sha256 digest"))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (registry, rest) = rest
            .split_once('/')
            .filter(|(registry, _)| is_host(registry))
            .ok_or_else(|| wrong("it does not begin with the host of a registry and `/`"))?;
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        if registry.len() + repository.len() > MAX_NAME
            || !repository.split('/').all(is_path_component)
        {
            return Err(wrong("its repository is not one"));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("its tag is none"));
        }
        let latest = || digest.is_none().then(|| "latest".to_owned());
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: tag.or_else(latest),
            digest,
        })
    }
}

/// A host, told from the first part of a path as Docker tells it: by a dot, a port, or `localhost`.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_named = text == "localhost" || text.contains(['.', ':']);
    let port = text
        .rsplit_once(':')
        .map(|(_, port)| port)
        .filter(|_| !text.ends_with(']'));
    let port_is_one = port.is_none_or(|port| port.parse::<u16>().is_ok());
    is_named && port_is_one && text.bytes().all(plain)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, as the distribution specification has it.
fn is_path_component(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_plain = |byte: Option<&u8>| byte.is_some_and(|byte| is_plain(*byte));
    let joints_are_short = text
        .split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'));
    ends_plain(bytes.first()) && ends_plain(bytes.last()) && joints_are_short
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    bytes.len() <= MAX_TAG
        && bytes.first().is_some_and(|first| word(*first))
        && bytes.iter().all(|byte| word(*byte) || b".-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn a_reference_names_registry_repository_tag_and_digest() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for text in [
            "registry.example/acme/router:1.0.0".to_owned(),
            format!("127.0.0.1:5000/router@{digest}"),
            format!("localhost/a/b-c/d__e.f:v1@{digest}"),
            "[::1]:5000/router:latest".to_owned(),
        ] {
            let reference: Reference = text.parse().expect("a reference");
            assert_eq!(reference.to_string(), text);
        }
        let reference: Reference = "registry.example/router".parse().expect("a reference");
        assert_eq!(reference.tag.as_deref(), Some("latest"));
        let pinned = reference.pinned(digest.parse().expect("a digest"));
        assert_eq!(
            pinned.to_string(),
            format!("registry.example/router@{digest}")
        );
    }

    #[test]
    fn what_names_no_artifact_says_why() {
        for (text, why) in [
            ("router", "begin with the host"),
            ("acme/router:1", "begin with the host"),
            ("registry.example/", "repository"),
            ("registry.example/Router", "repository"),
            ("registry.example/a//b", "repository"),
            ("registry.example/../b", "repository"),
            ("registry.example/a.-b", "repository"),
            ("registry.example/a:", "tag"),
            ("registry.example/a:b/c", "tag"),
            ("registry.example/a@sha256:12", "digest"),
            ("registry.example/a?b", "repository"),
            ("user:word@registry.example/a", "digest"),
            ("http://registry.example/a", "begin with the host"),
        ] {
            let error = text.parse::<Reference>().expect_err(text);
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
