//! What the binary carries inside: the shipped packs, the first-party plugins, and the SDKs and
//! templates that a new plugin begins with. Gathered by the build script; a build without `cargo xtask
//! build` before it carries no plugins.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The files of one shipped pack, by path below its own folder: its id, or a folder of
/// [`pack_versions`].
pub fn pack(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    PACKS.iter().filter_map(move |(path, bytes)| {
        Some((path.strip_prefix(folder)?.strip_prefix('/')?, *bytes))
    })
}

/// The ids of the shipped packs.
pub fn pack_ids() -> impl Iterator<Item = &'static str> {
    pack_folders().filter(|folder| !folder.contains('/'))
}

/// The folders of the versions of a shipped pack: that of today first, then those of earlier releases.
pub fn pack_versions(id: &str) -> impl Iterator<Item = &'static str> {
    let earlier = format!("{RELEASED}/{id}-");
    let is_version = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    let today = pack_folders().filter(move |folder| *folder == id);
    today.chain(
        pack_folders().filter(move |folder| folder.strip_prefix(&earlier).is_some_and(is_version)),
    )
}

/// Where earlier releases of the shipped packs stand, each in a folder `ID-VERSION`.
const RELEASED: &str = "released";

fn pack_folders() -> impl Iterator<Item = &'static str> {
    PACKS
        .iter()
        .filter_map(|(path, _)| path.strip_suffix("/pack.yaml"))
}

/// The component of this file name, such as `skills-router.wasm`.
pub fn plugin(file: &str) -> Option<&'static [u8]> {
    PLUGINS
        .iter()
        .find(|(name, _)| *name == file)
        .map(|(_, bytes)| *bytes)
}

/// The files below a folder of `sdk`, such as `templates/rust/shared`, by path below it.
pub fn sdk(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    SDK.iter().filter_map(move |(path, bytes)| {
        Some((path.strip_prefix(folder)?.strip_prefix('/')?, *bytes))
    })
}

/// Whether these bytes are a component that the binary carries.
pub fn is_plugin(component: &[u8]) -> bool {
    PLUGINS.iter().any(|(_, bytes)| *bytes == component)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_itil_pack_travels_in_the_binary() {
        assert!(super::pack_ids().any(|id| id == "itil"));
        assert!(super::pack("itil").any(|(path, _)| path == "workflows/incident.yaml"));
    }
}
