//! Answers at every hook, and uses everything of the contract: what was built of this goes on being
//! run for as long as version 1 is spoken. Its counterparts in the other languages answer the same.

use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::approval::{
    self, Approval, Approver, Quorum, Stage, TimeLimit, Verdict,
};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{self, Delivery, Event};
use servicewright_sdk::routing::{self, Assignment, Routing};
use servicewright_sdk::schedule::{self, Schedule};
use servicewright_sdk::service_level::{self, Agreement, Goal, ServiceLevel, Target};
use servicewright_sdk::webhook::{self, Reply, Response, Webhook};
use servicewright_sdk::{Call, Error, Fields, Record, business_time, directory, key_value, log, signing};

#[derive(Deserialize)]
struct Settings {
    team: String,
}

struct Golden;

servicewright_sdk::export_approval!(Golden);
servicewright_sdk::export_routing!(Golden);
servicewright_sdk::export_service_level!(Golden);
servicewright_sdk::export_delivery!(Golden);
servicewright_sdk::export_webhook!(Golden);
servicewright_sdk::export_schedule!(Golden);

impl Routing for Golden {
    fn route(call: &Call, record: &Record) -> routing::Result<Assignment> {
        let settings: Settings = call.settings()?;
        let impact: &str = record.field("impact")?;
        let members = directory::members(&settings.team)?;
        let quietest = members.iter().min_by_key(|member| member.open_records);
        let quietest = quietest.ok_or_else(|| Error::invalid_input("nobody is in the team"))?;
        let due = business_time::add("office", call.now, Duration::from_secs(3600))?;
        let spent = business_time::between("office", call.now, due)?;
        log::info("routed");
        Ok(Assignment {
            team: settings.team,
            assignee: Some(quietest.user.clone()),
            reason: format!(
                "impact {impact}, {} open, {} s",
                quietest.open_records,
                spent.as_secs()
            ),
        })
    }
}

impl Approval for Golden {
    fn decide(_: &Call, record: &Record, request: &approval::Request) -> approval::Result<Verdict> {
        let impact: &str = record.field("impact")?;
        if impact == "low" {
            return Ok(Verdict::Approve("The impact is low.".to_owned()));
        }
        let manager = directory::user("ann")?.and_then(|ann| ann.manager);
        let manager = manager.ok_or_else(|| Error::misconfigured("ann has no manager"))?;
        let reason = format!("{} by {manager}", request.transition);
        let stage = Stage::new("manager", [Approver::user(manager)], reason)
            .quorum(Quorum::Any)
            .timeout(TimeLimit::of(Duration::from_secs(172_800)));
        Ok(Verdict::Ask(vec![stage]))
    }
}

impl ServiceLevel for Golden {
    fn targets(
        _: &Call,
        _: &Record,
        agreement: &Agreement,
    ) -> service_level::Result<Vec<Target>> {
        let target = |id: &String| Target {
            id: id.clone(),
            goal: Goal::within(Duration::from_secs(14_400), agreement.calendar.clone()),
            warn_at_percent: vec![50, 75],
            reason: format!("promised by {}", agreement.id),
        };
        Ok(agreement.targets.iter().map(target).collect())
    }
}

impl Delivery for Golden {
    fn deliver(_: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let seen = key_value::get(&event.id)?.is_some();
        key_value::compare_and_set(&event.id, None, Some(b"seen"))?;
        let text = format!("{}, seen before: {seen}", event.kind);
        let keys = key_value::keys("", None)?.len();
        let comment = Command::comment(Subject::reference("golden"), format!("{text}, keys: {keys}"));
        Ok(vec![comment.public()])
    }
}

impl Webhook for Golden {
    fn receive(_: &Call, request: &webhook::Request) -> webhook::Result<Reply> {
        let signature = signing::hmac_sha256("key", &request.body)?;
        let own = signing::verify_hmac_sha256("key", &request.body, &signature)?;
        let secret = signing::is_secret("key", b"a guess")?;
        let body = format!("{} {} own: {own} guessed: {secret}", request.method, request.path);
        let fields = Fields::new().with("summary", "From outside");
        let create = Command::create("incident", fields).reference("golden");
        Ok(Reply::new(Response::text(202, body))
            .delivery("delivery-1")
            .commands([create.on_behalf_of("ann")]))
    }
}

impl Schedule for Golden {
    fn run(_: &Call) -> schedule::Result<Vec<Command>> {
        let digits = signing::to_hex(&signing::hmac_sha256("key", b"what do ya want for nothing?")?);
        let subject = Subject::id("INC-1");
        let input = Fields::new().with("resolution", digits);
        Ok(vec![Command::transition(subject, "resolve", input)])
    }
}
