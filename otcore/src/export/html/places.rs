//! Where on the page each asset is: numbers, so that no path becomes part of a link.

use std::collections::BTreeMap;

use super::markup::Html;
use crate::model::Inventory;

/// The number of each asset on the page.
#[derive(Debug)]
pub(super) struct Places(BTreeMap<String, u32>);

impl Places {
    pub(super) fn of(assets: &Inventory) -> Self {
        Self(assets.iter().map(|asset| asset.path().to_owned()).zip(1..).collect())
    }

    /// A link to the asset with this path, or mere text if it is not on the page.
    pub(super) fn link(&self, path: &str, text: &str, html: &mut Html) {
        match self.0.get(path) {
            Some(number) => {
                html.raw(r##"<a class="mono" href="#device-"##).show(number).raw(r#"">"#);
                html.text(text).raw("</a>");
            }
            None => {
                html.raw(r#"<span class="mono">"#).text(text).raw("</span>");
            }
        }
    }

    /// The beginning of the element that links to this path lead to.
    pub(super) fn target(&self, path: &str, html: &mut Html) {
        let number = self.0.get(path).copied().unwrap_or_default();
        html.raw(r#"<article class="device" id="device-"#).show(number).raw(r#"">"#);
    }
}
