//! A product's pictures: their order, what is said of them, which option value they show, and taking one away.
//!
//! There is no place to put a file yet; a picture comes with the product, through the API.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, MediaReference, ProductId, ProductPatch, endpoints};
use http::StatusCode;
use kernel::{Problem, Token};
use platform::http::Path;
use serde::Serialize;

use super::basics::{Clash, ConflictPage, Side, conflict};
use super::detail::{Rendering, find, show};
use super::path_of;
use crate::Office;
use crate::carried::{Carried, key, version};
use crate::dress::Field;
use crate::fields::Fields;
use crate::format::counted;
use crate::notice::{Notice, explanation, sentence};
use crate::picture::{self, Picture};
use crate::session::{Session, answer};

/// How often a save that clashes with nothing is tried on a newer version.
const TRIES: usize = 4;

/// The form of the pictures.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MediaForm {
    pictures: Vec<EditedPicture>,
    /// The option values a picture may show.
    values: Vec<Choice>,
    /// The pictures the form began with.
    was: String,
    /// How many have nothing said of them.
    without_text: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct EditedPicture {
    picture: Picture,
    /// The place among the pictures the form began with, from 0.
    index: usize,
    /// The place it is to have, from 1.
    place: usize,
    alt: String,
    shows: String,
    removed: bool,
    is_cover: bool,
    error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    value: String,
    name: String,
}

/// What was typed and is not saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TypedMedia {
    was: Vec<MediaReference>,
    edits: Vec<Edit>,
    errors: BTreeMap<usize, String>,
}

/// What a form says of one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    alt: String,
    shows: String,
    place: usize,
    removed: bool,
}

impl MediaForm {
    pub(super) fn new(product: &AdminProduct, typed: Option<&TypedMedia>) -> Self {
        let untouched = TypedMedia::of(product.media.clone());
        let typed = typed.unwrap_or(&untouched);
        let pictures = typed.was.iter().zip(&typed.edits).enumerate().map(|(index, (media, edit))| EditedPicture {
            picture: picture::tile(media),
            index,
            place: edit.place,
            alt: edit.alt.clone(),
            shows: edit.shows.clone(),
            removed: edit.removed,
            is_cover: index == 0,
            error: typed.errors.get(&index).cloned(),
        });
        let values = product.options.iter().flat_map(|option| option.values.iter().map(move |value| (option, value)));
        let without = i64::try_from(product.media.iter().filter(|media| media.alt.trim().is_empty()).count()).unwrap_or(0);
        Self {
            pictures: pictures.collect(),
            values: values.map(|(option, value)| Choice { value: value.value.clone(), name: format!("{}: {}", option.name, value.value) }).collect(),
            was: json(&typed.was),
            without_text: (without > 0).then(|| format!("{} no text", counted(without, "has", "have"))),
        }
    }
}

impl TypedMedia {
    fn of(was: Vec<MediaReference>) -> Self {
        let edit = |(index, media): (usize, &MediaReference)| Edit {
            alt: media.alt.clone(),
            shows: media.option_value.clone().unwrap_or_default(),
            place: index + 1,
            removed: false,
        };
        let edits = was.iter().enumerate().map(edit).collect();
        Self { was, edits, errors: BTreeMap::new() }
    }

    fn read(was: Vec<MediaReference>, fields: &Fields) -> Self {
        let mut typed = Self::of(was);
        for (index, edit) in typed.edits.iter_mut().enumerate() {
            edit.alt = fields.get(&format!("alt.{index}")).map_or_else(|| edit.alt.clone(), |text| text.trim().to_owned());
            edit.shows = fields.get(&format!("shows.{index}")).unwrap_or_else(|| edit.shows.clone());
            edit.place = fields.parsed(&format!("place.{index}")).unwrap_or(edit.place);
            edit.removed = fields.get(&format!("remove.{index}")).is_some();
        }
        typed
    }

