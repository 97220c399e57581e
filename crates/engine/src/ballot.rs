//! Votes by link: whom links are given to, what whoever opens one is shown, and the vote itself, by the
//! command by which everybody votes. Looking changes nothing. What a link is good for follows from the
//! record alone, so that nothing has to be remembered of those that were given out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Instant;
use model::command::{Action, Command};
use model::definition::Choice;
use model::event::Event;
use model::id::{BindingId, PersonId, RecordId, StageId};
use model::record::{OpenStage, Record, Vote};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Request;
use crate::port::{LinkKey, LinkKeyError};
use crate::rejection::Rejection;
use crate::vote_link::{VoteLink, is_of_opening, use_of};

/// How many people are given links by one delivery; more find theirs where they sign in.
const MOST_LINKED: usize = 200;
/// How many entries after a stage opened are looked through for what became of a vote.
const MOST_ENTRIES: usize = 2_000;

/// What a link was given for, and how that stands.
#[derive(Clone, Debug)]
pub struct Ballot {
    /// The record.
    pub record: RecordId,
    /// The stage.
    pub stage: StageId,
    /// Whose vote it is.
    pub whose: PersonId,
    /// Who may give it: the same, or who stands in for them.
    pub voter: PersonId,
    /// How it stands.
    pub standing: Standing,
}

/// Whether a link is good.
#[derive(Clone, Debug)]
pub enum Standing {
    /// The vote can be given.
    Open(Box<Asked>),
    /// It cannot, any more.
    Over(Over),
}

/// What is asked of whoever votes.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What people call records of the workflow.
    pub kind: String,
    /// The record; none where the voter may not see it.
    pub seen: Option<std::sync::Arc<Record>>,
    /// How many approvals the stage needs.
    pub needed: u32,
    /// How many have a vote.
    pub entitled: usize,
    /// When the stage expires.
    pub due: Option<Instant>,
    /// The votes that need a comment.
    pub comment: BTreeSet<Choice>,
}

/// Why a link is good no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// The vote was given.
    Given(Given),
    /// It was given and taken back, or lost: links that are given out from then on are good.
    TakenBack,
    /// The vote was handed on.
    HandedOn,
    /// The voter is not asked any more.
    NotAsked,
    /// The voter does not stand in any more.
    NotInstead,
    /// The stage takes no votes any more.
    Decided,
}

/// A vote as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// By whom.
    pub by: PersonId,
    /// What.
    pub choice: Choice,
    /// When.
    pub at: Instant,
}

/// What came of voting by a link.
#[derive(Debug)]
pub enum Cast {
    /// The vote is given, and durable; whether it can be taken back, as its stage is not decided with it.
    Done(Ballot, Choice, bool),
    /// The link is good no more; nothing was done.
    Over(Ballot, Over),
    /// The vote is refused as it is; the link is still good.
    Refused(Ballot, Box<Asked>, Rejection),
}

/// A link for one vote.
#[derive(Debug, Serialize)]
pub(crate) struct GivenOut {
    stage: StageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead_of: Option<PersonId>,
    url: String,
    #[serde(skip)]
    token: String,
}

/// The tokens of links, which nobody else is to read.
pub(crate) fn tokens(links: &BTreeMap<&PersonId, Vec<GivenOut>>) -> Vec<String> {
    let links = links.values().flatten();
    links.map(|link| link.token.clone()).collect()
}

/// Refuses a vote by a link that was not given for the stage and the vote as they stand. It is looked at
/// with the record that the decision is about: of two who use one link, one votes.
pub(crate) fn check_link(record: &Record, command: &Command) -> Result<(), Rejection> {
    let Action::Vote {
        stage: Some(stage),
        instead_of,
        link: Some(used),
        ..
    } = &command.action
    else {
        return Ok(());
    };
    let whose = instead_of.as_ref().or_else(|| command.actor.person());
    let open = record.approval.as_ref().and_then(|it| it.stage(stage));
    match (open, whose) {
        (Some(open), Some(whose)) if use_of(open, whose) == *used => Ok(()),
        _ => Err(Rejection::not_possible("the link is not good any more")),
    }
}

