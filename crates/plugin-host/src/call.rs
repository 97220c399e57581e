//! One call of a guest, from the semaphore to the answer. Whatever the guest does in between, the call
//! ends within its limits.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::{Duration, Instant as Clock};

use engine::port::{Delivery, HttpRequest, IntegrationCommand, WebhookReply};
use futures::FutureExt as _;
use model::hook::{Answer, Ask, Call, Failure, FailureKind, Question};
use model::journal::Lookup;
use tokio::sync::{AcquireError, Semaphore};
use tokio::time::{Instant, timeout_at};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::bindings::contract::types;
use crate::convert::{answer, commands, question};
use crate::failure::{Stop, failure, of_call, of_plugin, printable};
use crate::guest::{Circumstances, Guest};
use crate::lane::Lane;
use crate::limits::InForce;
use crate::link::Template;
use crate::runtime::{TICK, Ticker};

/// How many handles to resources a guest may hold at once.
const HANDLES: usize = 10_000;

/// How many ticks a call has before it counts as one that takes long.
const QUICK: u128 = 3;

/// What a guest is asked or told.
#[derive(Clone)]
pub(crate) enum Input<'a> {
    Question(&'a Question),
    Delivery(Box<Delivery>),
    Request(HttpRequest),
    Schedule,
}

/// What a guest answered.
pub(crate) enum Output {
    Answer(Answer),
    Commands(Vec<IntegrationCommand>),
    Reply(WebhookReply),
}

/// How a call went.
pub(crate) struct Ended {
    pub(crate) result: Result<Output, Failure>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) used: Used,
}

/// What a call used up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// For how long a thread worked on it: in the guest, in what the guest asked of the server, and
    /// in making the instance, without what it waited for. It is read off a clock around each piece
    /// of work, so that it counts too what else had the processor meanwhile. A processor clock of the
    /// thread would tell these apart, and cost a tenth of a decision.
    pub(crate) cpu_micros: u64,
    /// The bytes of its memories. They never shrink, so that this is their peak.
    pub(crate) memory_bytes: u64,
}

impl Ended {
    /// Nothing was called.
    pub(crate) fn without(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            lookups: Vec::new(),
            used: Used::default(),
        }
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.result.as_ref().err()
    }
}

/// Where calls run.
pub(crate) struct Place<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) ticker: &'a Ticker,
    /// Instances that calls of this kind may have at once; they wait for one rather than fail.
    pub(crate) room: &'a Semaphore,
    /// The binding's share of that: no binding has all of it.
    pub(crate) share: &'a Semaphore,
    pub(crate) lane: &'a Lane,
}

/// Calls a guest.
pub(crate) async fn run(
    place: Place<'_>,
    template: &Template,
    circumstances: Circumstances,
    call: &Call,
    input: Input<'_>,
) -> Ended {
    let limits = circumstances.limits;
    let deadline = Instant::now() + limits.call.wall;
    let busy = |why: &str| Ended::without(failure(FailureKind::Busy, why));
    let places = async {
        let share = place.share.acquire().await?;
        Ok::<_, AcquireError>((share, place.room.acquire().await?))
    };
    let Ok(permit) = timeout_at(deadline, places).await else {
        return busy("too many calls are under way, and none ended in time");
    };
    let Ok(_permit) = permit else {
        return busy("the server is stopping");
    };

    let call = question::call(call, &circumstances.bound);
    let mut store = Store::new(place.engine, Guest::new(circumstances));
    hold_to(&mut store, limits, place.lane);
    let _ticking = place.ticker.tick();
    let mut worked = Duration::ZERO;
    let invoked = {
        // A guest's fault must not become the server's, not even through a fault in a host function.
        let invoked = AssertUnwindSafe(invoke(template, &mut store, &call, input)).catch_unwind();
        let mut invoked = pin!(invoked);
        let measured = poll_fn(|context| {
            let begun = Clock::now();
            let polled = invoked.as_mut().poll(context);
            worked += begun.elapsed();
            polled
        });
        timeout_at(deadline, measured).await
    };
    let result = match invoked {
        Err(_) => Err(failure(
            FailureKind::Timeout,
            format!("it gave no answer within {}", span(limits.call.wall)),
        )),
        Ok(Err(_)) => Err(failure(
            FailureKind::Internal,
            "a fault in the server ended the call",
        )),
        Ok(Ok(Err(error))) => {
            let guest = store.data();
            Err(of_call(&error, guest.memory.denied(), &guest.said.text()))
        }
        Ok(Ok(Ok(Err(error)))) => Err(of_plugin(error)),
        Ok(Ok(Ok(Ok(output)))) => output.map_err(|stop| failure(stop.kind, stop)),
    };
    let guest = store.data_mut();
    Ended {
        result: result.map_err(|failure| completed(guest, failure)),
        lookups: guest.take_lookups(),
        used: Used {
            cpu_micros: u64::try_from(worked.as_micros()).unwrap_or(u64::MAX),
            memory_bytes: guest.memory.bytes() as u64,
        },
    }
}

/// Tries whether a component can be instantiated within the limits it will have.
pub(crate) async fn try_out(
    place: Place<'_>,
    template: &Template,
    circumstances: Circumstances,
) -> Result<(), Failure> {
    let limits = circumstances.limits;
    let mut store = Store::new(place.engine, Guest::new(circumstances));
    hold_to(&mut store, limits, place.lane);
    let _ticking = place.ticker.tick();
    let started = tokio::time::timeout(limits.call.wall, instantiate(template, &mut store)).await;
    match started {
        Err(_) => Err(failure(
            FailureKind::Timeout,
            format!("it did not start within {}", span(limits.call.wall)),
        )),
        Ok(Err(error)) => {
            let guest = store.data();
            Err(of_call(&error, guest.memory.denied(), &guest.said.text()))
        }
        Ok(Ok(())) => Ok(()),
    }
}

