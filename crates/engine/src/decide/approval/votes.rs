//! Votes: given, taken back, handed on, put off by a question, and counted.

use model::Instant;
use model::definition::{Choice, Outcome, Rejects};
use model::event::Event;
use model::id::{PersonId, StageId};
use model::record::{AskedFor, OpenStage};

use super::super::{Result, Step};
use crate::desk::check_administrator;
use crate::rejection::{InputFault, Rejection};

/// The longest comment on a vote, and the longest question, in bytes.
const LONGEST_COMMENT: usize = 10_000;

impl Step<'_> {
    /// Takes a vote, the actor's own or in the place of someone who is out of office.
    pub(in crate::decide) fn vote(
        &mut self,
        choice: Choice,
        comment: Option<&str>,
        stage: Option<&StageId>,
        instead_of: Option<&PersonId>,
        by_link: bool,
    ) -> Result<()> {
        self.look_at_entitlement();
        let person = self.voter("vote")?;
        let id = self.stage_where("vote", stage, |stage| stage.asks(&person))?;
        // A link is for one vote: not for that of whom its voter stands in for by now.
        let instead_of = instead_of.or_else(|| by_link.then_some(&person));
        let whose = self.whose_vote(&id, &person, instead_of)?;
        self.check_comment(&id, choice, comment)?;
        self.emit(Event::Voted {
            stage: id.clone(),
            choice,
            by: (whose != person).then(|| person.clone()),
            person: whose,
            comment: comment.map(str::to_owned),
            by_link,
        });
        let question = self.open_stage(&id).and_then(|it| it.question.as_ref());
        if question.is_some_and(|question| question.person == person) {
            self.settle_question(&id);
        }
        self.count_votes(&id);
        Ok(())
    }

    /// Takes back a vote that the actor gave, or that was given in the actor's place.
    pub(in crate::decide) fn recall_vote(&mut self, stage: Option<&StageId>) -> Result<()> {
        self.look_at_entitlement();
        let person = self.voter("take a vote back")?;
        let given = |stage: &OpenStage| stage.given_by(&person).cloned();
        let id = self.stage_where("take a vote back", stage, |it| given(it).is_some())?;
        if let Some(whose) = self.open_stage(&id).and_then(given) {
            self.emit(Event::VoteRecalled {
                stage: id,
                person: whose,
                lost: false,
            });
        }
        Ok(())
    }

    /// Hands a vote on: one's own, that of whom one manages, or as an administrator.
    pub(in crate::decide) fn reassign_vote(
        &mut self,
        stage: Option<&StageId>,
        from: Option<&PersonId>,
        to: &PersonId,
        comment: Option<&str>,
    ) -> Result<()> {
        self.look_at_entitlement();
        let actor = self.voter("hand a vote on")?;
        let from = from.unwrap_or(&actor).clone();
        let manager = || self.ledger.person(&from).and_then(|person| person.manager);
        if actor != from && manager() != Some(actor) {
            check_administrator(self.actor(), "hand on the vote of someone else")?;
        }
        check_length("comment", comment)?;
        let id = self.stage_where("hand a vote on", stage, |it| it.entitled.contains(&from))?;
        let Some(open) = self.open_stage(&id) else {
            return Ok(());
        };
        let refusal = if open.votes.contains_key(&from) {
            format!(
                "{from} has voted in the stage `{id}`: a vote is taken back before it is handed on"
            )
        } else if open.asks(to) {
            format!("{to} is asked in the stage `{id}` already: one person has one vote")
        } else if !self.may_have_vote(&open.plan, to) {
            format!(
                "{to} may not vote in the stage `{id}`: it takes a person of the directory who is not the requester"
            )
        } else {
            self.emit(Event::VoteReassigned {
                stage: id,
                from,
                to: to.clone(),
                comment: comment.map(str::to_owned),
            });
            self.look_at_entitlement();
            return Ok(());
        };
        Err(Rejection::not_possible(refusal).into())
    }

    /// Asks the requester something before voting. What is asked is said on the record, for all to see.
    pub(in crate::decide) fn ask_information(
        &mut self,
        stage: Option<&StageId>,
        question: &str,
    ) -> Result<()> {
        self.look_at_entitlement();
        let person = self.voter("ask for information")?;
        let id = self.stage_where("ask for information", stage, |it| it.asks(&person))?;
        if question.trim().is_empty() {
            return Err(invalid("question", "say what you want to know").into());
        }
        check_length("question", Some(question))?;
        let open = self.open_stage(&id).and_then(|it| it.question.as_ref());
        if let Some(asked) = open {
            let message = format!(
                "{} asked something in the stage `{id}` that is not answered yet",
                asked.person
            );
            return Err(Rejection::not_possible(message).into());
        }
        let said = self.stage_definition(&id);
        let information = said.and_then(|said| said.information.as_ref());
        self.emit(Event::InformationAsked {
            stage: id.clone(),
            question: AskedFor {
                person,
                at: self.now(),
                text: question.to_owned(),
                holds: information.is_some_and(|information| information.holds),
            },
        });
        self.emit(Event::Commented {
            text: question.to_owned(),
            public: true,
        });
        if let Some(information) = information {
            let place = format!("stage {id}, information");
            self.cause(&information.effects, &place);
        }
        Ok(())
    }

    /// What the requester says for all to see answers the questions that are open.
    pub(in crate::decide) fn answer_questions(&mut self) {
        let asker = self.record.requester.as_ref();
        if asker.is_none() || self.actor().person() != asker {
            return;
        }
        for id in self.open_ids() {
            if self.open_stage(&id).is_some_and(|it| it.question.is_some()) {
                self.settle_question(&id);
            }
        }
    }

    /// Ends a question; a timeout that stood still has as much left as it had.
    fn settle_question(&mut self, id: &StageId) {
        let Some(stage) = self.open_stage(id) else {
            return;
        };
        let mut due = stage.due;
        if let (Some(end), Some(question), Some(wait)) = (due, &stage.question, &stage.plan.timeout)
            && question.holds
        {
            due = self.put_off(wait, end, question.at);
        }
        self.emit(Event::InformationGiven {
            stage: id.clone(),
            due,
        });
    }

    /// The end of a wait that stood still since `held`.
    fn put_off(
        &self,
        wait: &model::definition::Wait,
        end: Instant,
        held: Instant,
    ) -> Option<Instant> {
        use model::definition::Wait;
        let calendar = match wait {
            Wait::Business { calendar, .. } => self.input.definitions.calendars.get(calendar),
            Wait::Time(_) => None,
        };
        let calendar = calendar.map(|pinned| &pinned.calendar);
        let left = crate::clock::between(calendar, held, end);
        crate::clock::add(calendar, self.now(), left)
    }

    /// Who votes, where anything waits for votes at all.
    fn voter(&self, action: &str) -> Result<PersonId> {
        if self.record.approval.is_none() {
            let message = "nothing waits for an approval: a decided stage takes no votes";
            return Err(Rejection::not_possible(message).into());
        }
        match self.actor().person() {
            Some(person) => Ok(person.clone()),
            None => Err(self.forbidden(action, "being a person").into()),
        }
    }

    /// The open stage that is named, or the only one that concerns the actor.
    fn stage_where(
        &self,
        action: &str,
        named: Option<&StageId>,
        concerns: impl Fn(&OpenStage) -> bool,
    ) -> Result<StageId> {
        let open = self.record.approval.iter().flat_map(|it| &it.stages);
        let open: Vec<&OpenStage> = open.collect();
        let ids = |stages: &[&OpenStage]| -> Vec<String> {
            stages.iter().map(|it| it.plan.id.to_string()).collect()
        };
        let is_open = |named: &StageId| open.iter().any(|stage| stage.plan.id == *named);
        if let Some(named) = named.filter(|named| !is_open(named)) {
            let message = format!(
                "the stage `{named}` is not open; open: {}",
                super::super::take::list(&ids(&open))
            );
            return Err(Rejection::not_possible(message).into());
        }
        let fits = |stage: &&&OpenStage| {
            named.is_none_or(|named| stage.plan.id == *named) && concerns(stage)
        };
        let fitting: Vec<&OpenStage> = open.iter().filter(fits).copied().collect();
        match fitting.as_slice() {
            [one] => Ok(one.plan.id.clone()),
            [] => {
                let right = match (action, named) {
                    ("take a vote back", _) => "having voted in a stage that is open".to_owned(),
                    (_, Some(named)) => format!("being asked in the stage `{named}`"),
                    (_, None) => format!(
                        "being asked in a stage that is open: {}",
                        ids(&open).join(", ")
                    ),
                };
                Err(self.forbidden(action, &right).into())
            }
            several => {
                let message = format!(
                    "it concerns several stages: say `stage`, one of {}",
                    ids(several).join(", ")
                );
                Err(Rejection::not_possible(message).into())
            }
        }
    }

    /// Whose vote an actor gives who is asked in a stage.
    fn whose_vote(
        &self,
        id: &StageId,
        person: &PersonId,
        instead_of: Option<&PersonId>,
    ) -> Result<PersonId> {
        let Some(stage) = self.open_stage(id) else {
            return Err(Rejection::not_possible("the stage is decided").into());
        };
        if stage.given_by(person).is_some() {
            let message = format!("{person} has voted in the stage `{id}`");
            return Err(Rejection::not_possible(message).into());
        }
        let mut awaited = stage.may_give(person);
        if let Some(principal) = instead_of {
            awaited.retain(|it| *it == principal);
            if awaited.is_empty() {
                let right = format!("standing in for {principal}, who has not voted");
                return Err(self.forbidden("vote", &right).into());
            }
        }
        match awaited.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Rejection::not_possible(format!(
                "those whom {person} stands in for have voted in the stage `{id}`"
            ))
            .into()),
            several => {
                let several: Vec<_> = several.iter().map(ToString::to_string).collect();
                let message = format!(
                    "{person} stands in for several, and has one vote: say `instead_of`, one of {}",
                    several.join(", ")
                );
                Err(Rejection::not_possible(message).into())
            }
        }
    }

    fn check_comment(&self, id: &StageId, choice: Choice, comment: Option<&str>) -> Result<()> {
        let said = self.stage_definition(id);
        let needs = said.and_then(|said| said.source.comment.get(&choice));
        let is_empty = comment.is_none_or(|comment| comment.trim().is_empty());
        if needs == Some(&true) && is_empty {
            let message = format!(
                "the stage `{id}` wants to know why: whoever votes `{}` says so in a comment",
                choice.as_str()
            );
            return Err(invalid("comment", &message).into());
        }
        check_length("comment", comment)
    }

    /// Ends an open stage where it is decided.
    pub(super) fn count_votes(&mut self, id: &StageId) {
        let Some(stage) = self.open_stage(id) else {
            return;
        };
        let count = |choice| {
            let votes = stage.votes.values();
            votes.filter(|vote| vote.choice == choice).count() as u64
        };
        let (approvals, rejections) = (count(Choice::Approve), count(Choice::Reject));
        let abstentions = count(Choice::Abstain);
        let (entitled, needed) = (stage.entitled.len() as u64, u64::from(stage.needed));
        let left = entitled.saturating_sub(abstentions);
        let outcome = if approvals >= needed {
            Outcome::Approved
        } else if rejections > 0 && stage.plan.rejects == Rejects::Final {
            Outcome::Rejected
        } else if left < needed {
            Outcome::Unreachable
        } else if left - rejections < needed {
            Outcome::Rejected
        } else {
            return;
        };
        let abstained = match abstentions {
            0 => String::new(),
            some => format!(", {some} abstained"),
        };
        let reason = match outcome {
            Outcome::Approved => format!("{approvals} of the {needed} needed approved"),
            Outcome::Rejected => {
                format!(
                    "{rejections} of {entitled} rejected{abstained}, and {needed} approvals were needed"
                )
            }
            _ => format!("{entitled} may vote{abstained}, and {needed} approvals were needed"),
        };
        self.end_stage(id, outcome, &reason, None);
    }
}

fn invalid(field: &str, message: &str) -> Rejection {
    Rejection::Invalid {
        faults: vec![InputFault::of(field, message)],
    }
}

fn check_length(field: &str, text: Option<&str>) -> Result<()> {
    if text.is_some_and(|text| text.len() > LONGEST_COMMENT) {
        return Err(invalid(field, "it has at most 10,000 characters").into());
    }
    Ok(())
}
