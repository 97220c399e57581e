//! The rules as a page to read.

use std::fmt::Write as _;

use super::{Part, Rule};

const HEAD: &str = "# Rules for definitions

`wright pack lint DIR` holds a pack to these rules and tells what it finds with file, line, column and
the id of the rule; `wright pack rules ID` prints one of them. An error keeps the pack from being
installed. A warning does not.

This page is written from the rules themselves; a test keeps it true.

## Silencing

What is right as it is, though a rule warns of it, is silenced in `pack.yaml` with a reason:

```yaml
lint:
  silence:
    workflows/incident/anywhere/hurry: { idle-transition: The pager plugin takes it. }
```

- The path is the folder of the definition, its id and the keys within it; `pack` stands for `pack.yaml`
  itself. It covers what is found there and below.
- Only warnings can be silenced. What is an error cannot be installed, whatever anyone thinks of it.
- A silence under which nothing is found is a warning of its own, so that none outlives its reason.
- In an adaptation silences merge like everything else: those of the base stay, and `null` takes one out.
";

/// The page of all rules, in Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for part in Part::ALL {
        let (title, about) = heading(part);
        let _ = write!(page, "\n## {title}\n\n{about}\n");
        for rule in part.rules() {
            let Rule {
                id,
                weight,
                finds,
                why,
                fault,
                cure,
            } = rule;
            let weight = weight.as_str();
            let _ = write!(
                page,
                "\n### {id}\n\n*{weight}.* {finds} {why}\n\n```yaml\n# not so\n{fault}\n# but so\n{cure}\n```\n"
            );
        }
    }
    page
}

const fn heading(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Form => (
            "Form",
            "Files that cannot be read, or not laid over each other.",
        ),
        Part::Meaning => ("Meaning", "Definitions that can be read, but not run."),
        Part::Judgement => (
            "Judgement",
            "Definitions that could run, and would leave records stuck, rows unread or people unasked. \
             Some rules need to know who is there: `wright pack lint DIR --directory FOLDER`, with the \
             files of a directory such as `user.json` and `team.json` in the folder.",
        ),
    }
}

/// One rule, as a terminal shows it.
pub fn told(rule: &Rule) -> String {
    let indented = |text: &str| {
        text.lines()
            .fold(String::new(), |all, line| all + "    " + line + "\n")
    };
    format!(
        "{} ({})\n{}\n{}\n\n  not so:\n{}\n  but so:\n{}",
        rule.id,
        rule.weight.as_str(),
        rule.finds,
        rule.why,
        indented(rule.fault),
        indented(rule.cure)
    )
}
