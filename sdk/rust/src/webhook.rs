//! The hook that hears from the outside world.

pub use crate::commands::{Command, Subject};
pub use crate::{Call, Result};

/// Answers for every request to the address of the binding.
///
/// Whoever knows the address can send one: the plugin finds out whether the sender is genuine,
/// for which [`signing`](crate::signing) helps.
pub trait Webhook {
    /// What the request means, and what the sender is told.
    ///
    /// # Errors
    /// Where the plugin cannot tell; the sender then gets a 4xx or 5xx and may try again.
    fn receive(call: &Call, request: &Request) -> Result<Reply>;
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// What follows the binding's own address, with the query.
    pub path: String,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Request {
    /// A `POST` of this body, without headers: for tests.
    pub fn post(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.into(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The first header of this name, whichever case it is written in here.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What the sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// This status, and nothing else.
    pub const fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// This status, with an explanation for whoever looks into it.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "text/plain; charset=utf-8".into())],
            body: text.into().into_bytes(),
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// Sent when the commands are durable. If one was refused, the sender gets the refusal instead, as a
    /// problem document.
    pub response: Response,
    /// How the sender names this delivery. One already seen changes nothing and is answered alike.
    pub delivery: Option<String>,
    /// What is to be done.
    pub commands: Vec<Command>,
}

impl Reply {
    /// An answer with nothing to do.
    pub const fn new(response: Response) -> Self {
        Self {
            response,
            delivery: None,
            commands: Vec::new(),
        }
    }

    /// The same with the sender's own id of the delivery.
    #[must_use]
    pub fn delivery(mut self, id: impl Into<String>) -> Self {
        self.delivery = Some(id.into());
        self
    }

    /// The same with these things to do.
    #[must_use]
    pub fn commands(mut self, commands: impl Into<Vec<Command>>) -> Self {
        self.commands = commands.into();
        self
    }
}
