//! Receives notifications: from whom they are, and what they mean, group by group.

use counterpart::text::{only_post, said};
use servicewright_sdk::log;
use servicewright_sdk::webhook::{self, Call, Reply, Request};

use crate::Alertmanager;
use crate::authentication::{challenge, is_genuine};
use crate::group::Group;
use crate::notification::Notification;
use crate::settings::Settings;

/// How many commands one notification may give; the rest is for when it is sent again.
const MAX_COMMANDS: usize = 90;

impl webhook::Webhook for Alertmanager {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        if request.method != "POST" {
            return Ok(only_post());
        }
        // Before anything is read out of the body: who sent it.
        if !is_genuine(&settings.authentication, request)? {
            log::warn("refused a request without the right token or password");
            let mut reply = said(
                401,
                "this needs the token or the password that was agreed on",
            );
            let challenge = challenge(&settings.authentication).to_owned();
            let header = ("www-authenticate".to_owned(), challenge);
            reply.response.headers.push(header);
            return Ok(reply);
        }
        let notification = match Notification::read(&request.body) {
            Ok(notification) => notification,
            Err(why) => return Ok(said(400, &why)),
        };
        let mut commands = Vec::new();
        for group in Group::all(&settings, &notification) {
            if commands.len() >= MAX_COMMANDS {
                // Alertmanager tries again what is answered with 5xx, and what was done is known then.
                return Ok(said(503, "there is more to do: send it again").commands(commands));
            }
            commands.extend(group.commands()?);
        }
        if commands.is_empty() {
            return Ok(said(202, "there is nothing to do"));
        }
        Ok(said(200, "taken").commands(commands))
    }
}
