//! Templates: a component compiled and linked once per kind of hook, ready to be instantiated for
//! each call. A pure hook is linked without what only integrations have, so that a component with
//! both cannot reach it from there, whatever its imports say.

use engine::port::{InspectError, Inspection};
use model::hook::Hook;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::capability::{pure as withheld, wasi};
use crate::contract::{self, Template};
use crate::guest::Guest;
use crate::manifest::Manifest;

/// A component that is compiled, linked and ready for calls.
pub(crate) struct Loaded {
    pub(crate) inspection: Inspection,
    pub(crate) manifest: Option<Manifest>,
    templates: Vec<(Hook, Box<dyn Template>)>,
}

/// What components are linked with: everything of every version of the contract.
pub(crate) struct Linkers {
    pure: Linker<Guest>,
    integration: Linker<Guest>,
}

impl Linkers {
    pub(crate) fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let (mut pure, mut integration) = (Linker::new(engine), Linker::new(engine));
        wasi::link_pure(&mut pure)?;
        withheld::link_http(&mut pure)?;
        wasi::link_integration(&mut integration)?;
        for version in contract::spoken() {
            version.link_pure(&mut pure)?;
            version.link_integration(&mut integration)?;
        }
        Ok(Self { pure, integration })
    }

    /// Links a component, once for its pure hooks and once for its integrations.
    pub(crate) fn load(
        &self,
        component: &Component,
        inspection: Inspection,
        manifest: Option<Manifest>,
    ) -> Result<Loaded, InspectError> {
        // What nothing here offers is an error now, and not when a hook first calls it.
        let link = |linker: &Linker<Guest>| {
            linker
                .instantiate_pre(component)
                .map_err(|error| InspectError::Imports(describe(&error)))
        };
        let (pure, integration) = (link(&self.pure)?, link(&self.integration)?);
        let exported = component.component_type();
        let exports = exported.exports(component.engine()).map(|(name, _)| name);
        let templates = contract::hooks(exports)
            .into_iter()
            .map(|(hook, version)| {
                let linked = if hook.is_pure() { &pure } else { &integration };
                let template = version.template(hook, linked.clone());
                Ok((hook, template.map_err(|error| refused(&error))?))
            })
            .collect::<Result<_, InspectError>>()?;
        Ok(Loaded {
            inspection,
            manifest,
            templates,
        })
    }
}

impl Loaded {
    /// The template of a hook that the component exports.
    pub(crate) fn template(&self, hook: Hook) -> Option<&dyn Template> {
        self.templates
            .iter()
            .find(|(of, _)| *of == hook)
            .map(|(_, template)| &**template)
    }
}

fn refused(error: &wasmtime::Error) -> InspectError {
    InspectError::Hooks(format!(
        "its hooks are not those of this server's contract: {}",
        describe(error)
    ))
}

/// The whole chain of causes, in one line.
pub(crate) fn describe(error: &wasmtime::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    crate::failure::printable(&causes.join(": "))
}
