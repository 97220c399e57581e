//! Binary search, the only loop of a calculation. Tests count its steps: they must not depend on
//! how far apart two instants are.

/// The last item for which `holds` does, of a slice in which those come first.
pub(crate) fn last<T>(items: &[T], holds: impl Fn(&T) -> bool) -> Option<&T> {
    let count = items.partition_point(|item| {
        #[cfg(test)]
        steps::count();
        holds(item)
    });
    items[..count].last()
}

#[cfg(test)]
pub(crate) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<u32> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// The steps that `work` takes on this thread.
    pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, u32) {
        STEPS.set(0);
        let result = work();
        (result, STEPS.get())
    }
}
