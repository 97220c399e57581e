//! Texts: filled in from a template, and cut to what the other side takes.

use servicewright_sdk::webhook::{Reply, Response};

/// Stands at the end of what was cut.
const CUT: &str = " […]";

/// The text, or its beginning and a mark where it has more than so many characters.
pub fn clip(text: &str, at_most: usize) -> String {
    if text.chars().nth(at_most).is_none() {
        return text.to_owned();
    }
    let kept = at_most.saturating_sub(CUT.chars().count());
    let beginning: String = text.chars().take(kept).collect();
    let mut cut = beginning.trim_end().to_owned();
    cut.push_str(CUT);
    cut
}

/// A template with the names in braces replaced; a name that stands for nothing leaves nothing. What
/// was put in is not looked at again, so that a stranger's text cannot name anything.
pub fn fill(template: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        match behind.split_once('}') {
            Some((name, after)) if is_name(name) => {
                filled.push_str(&value_of(name).unwrap_or_default());
                rest = after;
            }
            _ => {
                filled.push('{');
                rest = behind;
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn is_name(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.chars().all(is_fit)
}

/// An answer to a sender that is told why, as a sentence.
pub fn said(status: u16, words: &str) -> Reply {
    let mut letters = words.chars();
    let sentence = letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    });
    Reply::new(Response::text(status, sentence))
}

/// The answer to a method that is not `POST`.
pub fn only_post() -> Reply {
    let mut reply = said(405, "send a POST");
    let allow = ("allow".to_owned(), "POST".to_owned());
    reply.response.headers.push(allow);
    reply
}

#[cfg(test)]
mod tests {
    use super::{clip, fill};

    #[test]
    fn a_text_is_cut_by_characters_and_says_so() {
        assert_eq!(clip("häßlich", 7), "häßlich");
        assert_eq!(clip("häßlich genug", 9), "häßli […]");
        assert_eq!(clip("🙂🙂🙂🙂🙂🙂", 5), "🙂 […]");
        assert_eq!(clip("", 0), "");
    }

    #[test]
    fn names_in_braces_are_replaced_once() {
        let value = |name: &str| match name {
            "title" => Some("{body} 100 %".to_owned()),
            "labels.team" => Some("db".to_owned()),
            _ => None,
        };
        assert_eq!(
            fill("{title} for {labels.team}{none}", value),
            "{body} 100 % for db"
        );
        assert_eq!(fill("{ not a name } {", value), "{ not a name } {");
        assert_eq!(fill("{{title}", value), "{{body} 100 %");
    }
}
