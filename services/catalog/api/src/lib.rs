//! The contract of the catalogue: what is sold, where, and for how much.

mod option_filter;

pub use option_filter::{InvalidOptionFilter, OptionFilter};

use std::collections::BTreeMap;

use garde::Validate;
use kernel::{Country, Currency, Endpoint, Event, Locale, Method, Money, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

kernel::id_kind!(/// A channel.
    pub Channel => ChannelId, "chn");
kernel::id_kind!(/// A category.
    pub Category => CategoryId, "cat");
kernel::id_kind!(/// A product.
    pub Product => ProductId, "prd");
kernel::id_kind!(/// A variant, the thing one buys.
    pub Variant => VariantId, "var");

/// The public catalogue endpoints.
pub mod endpoints {
    use super::{
        AdminProduct, CategoryAnswer, CategoryDraft, ChannelAnswer, ChannelPatch, Endpoint, List, Method, Page, ProductAnswer, ProductDraft, ProductFacets,
        ProductPage, ProductPatch, VariantPatch,
    };

    /// The channel this request resolves to.
    pub const GET_CHANNEL: Endpoint<(), ChannelAnswer> = Endpoint::new(Method::Get, "/store/v1/channel");
    /// Every category of the channel, in order.
    pub const LIST_CATEGORIES: Endpoint<(), List<CategoryAnswer>> = Endpoint::new(Method::Get, "/store/v1/categories");
    /// Published products; query [`super::ProductQuery`].
    pub const LIST_PRODUCTS: Endpoint<(), ProductPage> = Endpoint::new(Method::Get, "/store/v1/products");
    /// How many published products there are, and what they can be narrowed by; query [`super::FacetQuery`].
    pub const GET_PRODUCT_FACETS: Endpoint<(), ProductFacets> = Endpoint::new(Method::Get, "/store/v1/product-facets");
    /// One published product by slug.
    pub const GET_PRODUCT: Endpoint<(), ProductAnswer> = Endpoint::new(Method::Get, "/store/v1/products/{slug}");

    /// All channels, for staff.
    pub const ADMIN_LIST_CHANNELS: Endpoint<(), List<ChannelAnswer>> = Endpoint::new(Method::Get, "/admin/v1/channels");
    /// Changes a channel's settings; needs `If-Match`.
    pub const ADMIN_UPDATE_CHANNEL: Endpoint<ChannelPatch, ChannelAnswer> = Endpoint::new(Method::Patch, "/admin/v1/channels/{id}");
    /// All categories, for staff.
    pub const ADMIN_LIST_CATEGORIES: Endpoint<(), List<CategoryAnswer>> = Endpoint::new(Method::Get, "/admin/v1/categories");
    /// Makes a category.
    pub const ADMIN_CREATE_CATEGORY: Endpoint<CategoryDraft, CategoryAnswer> = Endpoint::new(Method::Post, "/admin/v1/categories");
    /// All products, published or not; query [`super::AdminProductQuery`].
    pub const ADMIN_LIST_PRODUCTS: Endpoint<(), Page<AdminProduct>> = Endpoint::new(Method::Get, "/admin/v1/products");
    /// Makes a product with its options, variants and prices.
    pub const ADMIN_CREATE_PRODUCT: Endpoint<ProductDraft, AdminProduct> = Endpoint::new(Method::Post, "/admin/v1/products");
    /// One product, for staff.
    pub const ADMIN_GET_PRODUCT: Endpoint<(), AdminProduct> = Endpoint::new(Method::Get, "/admin/v1/products/{id}");
    /// Changes a product; needs `If-Match`.
    pub const ADMIN_UPDATE_PRODUCT: Endpoint<ProductPatch, AdminProduct> = Endpoint::new(Method::Patch, "/admin/v1/products/{id}");
    /// Changes a variant's SKU or prices; needs `If-Match` with the product's version.
    pub const ADMIN_UPDATE_VARIANT: Endpoint<VariantPatch, AdminProduct> = Endpoint::new(Method::Patch, "/admin/v1/products/{id}/variants/{variant_id}");
}

/// A short list that is answered whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
}

