//! Categories by their whole path: `Clothing › Knitwear`.

use std::collections::BTreeMap;

use catalog_api::{CategoryAnswer, CategoryId};

/// Deeper than this nobody sorts; and a circle, which the catalogue does not let in, would have no end.
const DEEPEST: usize = 12;

/// The categories, found by id and by slug.
pub(super) struct CategoryTree<'a> {
    categories: &'a [CategoryAnswer],
    by_id: BTreeMap<CategoryId, &'a CategoryAnswer>,
}

impl<'a> CategoryTree<'a> {
    pub(super) fn of(categories: &'a [CategoryAnswer]) -> Self {
        Self { categories, by_id: categories.iter().map(|category| (category.id, category)).collect() }
    }

    /// Every category with its path, those of one above it together.
    pub(super) fn paths(&self) -> impl Iterator<Item = (String, String)> {
        let mut paths: Vec<_> = self.categories.iter().map(|category| (category.slug.clone(), self.path(category))).collect();
        paths.sort_by(|(_, one), (_, other)| one.cmp(other));
        paths.into_iter()
    }

    /// The path of the category with this slug.
    pub(super) fn path_of(&self, slug: &str) -> Option<String> {
        self.categories.iter().find(|category| category.slug == slug).map(|category| self.path(category))
    }

    fn path(&self, category: &CategoryAnswer) -> String {
        let above = |category: &&'a CategoryAnswer| category.parent_id.and_then(|parent| self.by_id.get(&parent).copied());
        let first = self.by_id.get(&category.id).copied();
        let mut names: Vec<&str> = std::iter::successors(first, above).take(DEEPEST).map(|category| category.name.as_str()).collect();
        names.reverse();
        names.join(" › ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;

    #[test]
    fn a_category_is_shown_below_those_above_it() {
        let id = |at| CategoryId::new(Timestamp::from_timestamp(at, 0).unwrap_or_default());
        let (clothing, knitwear) = (id(1), id(2));
        let category = |id, slug: &str, parent_id| CategoryAnswer {
            id,
            slug: slug.to_lowercase(),
            name: slug.to_owned(),
            description: String::new(),
            parent_id,
            image: None,
        };
        let categories = [category(knitwear, "Knitwear", Some(clothing)), category(id(3), "Art", None), category(clothing, "Clothing", None)];
        let tree = CategoryTree::of(&categories);
        let paths: Vec<_> = tree.paths().map(|(_, path)| path).collect();
        assert_eq!(paths, ["Art", "Clothing", "Clothing › Knitwear"]);
        assert_eq!(tree.path_of("knitwear").as_deref(), Some("Clothing › Knitwear"));
        assert_eq!(tree.path_of("nothing"), None);
    }
}
