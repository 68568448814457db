//! What differs between two inventories, for a person.

use super::shown::{basis, shown};
use super::table::{Look, Paint};
use crate::model::{Change, Claim, Diff, Gone, Kind, Moved, Spot};

/// What differs, in the order in which a person wants to know it: what is gone, what is new, what
/// moved, what changed, and what nothing can be said about.
///
/// Device text is shown with escapes for whatever acts on a terminal.
#[must_use]
pub fn changes(diff: &Diff, look: Look) -> String {
    let mut page = Page { look, text: String::new() };
    page.section("GONE", Paint::Red, &diff.gone, Page::gone);
    page.section("SILENT ABOUT ITSELF", Paint::Yellow, &diff.quiet, Page::gone);
    page.section("NEW", Paint::Green, &diff.new, Page::spot);
    page.section("MOVED", Paint::Yellow, &diff.moved, Page::moved);
    page.section("CHANGED", Paint::Yellow, &diff.changed, |page, changed| {
        page.spot(&changed.spot);
        page.changes(&changed.changes);
    });
    page.section("NOT ASKED AGAIN", Paint::Dim, &diff.not_asked, Page::spot);
    if diff.is_empty() {
        page.text.push_str("nothing differs in what was asked again\n");
    }
    page.text
}

struct Page {
    look: Look,
    text: String,
}

impl Page {
    fn section<T>(&mut self, title: &str, paint: Paint, items: &[T], tell: fn(&mut Self, &T)) {
        if items.is_empty() {
            return;
        }
        let title = format!("{title} ({})", items.len());
        self.line(&self.look.painted(&title, paint));
        items.iter().for_each(|item| tell(self, item));
        self.line("");
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn spot(&mut self, spot: &Spot) {
        self.told(spot, "");
    }

    fn told(&mut self, spot: &Spot, more: &str) {
        let kind = match spot.kind {
            Kind::Device => "",
            Kind::Module => "module ",
            Kind::Child => "behind a gateway ",
        };
        let (path, headline) = (shown(&spot.path), shown(&spot.headline));
        let headline = if headline.is_empty() { "no name".to_owned() } else { headline };
        self.line(format!("  {kind}{path}  {headline}{more}").trim_end());
    }

    fn gone(&mut self, gone: &Gone) {
        self.told(&gone.spot, &format!("  ({})", shown(&gone.why)));
    }

    fn moved(&mut self, moved: &Moved) {
        let reasons: Vec<String> =
            moved.reasons.iter().map(|key| shown(&key.to_string())).collect();
        let unsure = if moved.left { "" } else { ", where nobody asked again" };
        let more = format!("  from {}{unsure}: {}", shown(&moved.from), reasons.join(", "));
        self.told(&moved.spot, &more);
        self.changes(&moved.changes);
    }

    fn changes(&mut self, changes: &[Change]) {
        for change in changes {
            let value = |claim: &Option<Claim>| match claim {
                Some(claim) => format!("\"{}\"", shown(&claim.value)),
                None => "nothing".to_owned(),
            };
            let (from, to) = (value(&change.from), value(&change.to));
            let why =
                change.to.as_ref().map(|claim| format!("{}, {}", basis(claim), claim.evidence.at));
            let why = why.unwrap_or_else(|| "asked again".to_owned());
            let why = self.look.painted(&format!("[{why}]"), Paint::Dim);
            self.line(&format!("    {}: {from} -> {to}  {why}", shown(&change.field)));
        }
    }
}
