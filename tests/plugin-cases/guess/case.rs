//! Asks for a secret again and again whether it is this or that, whatever the answer.

use servicewright_sdk::{Result, signing};

pub(crate) fn run() -> Result<String> {
    let mut right = 0;
    for guess in 0..10_000_u32 {
        right += u32::from(signing::is_secret("key", guess.to_string().as_bytes())?);
    }
    Ok(format!("{right} right"))
}
