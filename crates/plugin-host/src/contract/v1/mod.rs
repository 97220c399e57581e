//! Version 1 of the contract, `wit/v1`.

pub(crate) mod bindings;
pub(crate) mod convert;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::hook::{Ask, Call, Failure, FailureKind, Hook};
use wasmtime::Store;
use wasmtime::component::{HasSelf, InstancePre, Linker};

use crate::call::{Input, Output};
use crate::capability::pure as withheld;
use crate::failure::{Stop, failure};
use crate::guest::Guest;

use super::{Adapter, Template};
use bindings::{approver, calculator, contract, deliverer, poller, receiver, router};
use convert::{answer, commands, of_plugin, question};

/// The adapter.
pub(crate) struct V1;

impl Adapter for V1 {
    fn speaks(&self, version: &str) -> bool {
        version.split('.').next() == Some("1")
    }

    fn link_pure(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        link_common(linker)?;
        withheld::link(linker)
    }

    fn link_integration(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        link_common(linker)?;
        contract::key_value::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
        contract::signing::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
    }

    fn template(
        &self,
        hook: Hook,
        linked: InstancePre<Guest>,
    ) -> wasmtime::Result<Box<dyn Template>> {
        Ok(Box::new(match hook {
            Hook::Approval => Ready::Approval(approver::ApproverPre::new(linked)?),
            Hook::Routing => Ready::Routing(router::RouterPre::new(linked)?),
            Hook::ServiceLevel => {
                Ready::ServiceLevel(calculator::ServiceLevelCalculatorPre::new(linked)?)
            }
            Hook::Delivery => Ready::Delivery(deliverer::DelivererPre::new(linked)?),
            Hook::Webhook => Ready::Webhook(receiver::ReceiverPre::new(linked)?),
            Hook::Schedule => Ready::Schedule(poller::PollerPre::new(linked)?),
        }))
    }
}

fn link_common(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    contract::log::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    contract::business_time::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    contract::directory::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// A hook of a component, as it was linked.
enum Ready {
    Approval(approver::ApproverPre<Guest>),
    Routing(router::RouterPre<Guest>),
    ServiceLevel(calculator::ServiceLevelCalculatorPre<Guest>),
    Delivery(deliverer::DelivererPre<Guest>),
    Webhook(receiver::ReceiverPre<Guest>),
    Schedule(poller::PollerPre<Guest>),
}

impl Template for Ready {
    fn start<'a>(&'a self, store: &'a mut Store<Guest>) -> BoxFuture<'a, wasmtime::Result<()>> {
        async move {
            match self {
                Self::Approval(ready) => ready.instantiate_async(store).await.map(drop),
                Self::Routing(ready) => ready.instantiate_async(store).await.map(drop),
                Self::ServiceLevel(ready) => ready.instantiate_async(store).await.map(drop),
                Self::Delivery(ready) => ready.instantiate_async(store).await.map(drop),
                Self::Webhook(ready) => ready.instantiate_async(store).await.map(drop),
                Self::Schedule(ready) => ready.instantiate_async(store).await.map(drop),
            }
        }
        .boxed()
    }

    fn invoke<'a>(
        &'a self,
        store: &'a mut Store<Guest>,
        call: &'a Call,
        input: Input<'a>,
    ) -> BoxFuture<'a, wasmtime::Result<Result<Output, Failure>>> {
        async move {
            let measured = self.ask(store, call, input).await?;
            Ok(match measured {
                Ok(output) => output.map_err(|stop| failure(stop.kind, stop)),
                Err(error) => Err(of_plugin(error)),
            })
        }
        .boxed()
    }
}

/// What a guest answered, measured; or the error that it answered with.
type Measured = Result<Result<Output, Stop>, contract::types::PluginError>;

impl Ready {
    async fn ask(
        &self,
        store: &mut Store<Guest>,
        call: &Call,
        input: Input<'_>,
    ) -> wasmtime::Result<Measured> {
        let call = &question::call(call, &store.data().bound);
        Ok(match (self, input) {
            (Self::Routing(ready), Input::Question(question)) => {
                let instance = ready.instantiate_async(&mut *store).await?;
                let subject = question::record(&question.subject);
                let routing = instance.servicewright_plugin_routing();
                let answered = routing.call_route(store, call, &subject).await?;
                answered.map(|assignment| answer::assignment(assignment).map(Output::Answer))
            }
            (Self::Approval(ready), Input::Question(question)) => {
                let Ask::Approve {
                    transition,
                    input,
                    votes,
                } = &question.ask
                else {
                    return Err(unfit());
                };
                let instance = ready.instantiate_async(&mut *store).await?;
                let subject = question::record(&question.subject);
                let request = question::approval(transition, input, votes);
                let approval = instance.servicewright_plugin_approval();
                let answered = approval.call_decide(store, call, &subject, &request);
                let answered = answered.await?;
                answered.map(|verdict| answer::verdict(verdict).map(Output::Answer))
            }
            (Self::ServiceLevel(ready), Input::Question(question)) => {
                let Ask::Targets {
                    service_level,
                    targets,
                    calendar,
                } = &question.ask
                else {
                    return Err(unfit());
                };
                let instance = ready.instantiate_async(&mut *store).await?;
                let subject = question::record(&question.subject);
                let agreement = question::agreement(service_level, targets, calendar);
                let level = instance.servicewright_plugin_service_level();
                let answered = level.call_targets(store, call, &subject, &agreement);
                let answered = answered.await?;
                answered.map(|targets| answer::targets(targets).map(Output::Answer))
            }
            (Self::Delivery(ready), Input::Delivery(delivery)) => {
                let instance = ready.instantiate_async(&mut *store).await?;
                let event = question::event(&delivery);
                let hook = instance.servicewright_plugin_delivery();
                let answered = hook.call_deliver(store, call, &event).await?;
                answered.map(|given| commands::all(given).map(Output::Commands))
            }
            (Self::Webhook(ready), Input::Request(request)) => {
                let instance = ready.instantiate_async(&mut *store).await?;
                let request = question::request(request);
                let webhook = instance.servicewright_plugin_webhook();
                let answered = webhook.call_receive(store, call, &request).await?;
                answered.map(|reply| commands::reply(reply).map(Output::Reply))
            }
            (Self::Schedule(ready), Input::Schedule) => {
                let instance = ready.instantiate_async(&mut *store).await?;
                let schedule = instance.servicewright_plugin_schedule();
                let answered = schedule.call_run(store, call).await?;
                answered.map(|given| commands::all(given).map(Output::Commands))
            }
            _ => return Err(unfit()),
        })
    }
}

/// The template is chosen by the kind of question, so that this cannot come up.
fn unfit() -> wasmtime::Error {
    Stop::new(FailureKind::Internal, "the question is for another hook").into()
}
