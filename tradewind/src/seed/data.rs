use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use catalog_api::{CategoryDraft, Feature, FeatureLink, MediaReference, MediaSource, PriceDraft, ProductDraft, ProductOption, VariantDraft};
use kernel::{Currency, Money};
use serde::Deserialize;

/// What `catalogue.json` holds. An unknown field is a mistake and is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(super) channel: Naming,
    pub(super) currency: Currency,
    pub(super) categories: Vec<Category>,
    pub(super) locations: Vec<Location>,
    pub(super) products: Vec<Product>,
}

/// The name of the shop, and what its home page tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Naming {
    pub(super) code: String,
    pub(super) name: String,
    features: Vec<Told>,
}

/// Something the home page tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    title: String,
    text: String,
    link: Option<FeatureLink>,
    image: Picture,
    narrow_image: Option<Picture>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    pub(super) slug: String,
    name: String,
    description: String,
    image: Picture,
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

/// A picture: its files in `media`, one for each width, `{width}` in their name standing for it. `height` is that of the widest, the last.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Picture {
    file: String,
    widths: Vec<i32>,
    height: i32,
    alt: String,
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
        for picture in catalogue.pictures() {
            anyhow::ensure!(!picture.widths.is_empty(), "{}: {:?} has no widths", path.display(), picture.file);
        }
        for file in catalogue.picture_files() {
            anyhow::ensure!(is_plain_name(&file), "{}: {file:?} is no plain file name", path.display());
        }
        Ok(catalogue)
    }

    fn pictures(&self) -> impl Iterator<Item = &Picture> {
        let told = self.channel.features.iter().flat_map(|told| std::iter::once(&told.image).chain(&told.narrow_image));
        let categories = self.categories.iter().map(|category| &category.image);
        told.chain(categories).chain(self.products.iter().flat_map(|product| &product.media))
    }

    /// The files of every picture, in all its widths.
    pub(super) fn picture_files(&self) -> impl Iterator<Item = String> {
        self.pictures().flat_map(|picture| picture.widths.iter().map(|width| picture.file_of(*width)))
    }
}

impl Naming {
    /// What the home page tells, as the admin API takes it.
    pub(super) fn features(&self) -> Vec<Feature> {
        let feature = |told: &Told| Feature {
            title: told.title.clone(),
            text: told.text.clone(),
            link: told.link.clone(),
            image: told.image.reference(),
            narrow_image: told.narrow_image.as_ref().map(Picture::reference),
        };
        self.features.iter().map(feature).collect()
    }
}

impl Category {
    /// The category as the admin API takes it.
    pub(super) fn draft(&self) -> CategoryDraft {
        CategoryDraft {
            slug: self.slug.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            parent_id: None,
            image: Some(self.image.reference()),
        }
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
    fn file_of(&self, width: i32) -> String {
        self.file.replace("{width}", &width.to_string())
    }

    /// The picture as the admin API takes it: by itself it is its widest file.
    fn reference(&self) -> MediaReference {
        let source = |width: &i32| MediaSource { url: format!("/media/{}", self.file_of(*width)), width: *width };
        let sources: Vec<MediaSource> = self.widths.iter().map(source).collect();
        let (url, width) = sources.last().map_or((String::new(), 0), |widest| (widest.url.clone(), widest.width));
        MediaReference { url, alt: self.alt.clone(), width, height: self.height, option_value: self.option_value.clone(), sources }
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
    use std::collections::BTreeSet;

    #[test]
    fn the_demo_data_is_valid_and_all_its_pictures_are_there() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
        let catalogue = Catalogue::read(&demo).unwrap();
        let variants: usize = catalogue.products.iter().map(|product| product.variants.len()).sum();
        assert_eq!((catalogue.categories.len(), catalogue.products.len(), variants), (8, 59, 255));
        let wanted: BTreeSet<String> = catalogue.picture_files().collect();
        let there = std::fs::read_dir(demo.join("media")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(wanted, there, "each picture is there, and none that nobody sees");
        let slugs: Vec<&str> = catalogue.categories.iter().map(|category| category.slug.as_str()).collect();
        assert!(catalogue.products.iter().all(|product| slugs.contains(&product.category.as_str())));
    }

    #[test]
    fn no_two_pictures_of_the_demo_data_are_told_in_the_same_words() {
        let catalogue = Catalogue::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo")).unwrap();
        let products = catalogue.products.iter().flat_map(|product| &product.media);
        let mut alts: Vec<&str> = products.map(|picture| picture.alt.as_str()).collect();
        assert!(alts.iter().all(|alt| alt.len() > 20), "words that say what is seen");
        let all = alts.len();
        alts.sort_unstable();
        alts.dedup();
        assert_eq!(alts.len(), all);
    }

    #[test]
    fn a_picture_by_itself_is_its_widest_file() {
        let picture: Picture = serde_json::from_str(r#"{"file": "a-{width}.webp", "widths": [320, 960], "height": 1200, "alt": "A"}"#).unwrap();
        let reference = picture.reference();
        assert_eq!((reference.url.as_str(), reference.width, reference.height), ("/media/a-960.webp", 960, 1200));
        assert_eq!(reference.sources.iter().map(|source| source.url.as_str()).collect::<Vec<_>>(), ["/media/a-320.webp", "/media/a-960.webp"]);
    }

    #[test]
    fn a_picture_cannot_name_a_file_elsewhere() {
        for name in ["", "../secret", ".hidden", "a/b.svg", "a\\b.svg"] {
            assert!(!is_plain_name(name), "{name}");
        }
        assert!(is_plain_name("harbour-pitcher--ink.svg"));
    }
}
