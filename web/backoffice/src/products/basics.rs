//! What a product is called, where it stands and where it is sold. Two people's edits are merged; what both changed is asked.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, CategoryAnswer, ChannelAnswer, ProductId, ProductPatch, endpoints};
use http::StatusCode;
use kernel::{Problem, Token};
use platform::http::Path;
use serde::Serialize;

use super::categories::CategoryTree;
use super::detail::{Rendering, categories_of, find, show};
use super::path_of;
use crate::Office;
use crate::carried::{Carried, key, version};
use crate::dress::Field;
use crate::fields::Fields;
use crate::format::counted;
use crate::notice::{Notice, sentence};
use crate::session::{Session, answer, frame};

/// How often a save that clashes with nothing is tried on a newer version.
const TRIES: usize = 4;

/// The fields of the form, in their order, with the names people see.
const LABELS: [(&str, &str); 8] = [
    ("title", "Title"),
    ("slug", "Address"),
    ("summary", "Summary"),
    ("description", "Description"),
    ("facts", "Facts"),
    ("category", "Category"),
    ("channels", "Channels"),
    ("published", "Published"),
];

/// The values of the form, each as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Basics(BTreeMap<&'static str, String>);

/// The form on the page: what is in it, and what it began with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BasicsForm {
    value: BTreeMap<&'static str, String>,
    /// Every field with what it began with.
    was: Vec<Field>,
    error: BTreeMap<&'static str, String>,
    categories: Vec<Choice>,
    channels: Vec<Choice>,
    published: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    value: String,
    name: String,
    /// What is said below the name.
    note: String,
    chosen: bool,
}

/// Both changed the same field: which is it to be?
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConflictPage {
    pub(crate) id: String,
    pub(crate) product: String,
    /// Where the answer is sent to.
    pub(crate) action: String,
    pub(crate) started_from: i64,
    pub(crate) form: Carried,
    pub(crate) clashing: String,
    pub(crate) clashes: Vec<Clash>,
    pub(crate) kept: Vec<Field>,
    pub(crate) merged: Option<String>,
    /// Whether the answer may also be to go on editing.
    pub(crate) may_edit: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Clash {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) was: Side,
    pub(crate) theirs: Side,
    pub(crate) yours: Side,
}

/// A value as it is sent and as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Side {
    pub(crate) value: String,
    pub(crate) shown: String,
}

impl Basics {
    pub(super) fn of(product: &AdminProduct) -> Self {
        let category = product.category.as_ref().map(|category| category.slug.clone()).unwrap_or_default();
        let values = [
            ("title", product.title.clone()),
            ("slug", product.slug.clone()),
            ("summary", product.summary.clone()),
            ("description", product.description.clone()),
            ("facts", product.facts.join("\n")),
            ("category", category),
            ("channels", in_order(product.channels.iter().map(String::as_str))),
            ("published", product.published.to_string()),
        ];
        Self(values.into_iter().collect())
    }

    fn typed(fields: &Fields, prefix: &str) -> Self {
        let value = |name: &'static str| {
            let field = format!("{prefix}{name}");
            let text = fields.get(&field).unwrap_or_default();
            let value = match name {
                "description" => text,
                "facts" => lines(&text).join("\n"),
                "channels" => in_order(fields.all_of(&field).iter().flat_map(|codes| codes.split(','))),
                "published" => (text == "true").to_string(),
                _ => text.trim().to_owned(),
            };
            (name, value)
        };
        Self(LABELS.into_iter().map(|(name, _)| value(name)).collect())
    }

    fn value(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What is different from `was`, as the API takes it.
    fn changes_since(&self, was: &Self) -> ProductPatch {
        let changed = |name: &str| (self.value(name) != was.value(name)).then(|| self.value(name).to_owned());
        ProductPatch {
            title: changed("title"),
            slug: changed("slug"),
            summary: changed("summary"),
            description: changed("description"),
            facts: changed("facts").map(|text| lines(&text)),
            category: changed("category"),
            channels: changed("channels").map(|codes| codes.split(',').filter(|code| !code.is_empty()).map(ToOwned::to_owned).collect()),
            published: changed("published").map(|text| text == "true"),
            media: None,
        }
    }

    /// Theirs, with what we changed put over it.
    fn over(&self, was: &Self, theirs: &Self) -> Self {
        let pick = |name: &'static str| {
            let from = if self.value(name) == was.value(name) { theirs } else { self };
            (name, from.value(name).to_owned())
        };
        Self(LABELS.into_iter().map(|(name, _)| pick(name)).collect())
    }
}

