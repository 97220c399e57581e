//! A desk without plugins.

use std::sync::Arc;

use engine::port::{
    BindingSetup, Delivery, HttpRequest, InspectError, Inspection, IntegrationReply, Plugins,
    Surroundings, WebhookReply,
};
use futures::future::BoxFuture;
use model::hook::{Call, Failure, Question, Reply};
use model::id::BindingId;

/// Whoever asks one is wrong here.
pub(crate) struct NoPlugins;

impl Plugins for NoPlugins {
    fn inspect(&self, _: &[u8]) -> Result<Inspection, InspectError> {
        Err(InspectError::NotAComponent("there are none".to_owned()))
    }

    fn set_up(&self, _: Vec<BindingSetup>) -> BoxFuture<'_, Result<(), (BindingId, InspectError)>> {
        Box::pin(async { Ok(()) })
    }

    fn ask<'a>(
        &'a self,
        _: Call,
        _: &'a Question,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'a, Reply> {
        unreachable!("nothing is bound")
    }

    fn deliver(
        &self,
        _: &BindingId,
        _: Call,
        _: Delivery,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        unreachable!("nothing is bound")
    }

    fn receive(
        &self,
        _: &BindingId,
        _: Call,
        _: HttpRequest,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<WebhookReply, Failure>> {
        unreachable!("nothing is bound")
    }

    fn run_schedule(
        &self,
        _: &BindingId,
        _: Call,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        unreachable!("nothing is bound")
    }
}
