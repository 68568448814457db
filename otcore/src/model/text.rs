//! Makes text from devices safe to show: such text is hostile until proven otherwise.

use std::borrow::Cow;

/// The longest text that [`decode`] gives, in characters.
pub const LONGEST_TEXT: usize = 256;

/// The text that `bytes` from a device hold, safe to show and to store.
///
/// NUL and white space at both ends are padding and go. The rest is UTF-8, or else Windows-1252.
/// Characters that control a terminal, hide or reorder text are shown as in [`printable`]. What is
/// longer than [`LONGEST_TEXT`] characters ends in an ellipsis.
///
/// ```
/// use otcore::model::decode;
/// assert_eq!(decode(b"BMX P34 2020\0\0\0"), "BMX P34 2020");
/// assert_eq!(decode(b"K\xfchlung"), "Kühlung");
/// assert_eq!(decode(b"PLC\x1b[2J"), r"PLC\x1b[2J");
/// ```
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| windows_1252(*byte)).collect()),
    };
    bounded(text.trim_matches(|c: char| c == '\0' || c.is_ascii_whitespace()))
}

/// `text` with everything that could control a terminal, hide or reorder text shown as `\x1b` or
/// `\u{202e}`. For whatever goes to a terminal or a log; doing it twice changes nothing more.
///
/// ```
/// use otcore::model::printable;
/// assert_eq!(printable("Pump 7"), "Pump 7");
/// assert_eq!(printable("gnp.\u{202e}exe"), r"gnp.\u{202e}exe");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if plain(text) || !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| show(c, &mut shown));
    Cow::Owned(shown)
}

fn bounded(text: &str) -> String {
    let (mut shown, mut length, mut cut) = (String::new(), 0, 0);
    for c in text.chars() {
        let before = shown.len();
        show(c, &mut shown);
        length += shown.get(before..).unwrap_or_default().chars().count();
        if length < LONGEST_TEXT {
            cut = shown.len(); // up to here there is room for the ellipsis, and no escape is torn
        }
        if length > LONGEST_TEXT {
            shown.truncate(cut);
            shown.push('…');
            break;
        }
    }
    shown
}

fn show(c: char, shown: &mut String) {
    match u32::from(c) {
        _ if !is_hostile(c) => shown.push(c),
        code @ ..=0xFF => shown.push_str(&format!("\\x{code:02x}")),
        code => shown.push_str(&format!("\\u{{{code:x}}}")),
    }
}

/// Controls (C0, DEL, C1) and what Unicode gives the properties `Bidi_Control` or
/// `Default_Ignorable_Code_Point`, besides its line separators and annotation marks.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD // soft hyphen
            | 0x034F // combining grapheme joiner
            | 0x061C // Arabic letter mark
            | 0x115F..=0x1160 | 0x3164 | 0xFFA0 // Hangul fillers
            | 0x17B4..=0x17B5 // Khmer inherent vowels
            | 0x180B..=0x180F // Mongolian selectors and vowel separator
            | 0x200B..=0x200F // zero width, left-to-right and right-to-left marks
            | 0x2028..=0x202E // line and paragraph separators, embeddings and overrides
            | 0x2060..=0x206F // joiners, invisible operators, isolates, deprecated controls
            | 0xFE00..=0xFE0F // variation selectors
            | 0xFEFF // byte order mark
            | 0xFFF0..=0xFFFB // unassigned ignorables, annotation marks
            | 0x1_BCA0..=0x1_BCA3 // shorthand format controls
            | 0x1_D173..=0x1_D17A // musical format controls
            | 0xE_0000..=0xE_0FFF // tags, more variation selectors
        )
}