/// What the operator should know beside what the guest said: why its request was refused or came to
/// nothing. And none of it with a secret.
fn completed(guest: &Guest, mut failure: Failure) -> Failure {
    if let Some(why) = guest.outgoing.trouble() {
        failure.message = printable(&format!("{} ({why})", failure.message));
    }
    failure.message = guest.outgoing.blank(failure.message);
    failure
}

/// Sets every limit that wasmtime keeps.
fn hold_to(store: &mut Store<Guest>, limits: InForce, lane: &Lane) {
    store.limiter(|guest| &mut guest.memory);
    store.set_hostcall_fuel(limits.handed_over);
    store.set_max_component_handles(HANDLES);
    store.set_epoch_deadline(1);
    // The first tick comes sooner than a tick's time from now, so it does not count.
    let most = 1 + limits.call.cpu.as_millis() / TICK.as_millis();
    let (lane, mut ticks) = (lane.clone(), 0);
    store.epoch_deadline_callback(move |mut context| {
        let budget = &mut context.data_mut().budget;
        budget.check()?;
        ticks += 1;
        if ticks >= most {
            let cpu = span(limits.call.cpu);
            let message = format!("it used up its {cpu} of processor time");
            return Err(Stop::new(FailureKind::Timeout, message).into());
        }
        // Others go on meanwhile, the deadline of the call among them.
        Ok(if ticks <= QUICK {
            UpdateDeadline::Yield(1)
        } else {
            UpdateDeadline::YieldCustom(1, Box::pin(budget.turn(&lane).next()))
        })
    });
}

type Invoked = wasmtime::Result<Result<Result<Output, Stop>, types::PluginError>>;

/// Makes an instance and calls its hook.
async fn invoke(
    template: &Template,
    store: &mut Store<Guest>,
    call: &types::Call,
    input: Input<'_>,
) -> Invoked {
    Ok(match (template, input) {
        (Template::Routing(template), Input::Question(question)) => {
            let instance = template.instantiate_async(&mut *store).await?;
            let subject = question::record(&question.subject);
            let routing = instance.servicewright_plugin_routing();
            let answered = routing.call_route(store, call, &subject).await?;
            answered.map(|assignment| answer::assignment(assignment).map(Output::Answer))
        }
        (Template::Approval(template), Input::Question(question)) => {
            let Ask::Approve {
                transition,
                input,
                votes,
            } = &question.ask
            else {
                return Err(unfit());
            };
            let instance = template.instantiate_async(&mut *store).await?;
            let subject = question::record(&question.subject);
            let request = question::approval(transition, input, votes);
            let approval = instance.servicewright_plugin_approval();
            let answered = approval
                .call_decide(store, call, &subject, &request)
                .await?;
            answered.map(|verdict| answer::verdict(verdict).map(Output::Answer))
        }
        (Template::ServiceLevel(template), Input::Question(question)) => {
            let Ask::Targets {
                service_level,
                targets,
                calendar,
            } = &question.ask
            else {
                return Err(unfit());
            };
            let instance = template.instantiate_async(&mut *store).await?;
            let subject = question::record(&question.subject);
            let agreement = question::agreement(service_level, targets, calendar);
            let level = instance.servicewright_plugin_service_level();
            let answered = level
                .call_targets(store, call, &subject, &agreement)
                .await?;
            answered.map(|targets| answer::targets(targets).map(Output::Answer))
        }
        (Template::Delivery(template), Input::Delivery(delivery)) => {
            let instance = template.instantiate_async(&mut *store).await?;
            let event = question::event(&delivery);
            let hook = instance.servicewright_plugin_delivery();
            let answered = hook.call_deliver(store, call, &event).await?;
            answered.map(|given| commands::all(given).map(Output::Commands))
        }
        (Template::Webhook(template), Input::Request(request)) => {
            let instance = template.instantiate_async(&mut *store).await?;
            let request = question::request(request);
            let webhook = instance.servicewright_plugin_webhook();
            let answered = webhook.call_receive(store, call, &request).await?;
            answered.map(|reply| commands::reply(reply).map(Output::Reply))
        }
        (Template::Schedule(template), Input::Schedule) => {
            let instance = template.instantiate_async(&mut *store).await?;
            let schedule = instance.servicewright_plugin_schedule();
            let answered = schedule.call_run(store, call).await?;
            answered.map(|given| commands::all(given).map(Output::Commands))
        }
        _ => return Err(unfit()),
    })
}

async fn instantiate(template: &Template, store: &mut Store<Guest>) -> wasmtime::Result<()> {
    match template {
        Template::Approval(template) => template.instantiate_async(store).await.map(drop),
        Template::Routing(template) => template.instantiate_async(store).await.map(drop),
        Template::ServiceLevel(template) => template.instantiate_async(store).await.map(drop),
        Template::Delivery(template) => template.instantiate_async(store).await.map(drop),
        Template::Webhook(template) => template.instantiate_async(store).await.map(drop),
        Template::Schedule(template) => template.instantiate_async(store).await.map(drop),
    }
}

/// The template is chosen by the kind of question, so that this cannot come up.
fn unfit() -> wasmtime::Error {
    Stop::new(FailureKind::Internal, "the question is for another hook").into()
}

fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis >= 1000 && millis.is_multiple_of(1000) {
        format!("{} s", millis / 1000)
    } else {
        format!("{millis} ms")
    }
}
