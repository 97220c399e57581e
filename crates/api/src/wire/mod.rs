//! The JSON of this version of the interface. These types are apart from those of the model, so
//! that the model can change without breaking a client: a change here is a change of the contract.

pub mod approval;
pub mod clock;
pub mod command;
pub mod definition;
pub mod digest;
pub mod directory;
pub mod effect;
pub mod event;
pub mod explanation;
pub mod history;
pub mod inbox;
pub mod judged;
pub mod on_call;
pub mod preference;
pub mod query;
pub mod record;
pub mod window;
