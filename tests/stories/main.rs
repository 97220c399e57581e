//! Stories: what people and programs do with the real server, told over HTTP. One file per story, one
//! binary, so that they are linked once.

mod change_approval;
mod first_hour;
mod idempotency;
mod javascript;
mod kill;
mod life;
mod listener;
mod misbehaving_plugin;
mod packs;
mod pagerduty;
mod pagerduty_account;
mod pages;
mod python;
mod slack;
mod slack_workspace;
mod teams;
mod teams_workflow;
mod telemetry;
mod vendor;
mod webhook;
mod wrong_input;
