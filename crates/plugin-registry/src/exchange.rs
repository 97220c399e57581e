//! Putting a component into a registry with its signature, and having both from there.

use std::collections::BTreeMap;

use bytes::Bytes;
use model::Digest;

use crate::error::RegistryError;
use crate::layout::{self, Descriptor, Index, Manifest};
use crate::reference::Reference;
use crate::registry::{Access, INDEX, MANIFEST, Repository};
use crate::signature::{ANY_VERSION, MAX_SIGNATURE_BYTES, Signature};

/// The largest component, in bytes.
const MAX_COMPONENT: usize = 64 << 20;
/// How many signatures of a component are looked at.
const MAX_SIGNATURES: usize = 16;
/// How many manifests a list of referrers may name.
const MAX_REFERRERS: usize = 1_000;

/// What came from a registry.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// What was asked for, by the digest of its manifest.
    pub pinned: Reference,
    /// The component.
    pub component: Vec<u8>,
    /// The signatures that lie with it, as far as they say to be of it. None was checked.
    pub signatures: Vec<Vec<u8>>,
}

/// Puts a component, and its signature where it has one, into a registry under the reference's tag.
/// Gives the reference by digest.
///
/// # Errors
/// Where it is no component, or the registry does not take it.
pub async fn push(
    to: &Reference,
    component: Vec<u8>,
    signature: Option<Vec<u8>>,
    annotations: BTreeMap<String, String>,
    plain_http: bool,
) -> Result<Reference, RegistryError> {
    let not = |why: String| RegistryError::NotAComponent {
        reference: "what is pushed".to_owned(),
        why,
    };
    let (config, manifest) = layout::of_component(&component, annotations).map_err(not)?;
    let (digest, manifest) = (Digest::of(&manifest), Bytes::from(manifest));
    let repository = Repository::new(to, plain_http, Access::Push)?;
    repository.push_blob(component.into()).await?;
    repository.push_blob(config.into()).await?;
    let by_digest = digest.to_string();
    let first = signature.is_some();
    // The tag is set last: whoever sees it has the signature too.
    let name = to.tag.as_deref().filter(|_| !first).unwrap_or(&by_digest);
    repository
        .push_manifest(name, MANIFEST, manifest.clone())
        .await?;
    if let Some(bundle) = signature {
        attach(&repository, bundle, &manifest).await?;
        if let Some(tag) = &to.tag {
            repository.push_manifest(tag, MANIFEST, manifest).await?;
        }
    }
    Ok(to.pinned(digest))
}

/// Puts a signature beside a manifest.
async fn attach(
    repository: &Repository,
    bundle: Vec<u8>,
    manifest: &Bytes,
) -> Result<(), RegistryError> {
    let referring = layout::of_signature(&bundle, manifest);
    repository.push_blob(bundle.into()).await?;
    repository
        .push_blob(Bytes::from_static(layout::EMPTY))
        .await?;
    let mut listed = Descriptor::of(MANIFEST, &referring);
    listed.artifact_type = Some(crate::signature::MEDIA_TYPE.to_owned());
    let name = listed.digest.to_string();
    repository
        .push_manifest(&name, MANIFEST, referring.into())
        .await?;
    let of = Digest::of(manifest);
    if repository.referrers(&of).await?.is_some() {
        return Ok(());
    }
    // A registry of before 1.1 keeps no list: the specification has the client keep it under a tag.
    let tag = referrers_tag(&of);
    let index = repository.manifest(&tag, INDEX).await?;
    let index = index.as_ref().map(|(_, index)| index.as_ref());
    match layout::listing(index, &listed) {
        Some(index) => repository.push_manifest(&tag, INDEX, index.into()).await,
        None => Ok(()),
    }
}