/// Whether a channel makes real sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Real sales.
    Live,
    /// Trials only: own stock, own order numbers, left out of every figure.
    Test,
}

impl ChannelKind {
    /// The word used in tables and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// Where and how it is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelAnswer {
    /// The channel's id.
    pub id: ChannelId,
    /// The short name used in the `X-Channel` header, such as `default`.
    #[schema(example = "default")]
    pub code: String,
    /// The shop's name, as shoppers see it.
    #[schema(example = "Saltmarsh Supply")]
    pub name: String,
    /// Whether its sales are real.
    pub kind: ChannelKind,
    /// The currency prices are shown in.
    pub currency: Currency,
    /// The language of its texts.
    pub locale: Locale,
    /// Where it delivers to.
    pub countries: Vec<Country>,
    /// The host names it is reached by; other hosts lead to the channel `default`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How it delivers; one method with a flat price.
    pub delivery: DeliveryMethod,
    /// What stands before its order numbers, such as `TW-`.
    pub order_number_prefix: String,
    /// What its home page tells, the opening first.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// The version to send back in `If-Match`.
    pub version: i64,
}

/// Something a home page tells: a large picture, a few words, and where they lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The headline.
    #[garde(length(min = 1, max = 200), custom(one_line))]
    #[schema(example = "Made to be used every day")]
    pub title: String,
    /// A sentence or two.
    #[serde(default)]
    #[garde(length(max = 1_000), custom(no_control))]
    pub text: String,
    /// Where it leads, if anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub link: Option<FeatureLink>,
    /// The picture.
    #[garde(dive)]
    pub image: MediaReference,
    /// The picture for narrow screens, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub narrow_image: Option<MediaReference>,
}

/// Where a [`Feature`] leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct FeatureLink {
    /// The words one follows.
    #[garde(length(min = 1, max = 100), custom(one_line))]
    #[schema(example = "Shop ceramics")]
    pub label: String,
    /// A path in this shop.
    #[garde(length(min = 1, max = 500), pattern(r"^/([^/\\].*)?$"), custom(one_line))]
    #[schema(example = "/categories/ceramics")]
    pub path: String,
}

/// Changes to a channel; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ChannelPatch {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 200), custom(one_line)))]
    pub name: Option<String>,
    /// The host names it is reached by, in small letters and without a port; they take the place of those it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = 50), inner(length(min = 1, max = 253), pattern("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))))]
    pub hosts: Option<Vec<String>>,
    /// Where it delivers to, at least one country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 249)))]
    pub countries: Option<Vec<Country>>,
    /// The name of its delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 200), custom(one_line)))]
    pub delivery_name: Option<String>,
    /// What its delivery costs, in its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(not_negative)))]
    pub delivery_price: Option<Money>,
    /// What its home page tells, the opening first; it takes the place of what was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(ten_at_most), dive)]
    pub features: Option<Vec<Feature>>,
}

/// A way of delivery with a flat price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryMethod {
    /// The method's name, as shoppers see it.
    #[schema(example = "Standard delivery")]
    pub name: String,
    /// What it costs, tax included.
    pub price: Money,
}

/// How much there is, as shoppers see it. Exact counts are never shown in cached answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockBand {
    /// None available.
    Out,
    /// Five or fewer available.
    Low,
    /// Enough.
    In,
}

impl StockBand {
    /// The most units that still count as low.
    pub const LOW_AT_MOST: i64 = 5;

    /// The band of so many available units.
    #[must_use]
    pub const fn of(available: i64) -> Self {
        if available <= 0 {
            Self::Out
        } else if available <= Self::LOW_AT_MOST {
            Self::Low
        } else {
            Self::In
        }
    }

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Low => "low",
            Self::In => "in",
        }
    }
}

