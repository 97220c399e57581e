//! The Plugins port: bindings are set up, asked, told and listened to. An implementation keeps every
//! call within its limits; whatever a guest does, the call ends and says how.

use std::sync::Arc;

use futures::future::BoxFuture;
use model::command::EffectDone;
use model::configuration::Share;
use model::definition::Plugin;
use model::hook::{Call, Failure, Hook, Question, RecordView, Reply};
use model::id::{BindingId, DirectoryKind, FieldId};
use model::{Digest, Duration, Instant, Value};
use serde_json::{Map, Value as Json};
use thiserror::Error;

/// Runs plugins.
pub trait Plugins: Send + Sync + 'static {
    /// Says what a component is, wants and exports, or why it is none.
    fn inspect(&self, component: &[u8]) -> Result<Inspection, InspectError>;

    /// Puts these bindings to use instead of those before; calls under way end on the old ones.
    /// Components are compiled where they are new. A binding that fails is named with its fault, and none is replaced.
    fn set_up(
        &self,
        bindings: Vec<BindingSetup>,
    ) -> BoxFuture<'_, Result<(), (BindingId, InspectError)>>;

    /// Asks a pure hook. Never fails: a failure is an answer.
    fn ask<'a>(
        &'a self,
        call: Call,
        question: &'a Question,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'a, Reply>;

    /// Tells a binding of an event; answers with the commands it gives.
    fn deliver(
        &self,
        binding: &BindingId,
        call: Call,
        delivery: Delivery,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>>;

    /// Hands a request from outside to a binding.
    fn receive(
        &self,
        binding: &BindingId,
        call: Call,
        request: HttpRequest,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<WebhookReply, Failure>>;

    /// Runs a binding's schedule.
    fn run_schedule(
        &self,
        binding: &BindingId,
        call: Call,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>>;

    /// How often the version that is being tried on a binding has failed.
    fn canary_failures(&self, _binding: &BindingId) -> u64 {
        0
    }

    /// Waits for the next thing that was done about a binding without anyone having asked for it,
    /// which is then to be made durable.
    fn incident(&self) -> BoxFuture<'_, Incident> {
        Box::pin(std::future::pending())
    }
}

/// What was done about a binding without anyone having asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incident {
    /// The version that was being tried failed too often, and is tried no more.
    CanaryWithdrawn {
        /// The binding.
        binding: BindingId,
        /// The component that was tried.
        component: Digest,
        /// Why.
        why: String,
    },
    /// It kept failing however long it was left alone, and is not asked any more.
    Quarantined {
        /// The binding.
        binding: BindingId,
        /// The component that failed.
        component: Digest,
        /// Why.
        why: String,
    },
}

/// A binding to be put to use.
#[derive(Clone, Debug)]
pub struct BindingSetup {
    /// Its id.
    pub id: BindingId,
    /// Its definition.
    pub plugin: Arc<Plugin>,
    /// The digest of its component.
    pub digest: Digest,
    /// The component.
    pub component: Arc<[u8]>,
    /// How it comes to use, where there is more to it.
    pub staged: Staged,
}

/// How a binding's component comes to use: at once and whole, as it comes.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// Another version of the component, to be tried on a share of the calls.
    pub canary: Option<Candidate>,
    /// Why it is not to be asked, where it is not.
    pub quarantine: Option<String>,
    /// Whether a component that is new to the binding has to show first that it does not trap.
    pub self_test: bool,
}

/// A version of a component that is to be tried.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its digest.
    pub digest: Digest,
    /// The component.
    pub component: Arc<[u8]>,
    /// The share of the calls.
    pub share: Share,
    /// Why it is tried no more, where it is not.
    pub withdrawn: Option<String>,
}

/// What a component is.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Inspection {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: usize,
    /// The hooks it exports.
    pub hooks: Vec<Hook>,
    /// The interfaces it imports.
    pub imports: Vec<String>,
    /// Its manifest, where it carries one.
    pub manifest: Option<Json>,
}

/// Why a component cannot be put to use.
#[derive(Clone, Debug, Error)]
pub enum InspectError {
    /// Not a WebAssembly component at all.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// Larger than a component may be.
    #[error("the component has {bytes} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It exports no hook, or not one that the binding uses.
    #[error("{0}")]
    Hooks(String),
    /// It asks for what is not granted.
    #[error("it asks for what the binding does not grant: {0}")]
    NotGranted(String),
    /// Its settings do not fit the plugin's schema.
    #[error("its settings do not fit: {0}")]
    Settings(String),
    /// It needs an interface that this server does not have.
    #[error("it needs what this server does not have: {0}")]
    Imports(String),
    /// It does not compile.
    #[error("it does not compile: {0}")]
    Compile(String),
    /// It was tried before it was put to use, and did not stand it.
    #[error("it does not stand a call with an empty record: {0}")]
    SelfTest(String),
}

