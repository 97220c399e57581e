//! The versions of the contract that this server speaks.
//!
//! Each released major version is one adapter in a file of its own, which knows that version's words;
//! everything else has the model's. A component is given its adapter once, when it is linked: no call
//! ever asks which version it is. A new version is a new file here and a line in [`SPOKEN`], and what
//! plugins were built against before goes on as it is.

pub(crate) mod v1;

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use model::hook::{Call, Failure, Hook};
use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker};

use crate::call::{Input, Output};
use crate::guest::Guest;

/// What the names of hooks and capabilities begin with, whatever their version.
pub(crate) const PACKAGE: &str = "servicewright:plugin/";

/// The latest first: it counts where a component exports a hook in two versions.
const SPOKEN: [&dyn Adapter; 1] = [&v1::V1];

/// A major version of the contract.
pub(crate) trait Adapter: Send + Sync {
    /// Whether it speaks a version of the package, such as `1.0.0`.
    fn speaks(&self, version: &str) -> bool;

    /// Offers what a pure hook may import, and an end of the call in the place of everything else that
    /// a component with hooks of both kinds imports.
    fn link_pure(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()>;

    /// Offers what an integration may import. What it is granted is looked at in each call.
    fn link_integration(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()>;

    /// A hook of a linked component, made ready for calls.
    ///
    /// # Errors
    /// Where the component exports the hook with other types than the contract's.
    fn template(
        &self,
        hook: Hook,
        linked: InstancePre<Guest>,
    ) -> wasmtime::Result<Box<dyn Template>>;
}

/// A hook of a component, ready to be instantiated.
pub(crate) trait Template: Send + Sync {
    /// Makes an instance, and nothing of it.
    fn start<'a>(&'a self, store: &'a mut Store<Guest>) -> BoxFuture<'a, wasmtime::Result<()>>;

    /// Makes an instance and calls its hook. An error is the guest's end; a failure, what it answered
    /// or an answer that is too much.
    fn invoke<'a>(
        &'a self,
        store: &'a mut Store<Guest>,
        call: &'a Call,
        input: Input<'a>,
    ) -> BoxFuture<'a, wasmtime::Result<Result<Output, Failure>>>;
}

/// Every version that is spoken.
pub(crate) fn spoken() -> impl Iterator<Item = &'static dyn Adapter> {
    SPOKEN.into_iter()
}

/// The hooks among the names of a component's exports, each with the latest version that it has and
/// this server speaks.
pub(crate) fn hooks<'a>(
    exports: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<Hook, &'static dyn Adapter> {
    let mut found = BTreeMap::new();
    for (hook, version) in exports.into_iter().filter_map(hook) {
        if let Some(rank) = SPOKEN.iter().position(|adapter| adapter.speaks(version)) {
            let best = found.entry(hook).or_insert(rank);
            *best = rank.min(*best);
        }
    }
    let adapters = found.into_iter();
    adapters.map(|(hook, rank)| (hook, SPOKEN[rank])).collect()
}

/// The hook and the version of an exported interface, where its name is one of the contract's.
fn hook(export: &str) -> Option<(Hook, &str)> {
    let (name, version) = export.strip_prefix(PACKAGE)?.split_once('@')?;
    let hook = Hook::ALL.into_iter().find(|hook| hook.as_str() == name)?;
    Some((hook, version))
}

#[cfg(test)]
mod tests {
    use super::hooks;
    use model::hook::Hook;

    #[test]
    fn hooks_are_told_by_name_and_version() {
        for ours in ["1.0.0", "1.4.0", "1.0.2"] {
            let name = format!("servicewright:plugin/service-level@{ours}");
            let found: Vec<Hook> = hooks([name.as_str()]).into_keys().collect();
            assert_eq!(found, [Hook::ServiceLevel], "{name}");
        }
        for other in [
            "servicewright:plugin/routing@2.0.0",
            "servicewright:plugin/routing@10.0.0",
            "servicewright:plugin/routing@0.1.0",
            "servicewright:plugin/directory@1.0.0",
            "other:plugin/routing@1.0.0",
            "routing",
        ] {
            assert!(hooks([other]).is_empty(), "{other}");
        }
    }
}
