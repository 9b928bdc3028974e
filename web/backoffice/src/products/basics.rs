//! A product's texts and whether it is published. Two people's edits are merged; what both changed is asked.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, ProductId, ProductPatch, endpoints};
use http::StatusCode;
use kernel::{Problem, Token};
use platform::http::Path;
use serde::Serialize;

use super::detail::{Rendering, find, show};
use super::path_of;
use crate::Office;
use crate::carried::{Carried, key, version};
use crate::dress::Field;
use crate::fields::Fields;
use crate::format::counted;
use crate::notice::{Notice, field_error};
use crate::session::{Session, answer, frame};

/// How often a save that clashes with nothing is tried on a newer version.
const TRIES: usize = 4;

/// The fields of the form, in their order, with the names people see.
const LABELS: [(&str, &str); 4] = [("title", "Title"), ("summary", "Summary"), ("description", "Description"), ("published", "Published")];

/// The values of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Basics {
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) published: bool,
}

/// The form on the page: what is in it, and what it began with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BasicsForm {
    title: String,
    summary: String,
    description: String,
    published: bool,
    was_title: String,
    was_summary: String,
    was_description: String,
    /// As it is sent: `true` or `false`.
    was_published: String,
    title_error: Option<String>,
    summary_error: Option<String>,
    description_error: Option<String>,
}

/// Both changed the same field: which is it to be?
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConflictPage {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) started_from: i64,
    pub(crate) form: Carried,
    pub(crate) clashing: String,
    pub(crate) clashes: Vec<Clash>,
    pub(crate) kept: Vec<Field>,
    pub(crate) merged: Option<String>,
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
    fn of(product: &AdminProduct) -> Self {
        Self { title: product.title.clone(), summary: product.summary.clone(), description: product.description.clone(), published: product.published }
    }

    fn typed(fields: &Fields, prefix: &str) -> Self {
        let get = |name: &str| fields.get(&format!("{prefix}{name}")).unwrap_or_default();
        Self {
            title: get("title").trim().to_owned(),
            summary: get("summary").trim().to_owned(),
            description: get("description"),
            published: get("published") == "true",
        }
    }

    fn value(&self, name: &str) -> String {
        match name {
            "title" => self.title.clone(),
            "summary" => self.summary.clone(),
            "description" => self.description.clone(),
            _ => self.published.to_string(),
        }
    }

    /// What is different from `was`, as the API takes it.
    fn changes_since(&self, was: &Self) -> ProductPatch {
        let changed = |now: &str, was: &str| (now != was).then(|| now.to_owned());
        ProductPatch {
            title: changed(&self.title, &was.title),
            summary: changed(&self.summary, &was.summary),
            description: changed(&self.description, &was.description),
            published: (self.published != was.published).then_some(self.published),
            ..ProductPatch::default()
        }
    }

    /// Theirs, with what we changed put over it.
    fn over(&self, was: &Self, theirs: &Self) -> Self {
        let pick = |yours: &str, was: &str, theirs: &str| if yours == was { theirs.to_owned() } else { yours.to_owned() };
        Self {
            title: pick(&self.title, &was.title, &theirs.title),
            summary: pick(&self.summary, &was.summary, &theirs.summary),
            description: pick(&self.description, &was.description, &theirs.description),
            published: if self.published == was.published { theirs.published } else { self.published },
        }
    }
}

