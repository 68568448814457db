//! Text in columns, as wide as a terminal shows it.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// How many cells of a terminal `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `room` cells; an ellipsis stands for what is left out.
pub(super) fn clipped(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if width(&kept) >= room {
            kept.pop(); // room for the ellipsis
            break;
        }
    }
    kept.truncate(kept.trim_end().len());
    if room > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// `text` in exactly `room` cells, at the left or at the right.
pub(super) fn padded(text: &str, room: usize, to_the_right: bool) -> String {
    let text = clipped(text, room);
    let blank = " ".repeat(room.saturating_sub(width(&text)));
    if to_the_right { format!("{blank}{text}") } else { format!("{text}{blank}") }
}

/// Takes cells from the widest columns, one by one, until all fit in `room`; no column gets
/// narrower than its least width.
pub(super) fn fit(widths: &mut [usize], least: &[usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let can_shrink = widths.iter_mut().zip(least).filter(|(width, least)| **width > **least);
        let Some((widest, _)) = can_shrink.max_by_key(|(width, _)| **width) else { return };
        *widest -= 1;
    }
}

/// `parts` with `between` between them, in lines of at most `room` cells if they can be.
pub(super) fn wrapped(parts: &[String], between: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(between) + width(part) <= room => {
                line.push_str(between);
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cell_is_as_wide_as_its_column(text: String, room in 0_usize..40, right: bool) {
            let cell = padded(&text, room, right);
            // A lone wide character that does not fit leaves nothing but the ellipsis.
            prop_assert_eq!(width(&cell), room, "{:?}", cell);
        }

        #[test]
        fn columns_shrink_until_they_fit_or_cannot(
            mut widths in prop::collection::vec(0_usize..60, 1..7), room in 0_usize..120,
        ) {
            let least: Vec<usize> = widths.iter().map(|width| (*width).min(6)).collect();
            let before: usize = widths.iter().sum();
            fit(&mut widths, &least, room);
            let after: usize = widths.iter().sum();
            prop_assert!(after == before.min(room) || widths == least);
            prop_assert!(widths.iter().zip(&least).all(|(width, least)| width >= least));
        }
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("三菱電機"), 8);
        assert_eq!(clipped("三菱電機", 6), "三菱…");
        assert_eq!(clipped("Compact C24", 8), "Compact…");
        assert_eq!(clipped("x", 0), "");
    }

    #[test]
    fn parts_that_do_not_fit_go_to_the_next_line() {
        let parts = ["18 devices".to_owned(), "92 packets".to_owned(), "7.1 s".to_owned()];
        assert_eq!(wrapped(&parts, ", ", 20), ["18 devices", "92 packets, 7.1 s"]);
    }
}
