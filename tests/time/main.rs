//! Time in process: the real engine over a real store, with clocks that are turned by hand.

mod chance;
mod clock_jumps;
mod desk;
mod minutes;
mod no_plugins;
mod own_time;
mod year;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