    /// The pictures as they are to be.
    fn wanted(&self) -> Vec<MediaReference> {
        let edited = |(media, edit): (&MediaReference, &Edit)| MediaReference {
            alt: edit.alt.clone(),
            option_value: Some(edit.shows.clone()).filter(|value| !value.is_empty()),
            ..media.clone()
        };
        let order = arranged(&self.edits);
        let all: Vec<(MediaReference, bool)> = self.was.iter().zip(&self.edits).map(|pair| (edited(pair), pair.1.removed)).collect();
        order.into_iter().filter_map(|index| all.get(index)).filter(|(_, removed)| !removed).map(|(media, _)| media.clone()).collect()
    }
}

/// The indexes in the order that was asked for: whoever was given another place takes it, the others keep their order around it.
fn arranged(edits: &[Edit]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..edits.len()).collect();
    let mut moved: Vec<(usize, usize)> =
        edits.iter().enumerate().filter(|(index, edit)| edit.place != index + 1).map(|(index, edit)| (edit.place, index)).collect();
    moved.sort_unstable();
    order.retain(|index| !moved.iter().any(|(_, other)| other == index));
    for (place, index) in moved {
        order.insert(place.saturating_sub(1).min(order.len()), index);
    }
    order
}

fn json(media: &[MediaReference]) -> String {
    serde_json::to_string(media).unwrap_or_default()
}

pub(crate) async fn save(State(office): State<Office>, session: Session, Path(id): Path<ProductId>, fields: Fields) -> Result<Response, Problem> {
    let read = |name: &str| fields.get(name).and_then(|text| serde_json::from_str::<Vec<MediaReference>>(&text).ok());
    let Some(was) = read("was") else {
        return Err(Problem::new(400, "form_incomplete", "The form is not whole").detail("Open the product again and change its pictures there."));
    };
    // Whoever was asked which list to keep sends it whole.
    let typed = read("pictures").map_or_else(|| TypedMedia::read(was.clone(), &fields), TypedMedia::of);
    let wanted = typed.wanted();
    if wanted == was {
        return Ok(done(id, "nothing"));
    }
    let patch = ProductPatch { media: Some(wanted.clone()), ..ProductPatch::default() };
    let mut on_version = version(&fields);
    for attempt in 0..TRIES {
        let key = format!("{}.{on_version}", key(&fields));
        let call = session.call(&endpoints::ADMIN_UPDATE_PRODUCT).param("id", id).if_match(on_version).idempotency_key(&key);
        match answer(call.body(&patch)).await {
            Ok(_) => return Ok(done(id, if attempt == 0 { "media" } else { "merged" })),
            Err(problem) if problem.status() == 412 => {
                let theirs = find(&session, id).await?;
                if theirs.media != was && theirs.media != wanted {
                    return conflict(&office, &session, &conflict_page(&theirs, version(&fields), &was, &wanted)).await;
                }
                on_version = theirs.version;
            }
            Err(problem) => return refused(&office, &session, id, &problem, typed, &fields).await,
        }
    }
    let notice = Notice::refused("Others change this product all the time.", "Nothing was saved, what you typed is kept: save it again.");
    let rendering = Rendering { status: StatusCode::CONFLICT, notice: Some(notice), media: Some(typed), ..Rendering::default() };
    show(&office, &session, id, 0, rendering).await
}

async fn refused(office: &Office, session: &Session, id: ProductId, problem: &Problem, mut typed: TypedMedia, fields: &Fields) -> Result<Response, Problem> {
    if matches!(problem.status(), 401 | 404) {
        return Err(problem.clone());
    }
    let kept: Vec<usize> = arranged(&typed.edits).into_iter().filter(|index| typed.edits.get(*index).is_some_and(|edit| !edit.removed)).collect();
    let mut shown = Vec::new();
    for error in problem.errors() {
        let place = error.pointer.strip_prefix("/media/").and_then(|rest| rest.split('/').next()).and_then(|place| place.parse::<usize>().ok());
        if let Some(index) = place.and_then(|place| kept.get(place)) {
            typed.errors.insert(*index, sentence(&error.detail));
            shown.push(error.pointer.as_str());
        }
    }
    let text = explanation(problem).unwrap_or_else(|| "What you typed is kept.".to_owned());
    let notice = if shown.is_empty() { Notice::of(problem, &[]) } else { Notice::refused("The pictures are not saved.", text) };
    let rendering = Rendering {
        status: StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        notice: Some(notice),
        media: Some(typed),
        key: (problem.status() >= 500).then(|| key(fields)),
        ..Rendering::default()
    };
    show(office, session, id, 0, rendering).await
}

