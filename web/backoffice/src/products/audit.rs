//! Who changed what of a product, and when.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{AdminProduct, ProductId};
use http::StatusCode;
use kernel::audit::{AuditEntryAnswer, AuditQuery, endpoints};
use kernel::{Money, Page, Problem};
use platform::http::Path;
use serde::Serialize;
use serde_json::Value;

use super::detail::{find, variant_name};
use super::path_of;
use crate::Office;
use crate::chips::{self, Chip};
use crate::fields::{Parameters, address};
use crate::format::{Moment, counted, initials, moment, money};
use crate::orders::person;
use crate::session::{Session, answer, frame};

const LIMIT: u32 = 50;
/// Longer texts are cut.
const MOST_CHARS: usize = 160;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct AuditPage {
    id: String,
    title: String,
    status: Chip,
    variant_count: usize,
    picture_count: usize,
    entries: Vec<Entry>,
    shown: String,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Entry {
    new_day: bool,
    who: Option<String>,
    initials: Option<String>,
    what: String,
    /// Each thing that was changed, with what it was set to.
    changes: Vec<Change>,
    at: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Change {
    label: String,
    value: String,
}

pub(crate) async fn audit(
    State(office): State<Office>,
    session: Session,
    Path(id): Path<ProductId>,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let after = parameters.filled("after");
    let query = AuditQuery { subject: id.to_string(), limit: Some(LIMIT), after: after.clone() };
    let entries = answer(session.call(&endpoints::ADMIN_LIST_AUDIT_ENTRIES).query(&query));
    let (me, product, entries) = tokio::try_join!(session.me(), find(&session, id), entries)?;
    let page = audit_page(&product, after.as_deref(), &entries.body);
    Ok(office.templates.page(StatusCode::OK, "product_audit.html", &frame(page.title.clone(), "products", me), &page))
}

pub(crate) fn audit_page(product: &AdminProduct, after: Option<&str>, entries: &Page<AuditEntryAnswer>) -> AuditPage {
    let path = format!("{}/audit", path_of(product.id));
    let shown = counted(i64::try_from(entries.items.len()).unwrap_or(0), "change", "changes");
    let days = std::iter::once(None).chain(entries.items.iter().map(|entry| Some(entry.occurred_at.date_naive())));
    let told = entries.items.iter().zip(days).map(|(entry, day_before)| told(entry, product, day_before != Some(entry.occurred_at.date_naive())));
    AuditPage {
        id: product.id.to_string(),
        title: product.title.clone(),
        status: chips::published(product.published),
        variant_count: product.variants.len(),
        picture_count: product.media.len(),
        entries: told.collect(),
        shown: if entries.next.is_some() { format!("{shown}, there are older ones") } else { shown },
        newest: after.is_some().then(|| path.clone()),
        older: entries.next.as_deref().map(|next| address(&path, &[("after", Some(next))])),
    }
}

fn told(entry: &AuditEntryAnswer, product: &AdminProduct, new_day: bool) -> Entry {
    let who = person(&entry.actor);
    let (by_person, alone) = match entry.action.as_str() {
        "product.created" => ("made the product".to_owned(), "Product made".to_owned()),
        "product.updated" => ("changed the product".to_owned(), "Product changed".to_owned()),
        "variant.updated" => {
            let name = variant_of(entry, product);
            (format!("changed {name}"), format!("{name} changed"))
        }
        other => (other.to_owned(), other.to_owned()),
    };
    let is_variant = entry.action == "variant.updated";
    let detail = if is_variant { entry.detail.get("patch").unwrap_or(&Value::Null) } else { &entry.detail };
    Entry {
        new_day,
        initials: who.as_deref().map(initials).filter(|letters| !letters.is_empty()),
        what: if who.is_some() { by_person } else { alone },
        who,
        changes: detail.as_object().into_iter().flatten().map(|(name, value)| Change { label: label(name), value: words(name, value) }).collect(),
        at: moment(entry.occurred_at),
    }
}

fn variant_of(entry: &AuditEntryAnswer, product: &AdminProduct) -> String {
    let id = entry.detail.get("variant_id").and_then(Value::as_str).unwrap_or_default();
    let found = product.variants.iter().find(|variant| variant.id.to_string() == id);
    found.map_or_else(|| "a variant".to_owned(), |variant| variant_name(product, variant))
}

fn label(name: &str) -> String {
    match name {
        "slug" => "Address".to_owned(),
        "sku" => "SKU".to_owned(),
        "media" => "Pictures".to_owned(),
        other => crate::notice::sentence(&other.replace('_', " ")).trim_end_matches('.').to_owned(),
    }
}

/// A value in words, cut where it is long.
fn words(name: &str, value: &Value) -> String {
    let text = match (name, value) {
        ("published", Value::Bool(published)) => if *published { "yes" } else { "no" }.to_owned(),
        ("prices", Value::Array(prices)) => prices.iter().map(price).collect::<Vec<_>>().join(", "),
        ("media", Value::Array(media)) => pictures(media),
        (_, Value::Array(items)) if items.is_empty() => "none".to_owned(),
        (_, Value::Array(items)) => items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), ToOwned::to_owned)).collect::<Vec<_>>().join(", "),
        (_, Value::String(text)) if text.is_empty() => "nothing".to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    };
    if text.chars().count() > MOST_CHARS { text.chars().take(MOST_CHARS).chain(['…']).collect() } else { text }
}

fn price(price: &Value) -> String {
    let read = |name: &str| price.get(name).and_then(|value| serde_json::from_value::<Money>(value.clone()).ok()).map(money);
    match (read("price"), read("compare_at")) {
        (Some(price), Some(before)) => format!("{price}, before {before}"),
        (Some(price), None) => price,
        _ => price.to_string(),
    }
}

fn pictures(media: &[Value]) -> String {
    let names: Vec<_> = media
        .iter()
        .map(|picture| picture.get("alt").and_then(Value::as_str).unwrap_or_default())
        .map(|alt| if alt.is_empty() { "without text" } else { alt })
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_changed_is_told_in_words() {
        assert_eq!(
            words("prices", &json!([{ "price": { "amount": 7900, "currency": "EUR" }, "compare_at": { "amount": 9900, "currency": "EUR" } }])),
            "€79.00, before €99.00"
        );
        assert_eq!(words("published", &json!(false)), "no");
        assert_eq!(words("channels", &json!(["default", "smoke"])), "default, smoke");
        assert_eq!(words("category", &json!("")), "nothing");
        assert_eq!(words("media", &json!([{ "alt": "A mug" }, { "alt": "" }])), "A mug; without text");
        assert_eq!(words("description", &json!("x".repeat(500))).chars().count(), MOST_CHARS + 1);
        assert_eq!((label("slug"), label("option_value"), label("sku")), ("Address".to_owned(), "Option value".to_owned(), "SKU".to_owned()));
    }
}