/// Has a component from a registry, by digest, or by what the tag names now.
///
/// # Errors
/// Where there is none, the tag names another digest than the reference does, what comes is not what
/// its digest says, or it is no component.
pub async fn pull(from: &Reference, plain_http: bool) -> Result<Pulled, RegistryError> {
    let repository = Repository::new(from, plain_http, Access::Pull)?;
    let (digest, manifest) = find(&repository, from).await?;
    let not = |why: String| RegistryError::NotAComponent {
        reference: from.to_string(),
        why,
    };
    let layer = layout::component_layer(&manifest).map_err(not)?;
    if layer.size > MAX_COMPONENT as u64 {
        let why = format!(
            "it has {} bytes, and at most {MAX_COMPONENT} are allowed",
            layer.size
        );
        return Err(not(why));
    }
    let component = repository.blob(&layer.digest, MAX_COMPONENT).await?;
    layout::names(&component).map_err(not)?;
    let signatures = signatures(&repository, &digest, &component).await?;
    Ok(Pulled {
        pinned: from.pinned(digest),
        component: component.into(),
        signatures,
    })
}

async fn find(repository: &Repository, from: &Reference) -> Result<(Digest, Bytes), RegistryError> {
    let missing = || RegistryError::NotFound(from.to_string());
    let by_tag = match &from.tag {
        Some(tag) => {
            let found = repository.manifest(tag, MANIFEST).await?;
            Some(found.ok_or_else(missing)?)
        }
        None => None,
    };
    match (by_tag, from.digest) {
        (Some((now, _)), Some(asked)) if now != asked => Err(RegistryError::TagMoved {
            tag: from.tag.clone().unwrap_or_default(),
            now,
            asked,
        }),
        (Some(found), _) => Ok(found),
        (None, Some(asked)) => {
            let found = repository.manifest(&asked.to_string(), MANIFEST).await?;
            found.ok_or_else(missing)
        }
        (None, None) => Err(missing()),
    }
}

/// The signatures that lie beside a manifest. Whoever may push can put anything there: what does not
/// say to be a signature of the component is passed over.
async fn signatures(
    repository: &Repository,
    of: &Digest,
    component: &[u8],
) -> Result<Vec<Vec<u8>>, RegistryError> {
    let mut index = repository.referrers(of).await?;
    if index.is_none() {
        let found = repository.manifest(&referrers_tag(of), INDEX).await?;
        index = found.map(|(_, index)| index);
    }
    let index: Index = index
        .and_then(|index| serde_json::from_slice(&index).ok())
        .unwrap_or_default();
    let is_signature = |listed: &&Descriptor| {
        let kind = listed.artifact_type.as_deref();
        kind.is_some_and(|kind| kind.starts_with(ANY_VERSION))
    };
    let listed = index.manifests.iter().take(MAX_REFERRERS);
    let mut found = Vec::new();
    for listed in listed.filter(is_signature).take(MAX_SIGNATURES) {
        let Some(bundle) = bundle(repository, &listed.digest, of).await? else {
            continue;
        };
        let is_of_it = Signature::parse(&bundle)
            .is_ok_and(|signature| signature.check_signed(component).is_ok());
        if is_of_it {
            found.push(bundle.into());
        }
    }
    Ok(found)
}

/// The bundle of a manifest that refers to another; none where it is something else.
async fn bundle(
    repository: &Repository,
    digest: &Digest,
    of: &Digest,
) -> Result<Option<Bytes>, RegistryError> {
    let Some((_, manifest)) = repository.manifest(&digest.to_string(), MANIFEST).await? else {
        return Ok(None);
    };
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&manifest) else {
        return Ok(None);
    };
    let refers = manifest
        .subject
        .is_some_and(|subject| subject.digest == *of);
    let layer = manifest.layers.first().filter(|layer| {
        refers
            && layer.media_type.starts_with(ANY_VERSION)
            && layer.size <= MAX_SIGNATURE_BYTES as u64
    });
    match layer {
        Some(layer) => {
            let bundle = repository.blob(&layer.digest, MAX_SIGNATURE_BYTES).await?;
            Ok(Some(bundle))
        }
        None => Ok(None),
    }
}

/// The tag under which clients list what refers to a digest.
fn referrers_tag(of: &Digest) -> String {
    of.to_string().replace(':', "-")
}