/// Codes parted by commas, always in the same order.
fn in_order<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let mut codes: Vec<&str> = codes.map(str::trim).filter(|code| !code.is_empty()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.join(",")
}

/// The lines of a text that say something.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

impl BasicsForm {
    pub(super) fn new(
        product: &AdminProduct,
        categories: &[CategoryAnswer],
        channels: &[ChannelAnswer],
        typed: Option<&Basics>,
        errors: &BTreeMap<&'static str, String>,
    ) -> Self {
        let was = Basics::of(product);
        let now = typed.unwrap_or(&was).clone();
        let is_sold_in = |code: &str| now.value("channels").split(',').any(|chosen| chosen == code);
        let tree = CategoryTree::of(categories);
        Self {
            was: began_with(&was).collect(),
            error: errors.clone(),
            categories: tree.paths().map(|(slug, name)| Choice { chosen: now.value("category") == slug, value: slug, name, note: String::new() }).collect(),
            channels: channels.iter().map(|channel| channel_choice(channel, is_sold_in(&channel.code))).collect(),
            published: now.value("published") == "true",
            value: now.0,
        }
    }
}

fn channel_choice(channel: &ChannelAnswer, chosen: bool) -> Choice {
    let kind = if channel.kind == catalog_api::ChannelKind::Test { "test channel" } else { "live" };
    Choice { value: channel.code.clone(), name: channel.name.clone(), note: format!("{}, {kind}, {}", channel.code, channel.currency), chosen }
}

fn began_with(was: &Basics) -> impl Iterator<Item = Field> {
    LABELS.into_iter().map(|(name, _)| Field { name: format!("was_{name}"), value: was.value(name).to_owned() })
}

pub(crate) async fn save(State(office): State<Office>, session: Session, Path(id): Path<ProductId>, fields: Fields) -> Result<Response, Problem> {
    let (was, yours) = (Basics::typed(&fields, "was_"), Basics::typed(&fields, ""));
    if fields.get("action").as_deref() == Some("edit") {
        let rendering = Rendering { basics: Some(yours), version: Some(version(&fields)), ..Rendering::default() };
        return show(&office, &session, id, 0, rendering).await;
    }
    if yours == was {
        return Ok(done(id, "nothing"));
    }
    if yours.value("channels").is_empty() && !was.value("channels").is_empty() {
        let told = "Choose at least one channel. To take it off sale, switch Published off.".to_owned();
        let rendering = Rendering {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            notice: Some(Notice::refused("Nothing is saved yet.", "A field needs another value; everything you typed is kept.")),
            basics: Some(yours),
            basics_errors: BTreeMap::from([("channels", told)]),
            ..Rendering::default()
        };
        return show(&office, &session, id, 0, rendering).await;
    }
    let patch = yours.changes_since(&was);
    let mut on_version = version(&fields);
    for attempt in 0..TRIES {
        let key = format!("{}.{on_version}", key(&fields));
        let call = session.call(&endpoints::ADMIN_UPDATE_PRODUCT).param("id", id).if_match(on_version).idempotency_key(&key);
        match answer(call.body(&patch)).await {
            Ok(_) => return Ok(done(id, if attempt == 0 { "product" } else { "merged" })),
            Err(problem) if problem.status() == 412 => {
                let (theirs, categories, channels) = tokio::try_join!(find(&session, id), categories_of(&session), session.channels())?;
                let words = Words { categories: &categories, channels: &channels };
                let clashes = clashes(&was, &Basics::of(&theirs), &yours, &words);
                if !clashes.is_empty() {
                    let page = conflict_page(&theirs, version(&fields), &was, &yours, clashes);
                    return conflict(&office, &session, &page).await;
                }
                on_version = theirs.version;
            }
            Err(problem) => return refused(&office, &session, id, problem, yours, &fields).await,
        }
    }
    let notice = Notice::refused("Others change this product all the time.", "Nothing was saved, what you typed is kept: save it again.");
    let rendering = Rendering { status: StatusCode::CONFLICT, notice: Some(notice), basics: Some(yours), ..Rendering::default() };
    show(&office, &session, id, 0, rendering).await
}

