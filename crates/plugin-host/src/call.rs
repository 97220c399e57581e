//! One call of a guest, from the semaphore to the answer. Whatever the guest does in between, the call
//! ends within its limits.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::{Duration, Instant as Clock};

use engine::port::{Delivery, HttpRequest, IntegrationCommand, WebhookReply};
use futures::FutureExt as _;
use model::hook::{Answer, Call, Failure, FailureKind, Question};
use model::journal::Lookup;
use tokio::sync::{AcquireError, Semaphore};
use tokio::time::{Instant, timeout_at};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::contract::Template;
use crate::failure::{Stop, failure, of_call, printable};
use crate::guest::{Circumstances, Guest};
use crate::lane::Lane;
use crate::limits::InForce;
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
    template: &dyn Template,
    mut circumstances: Circumstances,
    call: &Call,
    input: Input<'_>,
) -> Ended {
    if let Input::Delivery(delivery) = &input {
        circumstances.outgoing.hide(&delivery.hidden);
    }
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

    let mut store = Store::new(place.engine, Guest::new(circumstances));
    hold_to(&mut store, limits, place.lane);
    let _ticking = place.ticker.tick();
    let mut worked = Duration::ZERO;
    let invoked = {
        // A guest's fault must not become the server's, not even through a fault in a host function.
        let invoked = AssertUnwindSafe(template.invoke(&mut store, call, input)).catch_unwind();
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
        Ok(Ok(Ok(answered))) => answered,
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
    template: &dyn Template,
    circumstances: Circumstances,
) -> Result<(), Failure> {
    let limits = circumstances.limits;
    let mut store = Store::new(place.engine, Guest::new(circumstances));
    hold_to(&mut store, limits, place.lane);
    let _ticking = place.ticker.tick();
    let started = tokio::time::timeout(limits.call.wall, template.start(&mut store)).await;
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

fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis >= 1000 && millis.is_multiple_of(1000) {
        format!("{} s", millis / 1000)
    } else {
        format!("{millis} ms")
    }
}
