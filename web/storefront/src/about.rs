//! What a page says about itself to those who do not look at it: search engines, and apps that show a link.

use kernel::Money;
use serde::Serialize;
use serde_json::{Value, json};

use crate::money;
use crate::shell::LinkView;
use crate::shop::Shop;
use crate::view::PictureView;

/// The head of a page that may be found and shared.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct About {
    /// One or two sentences.
    pub(crate) description: String,
    /// `website` or `product` (Open Graph).
    pub(crate) kind: &'static str,
    /// What stands for the page where it is linked to; its address is whole.
    pub(crate) picture: Option<PictureView>,
    /// Facts in the words of schema.org (JSON-LD), ready to stand inside a `script` element.
    pub(crate) facts: Vec<String>,
}

impl About {
    pub(crate) fn page(description: &str) -> Self {
        Self { description: description.to_owned(), kind: "website", ..Self::default() }
    }

    pub(crate) fn product(description: &str) -> Self {
        Self { kind: "product", ..Self::page(description) }
    }

    pub(crate) fn picture(mut self, shop: &Shop, picture: Option<&PictureView>) -> Self {
        self.picture = picture.map(|picture| PictureView { url: whole(shop, &picture.url), srcset: String::new(), ..picture.clone() });
        self
    }

    pub(crate) fn fact(mut self, fact: &Value) -> Self {
        self.facts.push(inside_script(fact));
        self
    }
}

/// Nothing in the text of a fact can end the element it stands in, or begin a comment there.
fn inside_script(fact: &Value) -> String {
    fact.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// An address that can be followed from anywhere.
pub(crate) fn whole(shop: &Shop, address: &str) -> String {
    if address.starts_with('/') { format!("{}{address}", shop.public_url()) } else { address.to_owned() }
}

/// The way from the home page to this one, which is the last of `links` (schema.org `BreadcrumbList`).
pub(crate) fn trail<'link>(shop: &Shop, home: &str, links: impl IntoIterator<Item = &'link LinkView>) -> Value {
    let first = (home.to_owned(), "/".to_owned());
    let steps = std::iter::once(first).chain(links.into_iter().map(|link| (link.name.clone(), link.href.clone())));
    let items: Vec<Value> = steps
        .enumerate()
        .map(|(index, (name, href))| json!({ "@type": "ListItem", "position": index + 1, "name": name, "item": whole(shop, &href) }))
        .collect();
    json!({ "@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items })
}

/// What a product can be had for.
pub(crate) struct Offers {
    pub(crate) address: String,
    pub(crate) lowest: Money,
    pub(crate) highest: Money,
    pub(crate) count: usize,
    pub(crate) is_available: bool,
}

/// A product that is sold (schema.org `Product`).
pub(crate) fn product(title: &str, description: &str, sku: Option<&str>, pictures: &[String], offers: &Offers) -> Value {
    let availability = if offers.is_available { "https://schema.org/InStock" } else { "https://schema.org/OutOfStock" };
    let mut offer = json!({
        "@type": "Offer",
        "url": offers.address,
        "priceCurrency": offers.lowest.currency().to_string(),
        "availability": availability,
    });
    let prices = if offers.lowest == offers.highest {
        json!({ "price": money::plain(offers.lowest) })
    } else {
        let count = offers.count;
        json!({ "@type": "AggregateOffer", "lowPrice": money::plain(offers.lowest), "highPrice": money::plain(offers.highest), "offerCount": count })
    };
    merge(&mut offer, prices);
    let mut product = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": title,
        "description": description,
        "url": offers.address,
        "image": pictures,
        "offers": offer,
    });
    if let Some(sku) = sku {
        merge(&mut product, json!({ "sku": sku }));
    }
    product
}

fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_element_it_stands_in() {
        let fact = json!({ "name": "</script><script>alert(1)</script><!-- & é" });
        let text = inside_script(&fact);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(fact));
    }

    #[test]
    fn a_product_of_many_prices_tells_the_span() {
        let money = |amount| Money::new(amount, kernel::Currency::EUR);
        let offers = |lowest, highest| Offers {
            address: "https://shop.example/products/a".to_owned(),
            lowest: money(lowest),
            highest: money(highest),
            count: 3,
            is_available: true,
        };
        let text = |pointer: &str, product: &Value| product.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned).unwrap_or_default();
        let many = product("A", "B", None, &[], &offers(380, 4_800));
        assert_eq!(["/offers/@type", "/offers/lowPrice", "/offers/highPrice"].map(|pointer| text(pointer, &many)), ["AggregateOffer", "3.80", "48.00"]);
        let one = product("A", "B", Some("A-1"), &[], &offers(380, 380));
        assert_eq!(["/offers/@type", "/offers/price", "/sku"].map(|pointer| text(pointer, &one)), ["Offer", "3.80", "A-1"]);
    }
}