/// What a guest may look up, as of one snapshot for a pure hook. The host checks grants before it asks.
pub trait Surroundings: Send + Sync {
    /// A thing in the directory, as its attributes.
    fn thing(
        &self,
        kind: &DirectoryKind,
        id: &str,
    ) -> Result<Option<Map<String, Json>>, LookupError>;
    /// The ids of all teams, in order.
    fn teams(&self) -> Result<Vec<String>, LookupError>;
    /// The members of a team, in order of person.
    fn members(&self, team: &str, now: Instant) -> Result<Vec<Member>, LookupError>;
    /// The records linked to one, by kind.
    fn linked(&self, id: &str, kind: &str) -> Result<Vec<RecordView>, LookupError>;
    /// Records of a workflow with these very values, updated since, newest first; at most 100.
    fn alike(
        &self,
        workflow: &str,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<RecordView>, LookupError>;
    /// The record that a binding knows by a reference.
    fn referenced(
        &self,
        binding: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordView>, LookupError>;
    /// The instant after so much business time.
    fn business_add(
        &self,
        calendar: &str,
        start: Instant,
        duration: Duration,
    ) -> Result<Instant, LookupError>;
    /// The business time between two instants.
    fn business_between(
        &self,
        calendar: &str,
        start: Instant,
        end: Instant,
    ) -> Result<Duration, LookupError>;
    /// A value of the binding's key-value space.
    fn key_value(&self, binding: &BindingId, key: &str) -> Result<Option<Vec<u8>>, LookupError>;
    /// Writes where the present value is the expected one; says whether it wrote.
    fn compare_and_set(
        &self,
        binding: &BindingId,
        key: &str,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>>;
    /// Keys that begin so, after one of them; at most 100.
    fn keys(
        &self,
        binding: &BindingId,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, LookupError>;
}

/// Why a look-up has no answer.
#[derive(Clone, Debug, Error)]
pub enum LookupError {
    /// It names what does not exist, such as an unknown calendar.
    #[error("{0}")]
    Invalid(String),
    /// The store failed.
    #[error("the store does not answer")]
    Unavailable,
}

/// A member of a team, as routing sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Who.
    pub user: String,
    /// What they are good at.
    pub skills: Vec<String>,
    /// Whether they work now.
    pub on_shift: bool,
    /// How many records in `open` or `waiting` they have.
    pub open_records: u32,
    /// When they were last given one.
    pub last_assigned_at: Option<Instant>,
    /// What else is known of them: `on-call`, where the team has a rota; `absent`, while they are out of
    /// office; `skill-levels`, where they have any.
    pub facts: Map<String, Json>,
}

/// An event for a binding.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The same for every attempt.
    pub id: String,
    /// The `CloudEvents` type.
    pub kind: String,
    /// The record as the event left it.
    pub subject: RecordView,
    /// The binding's references for the record.
    pub references: Vec<String>,
    /// The `CloudEvents` JSON of the change.
    pub data: String,
    /// Texts of it that give a right to whoever has them: they are blanked in what the plugin logs, in
    /// why it failed, and in what comes back to it.
    pub hidden: Vec<String>,
}

/// What an integration answered.
#[derive(Clone, Debug, Default)]
pub struct IntegrationReply {
    /// How the call went.
    pub done: EffectDone,
    /// What it asks the server to do.
    pub commands: Vec<IntegrationCommand>,
}

/// A request from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The path after the binding's address, with the query.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A reply to the outside.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a binding made of a request from outside.
#[derive(Clone, Debug)]
pub struct WebhookReply {
    /// To be sent once the commands are durable.
    pub response: HttpReply,
    /// The sender's own id of the delivery.
    pub delivery: Option<String>,
    /// What it asks the server to do.
    pub commands: Vec<IntegrationCommand>,
}

/// One thing that an integration asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegrationCommand {
    /// The person who said so outside.
    pub on_behalf_of: Option<String>,
    /// What.
    pub action: IntegrationAction,
}

/// What an integration asks for: a new record, or a change of one.
#[derive(Clone, Debug, PartialEq)]
pub enum IntegrationAction {
    /// A new record.
    Create(NewRecord),
    /// A change of this record.
    Change(Subject, SubjectChange),
}

/// Which record an integration means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// By its number.
    Id(String),
    /// By the binding's own name for it.
    Reference(String),
}

/// A record that an integration begins.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// Its workflow.
    pub workflow: String,
    /// Its fields.
    pub fields: Vec<(String, Value)>,
    /// The binding's name for it.
    pub reference: Option<String>,
}

/// A change that an integration makes.
#[derive(Clone, Debug, PartialEq)]
pub enum SubjectChange {
    /// Takes a transition.
    Transition {
        /// Which.
        name: String,
        /// What its form asks for.
        input: Vec<(String, Value)>,
    },
    /// Changes fields.
    Update(Vec<(String, Value)>),
    /// Gives it to a team or person.
    Assign {
        /// The team.
        team: String,
        /// The person.
        assignee: Option<String>,
    },
    /// Votes.
    Vote {
        /// For or against.
        approves: bool,
        /// Why.
        comment: Option<String>,
    },
    /// Says something.
    Comment {
        /// What.
        text: String,
        /// Whether the requester sees it.
        public: bool,
    },
    /// Links to another record.
    Link {
        /// How.
        kind: String,
        /// To which.
        target: Subject,
    },
    /// Names the record.
    Refer(String),
}