impl Engine {
    /// Links for those of these people who may vote on a record now, by person. None where the server does
    /// not know its own address, or has no key to sign with.
    pub(crate) async fn vote_links<'p>(
        &self,
        binding: &BindingId,
        record: &Record,
        people: &[&'p PersonId],
    ) -> BTreeMap<&'p PersonId, Vec<GivenOut>> {
        let stages = record.approval.as_ref().map_or(&[][..], |it| &it.stages);
        let mut links: BTreeMap<&PersonId, Vec<VoteLink>> = BTreeMap::new();
        for person in people {
            let of_person: Vec<_> = stages
                .iter()
                .flat_map(|stage| links_of(record, stage, person))
                .collect();
            if !of_person.is_empty() && links.len() < MOST_LINKED {
                links.insert(person, of_person);
            }
        }
        if links.is_empty() {
            return BTreeMap::new();
        }
        let Some((address, key)) = self.signs_links(binding).await else {
            return BTreeMap::new();
        };
        let given_out = |link: &VoteLink| {
            let token = link.token(&key);
            GivenOut {
                stage: link.stage.clone(),
                instead_of: (link.whose != link.voter).then(|| link.whose.clone()),
                url: format!("{address}/vote/{token}"),
                token,
            }
        };
        links
            .into_iter()
            .map(|(person, links)| (person, links.iter().map(given_out).collect()))
            .collect()
    }

    /// Warns of bindings that are to be handed links for votes where none can be given, so that nobody
    /// learns it from a message without a link.
    pub async fn warn_of_missing_links(&self) {
        for (id, bound) in &self.definitions().bindings {
            if bound.plugin.grants.vote_links {
                let _ = self.signs_links(id).await;
            }
        }
    }

    /// What links begin with, and the key that signs them; a warning where there is none.
    async fn signs_links(&self, binding: &BindingId) -> Option<(Arc<str>, LinkKey)> {
        let Some(address) = self.public_address() else {
            tracing::warn!(%binding, "no links for votes are given: `--public-url` does not say where the desk is found");
            return None;
        };
        let key = match self.link_keys() {
            Some(keys) => keys.key_or_new().await,
            None => Err(LinkKeyError("no key is kept here".to_owned())),
        };
        match key {
            Ok(key) => Some((address, key)),
            Err(error) => {
                tracing::warn!(%binding, %error, "no links for votes are given");
                None
            }
        }
    }

    /// What a link was given for; none where it was not given here, or under another key. Nothing is
    /// changed by looking.
    ///
    /// # Errors
    /// Where the store fails, or the key cannot be had.
    pub fn ballot(&self, token: &str) -> Result<Option<Ballot>, EngineError> {
        let link = self.vote_link(token)?;
        link.map(|link| self.ballot_of(link)).transpose()
    }

    /// Votes by a link, as the person it was given to; none where it was not given here, or under another
    /// key. The answer comes once the vote is durable.
    ///
    /// # Errors
    /// Where the store fails, the key cannot be had, or the record changed three times meanwhile.
    pub async fn vote_by_link(
        &self,
        token: &str,
        choice: Choice,
        comment: Option<String>,
    ) -> Result<Option<Cast>, EngineError> {
        let Some(link) = self.vote_link(token)? else {
            return Ok(None);
        };
        let ballot = self.ballot_of(link.clone())?;
        if let Standing::Over(over) = &ballot.standing {
            let over = over.clone();
            return Ok(Some(Cast::Over(ballot, over)));
        }
        let actor = self.actor(&link.voter, &BTreeSet::new())?;
        let request = Request {
            target: Some(link.record.clone()),
            languages: self.languages(&actor)?,
            actor,
            action: Action::Vote {
                choice,
                comment,
                stage: Some(link.stage.clone()),
                instead_of: (link.whose != link.voter).then(|| link.whose.clone()),
                link: Some(link.used),
            },
            idempotency: None,
            if_version: None,
        };
        let refused = match self.execute(request).await {
            Ok(executed) => {
                let stages = executed.record.approval.as_ref();
                let open = stages.and_then(|it| it.stage(&link.stage));
                let is_open = open.is_some_and(|open| is_of_opening(open, link.used));
                return Ok(Some(Cast::Done(ballot, choice, is_open)));
            }
            Err(EngineError::Rejected(rejection)) => rejection,
            Err(error) => return Err(error),
        };
        let mut ballot = self.ballot_of(link)?;
        let standing = std::mem::replace(&mut ballot.standing, Standing::Over(Over::Decided));
        Ok(Some(match standing {
            Standing::Over(over) => Cast::Over(ballot, over),
            Standing::Open(asked) => Cast::Refused(ballot, asked, refused),
        }))
    }

    fn vote_link(&self, token: &str) -> Result<Option<VoteLink>, EngineError> {
        let Some(keys) = self.link_keys() else {
            return Ok(None);
        };
        let key = keys.key()?;
        Ok(key.and_then(|key| VoteLink::read(token, &key)))
    }

    fn ballot_of(&self, link: VoteLink) -> Result<Ballot, EngineError> {
        let standing = self.standing(&link)?;
        Ok(Ballot {
            record: link.record,
            stage: link.stage,
            whose: link.whose,
            voter: link.voter,
            standing,
        })
    }

    fn standing(&self, link: &VoteLink) -> Result<Standing, EngineError> {
        let Some(record) = self.0.store.record(&link.record)? else {
            return Ok(Standing::Over(Over::Decided));
        };
        let approval = record.approval.as_ref();
        let stage = approval.and_then(|it| it.stage(&link.stage));
        let Some(stage) = stage.filter(|stage| is_of_opening(stage, link.used)) else {
            let given = self.vote_of_before(link)?;
            return Ok(Standing::Over(given.map_or(Over::Decided, Over::Given)));
        };
        if let Some(over) = over(stage, link) {
            return Ok(Standing::Over(over));
        }
        let definitions = self.definitions();
        let workflow = self.workflow_of(&definitions, &record)?;
        let state = workflow.states.get(&record.state);
        let said = state.and_then(|state| state.approval.as_ref()?.stages.get(&link.stage));
        let comment = said.map(|said| said.source.comment.iter());
        let comment = comment.into_iter().flatten().filter(|(_, needed)| **needed);
        let actor = self.actor(&link.voter, &BTreeSet::new())?;
        let is_seen = self.sees(&definitions, &actor, &record)?;
        Ok(Standing::Open(Box::new(Asked {
            kind: workflow.title.clone(),
            needed: stage.needed,
            entitled: stage.entitled.len(),
            due: stage.expires(),
            comment: comment.map(|(choice, _)| *choice).collect(),
            seen: is_seen.then(|| record.clone()),
        })))
    }

    /// The vote that was given in a stage that takes none any more, as the journal has it.
    fn vote_of_before(&self, link: &VoteLink) -> Result<Option<Given>, EngineError> {
        let (mut given, mut after, mut looked) = (None, link.used.opened_in, 0);
        if after == 0 {
            return Ok(None);
        }
        while looked < MOST_ENTRIES {
            let entries = self.0.store.history(&link.record, after, 200)?;
            if entries.is_empty() {
                break;
            }
            looked += entries.len();
            for (_, entry) in &entries {
                after = entry.version;
                for event in &entry.events {
                    if ends(event, link) {
                        return Ok(given);
                    }
                    note(&mut given, event, link, entry.command.at);
                }
            }
        }
        Ok(given)
    }

    fn public_address(&self) -> Option<Arc<str>> {
        crate::decide::Pinned::public_address(&*self.0)
    }
}