fn conflict_page(theirs: &AdminProduct, started_from: i64, was: &[MediaReference], yours: &[MediaReference]) -> ConflictPage {
    let side = |media: &[MediaReference]| Side { value: json(media), shown: shown(media) };
    ConflictPage {
        id: theirs.id.to_string(),
        product: theirs.title.clone(),
        action: format!("{}/media", path_of(theirs.id)),
        started_from,
        form: Carried { version: theirs.version, key: Token::generate().reveal() },
        clashing: "1 field was".to_owned(),
        clashes: vec![Clash { name: "pictures", label: "Pictures", was: side(was), theirs: side(&theirs.media), yours: side(yours) }],
        kept: vec![Field { name: "was".to_owned(), value: json(&theirs.media) }],
        merged: None,
        may_edit: false,
    }
}

/// Pictures as a list of words, one a line.
fn shown(media: &[MediaReference]) -> String {
    let name =
        |media: &MediaReference| if media.alt.trim().is_empty() { media.url.rsplit('/').next().unwrap_or_default().to_owned() } else { media.alt.clone() };
    let line = |(index, media): (usize, &MediaReference)| match &media.option_value {
        Some(value) => format!("{}. {} ({value})", index + 1, name(media)),
        None => format!("{}. {}", index + 1, name(media)),
    };
    if media.is_empty() { "None".to_owned() } else { media.iter().enumerate().map(line).collect::<Vec<_>>().join("\n") }
}

fn done(id: ProductId, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}#media", path_of(id))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(alt: &str) -> MediaReference {
        MediaReference { url: format!("/media/{alt}.webp"), alt: alt.to_owned(), width: 1, height: 1, option_value: None, sources: Vec::new() }
    }

    fn wanted(form: &str) -> Vec<String> {
        let typed = TypedMedia::read(["a", "b", "c", "d"].map(media).to_vec(), &Fields::parse(form.as_bytes()));
        typed.wanted().into_iter().map(|media| media.alt).collect()
    }

    #[test]
    fn a_picture_takes_the_place_it_is_given_and_the_others_keep_their_order() {
        assert_eq!(wanted(""), ["a", "b", "c", "d"]);
        assert_eq!(wanted("place.3=1"), ["d", "a", "b", "c"]);
        assert_eq!(wanted("place.0=3"), ["b", "c", "a", "d"]);
        assert_eq!(wanted("place.0=2&place.1=1"), ["b", "a", "c", "d"]);
        assert_eq!(wanted("place.0=99&remove.1=yes&alt.2=C"), ["C", "d", "a"]);
        assert_eq!(wanted("place.0=0&place.2=x"), ["a", "b", "c", "d"], "nonsense moves nothing out of the list");
    }

    #[test]
    fn a_picture_shows_one_value_or_none_in_particular() {
        let typed = TypedMedia::read(vec![media("a")], &Fields::parse(b"shows.0=Oak"));
        assert_eq!(typed.wanted().first().and_then(|media| media.option_value.clone()).as_deref(), Some("Oak"));
        let typed = TypedMedia::read(vec![MediaReference { option_value: Some("Oak".to_owned()), ..media("a") }], &Fields::parse(b"shows.0="));
        assert_eq!(typed.wanted().first().and_then(|media| media.option_value.clone()), None);
    }
}
