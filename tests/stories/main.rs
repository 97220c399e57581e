//! Stories: what people and programs do with the real server, told over HTTP. One file per story, one
//! binary, so that they are linked once.

mod alertmanager;
mod approvals;
#[path = "../../crates/plugin-host/tests/it/assemble.rs"]
mod assemble;
mod authors;
#[path = "../../crates/definition/src/lint/tests/cases.rs"]
mod cases;
mod catch_up;
mod change_approval;
mod change_calendar;
mod decisions_again;
mod digests;
mod directory_rights;
mod first_hour;
mod github;
mod gitlab;
mod grants;
mod hostile_components;
mod idempotency;
mod inbox;
mod javascript;
mod jira;
mod judged_again;
mod kill;
mod languages;
mod life;
mod listener;
mod migration;
mod misbehaving_plugin;
mod on_call;
mod pack_test;
mod packs;
mod page;
mod pagerduty;
mod pagerduty_account;
mod pages;
mod preferences;
mod python;
mod registry;
mod rollback;
mod secrets;
mod slack;
mod slack_workspace;
mod teams;
mod teams_workflow;
mod telemetry;
mod upgrading;
mod vendor;
mod versions;
mod vote_link;
mod webhook;
mod work;
mod wrong_input;
