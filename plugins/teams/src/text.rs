//! Text as Adaptive Cards take it: most of a card reads Markdown, so that what people wrote has to be
//! kept from meaning something.

/// Text that is shown as it stands, in one line of at most so many characters of its own.
pub(crate) fn line(text: &str, most: usize) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let words = words.join(" ");
    let cut = words.chars().count() > most;
    let kept = words
        .chars()
        .take(if cut { most.saturating_sub(1) } else { most });
    let mut shown = String::new();
    for letter in kept {
        // `{{DATE(…)}}` is a function of cards, which no backslash keeps from being one.
        if shown.ends_with('{') && letter == '{' {
            shown.push('\u{200b}');
        }
        if is_markup(letter) {
            shown.push('\\');
        }
        shown.push(letter);
    }
    if cut {
        shown.push('…');
    }
    shown
}

const fn is_markup(letter: char) -> bool {
    matches!(
        letter,
        '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '<' | '>' | '`' | '~' | '#' | '!' | '|' | '&'
    )
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_people_write_means_nothing_to_a_card() {
        assert_eq!(
            line("*now* [here](https://evil.example) <at>all</at>", 200),
            r"\*now\* \[here\]\(https://evil.example\) \<at\>all\</at\>"
        );
        assert_eq!(
            line("{{DATE(2026-01-05)}}", 200),
            "{\u{200b}{DATE\\(2026-01-05\\)}}"
        );
        assert_eq!(line(" two\n\u{1} lines ", 50), "two lines");
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("😀😀😀", 3), "😀😀😀");
        assert_eq!(line("😀😀😀😀", 3), "😀😀…");
    }
}