/// A picture: where it lies and how large it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
pub struct MediaReference {
    /// A path or address the browser can load, such as `/media/harbour-pitcher-960.webp`; of `width` times `height` pixels.
    #[garde(length(min = 1, max = 500), pattern("^(/|https://)"), custom(one_line))]
    #[schema(example = "/media/harbour-pitcher-960.webp")]
    pub url: String,
    /// What is seen, for those who do not see it.
    #[garde(length(max = 500), custom(no_control))]
    pub alt: String,
    /// Width in pixels.
    #[garde(range(min = 1, max = 20_000))]
    pub width: i32,
    /// Height in pixels.
    #[garde(range(min = 1, max = 20_000))]
    pub height: i32,
    /// The option value this picture shows, if it shows one in particular, such as `Oak`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 100), custom(one_line)))]
    pub option_value: Option<String>,
    /// The same picture in the widths it is to be had in, the narrowest first: what a `srcset` offers. Empty if there is only `url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 12), custom(narrowest_first), dive)]
    pub sources: Vec<MediaSource>,
}

/// A picture in one of its widths; its height follows from the shape of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MediaSource {
    /// A path or address the browser can load.
    #[garde(length(min = 1, max = 500), pattern("^(/|https://)"), custom(one_line), custom(fits_srcset))]
    #[schema(example = "/media/harbour-pitcher-320.webp")]
    pub url: String,
    /// Width in pixels.
    #[garde(range(min = 1, max = 20_000))]
    #[schema(example = 320)]
    pub width: i32,
}

/// A category as shoppers and staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryAnswer {
    /// The category's id.
    pub id: CategoryId,
    /// Its place in addresses.
    #[schema(example = "ceramics")]
    pub slug: String,
    /// Its name.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// The category above it, if any.
    pub parent_id: Option<CategoryId>,
    /// A picture that stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<MediaReference>,
}

/// The order of a product list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductSort {
    /// As the merchant arranged them.
    #[default]
    Featured,
    /// Lowest price first.
    PriceAscending,
    /// Highest price first.
    PriceDescending,
    /// By title.
    Title,
    /// Newest first.
    Newest,
}

/// What to list; add `limit`, and `after` or `before`.
///
/// A product is listed when its price as the list shows it fits `price_min`, `price_max` and `reduced`, and when one of its variants fits
/// `in_stock` and all of `options` together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProductQuery {
    /// Only this category, by slug, and those below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only what is in stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_stock: Option<bool>,
    /// Only what cost more before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduced: Option<bool>,
    /// Only what costs so much or more, in minor units of the channel's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 100_000_000_000_i64, example = 1000)]
    pub price_min: Option<i64>,
    /// Only what costs so much or less, in minor units of the channel's currency; not below `price_min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 100_000_000_000_i64, example = 9000)]
    pub price_max: Option<i64>,
    /// Only what is to be had with one of these values of each named option, 20 values at most. A `,`, a `:` or a `\` within a name or value
    /// has a `\` before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, example = "Glaze:Sea,Glaze:Rust,Size:M")]
    pub options: Option<OptionFilter>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<ProductSort>,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The `previous` of the page after; not together with `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// What to count: the fields of [`ProductQuery`] that decide which products are listed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FacetQuery {
    /// Only this category, by slug, and those below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only what is in stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_stock: Option<bool>,
    /// Only what cost more before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduced: Option<bool>,
    /// Only what costs so much or more, in minor units of the channel's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 100_000_000_000_i64, example = 1000)]
    pub price_min: Option<i64>,
    /// Only what costs so much or less, in minor units of the channel's currency; not below `price_min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 100_000_000_000_i64, example = 9000)]
    pub price_max: Option<i64>,
    /// Only what is to be had with one of these values of each named option, as in the list of products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, example = "Glaze:Sea,Glaze:Rust,Size:M")]
    pub options: Option<OptionFilter>,
}

/// One page of products, and where its neighbours are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductPage {
    /// The products, in the list's order.
    pub items: Vec<ProductSummary>,
    /// Pass as `after` for the next page; `null` at the end.
    pub next: Option<String>,
    /// Pass as `before` for the page before; `null` at the start.
    pub previous: Option<String>,
}

/// How many products there are, and what they can be narrowed by. Each count says how many there would be if this were chosen in the place
/// of what is chosen of its own kind, and all else stayed as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductFacets {
    /// How many products are listed.
    pub total: i64,
    /// How many of them are, or would be, in stock.
    pub in_stock: i64,
    /// How many of them are, or would be, reduced.
    pub reduced: i64,
    /// What they cost, whatever range is asked for; nothing if there are none.
    pub prices: Option<PriceRange>,
    /// What one can choose by, what most products have first; 12 options with 40 values at most.
    pub options: Vec<OptionFacet>,
    /// Whether there are more products than are counted: the first 2,000 of the category are.
    pub is_partial: bool,
}

