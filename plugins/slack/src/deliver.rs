//! Tells a channel what happened: posts the record's message, or brings it up to date.

use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{self, Call, Delivery, Event};
use servicewright_sdk::log;

use crate::event::Happening;
use crate::memory::Told;
use crate::settings::Settings;
use crate::{Slack, api, message};

impl Delivery for Slack {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let Some(id) = event.record.id.as_deref() else {
            return Ok(Vec::new());
        };
        let happening = Happening::read(event)?;
        let mut told = Told::of(id)?.unwrap_or_default();
        if event.record.version < told.version {
            // One that was given up and sent again later: the message shows more already.
            log::info(format!("{} has been overtaken", event.id));
            return Ok(Vec::new());
        }
        told.note(&happening, event);
        let shown = message::of(&settings, &told, &happening, event, call.now);
        let updated = match told.place() {
            Some(place) => api::update(&settings, &place, shown.clone())?.then_some(place),
            None => None,
        };
        let Some(place) = updated else {
            let channel = settings.channel_of(&event.record.workflow);
            told.posted(api::post(&settings, channel, None, shown)?);
            told.keep(event, id)?;
            return Ok(Vec::new());
        };
        told.keep(event, id)?;
        if happening.is_news() {
            let reply = message::reply(&settings, &told, &happening, event);
            api::post(&settings, &place.channel, Some(&place.ts), reply)?;
        }
        Ok(Vec::new())
    }
}