async fn refused(office: &Office, session: &Session, id: ProductId, problem: Problem, yours: Basics, fields: &Fields) -> Result<Response, Problem> {
    if matches!(problem.status(), 401 | 404) {
        return Err(problem);
    }
    let errors: BTreeMap<_, _> = LABELS.into_iter().filter_map(|(name, _)| Some((name, error_of(&problem, name)?))).collect();
    let shown: Vec<&str> = problem.errors().iter().map(|error| error.pointer.as_str()).filter(|pointer| field_of(pointer).is_some()).collect();
    let rendering = Rendering {
        status: StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        notice: Some(Notice::of(&problem, &shown)),
        basics: Some(yours),
        basics_errors: errors,
        key: (problem.status() >= 500).then(|| key(fields)),
        ..Rendering::default()
    };
    show(office, session, id, 0, rendering).await
}

/// The field that a pointer of the API speaks of: `/title`, `/facts/3`.
fn field_of(pointer: &str) -> Option<&'static str> {
    let name = pointer.strip_prefix('/')?.split('/').next()?;
    LABELS.into_iter().map(|(known, _)| known).find(|known| *known == name)
}

/// What the API says about a field, in words for people where it speaks in patterns.
fn error_of(problem: &Problem, name: &str) -> Option<String> {
    let error = problem.errors().iter().find(|error| field_of(&error.pointer) == Some(name))?;
    Some(match (name, error.code.as_ref()) {
        ("slug", "invalid") => "An address holds small letters, digits and single hyphens between them, 100 at most.".to_owned(),
        ("slug", "taken") => "Another product has this address.".to_owned(),
        ("channels", "taken") => "Another product has this address in one of these channels. Give this one another address.".to_owned(),
        ("facts", _) => format!("Each line is a fact of up to 300 letters, 50 at most. {}", sentence(&error.detail)),
        _ => sentence(&error.detail),
    })
}

pub(super) async fn conflict(office: &Office, session: &Session, page: &ConflictPage) -> Result<Response, Problem> {
    let me = session.me().await?;
    Ok(office.templates.page(StatusCode::PRECONDITION_FAILED, "product_conflict.html", &frame(page.product.clone(), "products", me), page))
}

/// What stands behind the codes and slugs of a form.
struct Words<'a> {
    categories: &'a [CategoryAnswer],
    channels: &'a [ChannelAnswer],
}

impl Words<'_> {
    fn shown(&self, name: &str, value: &str) -> String {
        match (name, value) {
            ("published", "true") => "Published".to_owned(),
            ("published", _) => "Not published".to_owned(),
            (_, "") => "Nothing".to_owned(),
            ("category", slug) => CategoryTree::of(self.categories).path_of(slug).unwrap_or_else(|| slug.to_owned()),
            ("channels", codes) => codes.split(',').map(|code| self.channel(code)).collect::<Vec<_>>().join(", "),
            _ => value.to_owned(),
        }
    }

    fn channel(&self, code: &str) -> String {
        self.channels.iter().find(|channel| channel.code == code).map_or_else(|| code.to_owned(), |channel| channel.name.clone())
    }
}

