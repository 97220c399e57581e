//! The name of an issue: `group/name#12`.

use std::fmt;

/// An issue of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    /// `group/name`, with as many groups as there are.
    pub(crate) project: String,
    /// Its number within the project, which GitLab calls `iid`.
    pub(crate) number: u64,
}

impl Issue {
    /// The issue of this name; none where it is another kind of name.
    pub(crate) fn named(reference: &str) -> Option<Self> {
        let (project, number) = reference.rsplit_once('#')?;
        let number = number.parse().ok()?;
        is_project(project).then(|| Self {
            project: project.to_owned(),
            number,
        })
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.project, self.number)
    }
}

/// Whether a text is `group/name`, and so fit to stand in an address.
pub(crate) fn is_project(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(is_fit);
    text.len() <= 300 && text.contains('/') && text.split('/').all(is_part)
}

/// How a project stands in an address of the API.
pub(crate) fn encoded(project: &str) -> String {
    project.replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::{Issue, encoded};

    #[test]
    fn an_issue_is_known_by_its_name() {
        let issue = Issue::named("acme/web/site#12").unwrap();
        assert_eq!(
            (issue.project.as_str(), issue.number),
            ("acme/web/site", 12)
        );
        assert_eq!(issue.to_string(), "acme/web/site#12");
        assert_eq!(encoded(&issue.project), "acme%2Fweb%2Fsite");
        for other in [
            "acme#1",
            "acme/web#",
            "a//b#1",
            "a/../b#1",
            "../b#1",
            "a/b?c#1",
            "#1",
        ] {
            assert_eq!(Issue::named(other), None, "{other}");
        }
    }
}