/// The lowest and the highest price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceRange {
    /// The lowest.
    pub lowest: Money,
    /// The highest.
    pub highest: Money,
}

/// An option that listed products have, with its values as the merchants order them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OptionFacet {
    /// The option's name.
    #[schema(example = "Glaze")]
    pub name: String,
    /// Its values.
    pub values: Vec<OptionFacetValue>,
}

/// A value of an option, and how many products are to be had with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OptionFacetValue {
    /// The value.
    #[schema(example = "Sea")]
    pub value: String,
    /// A colour to show beside it, as `#rrggbb`.
    pub swatch: Option<String>,
    /// How many products; at least one.
    pub count: i64,
}

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductSummary {
    /// The product's id.
    pub id: ProductId,
    /// Its place in addresses.
    pub slug: String,
    /// Its name.
    pub title: String,
    /// One sentence about it.
    pub summary: String,
    /// The lowest price of its variants.
    pub price: Money,
    /// Whether other variants cost more.
    pub price_varies: bool,
    /// What the cheapest variant cost before, when it is reduced.
    pub compare_at: Option<Money>,
    /// Its first picture.
    pub image: Option<MediaReference>,
    /// The best stock of its variants.
    pub stock: StockBand,
    /// The colours it is to be had in, six at most, as `#rrggbb`.
    #[serde(default)]
    pub swatches: Vec<String>,
}

/// An option one chooses by, such as Size, with its values in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
pub struct ProductOption {
    /// The option's name, such as `Size`.
    #[garde(length(min = 1, max = 60), custom(one_line))]
    pub name: String,
    /// What one can choose.
    #[garde(length(min = 1, max = 200), dive)]
    pub values: Vec<OptionValue>,
}

/// One value of an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
pub struct OptionValue {
    /// The value, such as `M`.
    #[garde(length(min = 1, max = 100), custom(one_line))]
    pub value: String,
    /// A colour to show beside it, as `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(pattern("^#[0-9a-fA-F]{6}$")))]
    pub swatch: Option<String>,
}

/// A product with everything its page needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductAnswer {
    /// The product's id.
    pub id: ProductId,
    /// Its place in addresses.
    pub slug: String,
    /// Its name.
    pub title: String,
    /// One sentence about it.
    pub summary: String,
    /// The whole story, in paragraphs parted by empty lines.
    pub description: String,
    /// Facts, one each.
    pub facts: Vec<String>,
    /// The category it stands in.
    pub category: Option<CategoryAnswer>,
    /// Its pictures, the main one first.
    pub media: Vec<MediaReference>,
    /// What one chooses by, in order; empty for a product of one variant.
    pub options: Vec<ProductOption>,
    /// What one can buy.
    pub variants: Vec<VariantAnswer>,
    /// The product's version. The `ETag` is another: it also changes with the stock.
    pub version: i64,
}

/// A variant as shoppers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VariantAnswer {
    /// The variant's id.
    pub id: VariantId,
    /// The stock keeping unit.
    pub sku: String,
    /// Option name to value, one for each option.
    pub options: BTreeMap<String, String>,
    /// What it costs, tax included.
    pub price: Money,
    /// What it cost before, when it is reduced.
    pub compare_at: Option<Money>,
    /// How much there is.
    pub stock: StockBand,
}

/// A new category.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CategoryDraft {
    /// Its place in addresses: small letters, digits, hyphens.
    #[garde(length(min = 1, max = 100), pattern("^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub slug: String,
    /// Its name.
    #[garde(length(min = 1, max = 200), custom(one_line))]
    pub name: String,
    /// A sentence about it.
    #[serde(default)]
    #[garde(length(max = 2_000), custom(no_control))]
    pub description: String,
    /// The category above it.
    #[serde(default)]
    #[garde(skip)]
    pub parent_id: Option<CategoryId>,
    /// A picture that stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub image: Option<MediaReference>,
}

