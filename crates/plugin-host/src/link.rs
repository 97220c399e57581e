//! Templates: a component compiled and linked once per kind of hook, ready to be instantiated for
//! each call. A pure hook is linked without what only integrations have, so that a component with
//! both cannot reach it from there, whatever its imports say.

use engine::port::{InspectError, Inspection};
use model::hook::Hook;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use crate::bindings::{approver, calculator, contract, deliverer, poller, receiver, router};
use crate::capability::pure as withheld;
use crate::capability::wasi;
use crate::guest::Guest;
use crate::manifest::Manifest;

/// A component that is compiled, linked and ready for calls.
pub(crate) struct Loaded {
    pub(crate) inspection: Inspection,
    pub(crate) manifest: Option<Manifest>,
    templates: Vec<(Hook, Template)>,
}

/// A hook of a component, ready to be instantiated.
pub(crate) enum Template {
    Approval(approver::ApproverPre<Guest>),
    Routing(router::RouterPre<Guest>),
    ServiceLevel(calculator::ServiceLevelCalculatorPre<Guest>),
    Delivery(deliverer::DelivererPre<Guest>),
    Webhook(receiver::ReceiverPre<Guest>),
    Schedule(poller::PollerPre<Guest>),
}

/// What components are linked with.
pub(crate) struct Linkers {
    pure: Linker<Guest>,
    integration: Linker<Guest>,
}

impl Linkers {
    pub(crate) fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut pure = Linker::new(engine);
        wasi::link_pure(&mut pure)?;
        withheld::link(&mut pure)?;
        link_common(&mut pure)?;
        let mut integration = Linker::new(engine);
        wasi::link_integration(&mut integration)?;
        link_common(&mut integration)?;
        contract::key_value::add_to_linker::<_, HasSelf<Guest>>(&mut integration, |guest| guest)?;
        contract::signing::add_to_linker::<_, HasSelf<Guest>>(&mut integration, |guest| guest)?;
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
        let templates = inspection
            .hooks
            .iter()
            .map(|hook| {
                let linked = if hook.is_pure() { &pure } else { &integration };
                Ok((
                    *hook,
                    template(*hook, linked.clone()).map_err(|error| refused(&error))?,
                ))
            })
            .collect::<Result<_, InspectError>>()?;
        Ok(Loaded {
            inspection,
            manifest,
            templates,
        })
    }
}

fn link_common(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    contract::log::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    contract::business_time::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    contract::directory::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

fn template(hook: Hook, linked: InstancePre<Guest>) -> wasmtime::Result<Template> {
    Ok(match hook {
        Hook::Approval => Template::Approval(approver::ApproverPre::new(linked)?),
        Hook::Routing => Template::Routing(router::RouterPre::new(linked)?),
        Hook::ServiceLevel => {
            Template::ServiceLevel(calculator::ServiceLevelCalculatorPre::new(linked)?)
        }
        Hook::Delivery => Template::Delivery(deliverer::DelivererPre::new(linked)?),
        Hook::Webhook => Template::Webhook(receiver::ReceiverPre::new(linked)?),
        Hook::Schedule => Template::Schedule(poller::PollerPre::new(linked)?),
    })
}

impl Loaded {
    /// The template of a hook that the component exports.
    pub(crate) fn template(&self, hook: Hook) -> Option<&Template> {
        self.templates
            .iter()
            .find(|(of, _)| *of == hook)
            .map(|(_, template)| template)
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