/// The fields both changed, and not to the same.
fn clashes(was: &Basics, theirs: &Basics, yours: &Basics, words: &Words<'_>) -> Vec<Clash> {
    let side = |name: &str, value: &str| Side { value: value.to_owned(), shown: words.shown(name, value) };
    let clash = |(name, label): (&'static str, &'static str)| {
        let (was, theirs, yours) = (was.value(name), theirs.value(name), yours.value(name));
        let both = theirs != was && yours != was && theirs != yours;
        both.then(|| Clash { name, label, was: side(name, was), theirs: side(name, theirs), yours: side(name, yours) })
    };
    LABELS.into_iter().filter_map(clash).collect()
}

fn conflict_page(theirs: &AdminProduct, started_from: i64, was: &Basics, yours: &Basics, clashes: Vec<Clash>) -> ConflictPage {
    let present = Basics::of(theirs);
    let merged = yours.over(was, &present);
    let is_clash = |name: &str| clashes.iter().any(|clash| clash.name == name);
    let field = |name: String, value: String| Field { name, value };
    let kept = LABELS.into_iter().map(|(name, _)| name).filter(|name| !is_clash(name)).map(|name| field(name.to_owned(), merged.value(name).to_owned()));
    let differs = |name: &str| merged.value(name) != was.value(name);
    let both: Vec<_> = LABELS.into_iter().filter(|(name, _)| !is_clash(name) && differs(name)).map(|(_, label)| label.to_lowercase()).collect();
    ConflictPage {
        id: theirs.id.to_string(),
        product: theirs.title.clone(),
        action: path_of(theirs.id),
        started_from,
        form: Carried { version: theirs.version, key: Token::generate().reveal() },
        clashing: counted(i64::try_from(clashes.len()).unwrap_or(0), "field was", "fields were"),
        kept: kept.chain(began_with(&present)).collect(),
        clashes,
        merged: (!both.is_empty()).then(|| both.join(", ")),
        may_edit: true,
    }
}

fn done(id: ProductId, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}", path_of(id))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WORDS: Words<'static> = Words { categories: &[], channels: &[] };

    fn basics(title: &str, summary: &str) -> Basics {
        Basics::typed(&Fields::parse(format!("title={title}&summary={summary}").as_bytes()), "")
    }

    #[test]
    fn only_what_both_changed_differently_clashes() {
        let was = basics("Mug", "Blue.");
        let names = |theirs, yours| clashes(&was, &theirs, &yours, &NO_WORDS).into_iter().map(|clash| clash.name).collect::<Vec<_>>();
        assert_eq!(names(basics("Cup", "Blue."), basics("Mug", "Green.")), [""; 0]);
        assert_eq!(names(basics("Cup", "Blue."), basics("Cup", "Green.")), [""; 0]);
        assert_eq!(names(basics("Cup", "Red."), basics("Beaker", "Blue.")), ["title"]);
    }

    #[test]
    fn a_merge_keeps_both_sides_changes() {
        let (was, theirs, yours) = (basics("Mug", "Blue."), basics("Cup", "Blue."), basics("Mug", "Green."));
        assert_eq!(yours.over(&was, &theirs), basics("Cup", "Green."));
        assert_eq!(yours.changes_since(&was).title, None);
        assert_eq!(yours.changes_since(&was).summary.as_deref(), Some("Green."));
    }

    #[test]
    fn channels_facts_and_category_are_read_as_they_are_meant() {
        let read = |text: &str| Basics::typed(&Fields::parse(text.as_bytes()), "");
        let was = read("channels=smoke,default&facts=a&category=mugs&published=true");
        let yours = read("channels=default&channels=smoke&facts=+a+%0D%0A%0D%0A+b&category=&published=");
        let changes = yours.changes_since(&was);
        assert_eq!(changes.channels, None, "the order of boxes does not matter");
        assert_eq!(changes.facts, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((changes.category.as_deref(), changes.published), (Some(""), Some(false)));
        assert_eq!(read("channels=default").changes_since(&was).channels, Some(vec!["default".to_owned()]));
    }
}
