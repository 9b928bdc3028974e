use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use catalog_api::{CategoryDraft, MediaReference, PriceDraft, ProductDraft, ProductOption, VariantDraft};
use kernel::{Currency, Money};
use serde::Deserialize;

/// What `catalogue.json` holds. An unknown field is a mistake and is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(super) channel: Naming,
    pub(super) currency: Currency,
    pub(super) categories: Vec<CategoryDraft>,
    pub(super) locations: Vec<Location>,
    pub(super) products: Vec<Product>,
}

/// The name of the shop.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Naming {
    pub(super) code: String,
    pub(super) name: String,
}

/// A stock location for channels, named by code. `on_hand` is what lies there of every variant; if absent, each variant says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Location {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) channels: Vec<String>,
    pub(super) on_hand: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    pub(super) slug: String,
    title: String,
    category: String,
    summary: String,
    description: String,
    facts: Vec<String>,
    options: Vec<ProductOption>,
    media: Vec<Picture>,
    pub(super) variants: Vec<Variant>,
}

/// A picture: its file in `media`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Picture {
    file: String,
    alt: String,
    width: i32,
    height: i32,
    option_value: Option<String>,
}

/// A variant; prices in minor units of the catalogue's currency.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variant {
    pub(super) sku: String,
    options: BTreeMap<String, String>,
    price: i64,
    compare_at: Option<i64>,
    pub(super) stock: i64,
}

impl Catalogue {
    /// Reads `catalogue.json` of a folder.
    ///
    /// # Errors
    /// There is none, or it is not valid; the error names line and column.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("catalogue.json");
        let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let catalogue: Self = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        for file in catalogue.picture_files() {
            anyhow::ensure!(is_plain_name(file), "{}: {file:?} is no plain file name", path.display());
        }
        Ok(catalogue)
    }

    /// The file of every picture.
    pub(super) fn picture_files(&self) -> impl Iterator<Item = &str> {
        self.products.iter().flat_map(|product| &product.media).map(|picture| picture.file.as_str())
    }
}

impl Product {
    /// The product as the admin API takes it, published in every channel.
    pub(super) fn draft(&self, currency: Currency) -> ProductDraft {
        ProductDraft {
            slug: self.slug.clone(),
            title: self.title.clone(),
            summary: self.summary.clone(),
            description: self.description.clone(),
            facts: self.facts.clone(),
            category: Some(self.category.clone()),
            options: self.options.clone(),
            variants: self.variants.iter().map(|variant| variant.draft(currency)).collect(),
            media: self.media.iter().map(Picture::reference).collect(),
            published: true,
            channels: Vec::new(),
        }
    }
}

impl Variant {
    fn draft(&self, currency: Currency) -> VariantDraft {
        let money = |amount_minor| Money::new(amount_minor, currency);
        let price = PriceDraft { price: money(self.price), compare_at: self.compare_at.map(money) };
        VariantDraft { sku: self.sku.clone(), options: self.options.clone(), prices: vec![price] }
    }
}

impl Picture {
    fn reference(&self) -> MediaReference {
        MediaReference {
            url: format!("/media/{}", self.file),
            alt: self.alt.clone(),
            width: self.width,
            height: self.height,
            option_value: self.option_value.clone(),
        }
    }
}

/// Whether a name stays in its folder.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_demo_data_is_valid_and_all_its_pictures_are_there() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
        let catalogue = Catalogue::read(&demo).unwrap();
        assert_eq!(catalogue.categories.len(), 8);
        assert!(catalogue.products.len() >= 12);
        let missing: Vec<&str> = catalogue.picture_files().filter(|file| !demo.join("media").join(file).exists()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let slugs: Vec<&str> = catalogue.categories.iter().map(|category| category.slug.as_str()).collect();
        assert!(catalogue.products.iter().all(|product| slugs.contains(&product.category.as_str())));
    }

    #[test]
    fn a_picture_cannot_name_a_file_elsewhere() {
        for name in ["", "../secret", ".hidden", "a/b.svg", "a\\b.svg"] {
            assert!(!is_plain_name(name), "{name}");
        }
        assert!(is_plain_name("harbour-pitcher--ink.svg"));
    }
}
