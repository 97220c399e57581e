//! The Supply port: where an installation has its components from, and who vouches for them.

use model::configuration::Provenance;

/// A component as it is brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// The component.
    pub component: Vec<u8>,
    /// The signatures that came with it. None was checked.
    pub signatures: Vec<Vec<u8>>,
}

/// What an installation may use.
pub trait Supply: Send + Sync {
    /// The component of a file name that a binding names.
    fn component(&self, file: &str) -> Option<Brought>;

    /// Who vouches for a component, and the signature that says so.
    ///
    /// # Errors
    /// Why it may not be used, in a sentence.
    fn vouch(
        &self,
        component: &[u8],
        signatures: &[Vec<u8>],
    ) -> Result<(Provenance, Option<Vec<u8>>), String>;
}

/// Components alone, for which nobody vouches: where there is no operator with a policy.
impl<F: Fn(&str) -> Option<Vec<u8>> + Send + Sync> Supply for F {
    fn component(&self, file: &str) -> Option<Brought> {
        let component = self(file)?;
        Some(Brought {
            component,
            signatures: Vec::new(),
        })
    }

    fn vouch(&self, _: &[u8], _: &[Vec<u8>]) -> Result<(Provenance, Option<Vec<u8>>), String> {
        Ok((Provenance::Unsigned, None))
    }
}