/// One byte of Windows-1252; its five free places are the controls of Latin-1 there.
fn windows_1252(byte: u8) -> char {
    match byte {
        0x80 => '€',
        0x82 => '‚',
        0x83 => 'ƒ',
        0x84 => '„',
        0x85 => '…',
        0x86 => '†',
        0x87 => '‡',
        0x88 => 'ˆ',
        0x89 => '‰',
        0x8A => 'Š',
        0x8B => '‹',
        0x8C => 'Œ',
        0x8E => 'Ž',
        0x91 => '‘',
        0x92 => '’',
        0x93 => '“',
        0x94 => '”',
        0x95 => '•',
        0x96 => '–',
        0x97 => '—',
        0x98 => '˜',
        0x99 => '™',
        0x9A => 'š',
        0x9B => '›',
        0x9C => 'œ',
        0x9E => 'ž',
        0x9F => 'Ÿ',
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written without the table above: what must never reach a terminal or a log.
    fn is_clean(text: &str) -> bool {
        let bidi = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        let hidden = "\u{ad}\u{180e}\u{200b}\u{200c}\u{200d}\u{2060}\u{2064}\u{feff}\u{e0041}";
        let separators = "\u{2028}\u{2029}";
        text.chars().all(|c| {
            c >= ' '
                && !('\u{7f}'..='\u{9f}').contains(&c)
                && ![bidi, hidden, separators].iter().any(|set| set.contains(c))
        })
    }

    #[test]
    fn padding_goes_and_the_text_between_stays() {
        assert_eq!(decode(b"\0\0  CPU 315-2 PN/DP \0 \0"), "CPU 315-2 PN/DP");
        assert_eq!(decode(b"V1.2\r\n"), "V1.2");
        assert_eq!(decode(b" \0\0 "), "");
        assert_eq!(decode(b""), "");
    }

    #[test]
    fn utf_8_is_kept_and_anything_else_is_windows_1252() {
        assert_eq!(decode("Kühlung № 3".as_bytes()), "Kühlung № 3");
        assert_eq!(decode(b"K\xfchlung \x80 \x96"), "Kühlung € –");
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode(b"\xff\x81"), r"ÿ\x81");
    }

    #[test]
    fn a_name_cannot_clear_the_screen_forge_a_line_or_turn_text_around() {
        assert_eq!(decode(b"a\x1b[2Jb"), r"a\x1b[2Jb");
        assert_eq!(decode(b"a\nERROR b"), r"a\x0aERROR b");
        assert_eq!(
            decode("a\u{202e}b\u{200b}c\u{2028}d\u{feff}".as_bytes()),
            r"a\u{202e}b\u{200b}c\u{2028}d\u{feff}"
        );
        assert_eq!(decode("a\u{9b}2J".as_bytes()), r"a\x9b2J");
        assert_eq!(printable("a\0b\x7f"), r"a\x00b\x7f");
    }

    #[test]
    fn long_text_ends_in_an_ellipsis_and_no_escape_is_torn() {
        assert_eq!(decode(&[b'x'; 256]), "x".repeat(256));
        assert_eq!(decode(&[b'x'; 257]), "x".repeat(255) + "…");
        assert_eq!(decode(&[0xfc; 1000]), "ü".repeat(255) + "…");
        let escapes = decode("\u{202e}".repeat(100).as_bytes());
        assert_eq!(escapes, r"\u{202e}".repeat(31) + "…");
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(printable("Pumpe 7 – Nord"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn whatever_a_device_sends_is_safe_to_show(bytes: Vec<u8>) {
            let text = decode(&bytes);
            prop_assert!(is_clean(&text), "{:?}", text);
            prop_assert!(text.chars().count() <= LONGEST_TEXT);
            prop_assert_eq!(printable(&text), text.as_str());
        }

        #[test]
        fn whatever_is_printed_is_safe_to_show(
            text in r"([\x00-\u{ff}]|[\u{600}-\u{620}]|[\u{2000}-\u{2070}]|\u{feff}|\u{e0041}|\PC)*",
        ) {
            prop_assert!(is_clean(&printable(&text)), "{:?}", printable(&text));
            prop_assert!(is_clean(&decode(text.as_bytes())));
            let once = printable(&text).into_owned();
            prop_assert_eq!(printable(&once), once.as_str());
        }

        #[test]
        fn plain_words_are_left_alone(text in "[A-Za-z0-9äöüß]([A-Za-z0-9 .:/_äöüß-]{0,60}[A-Za-z0-9])?") {
            prop_assert_eq!(decode(text.as_bytes()), text);
        }
    }
}
