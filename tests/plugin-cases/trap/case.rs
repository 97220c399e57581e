//! Panics, as a plugin with a mistake does.

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    let nothing = std::hint::black_box(None::<&str>);
    Ok(nothing.expect("the impact is missing").to_owned())
}