impl BasicsForm {
    pub(super) fn new(product: &AdminProduct, typed: Option<&Basics>, errors: &BTreeMap<&'static str, String>) -> Self {
        let was = Basics::of(product);
        let now = typed.unwrap_or(&was).clone();
        Self {
            title: now.title,
            summary: now.summary,
            description: now.description,
            published: now.published,
            was_title: was.title,
            was_summary: was.summary,
            was_description: was.description,
            was_published: was.published.to_string(),
            title_error: errors.get("title").cloned(),
            summary_error: errors.get("summary").cloned(),
            description_error: errors.get("description").cloned(),
        }
    }
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
    let patch = yours.changes_since(&was);
    let mut on_version = version(&fields);
    for attempt in 0..TRIES {
        let key = format!("{}.{on_version}", key(&fields));
        let call = session.call(&endpoints::ADMIN_UPDATE_PRODUCT).param("id", id).if_match(on_version).idempotency_key(&key);
        match answer(call.body(&patch)).await {
            Ok(_) => return Ok(done(id, if attempt == 0 { "product" } else { "merged" })),
            Err(problem) if problem.status() == 412 => {
                let theirs = find(&session, id).await?;
                let clashes = clashes(&was, &Basics::of(&theirs), &yours);
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
    let errors = LABELS.into_iter().filter_map(|(name, _)| Some((name, field_error(&problem, &format!("/{name}"))?)));
    let rendering = Rendering {
        status: StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        notice: Some(Notice::of(&problem, &["/title", "/summary", "/description"])),
        basics: Some(yours),
        basics_errors: errors.collect(),
        key: (problem.status() >= 500).then(|| key(fields)),
        ..Rendering::default()
    };
    show(office, session, id, 0, rendering).await
}

async fn conflict(office: &Office, session: &Session, page: &ConflictPage) -> Result<Response, Problem> {
    let me = session.me().await?;
    Ok(office.templates.page(StatusCode::PRECONDITION_FAILED, "product_conflict.html", &frame(page.product.clone(), "products", me), page))
}

/// The fields both changed, and not to the same.
fn clashes(was: &Basics, theirs: &Basics, yours: &Basics) -> Vec<Clash> {
    let clash = |(name, label): (&'static str, &'static str)| {
        let (was, theirs, yours) = (was.value(name), theirs.value(name), yours.value(name));
        let both = theirs != was && yours != was && theirs != yours;
        both.then(|| Clash { name, label, was: side(name, was), theirs: side(name, theirs), yours: side(name, yours) })
    };
    LABELS.into_iter().filter_map(clash).collect()
}

fn side(name: &str, value: String) -> Side {
    let shown = match (name, value.as_str()) {
        ("published", "true") => "Published".to_owned(),
        ("published", _) => "Not published".to_owned(),
        (_, "") => "Nothing".to_owned(),
        _ => value.clone(),
    };
    Side { value, shown }
}

fn conflict_page(theirs: &AdminProduct, started_from: i64, was: &Basics, yours: &Basics, clashes: Vec<Clash>) -> ConflictPage {
    let present = Basics::of(theirs);
    let merged = yours.over(was, &present);
    let is_clash = |name: &str| clashes.iter().any(|clash| clash.name == name);
    let field = |name: String, value: String| Field { name, value };
    // An unpublished product is one whose box is not sent.
    let kept = LABELS.into_iter().map(|(name, _)| name).filter(|name| !is_clash(name)).map(|name| field(name.to_owned(), merged.value(name)));
    let began_with = LABELS.into_iter().map(|(name, _)| field(format!("was_{name}"), present.value(name)));
    let differs = |name: &str| merged.value(name) != was.value(name);
    let both: Vec<_> = LABELS.into_iter().filter(|(name, _)| !is_clash(name) && differs(name)).map(|(_, label)| label.to_lowercase()).collect();
    ConflictPage {
        id: theirs.id.to_string(),
        product: theirs.title.clone(),
        started_from,
        form: Carried { version: theirs.version, key: Token::generate().reveal() },
        clashing: counted(i64::try_from(clashes.len()).unwrap_or(0), "field was", "fields were"),
        kept: kept.chain(began_with).collect(),
        clashes,
        merged: (!both.is_empty()).then(|| both.join(", ")),
    }
}

fn done(id: ProductId, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}", path_of(id))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basics(title: &str, summary: &str) -> Basics {
        Basics { title: title.to_owned(), summary: summary.to_owned(), ..Basics::default() }
    }

    #[test]
    fn only_what_both_changed_differently_clashes() {
        let was = basics("Mug", "Blue.");
        let names = |theirs, yours| clashes(&was, &theirs, &yours).into_iter().map(|clash| clash.name).collect::<Vec<_>>();
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
}
