//! A file that is said to be a component: looked at, and where it holds up, compiled and linked. What
//! begins with a parenthesis is assembled first, so that the seeds can be read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes
        .first()
        .is_some_and(|byte| matches!(byte, b'(' | b';'))
    {
        if let Ok(component) = wat::parse_bytes(bytes) {
            plugin_host::fuzzing::component(&component);
        }
    } else {
        plugin_host::fuzzing::component(bytes);
    }
});
