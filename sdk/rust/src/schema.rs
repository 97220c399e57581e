//! The JSON Schema of a plugin's settings, from their type.
//!
//! The server checks settings against the file `settings.schema.json` before the plugin is ever asked,
//! and people write them by it. [`settings!`](crate::settings) has a test hold that file to the type:
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! /// Settings of quiet-router
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     /// The team whose members are looked at.
//!     team: String,
//! }
//!
//! servicewright_sdk::settings!(Settings);
//! ```
//!
//! The derive macro is that of `schemars` 1, which the plugin depends on as it does on `serde`.
//! Where the file is missing or differs, the test says so; with `UPDATE_SCHEMA=1` it writes it.

#[cfg(not(target_family = "wasm"))]
use schemars::JsonSchema;

/// Holds `settings.schema.json` beside the plugin's `Cargo.toml` to the type of its settings, in a
/// test of the plugin.
#[macro_export]
macro_rules! settings {
    ($settings:ty) => {
        #[cfg(all(test, not(target_family = "wasm")))]
        mod settings_schema {
            use super::*;

            #[test]
            fn the_file_says_what_the_type_says() {
                let folder = ::core::env!("CARGO_MANIFEST_DIR");
                $crate::schema::hold::<$settings>(::std::path::Path::new(folder));
            }
        }
    };
}

/// Holds the file in this folder to the type, or writes it where `UPDATE_SCHEMA` is set.
///
/// # Panics
/// Where the file differs, or cannot be read or written.
#[cfg(not(target_family = "wasm"))]
pub fn hold<T: JsonSchema>(folder: &std::path::Path) {
    let file = folder.join("settings.schema.json");
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(T));
    let schema = schema.expect("a schema is JSON") + "\n";
    let shown = file.display();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, schema).unwrap_or_else(|error| panic!("{shown}: {error}"));
        return;
    }
    let present = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        present.replace("\r\n", "\n") == schema,
        "{shown} does not say what the type says: run `UPDATE_SCHEMA=1 cargo test`, look at the file, keep it"
    );
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::hold;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Settings {
        /// The team that is asked.
        team: String,
    }

    #[test]
    fn a_file_that_says_something_else_is_found_out() {
        let folder = std::env::temp_dir().join(format!("schema-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let held = || std::panic::catch_unwind(|| hold::<Settings>(&folder)).is_ok();
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Settings));
        let file = folder.join("settings.schema.json");
        std::fs::write(&file, schema.expect("JSON") + "\n").expect("written");
        assert!(held());
        std::fs::write(&file, "{}\n").expect("written");
        assert!(!held());
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
