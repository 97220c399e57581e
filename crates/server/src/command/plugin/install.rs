//! `wright plugin install`: a component, of a file or of a registry, kept for packs to name.

use std::path::Path;

use anyhow::{Context as _, Result};
use engine::port::Brought;
use plugin_registry::{Reference, Trust};

use super::{read, signature};
use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format, RegistryArguments};
use crate::command::{block_on, print, text};

pub(super) fn run(
    what: &str,
    data: &DataArgument,
    trust: &Trust,
    registry: &RegistryArguments,
    format: Format,
) -> Result<()> {
    let kept = block_on(async {
        let brought = brought(what, registry).await?;
        let ask = Ask::keep_component(&brought);
        let kept = admin::ask_with(&data.data, ask, None, trust).await;
        kept.with_context(|| what.to_owned())
    })?;
    eprintln!("{} is {}", text(&kept, "digest"), text(&kept, "vouched"));
    print(format, &kept, || text(&kept, "digest").to_owned())
}

/// The component of a file, or of a registry where there is no such file.
async fn brought(what: &str, registry: &RegistryArguments) -> Result<Brought> {
    let file = Path::new(what);
    if file.exists() {
        return Ok(Brought {
            component: read(file)?,
            signatures: signature(file)?.into_iter().collect(),
        });
    }
    let reference: Reference = what
        .parse()
        .with_context(|| format!("there is no file {what}"))?;
    let pulled = plugin_registry::pull(&reference, registry.plain_http).await?;
    eprintln!("{}", pulled.pinned);
    Ok(Brought {
        component: pulled.component,
        signatures: pulled.signatures,
    })
}
