use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;

use crate::workspace;

/// What the rules look at: crates and files, by paths from the workspace's folder.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The crates.
    pub(super) packages: Vec<Package>,
    /// The files with text in them.
    pub(super) files: BTreeMap<String, String>,
}

/// A crate.
#[derive(Debug, Clone)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its folder, such as `services/cart/api`.
    pub(super) folder: String,
    /// What it is built from.
    pub(super) dependencies: BTreeSet<String>,
    /// What its tests need besides.
    pub(super) dev_dependencies: BTreeSet<String>,
}

/// What a crate is in the house, told by its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// `crates/…`
    Ground(&'a str),
    /// `services/…`
    Service(&'a str),
    /// `services/…/api`
    Contract(&'a str),
    /// `web/…`
    Web(&'a str),
    /// The program.
    Binary,
    /// Tools and tests beside the product.
    Beside,
}

impl Package {
    pub(super) fn place(&self) -> Place<'_> {
        let mut parts = self.folder.split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("crates"), Some(name), None) => Place::Ground(name),
            (Some("services"), Some(name), None) => Place::Service(name),
            (Some("services"), Some(name), Some("api")) => Place::Contract(name),
            (Some("web"), Some(name), None) => Place::Web(name),
            (Some("tradewind"), None, None) => Place::Binary,
            _ => Place::Beside,
        }
    }
}

/// Folders with nothing of ours in them.
const SKIPPED: [&str; 5] = [".git", ".sqlx", "target", "data", "node_modules"];
/// Endings of files that people write.
const TEXTS: [&str; 12] = ["rs", "toml", "sql", "md", "json", "html", "css", "js", "sh", "yaml", "yml", "txt"];

impl Model {
    /// Reads the workspace.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let packages = workspace::packages(root)?.into_iter().map(|package| Package {
            folder: relative(root, package.folder()),
            dependencies: package.dependencies().map(ToOwned::to_owned).collect(),
            dev_dependencies: package.dev_dependencies().map(ToOwned::to_owned).collect(),
            name: package.name,
        });
        let mut model = Self { packages: packages.collect(), files: BTreeMap::new() };
        model.read_folder(root, root)?;
        Ok(model)
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !path.is_symlink() {
                if !SKIPPED.contains(&name) {
                    self.read_folder(root, &path)?;
                }
            } else if path.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| TEXTS.contains(&extension)) {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                self.files.insert(relative(root, &path), text);
            }
        }
        Ok(())
    }

    /// The names of the folders in `services/`.
    pub(super) fn services(&self) -> BTreeSet<&str> {
        self.files.keys().filter_map(|path| path.strip_prefix("services/")?.split_once('/').map(|(name, _)| name)).collect()
    }

    /// Every schema there is: one per service, and `ops`.
    pub(super) fn schemas(&self) -> BTreeSet<&str> {
        self.services().into_iter().chain(["ops"]).collect()
    }

    /// The files with this ending.
    pub(super) fn ending_in(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter(move |(path, _)| path.ends_with(ending)).map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

#[cfg(test)]
impl Model {
    /// A house in small that breaks no rule: two services, a contract each, a page, the program.
    pub(super) fn example() -> Self {
        let mut model = Self::default();
        for (folder, name, dependencies) in [
            ("crates/kernel", "kernel", &["serde"][..]),
            ("crates/platform", "platform", &["kernel"]),
            ("crates/db", "db", &["kernel", "platform", "sqlx"]),
            ("crates/service", "service", &["kernel", "platform", "db"]),
            ("crates/client", "client", &["kernel", "platform"]),
            ("services/catalog/api", "catalog-api", &["kernel"]),
            ("services/catalog", "catalog", &["catalog-api", "kernel", "platform", "db", "service", "sqlx"]),
            ("services/cart/api", "cart-api", &["kernel", "catalog-api"]),
            ("services/cart", "cart", &["cart-api", "catalog", "kernel", "platform", "db", "service", "sqlx"]),
            ("web/storefront", "storefront", &["kernel", "platform", "client", "cart-api"]),
            ("tradewind", "tradewind", &["catalog", "cart", "storefront", "service", "db", "platform", "kernel"]),
        ] {
            model.add_package(folder, name, dependencies);
        }
        for service in ["catalog", "cart"] {
            let folder = format!("services/{service}");
            model.add(&format!("{folder}/README.md"), "# It\n");
            model.add(&format!("{folder}/sqlx.toml"), &format!("[migrate]\ntable-name = \"{service}.migration\"\n"));
            model.add(&format!("{folder}/migrations/0001_{service}.sql"), &format!("create table {service}.thing (id uuid primary key);\n"));
            model.add(&format!("{folder}/src/lib.rs"), "//! It.\n");
            model.add(&format!("{folder}/src/store.rs"), &format!("fn find() {{ sqlx::query!(\"select id from {service}.thing\"); }}\n"));
        }
        model.add("tradewind/src/services.rs", "vec![catalog::service(context), cart::service(context)]\n");
        model.add("docs/api/store.json", "{}");
        model.add("docs/api/admin.json", "{}");
        model
    }

    pub(super) fn add(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    fn add_package(&mut self, folder: &str, name: &str, dependencies: &[&str]) {
        self.add(&format!("{folder}/Cargo.toml"), "[lints]\nworkspace = true\n");
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        self.packages.push(Package { name: name.to_owned(), folder: folder.to_owned(), dependencies, dev_dependencies: BTreeSet::new() });
    }

    /// The example with one more dependency.
    pub(super) fn example_with_edge(from: &str, to: &str) -> Self {
        let mut model = Self::example();
        for package in model.packages.iter_mut().filter(|package| package.name == from) {
            package.dependencies.insert(to.to_owned());
        }
        model
    }

    /// The example with one more file.
    pub(super) fn example_with(path: &str, text: &str) -> Self {
        let mut model = Self::example();
        model.add(path, text);
        model
    }
}
