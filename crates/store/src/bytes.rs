//! The bytes of keys: ids and instants written so that the order of the bytes is the order meant.

use engine::port::StoreError;
use model::Instant;
use model::id::RecordId;

/// A record's id as a key: its prefix, a zero byte, and its number in seven bytes, so that records
/// stand in order of number and new ones at the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordKey {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl RecordKey {
    /// A prefix has at most 8 characters, a number at most 15 digits, which are less than 2^56.
    const LONGEST: usize = 16;
    const NUMBER: usize = 7;

    pub(crate) fn new(id: &RecordId) -> Self {
        let prefix = prefix(id).as_bytes();
        let number = id.number().to_be_bytes();
        let mut bytes = [0; Self::LONGEST];
        bytes[..prefix.len()].copy_from_slice(prefix);
        let length = prefix.len() + 1 + Self::NUMBER;
        bytes[prefix.len() + 1..length].copy_from_slice(&number[1..]);
        let length = u8::try_from(length).expect("at most 16");
        Self { bytes, length }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The id that a key was made of.
    pub(crate) fn id(bytes: &[u8]) -> Result<RecordId, StoreError> {
        let damaged = || StoreError::Damaged("the key of a record does not read".to_owned());
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .ok_or_else(damaged)?;
        let prefix = std::str::from_utf8(&bytes[..end]).map_err(|_| damaged())?;
        let mut number = [0; 8];
        let digits = bytes.get(end + 1..).ok_or_else(damaged)?;
        if digits.len() != Self::NUMBER {
            return Err(damaged());
        }
        number[1..].copy_from_slice(digits);
        RecordId::numbered(prefix, u64::from_be_bytes(number)).map_err(|_| damaged())
    }
}

/// What stands before the number of a record.
pub(crate) fn prefix(id: &RecordId) -> &str {
    id.as_str().split_once('-').map_or("", |(prefix, _)| prefix)
}

/// An instant in eight bytes, earlier ones first.
pub(crate) const fn instant(at: Instant) -> [u8; 8] {
    (at.millis().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The instant that eight bytes were made of.
pub(crate) fn read_instant(bytes: &[u8]) -> Result<Instant, StoreError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::Damaged("an instant in a key does not read".to_owned()))?;
    Ok(Instant::from_millis(
        (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed(),
    ))
}

/// Two texts as one key. The first may hold no zero byte, which ids never do.
pub(crate) fn pair(first: &str, second: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(first.len() + 1 + second.len());
    key.extend_from_slice(first.as_bytes());
    key.push(0);
    key.extend_from_slice(second);
    key
}

/// What follows the last key that begins so; none where every key after it does.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::{RecordKey, after_prefix, instant, read_instant};
    use model::Instant;
    use model::id::RecordId;

    #[test]
    fn records_stand_in_order_of_prefix_and_number() {
        let ids = [
            "CHG-7",
            "INC-1",
            "INC-2",
            "INC-10",
            "INC-999999999999999",
            "INCX-1",
        ];
        let ids = ids.map(|id| RecordId::new(id).unwrap());
        let keys = ids.clone().map(|id| RecordKey::new(&id));
        assert!(keys.is_sorted());
        for (key, id) in keys.iter().zip(&ids) {
            assert_eq!(&RecordKey::id(key.as_slice()).unwrap(), id);
        }
        assert!(RecordKey::id(b"INC").is_err());
        assert!(RecordKey::id(b"INC\0abc").is_err());
    }

    #[test]
    fn instants_before_and_after_1970_stand_in_order() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(Instant::from_millis);
        let keys = times.map(instant);
        assert!(keys.is_sorted());
        for (key, time) in keys.iter().zip(times) {
            assert_eq!(read_instant(key).unwrap(), time);
        }
    }

    #[test]
    fn a_prefix_ends_before_the_next_key_that_lacks_it() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(b"a\xff"), Some(b"b".to_vec()));
        assert_eq!(after_prefix(b"\xff"), None);
    }
}