/// A new product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProductDraft {
    /// Its place in addresses, unique in each channel: small letters, digits, hyphens.
    #[garde(length(min = 1, max = 100), pattern("^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub slug: String,
    /// Its name.
    #[garde(length(min = 1, max = 200), custom(one_line))]
    pub title: String,
    /// One sentence about it.
    #[serde(default)]
    #[garde(length(max = 500), custom(no_control))]
    pub summary: String,
    /// The whole story.
    #[serde(default)]
    #[garde(length(max = 20_000), custom(no_control))]
    pub description: String,
    /// Facts, one each.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(min = 1, max = 300), custom(one_line)))]
    pub facts: Vec<String>,
    /// The category's slug.
    #[serde(default)]
    #[garde(inner(length(min = 1, max = 100), custom(one_line)))]
    pub category: Option<String>,
    /// What one chooses by; empty for a product of one variant.
    #[serde(default)]
    #[garde(length(max = 3), dive)]
    pub options: Vec<ProductOption>,
    /// What one can buy, at least one.
    #[garde(length(min = 1, max = 2_500), dive)]
    pub variants: Vec<VariantDraft>,
    /// Pictures, the main one first.
    #[serde(default)]
    #[garde(length(max = 100), dive)]
    pub media: Vec<MediaReference>,
    /// Whether shoppers see it at once, in every channel named in `channels`.
    #[serde(default)]
    #[garde(skip)]
    pub published: bool,
    /// The codes of the channels it is sold in; every channel if empty.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(min = 1, max = 60), custom(one_line)))]
    pub channels: Vec<String>,
}

/// A variant of a new product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct VariantDraft {
    /// The stock keeping unit, used once in the shop.
    #[garde(length(min = 1, max = 64), pattern("^[A-Za-z0-9][A-Za-z0-9._/-]*$"))]
    pub sku: String,
    /// Option name to value, one for each option of the product.
    #[serde(default)]
    #[garde(skip)]
    pub options: BTreeMap<String, String>,
    /// What it costs, once per currency, at least one.
    #[garde(length(min = 1, max = 20), dive)]
    pub prices: Vec<PriceDraft>,
}

/// A price in one currency, tax included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PriceDraft {
    /// What it costs; not negative.
    #[garde(custom(not_negative))]
    pub price: Money,
    /// What it cost before; above `price` and in its currency.
    #[serde(default)]
    #[garde(inner(custom(not_negative)))]
    pub compare_at: Option<Money>,
}

/// Refuses names that show nothing or break the line.
fn one_line(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(garde::Error::new("must hold more than spaces, and no control characters"));
    }
    Ok(())
}

/// Refuses control characters that are not part of running text.
fn no_control(text: &str, (): &()) -> garde::Result {
    if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
        return Err(garde::Error::new("must not hold control characters"));
    }
    Ok(())
}

/// Refuses addresses that a `srcset` cannot hold: it parts its entries by spaces and commas.
fn fits_srcset(url: &str, (): &()) -> garde::Result {
    if url.contains(char::is_whitespace) || url.ends_with(',') {
        return Err(garde::Error::new("must hold no spaces and not end with a comma"));
    }
    Ok(())
}

fn ten_at_most(features: &Option<Vec<Feature>>, (): &()) -> garde::Result {
    if features.as_ref().is_some_and(|features| features.len() > 10) {
        return Err(garde::Error::new("must be ten at most"));
    }
    Ok(())
}

fn hundred_at_most(media: &Option<Vec<MediaReference>>, (): &()) -> garde::Result {
    if media.as_ref().is_some_and(|media| media.len() > 100) {
        return Err(garde::Error::new("must be a hundred at most"));
    }
    Ok(())
}

fn narrowest_first(sources: &[MediaSource], (): &()) -> garde::Result {
    if sources.is_sorted_by(|one, next| one.width < next.width) {
        return Ok(());
    }
    Err(garde::Error::new("must stand in order, the narrowest first, and each width once"))
}

fn not_negative(money: &Money, (): &()) -> garde::Result {
    if money.amount_minor() < 0 || money.amount_minor() > 100_000_000_000 {
        return Err(garde::Error::new("must be from 0 to 100000000000 minor units"));
    }
    Ok(())
}

