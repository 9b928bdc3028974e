//! The tree of categories.

use catalog_api::{CategoryAnswer, CategoryDraft, CategoryId, MediaReference};
use kernel::Timestamp;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

/// How many categories a shop has at most. Lists answer them whole.
pub(crate) const MOST: i64 = 1_000;

struct Row {
    id: CategoryId,
    slug: String,
    name: String,
    description: String,
    parent_id: Option<CategoryId>,
    image: Option<Json<MediaReference>>,
}

impl From<Row> for CategoryAnswer {
    fn from(row: Row) -> Self {
        let Row { id, slug, name, description, parent_id, image } = row;
        Self { id, slug, name, description, parent_id, image: image.map(|image| image.0) }
    }
}

/// Every category, in the order they were made.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<CategoryAnswer>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: CategoryId", slug, name, description, parent_id as "parent_id: CategoryId", image as "image: Json<MediaReference>"
           from catalog.category order by position limit $1"#,
        MOST
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(CategoryAnswer::from).collect())
}

/// How many there are.
///
/// # Errors
/// The database failed.
pub(crate) async fn count(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from catalog.category"#).fetch_one(conn).await
}

/// The id of the category with this slug.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_id(conn: &mut PgConnection, slug: &str) -> Result<Option<CategoryId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select id as "id: CategoryId" from catalog.category where slug = $1"#, slug).fetch_optional(conn).await
}

/// The ids of the category with this slug and of all below it; none if there is no such category.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_subtree(conn: &mut PgConnection, slug: &str) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with recursive subtree as (
               select id from catalog.category where slug = $1
               union
               select c.id from catalog.category c join subtree on c.parent_id = subtree.id
           )
           select id as "id!" from subtree"#,
        slug
    )
    .fetch_all(conn)
    .await
}

/// Writes a new category.
///
/// # Errors
/// The slug is taken (constraint `category_slug_unique`), the parent unknown (`category_parent_known`); the database failed.
#[expect(clippy::as_conversions, reason = "tells sqlx which type is meant")]
pub(crate) async fn insert(conn: &mut PgConnection, draft: &CategoryDraft, now: Timestamp) -> Result<CategoryAnswer, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"insert into catalog.category (id, slug, name, description, parent_id, created_at, image) values ($1, $2, $3, $4, $5, $6, $7)
           returning id as "id: CategoryId", slug, name, description, parent_id as "parent_id: CategoryId", image as "image: Json<MediaReference>""#,
        CategoryId::new(now).uuid(),
        draft.slug,
        draft.name,
        draft.description,
        draft.parent_id.map(CategoryId::uuid),
        now,
        draft.image.as_ref().map(Json) as Option<Json<&MediaReference>>
    )
    .fetch_one(conn)
    .await?;
    Ok(row.into())
}
