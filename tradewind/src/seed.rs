//! Fills a shop from a folder through the public admin API, as any importing program would. Only what is missing is made.

mod data;
mod pictures;
mod stock;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use catalog_api::{AdminProduct, AdminProductQuery, ChannelAnswer, ChannelPatch, endpoints as catalog};
use client::{CallError, Client};
use kernel::MAX_PAGE;
use secrecy::SecretString;

pub(crate) use data::Catalogue;

/// The name a channel has as long as nobody has given it one.
const UNNAMED: &str = "Shop";

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Whether the shop got its name, or its home page something to tell.
    pub(crate) named: bool,
    /// How many categories were made.
    pub(crate) categories: usize,
    /// How many products were made.
    pub(crate) products: usize,
    /// How many pictures were copied.
    pub(crate) pictures: usize,
    /// How many stock levels were set.
    pub(crate) levels: usize,
}

/// A run from one folder into one shop.
pub(crate) struct Seeding {
    catalogue: Catalogue,
    media: PathBuf,
    data_dir: PathBuf,
    client: Client,
    token: SecretString,
}

impl Seeding {
    /// A run with the catalogue of `folder`. `token` must be allowed to edit catalogue and stock.
    pub(crate) fn new(catalogue: Catalogue, folder: &Path, data_dir: &Path, client: Client, token: SecretString) -> Self {
        Self { catalogue, media: folder.join("media"), data_dir: data_dir.to_owned(), client, token }
    }

    /// Makes what is missing. Pictures come before the products that show them, products before their stock.
    ///
    /// # Errors
    /// The API refused something, or a picture cannot be copied.
    pub(crate) async fn run(&self) -> anyhow::Result<Done> {
        let channels = self.list_channels().await?;
        let named = self.name_shop(&channels).await?;
        let categories = self.make_categories().await?;
        let pictures = pictures::copy(&self.media, &self.data_dir, self.catalogue.picture_files())?;
        let mut products = self.list_products().await?;
        let made = self.make_products(&mut products).await?;
        let variants = variant_ids(&products);
        let levels = stock::fill(self, &channels, &variants).await?;
        Ok(Done { named, categories, products: made, pictures, levels })
    }

    async fn list_channels(&self) -> anyhow::Result<Vec<ChannelAnswer>> {
        let answer = self.client.call(&catalog::ADMIN_LIST_CHANNELS).bearer(&self.token).send().await;
        Ok(answer.map_err(|error| refused("channels", error))?.body.items)
    }

    /// Names the shop, unless somebody has, and gives its home page something to tell, unless it tells something.
    async fn name_shop(&self, channels: &[ChannelAnswer]) -> anyhow::Result<bool> {
        let wanted = &self.catalogue.channel;
        let channel = channels.iter().find(|channel| channel.code == wanted.code).with_context(|| format!("the shop has no channel {:?}", wanted.code))?;
        let is_unnamed = channel.name == UNNAMED && channel.name != wanted.name;
        let features = wanted.features();
        let is_silent = channel.features.is_empty() && !features.is_empty();
        if !is_unnamed && !is_silent {
            return Ok(false);
        }
        let patch = ChannelPatch { name: is_unnamed.then(|| wanted.name.clone()), features: is_silent.then_some(features), ..ChannelPatch::default() };
        let call = self.client.call(&catalog::ADMIN_UPDATE_CHANNEL).param("id", channel.id).if_match(channel.version).body(&patch).bearer(&self.token);
        call.send().await.map_err(|error| refused(&wanted.code, error))?;
        Ok(true)
    }

    async fn make_categories(&self) -> anyhow::Result<usize> {
        let answer = self.client.call(&catalog::ADMIN_LIST_CATEGORIES).bearer(&self.token).send().await;
        let present: BTreeSet<String> = answer.map_err(|error| refused("categories", error))?.body.items.into_iter().map(|category| category.slug).collect();
        let missing = self.catalogue.categories.iter().filter(|category| !present.contains(&category.slug));
        let mut made = 0;
        // One after the other: their order is the order in which they were made.
        for category in missing {
            let draft = category.draft();
            let call = self.client.call(&catalog::ADMIN_CREATE_CATEGORY).body(&draft).bearer(&self.token);
            call.send().await.map_err(|error| refused(&category.slug, error))?;
            made += 1;
        }
        Ok(made)
    }

    /// Every product the shop has, by slug.
    async fn list_products(&self) -> anyhow::Result<BTreeMap<String, AdminProduct>> {
        let mut products = BTreeMap::new();
        let mut query = AdminProductQuery { limit: Some(MAX_PAGE), ..AdminProductQuery::default() };
        loop {
            let answer = self.client.call(&catalog::ADMIN_LIST_PRODUCTS).query(&query).bearer(&self.token).send().await;
            let page = answer.map_err(|error| refused("products", error))?.body;
            products.extend(page.items.into_iter().map(|product| (product.slug.clone(), product)));
            query.after = page.next;
            if query.after.is_none() {
                return Ok(products);
            }
        }
    }

    async fn make_products(&self, present: &mut BTreeMap<String, AdminProduct>) -> anyhow::Result<usize> {
        let mut made = 0;
        // One after the other, for their order too.
        for product in &self.catalogue.products {
            if present.contains_key(&product.slug) {
                continue;
            }
            let draft = product.draft(self.catalogue.currency);
            let answer = self.client.call(&catalog::ADMIN_CREATE_PRODUCT).body(&draft).bearer(&self.token).send().await;
            let answer = answer.map_err(|error| refused(&product.slug, error))?;
            present.insert(product.slug.clone(), answer.body);
            made += 1;
        }
        Ok(made)
    }
}

fn variant_ids(products: &BTreeMap<String, AdminProduct>) -> HashMap<String, catalog_api::VariantId> {
    products.values().flat_map(|product| &product.variants).map(|variant| (variant.sku.clone(), variant.id)).collect()
}

/// Tells what the API refused, with the fields to mend.
fn refused(what: &str, error: CallError) -> anyhow::Error {
    let Some(problem) = error.problem() else { return anyhow::Error::from(error).context(what.to_owned()) };
    let fields: String = problem.errors().iter().map(|field| format!("; {}: {}", field.pointer, field.detail)).collect();
    anyhow::anyhow!("{what}: {}: {}{fields}", problem.code(), problem.detail_text().unwrap_or(problem.title()))
}
