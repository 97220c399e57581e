//! What WASI 0.2 comes to in here. A pure hook gets a clock that stands at the time of its call,
//! chance that follows from the call's seed, and no sleep: the same call sees the same world. For
//! integrations both are real. Nobody gets files, sockets, arguments or an environment.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use model::Instant;
use model::hook::FailureKind;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use crate::failure::Stop;
use crate::guest::Guest;

/// How many bytes of chance a guest may ask for at once.
const RANDOM_BYTES: u64 = 64 << 10;
/// How much of what a guest writes to its standard error is kept, in bytes.
const SAID: usize = 4 << 10;

/// Puts WASI at the disposal of pure hooks.
pub(crate) fn link_pure(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    wall_clock::add_to_linker::<_, HasSelf<FixedWorld>>(linker, |guest| &mut guest.fixed)?;
    monotonic_clock::add_to_linker::<_, HasSelf<FixedWorld>>(linker, |guest| &mut guest.fixed)?;
    random::add_to_linker::<_, HasSelf<FixedWorld>>(linker, |guest| &mut guest.fixed)?;
    insecure::add_to_linker::<_, HasSelf<FixedWorld>>(linker, |guest| &mut guest.fixed)?;
    insecure_seed::add_to_linker::<_, HasSelf<FixedWorld>>(linker, |guest| &mut guest.fixed)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Puts WASI and outgoing HTTP at the disposal of integrations.
pub(crate) fn link_integration(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

/// A world that stands still, with chance that is settled beforehand.
#[derive(Debug)]
pub(crate) struct FixedWorld {
    now: Instant,
    state: u64,
}

impl FixedWorld {
    pub(crate) const fn new(now: Instant, seed: u64) -> Self {
        Self { now, state: seed }
    }

    /// `SplitMix64` (Steele, Lea and Flood 2014): equally spread, and cheap to begin.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Stop> {
        if count > RANDOM_BYTES {
            return Err(Stop::new(
                FailureKind::Limit,
                format!("it asked for {count} bytes of chance, at most {RANDOM_BYTES} are given"),
            ));
        }
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(words.flatten().take(count).collect())
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.now.millis()).unwrap_or_default()
    }
}

fn no_sleep<T>() -> wasmtime::Result<T> {
    Err(Stop::new(
        FailureKind::Trap,
        "it wanted to sleep, which a pure hook cannot: its clock stands still",
    )
    .into())
}

impl wall_clock::Host for FixedWorld {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let millis = self.millis();
        Ok(wall_clock::Datetime {
            seconds: millis / 1000,
            nanoseconds: u32::try_from(millis % 1000 * 1_000_000).unwrap_or_default(),
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1_000_000,
        })
    }
}

impl monotonic_clock::Host for FixedWorld {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.millis().saturating_mul(1_000_000))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000_000)
    }

    fn subscribe_instant(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        no_sleep()
    }

    fn subscribe_duration(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        no_sleep()
    }
}

impl random::Host for FixedWorld {
    fn get_random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        Ok(self.bytes(count)?)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.next())
    }
}

impl insecure::Host for FixedWorld {
    fn get_insecure_random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        Ok(self.bytes(count)?)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.next())
    }
}

impl insecure_seed::Host for FixedWorld {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.next(), self.next()))
    }
}

/// The beginning of what a guest writes to its standard error, where panics say what happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

impl IsTerminal for Said {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Said {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn wasmtime_wasi::p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl Said {
    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = SAID.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl AsyncWrite for Said {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.keep(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl wasmtime_wasi::p2::Pollable for Said {
    async fn ready(&mut self) {}
}

impl wasmtime_wasi::p2::OutputStream for Said {
    fn write(&mut self, bytes: bytes::Bytes) -> wasmtime_wasi::p2::StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> wasmtime_wasi::p2::StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> wasmtime_wasi::p2::StreamResult<usize> {
        Ok(SAID)
    }
}

#[cfg(test)]
mod tests {
    use super::FixedWorld;
    use model::Instant;
    use wasmtime_wasi::p2::bindings::random::random::Host as _;

    #[test]
    fn chance_follows_from_the_seed_and_is_bounded() {
        let draw = |seed| {
            FixedWorld::new(Instant::EPOCH, seed)
                .get_random_bytes(20)
                .unwrap()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(
            FixedWorld::new(Instant::EPOCH, 1)
                .get_random_bytes(1 << 20)
                .is_err()
        );
    }
}
