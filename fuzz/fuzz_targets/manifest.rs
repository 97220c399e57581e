//! A plugin's manifest and the settings that are held to its schema, both as a stranger wrote them:
//! two JSON texts with a zero byte between them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (manifest, settings) = (parts.next(), parts.next());
    plugin_host::fuzzing::manifest(manifest.unwrap_or_default(), settings.unwrap_or(b"{}"));
});
