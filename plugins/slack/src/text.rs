//! Text as Slack takes it: `&`, `<` and `>` stand for themselves only when escaped, and everything has
//! a length. Lengths are counted in UTF-16 units, the narrowest of the ways in which Slack may count.

/// What is said where a text was cut.
const CUT: char = '…';

/// Text that is shown as it stands, escaped and no longer than this; so it can name nobody, call no
/// channel and make no link.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let mut shown = String::new();
    let mut units = 0;
    for letter in text.trim().chars() {
        let piece = match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            other => other.to_string(),
        };
        let more: usize = piece.chars().map(char::len_utf16).sum();
        // Room for the sign that it was cut is kept, so that nothing put in has to be taken out again.
        if units + more > most.saturating_sub(1) {
            shown.push(CUT);
            return shown;
        }
        shown.push_str(&piece);
        units += more;
    }
    shown
}

/// The same in one line.
pub(crate) fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    plain(&words.join(" "), most)
}

/// A link, whose words are escaped already.
pub(crate) fn link(address: &str, words: &str) -> String {
    let address = address
        .replace('&', "&amp;")
        .replace('|', "%7C")
        .replace('<', "%3C")
        .replace('>', "%3E");
    format!("<{address}|{words}>")
}

#[cfg(test)]
mod tests {
    use super::{line, link, plain};

    #[test]
    fn what_people_write_calls_nobody_and_links_nowhere() {
        assert_eq!(
            plain("<!channel> & <@U1> <https://evil.example|ok>", 200),
            "&lt;!channel&gt; &amp; &lt;@U1&gt; &lt;https://evil.example|ok&gt;"
        );
        assert_eq!(line(" two\n lines\u{a0}here ", 50), "two lines here");
        assert_eq!(
            link("https://desk.example/?a=1&b=|>", "CHG-1"),
            "<https://desk.example/?a=1&amp;b=%7C%3E|CHG-1>"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_letters_and_never_within_an_escape() {
        assert_eq!(plain("abcdef", 4), "abc…");
        assert_eq!(plain("ab&cd", 4), "ab…");
        // Each of these is two units of UTF-16.
        assert_eq!(plain("😀😀😀", 5), "😀😀…");
        let long = plain(&"é<".repeat(5_000), 3_000);
        assert!(long.encode_utf16().count() <= 3_000);
        assert!(long.ends_with("&lt;…") || long.ends_with("é…"), "{long}");
    }
}
