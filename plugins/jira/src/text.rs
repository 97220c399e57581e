//! Texts as Jira takes and gives them: the Atlassian Document Format in version 3 of the API, plain text
//! in version 2 and in webhooks. And the line by which our own texts are known.

use counterpart::text::clip;
use serde_json::{Value as Json, json};

use crate::settings::Deployment;

/// A little less than the 32,767 characters that Jira takes.
const MAX_CHARS: usize = 32_000;
/// How the last line of our own texts begins.
const MARK: &str = "servicewright: ";
/// How deep documents are looked into.
const MAX_DEPTH: usize = 20;

/// The label of every issue that is made here.
pub(crate) const LABEL: &str = "servicewright";

/// The label of the issue that is made for this record.
pub(crate) fn label_of(record: &str) -> String {
    format!("{LABEL}-{record}")
}

/// The last line of a text: which event it tells of.
pub(crate) fn mark(event: &str) -> String {
    format!("{MARK}{event}")
}

/// Whether a text was written by this plugin.
pub(crate) fn is_marked(text: &str) -> bool {
    text.trim_end()
        .lines()
        .next_back()
        .is_some_and(|line| line.trim().starts_with(MARK))
}

/// A text with its mark, cut to what Jira takes.
pub(crate) fn marked(text: &str, event: &str) -> String {
    format!("{}\n\n{}", clip(text, MAX_CHARS), mark(event))
}

/// A text as this Jira takes it.
pub(crate) fn outgoing(deployment: Deployment, text: &str) -> Json {
    let text = clip(text, MAX_CHARS + 200);
    match deployment {
        Deployment::Cloud => document(&text),
        Deployment::DataCenter => Json::String(text),
    }
}

/// A document: a paragraph for what blank lines part, and in it a line break for each line's end.
fn document(text: &str) -> Json {
    let mut paragraphs = Vec::new();
    let mut inside: Vec<Json> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            if !inside.is_empty() {
                let content = std::mem::take(&mut inside);
                paragraphs.push(json!({ "type": "paragraph", "content": content }));
            }
            continue;
        }
        if !inside.is_empty() {
            inside.push(json!({ "type": "hardBreak" }));
        }
        inside.push(json!({ "type": "text", "text": line }));
    }
    json!({ "type": "doc", "version": 1, "content": paragraphs })
}

/// The plain text of what Jira gives, in either form.
pub(crate) fn incoming(body: &Json) -> String {
    match body {
        Json::String(text) => text.clone(),
        Json::Object(_) => {
            let mut text = String::new();
            read(body, &mut text, 0);
            text.trim().to_owned()
        }
        _ => String::new(),
    }
}

fn read(node: &Json, text: &mut String, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let attribute = |name: &str| node["attrs"][name].as_str();
    match node["type"].as_str().unwrap_or_default() {
        "text" => text.push_str(node["text"].as_str().unwrap_or_default()),
        "hardBreak" => text.push('\n'),
        "mention" | "emoji" | "status" | "date" => {
            text.push_str(attribute("text").unwrap_or_default());
        }
        "inlineCard" | "blockCard" => text.push_str(attribute("url").unwrap_or_default()),
        kind => {
            for child in node["content"].as_array().into_iter().flatten() {
                read(child, text, depth + 1);
            }
            match kind {
                "paragraph" | "heading" | "codeBlock" => text.push_str("\n\n"),
                "listItem" | "tableRow" => {
                    let kept = text.trim_end().len();
                    text.truncate(kept);
                    text.push('\n');
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MAX_CHARS, incoming, is_marked, marked, outgoing};
    use crate::settings::Deployment::{Cloud, DataCenter};

    #[test]
    fn a_text_becomes_a_document_and_comes_back() {
        let text = "Erste Zeile 🙂\nzweite\n\nNeuer Absatz";
        let document = json!({ "type": "doc", "version": 1, "content": [
            { "type": "paragraph", "content": [
                { "type": "text", "text": "Erste Zeile 🙂" },
                { "type": "hardBreak" },
                { "type": "text", "text": "zweite" },
            ] },
            { "type": "paragraph", "content": [{ "type": "text", "text": "Neuer Absatz" }] },
        ] });
        assert_eq!(outgoing(Cloud, text), document);
        assert_eq!(incoming(&document), text);
        assert_eq!(outgoing(DataCenter, text), text);
        let empty = json!({ "type": "doc", "version": 1, "content": [] });
        assert_eq!(outgoing(Cloud, " \n"), empty);
    }

    #[test]
    fn what_people_write_there_is_read_as_far_as_it_is_text() {
        let item = |text| {
            let words = json!([{ "type": "text", "text": text }]);
            json!({ "type": "listItem", "content": [{ "type": "paragraph", "content": words }] })
        };
        let mention = json!({ "type": "mention", "attrs": { "id": "1", "text": "@Ada" } });
        let body = json!({ "type": "doc", "content": [
            { "type": "paragraph", "content": [mention, { "type": "text", "text": " look:" }] },
            { "type": "bulletList", "content": [item("one"), item("two")] },
            { "type": "mediaSingle", "content": [{ "type": "media", "attrs": {} }] },
        ] });
        assert_eq!(incoming(&body), "@Ada look:\n\none\ntwo");
        assert_eq!(incoming(&json!(null)), "");
        let mut deep = json!({ "type": "text", "text": "far down" });
        for _ in 0..40 {
            deep = json!({ "type": "panel", "content": [deep] });
        }
        assert_eq!(incoming(&deep), "");
    }

    #[test]
    fn our_own_texts_are_known_by_their_last_line() {
        let text = marked(&"ß".repeat(40_000), "INC-1/2/0");
        assert!(is_marked(&text) && is_marked(&format!("{text}\n ")));
        assert!(text.chars().count() < MAX_CHARS + 100);
        assert!(is_marked(&incoming(&outgoing(Cloud, &text))));
        assert!(!is_marked("> servicewright: INC-1/2/0\n\nIs that so?"));
        assert!(!is_marked(""));
    }
}
