//! Where components come from, and who vouches for them: the files of a pack, what the binary carries,
//! and the operator's policy. What ships inside the binary is as trusted as the binary is.

use engine::port::{Brought, Supply};
use model::configuration::Provenance;
use plugin_registry::Trust;

use crate::embedded;
use crate::pack_files::PackFiles;

/// The files of a pack, under the operator's policy.
pub(crate) struct Supplied<'s> {
    pub(crate) files: &'s PackFiles,
    pub(crate) trust: &'s Trust,
}

impl Supply for Supplied<'_> {
    fn component(&self, file: &str) -> Option<Brought> {
        Some(Brought {
            component: self.files.component(file)?.to_vec(),
            signatures: self.files.signature(file).into_iter().cloned().collect(),
        })
    }

    fn vouch(
        &self,
        component: &[u8],
        signatures: &[Vec<u8>],
    ) -> Result<(Provenance, Option<Vec<u8>>), String> {
        if embedded::is_plugin(component) {
            return Ok((Provenance::Shipped, None));
        }
        let vouched = self.trust.vouch_by_any(component, signatures);
        vouched.map_err(|refusal| engine::chain(&refusal))
    }
}
