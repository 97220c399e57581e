//! The name of an issue: `owner/name#12`.

use std::fmt;

/// An issue of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    /// `owner/name`.
    pub(crate) repository: String,
    pub(crate) number: u64,
}

impl Issue {
    /// The issue of this name; none where it is another kind of name.
    pub(crate) fn named(reference: &str) -> Option<Self> {
        let (repository, number) = reference.rsplit_once('#')?;
        let number = number.parse().ok()?;
        is_repository(repository).then(|| Self {
            repository: repository.to_owned(),
            number,
        })
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repository, self.number)
    }
}

/// Whether a text is `owner/name`, and so fit to stand in an address.
pub(crate) fn is_repository(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(is_fit);
    let parts = text.split_once('/');
    text.len() <= 200 && parts.is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

#[cfg(test)]
mod tests {
    use super::Issue;

    #[test]
    fn an_issue_is_known_by_its_name() {
        let issue = Issue::named("acme/web.site#12").unwrap();
        assert_eq!(
            (issue.repository.as_str(), issue.number),
            ("acme/web.site", 12)
        );
        assert_eq!(issue.to_string(), "acme/web.site#12");
        for other in [
            "acme#1",
            "acme/web#",
            "a/b/c#1",
            "a/../b#1",
            "../b#1",
            "a/b?c#1",
            "#1",
        ] {
            assert_eq!(Issue::named(other), None, "{other}");
        }
    }
}