/// Changes to a product; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProductPatch {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 200), custom(one_line)))]
    pub title: Option<String>,
    /// The new sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = 500), custom(no_control)))]
    pub summary: Option<String>,
    /// The new story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = 20_000), custom(no_control)))]
    pub description: Option<String>,
    /// Its new place in addresses; the old one keeps leading to it until another product takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 100), pattern("^[a-z0-9]+(-[a-z0-9]+)*$")))]
    pub slug: Option<String>,
    /// The new facts; they take the place of those it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = 50), inner(length(min = 1, max = 300), custom(one_line))))]
    pub facts: Option<Vec<String>>,
    /// The slug of the category it moves to; empty takes it out of its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = 100), custom(no_control)))]
    pub category: Option<String>,
    /// The codes of the channels it is sold in, at least one; they take the place of those it was sold in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 50), inner(length(min = 1, max = 60), custom(one_line))))]
    pub channels: Option<Vec<String>>,
    /// The new pictures, the main one first; they take the place of those it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(hundred_at_most), dive)]
    pub media: Option<Vec<MediaReference>>,
    /// Whether shoppers see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub published: Option<bool>,
}

/// Changes to a variant; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct VariantPatch {
    /// The new stock keeping unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(min = 1, max = 64), pattern("^[A-Za-z0-9][A-Za-z0-9._/-]*$")))]
    pub sku: Option<String>,
    /// The new prices, one per currency; a currency not named keeps its price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 20), dive)]
    pub prices: Vec<PriceDraft>,
}

/// What staff list; add `limit` and `after`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminProductQuery {
    /// Words of the title, or the start of a SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only published, or only unpublished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
    /// The products of these variants, parted by commas, 100 at most, all on one page: nothing else narrows them further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_ids: Option<String>,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A product as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminProduct {
    /// The product's id.
    pub id: ProductId,
    /// Its place in addresses.
    pub slug: String,
    /// Its name.
    pub title: String,
    /// One sentence about it.
    pub summary: String,
    /// The whole story.
    pub description: String,
    /// Facts, one each.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Whether shoppers see it.
    pub published: bool,
    /// The codes of the channels it is sold in.
    #[serde(default)]
    pub channels: Vec<String>,
    /// The category it stands in.
    pub category: Option<CategoryAnswer>,
    /// Its pictures, the main one first.
    pub media: Vec<MediaReference>,
    /// What one chooses by.
    pub options: Vec<ProductOption>,
    /// What one can buy.
    pub variants: Vec<AdminVariant>,
    /// The version to send back in `If-Match`, also sent as `ETag`.
    pub version: i64,
}

/// A variant as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminVariant {
    /// The variant's id.
    pub id: VariantId,
    /// The stock keeping unit.
    pub sku: String,
    /// Option name to value.
    pub options: BTreeMap<String, String>,
    /// What it costs, once per currency.
    pub prices: Vec<PriceDraft>,
    /// How much there is, by channel code.
    pub stock: BTreeMap<String, StockBand>,
}

/// A product was made, changed, published or taken back, or its stock crossed a band: whatever shows it is stale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductChanged {
    /// The product.
    pub product_id: ProductId,
    /// Its place in addresses.
    pub slug: String,
    /// Whether nothing changed but how much there is of it, so that lists keep their members and order.
    #[serde(default)]
    pub stock_only: bool,
}

impl Event for ProductChanged {
    const NAME: &'static str = "catalog.ProductChanged";
    const VERSION: i32 = 1;
}

/// A category was made: whatever shows the categories is stale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CategoryChanged {
    /// The category.
    pub category_id: CategoryId,
    /// Its place in addresses.
    pub slug: String,
}

impl Event for CategoryChanged {
    const NAME: &'static str = "catalog.CategoryChanged";
    const VERSION: i32 = 1;
}

/// A channel's settings changed: whatever is shown in it is stale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChannelChanged {
    /// The channel.
    pub channel_id: ChannelId,
    /// Its short name.
    pub code: String,
}

impl Event for ChannelChanged {
    const NAME: &'static str = "catalog.ChannelChanged";
    const VERSION: i32 = 1;
}
