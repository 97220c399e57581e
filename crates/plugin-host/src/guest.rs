//! What the server keeps for one call: the state behind every host function.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::port::Surroundings;
use model::Digest;
use model::Instant;
use model::hook::Hook;
use model::journal::{LookedUp, Lookup};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::active::Bound;
use crate::capability::http::Outgoing;
use crate::capability::pure::Withheld;
use crate::capability::wasi::{FixedWorld, Said};
use crate::limits::{Budget, InForce, MemoryLimit};

/// How many things of WASI a call may hold at once.
pub(crate) const RESOURCES: usize = 1_000;

/// The state of one call. It lives as long as the instance, which is never used twice.
pub(crate) struct Guest {
    pub(crate) bound: Arc<Bound>,
    pub(crate) hook: Hook,
    pub(crate) around: Arc<dyn Surroundings>,
    pub(crate) now: Instant,
    pub(crate) budget: Budget,
    pub(crate) memory: MemoryLimit,
    pub(crate) fixed: FixedWorld,
    pub(crate) outgoing: Outgoing,
    pub(crate) said: Said,
    pub(crate) withheld: Withheld,
    lookups: BTreeMap<LookedUp, Option<Digest>>,
    table: ResourceTable,
    /// Made when the guest first needs it: most calls of a compiled plugin never do.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
}

/// What a call is begun with.
pub(crate) struct Circumstances {
    pub(crate) bound: Arc<Bound>,
    pub(crate) hook: Hook,
    pub(crate) around: Arc<dyn Surroundings>,
    pub(crate) now: Instant,
    pub(crate) seed: u64,
    pub(crate) limits: InForce,
    pub(crate) outgoing: Outgoing,
}

impl Guest {
    pub(crate) fn new(circumstances: Circumstances) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        Self {
            bound: circumstances.bound,
            hook: circumstances.hook,
            around: circumstances.around,
            now: circumstances.now,
            budget: Budget::new(circumstances.limits),
            memory: MemoryLimit::new(circumstances.limits.call.memory),
            fixed: FixedWorld::new(circumstances.now, circumstances.seed),
            outgoing: circumstances.outgoing,
            said: Said::default(),
            withheld: Withheld,
            lookups: BTreeMap::new(),
            table,
            wasi: None,
            http: WasiHttpCtx::new(),
        }
    }

    /// Takes note of what a look-up found, for the journal.
    pub(crate) fn note(&mut self, what: LookedUp, found: Option<Digest>) {
        self.budget.note(match &what {
            LookedUp::Thing(key) => key.kind.as_str().len() + key.id.as_str().len(),
            LookedUp::Query(text) => text.len(),
            LookedUp::Role(_) | LookedUp::Record(_) => 64,
        });
        self.lookups.insert(what, found);
    }

    /// Everything that was looked up, in the order of what it was.
    pub(crate) fn take_lookups(&mut self) -> Vec<Lookup> {
        std::mem::take(&mut self.lookups)
            .into_iter()
            .map(|(what, found)| Lookup { what, found })
            .collect()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.budget.wasi_call();
        let said = &self.said;
        let ctx = self.wasi.get_or_insert_with(|| {
            // No files, arguments, environment, names or sockets; output goes nowhere but for what
            // a panic says.
            WasiCtxBuilder::new()
                .stderr(said.clone())
                .allow_ip_name_lookup(false)
                .allow_tcp(false)
                .allow_udp(false)
                .max_random_size(64 << 10)
                .build()
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.budget.wasi_call();
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outgoing,
        }
    }
}
