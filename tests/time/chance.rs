//! Numbers that look like chance and are the same in every run.

/// splitmix64, from a seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// One of so many numbers, from 0 on.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        let limit = u64::try_from(limit).expect("it fits");
        usize::try_from(mixed % limit).expect("it fits")
    }
}
