//! The nearest known name to one that is not known.

/// The known name that was probably meant, if one is near enough: one letter off in a short name,
/// up to three in a long one. Only the first thousand known names are looked at.
///
/// ```
/// let known = ["transitions", "timers", "title"];
/// assert_eq!(servicewright_definition::source::nearest("transtions", known), Some("transitions"));
/// assert_eq!(servicewright_definition::source::nearest("colour", known), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    const MOST: usize = 1_000;
    if name.len() > LONGEST {
        return None;
    }
    let plain = name.to_lowercase().replace('_', "-");
    let reach = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .take(MOST)
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != name)
        .map(|candidate| {
            let other = candidate.to_lowercase().replace('_', "-");
            (strsim::damerau_levenshtein(&plain, &other), candidate)
        })
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