/// The links of a person for a stage: for their own vote, or one for each whom they stand in for.
fn links_of(record: &Record, stage: &OpenStage, person: &PersonId) -> Vec<VoteLink> {
    let link = |whose: &PersonId| VoteLink {
        record: record.id.clone(),
        stage: stage.plan.id.clone(),
        whose: whose.clone(),
        voter: person.clone(),
        used: use_of(stage, whose),
    };
    stage.may_give(person).into_iter().map(link).collect()
}

/// Why a link is not good, of a stage that is open as it was.
fn over(stage: &OpenStage, link: &VoteLink) -> Option<Over> {
    let VoteLink { whose, voter, .. } = link;
    let given = |(by, vote): (&PersonId, &Vote)| {
        Over::Given(Given {
            by: vote.by.as_ref().unwrap_or(by).clone(),
            choice: vote.choice,
            at: vote.at,
        })
    };
    let by_voter = || {
        stage
            .given_by(voter)
            .and_then(|it| stage.votes.get_key_value(it))
    };
    if let Some(vote) = stage.votes.get_key_value(whose).or_else(by_voter) {
        Some(given(vote))
    } else if use_of(stage, whose) != link.used {
        Some(Over::TakenBack)
    } else if stage.may_give(voter).contains(&whose) {
        None
    } else if stage.reassigned.contains_key(whose) {
        Some(Over::HandedOn)
    } else if whose == voter {
        Some(Over::NotAsked)
    } else {
        Some(Over::NotInstead)
    }
}

/// Whether an event ends the opening of a stage that a link was given for.
fn ends(event: &Event, link: &VoteLink) -> bool {
    match event {
        Event::StageEnded { stage, .. } => *stage == link.stage,
        Event::ApprovalEnded { .. } => true,
        Event::StageOpened { approval } => approval.stage(&link.stage).is_some(),
        _ => false,
    }
}

/// Takes note of what an event does to the vote that a link was given for.
fn note(given: &mut Option<Given>, event: &Event, link: &VoteLink, at: Instant) {
    match event {
        Event::Voted {
            stage,
            person,
            choice,
            by,
            ..
        } if *stage == link.stage && *person == link.whose => {
            *given = Some(Given {
                by: by.as_ref().unwrap_or(person).clone(),
                choice: *choice,
                at,
            });
        }
        Event::VoteRecalled { stage, person, .. }
            if *stage == link.stage && *person == link.whose =>
        {
            *given = None;
        }
        Event::Entitled { stage, lost, .. }
            if *stage == link.stage && lost.contains(&link.whose) =>
        {
            *given = None;
        }
        _ => {}
    }
}
