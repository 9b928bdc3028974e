//! `cargo xtask sbom`: what the image is made of, as CycloneDX 1.5: every crate that the program is linked from, and those that only
//! took part in building it. Made from `cargo metadata` and Cargo.lock alone, so the same commit gives the same document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};

/// The program whose parts are listed.
const PROGRAM: &str = "tradewind";
/// The crate whose data becomes the image's certificate authorities.
const ROOTS: &str = "webpki-root-certs";

/// What the build knows and cargo does not.
#[derive(Debug, clap::Args)]
pub(crate) struct Facts {
    /// The platform that is built for.
    #[arg(long)]
    target: String,
    /// The commit.
    #[arg(long)]
    revision: String,
    /// Where the source is kept.
    #[arg(long)]
    source: String,
    /// When the commit was made, in RFC 3339.
    #[arg(long)]
    time: String,
    /// The C library that is linked in, such as `glibc 2.36`.
    #[arg(long)]
    libc: String,
    /// The compiler, whose standard library is linked in, such as `1.95.0`.
    #[arg(long)]
    rust: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Package {
    fn key(&self) -> Key {
        (self.name.clone(), self.version.clone())
    }

    /// A crate of this repository has no address in the registry, where another may bear its name.
    fn reference(&self) -> String {
        let scheme = if self.source.is_some() { "pkg:cargo/" } else { "workspace:" };
        format!("{scheme}{}@{}", self.name, self.version)
    }
}

/// A crate's name and version.
type Key = (String, String);

/// Which crates take part: `linked` into the program, and `all` with those that only helped to build it.
struct Parts {
    linked: BTreeSet<Key>,
    all: BTreeSet<Key>,
}

/// The document's text.
pub(crate) fn document(root: &Path, facts: &Facts) -> anyhow::Result<String> {
    let told = cargo(root, &["metadata", "--format-version=1", "--locked", "--filter-platform", &facts.target])?;
    let metadata: Metadata = serde_json::from_str(&told).context("reading what cargo metadata says")?;
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock")?;
    let parts = Parts { linked: tree(root, &facts.target, "normal,no-proc-macro")?, all: tree(root, &facts.target, "normal,build")? };
    let document = describe(&metadata, &parts, &checksums(&lock), facts)?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

/// The crates that `cargo tree` reaches from the program with the features it is built with, which `cargo metadata` does not tell.
fn tree(root: &Path, target: &str, edges: &str) -> anyhow::Result<BTreeSet<Key>> {
    let told = cargo(root, &["tree", "--locked", "--package", PROGRAM, "--target", target, "--edges", edges, "--prefix", "none"])?;
    Ok(told.lines().filter_map(tree_line).collect())
}

/// A line such as `uuid v1.29.0 (*)`.
fn tree_line(line: &str) -> Option<Key> {
    let (name, rest) = line.split_once(" v")?;
    Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
}

fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("cargo").args(arguments).current_dir(root).output().with_context(|| format!("running cargo {arguments:?}"))?;
    if !output.status.success() {
        bail!("cargo {arguments:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// SHA-256 by name and version, from Cargo.lock.
fn checksums(lock: &str) -> BTreeMap<Key, String> {
    let value = |entry: &str, key: &str| entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned));
    lock.split("[[package]]").filter_map(|entry| Some(((value(entry, "name")?, value(entry, "version")?), value(entry, "checksum")?))).collect()
}

fn describe(metadata: &Metadata, parts: &Parts, checksums: &BTreeMap<Key, String>, facts: &Facts) -> anyhow::Result<Value> {
    let packages: BTreeMap<&str, &Package> = metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let nodes: BTreeMap<&str, &Node> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let program = metadata.packages.iter().find(|package| package.name == PROGRAM && package.source.is_none()).context("the workspace has no tradewind")?;
    let reference = |id: &str| packages.get(id).map(|package| package.reference());

    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    let mut dependencies: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| parts.all.contains(&package.key())) {
        if package.id != program.id {
            components.insert(package.reference(), component(package, parts.linked.contains(&package.key()), checksums));
        }
        let takes_part = |edge: &&Edge| is_built_with(edge) && packages.get(edge.pkg.as_str()).is_some_and(|package| parts.all.contains(&package.key()));
        let edges = nodes.get(package.id.as_str()).into_iter().flat_map(|node| &node.deps).filter(takes_part);
        dependencies.insert(package.reference(), edges.filter_map(|edge| reference(&edge.pkg)).collect::<BTreeSet<_>>().into_iter().collect());
    }
    let mut besides = vec![foreign("rust-std", &facts.rust, "MIT OR Apache-2.0"), libc(&facts.libc)?];
    besides.extend(metadata.packages.iter().filter(|package| package.name == ROOTS).map(|package| component(package, true, checksums)));
    for part in besides {
        let name = part.get("bom-ref").and_then(Value::as_str).unwrap_or_default().to_owned();
        dependencies.entry(program.reference()).or_default().push(name.clone());
        dependencies.entry(name.clone()).or_default();
        components.insert(name, part);
    }
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": facts.time,
            "component": {
                "type": "application", "bom-ref": program.reference(), "name": PROGRAM, "version": program.version,
                "licenses": [{ "expression": program.license.as_deref().unwrap_or("Apache-2.0") }],
                "properties": [
                    { "name": "org.opencontainers.image.revision", "value": facts.revision },
                    { "name": "org.opencontainers.image.source", "value": facts.source },
                ],
            },
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.into_iter().map(|(name, on)| json!({ "ref": name, "dependsOn": on })).collect::<Vec<_>>(),
    }))
}

fn is_built_with(edge: &Edge) -> bool {
    edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
}

fn component(package: &Package, linked: bool, checksums: &BTreeMap<Key, String>) -> Value {
    let mut value = json!({
        "type": "library", "bom-ref": package.reference(), "name": package.name, "version": package.version,
        "scope": if linked { "required" } else { "excluded" },
    });
    let Some(fields) = value.as_object_mut() else { return value };
    if package.source.is_some() {
        fields.insert("purl".to_owned(), json!(package.reference()));
    }
    if let Some(license) = &package.license {
        fields.insert("licenses".to_owned(), json!([{ "expression": license.replace('/', " OR ") }]));
    }
    if let Some(checksum) = checksums.get(&package.key()) {
        fields.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    value
}

fn libc(told: &str) -> anyhow::Result<Value> {
    let (name, version) = told.split_once(' ').context("--libc is a name and a version, such as `glibc 2.36`")?;
    Ok(foreign(name, version, "LGPL-2.1-or-later"))
}

/// What is linked in and is no crate.
fn foreign(name: &str, version: &str, license: &str) -> Value {
    let reference = format!("pkg:generic/{name}@{version}");
    json!({
        "type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference, "scope": "required",
        "licenses": [{ "expression": license }],
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn facts() -> Facts {
        let text = |text: &str| text.to_owned();
        Facts {
            target: text("x86_64-unknown-linux-gnu"),
            revision: text("abc"),
            source: text("https://git.example/shop"),
            time: text("2026-01-01T00:00:00Z"),
            libc: text("glibc 2.36"),
            rust: text("1.95.0"),
        }
    }

    fn example() -> Metadata {
        let package = |name: &str, source: Value| json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0", "source": source });
        let edge = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let registry = || json!("registry");
        let value = json!({
            "packages": [
                package("tradewind", Value::Null), package("kernel", Value::Null), package("uuid", registry()), package("cc", registry()),
                package("proptest", registry()), package("webpki-root-certs", registry()),
            ],
            "resolve": { "nodes": [
                { "id": "tradewind", "deps": [edge("kernel", Value::Null), edge("proptest", json!("dev"))] },
                { "id": "kernel", "deps": [edge("uuid", Value::Null), edge("cc", json!("build")), edge("uuid", json!("dev"))] },
            ] },
        });
        serde_json::from_value(value).unwrap()
    }

    fn described() -> Value {
        let keys = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "1.0.0".to_owned())).collect();
        let parts = Parts { linked: keys(&["tradewind", "kernel", "uuid"]), all: keys(&["tradewind", "kernel", "uuid", "cc"]) };
        describe(&example(), &parts, &BTreeMap::new(), &facts()).unwrap()
    }

    #[test]
    fn what_is_linked_is_told_from_what_only_helped_to_build_and_from_what_only_tests_use() {
        let document = described();
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap().to_owned();
        let scopes: BTreeMap<String, String> =
            document.get("components").and_then(Value::as_array).unwrap().iter().map(|part| (text(part, "name"), text(part, "scope"))).collect();
        for (name, scope) in
            [("kernel", Some("required")), ("uuid", Some("required")), ("cc", Some("excluded")), ("proptest", None), ("glibc", Some("required"))]
        {
            assert_eq!(scopes.get(name).map(String::as_str), scope, "{name}");
        }
        assert!(scopes.contains_key("webpki-root-certs"), "the authorities are in the image as a file");
    }

    #[test]
    fn every_reference_leads_to_a_part() {
        let document = described();
        let list = |key: &str| document.get(key).and_then(Value::as_array).unwrap();
        let mut known: BTreeSet<&str> = list("components").iter().map(|part| part.get("bom-ref").and_then(Value::as_str).unwrap()).collect();
        known.insert("workspace:tradewind@1.0.0");
        for entry in list("dependencies") {
            let on = entry.get("dependsOn").and_then(Value::as_array).unwrap().iter().map(|name| name.as_str().unwrap());
            for name in on.chain([entry.get("ref").and_then(Value::as_str).unwrap()]) {
                assert!(known.contains(name), "{name}");
            }
        }
    }

    #[test]
    fn a_line_of_the_tree_is_a_name_and_a_version() {
        assert_eq!(tree_line("uuid v1.29.0 (*)"), Some(("uuid".to_owned(), "1.29.0".to_owned())));
        assert_eq!(tree_line("kernel v0.1.0 (/shop/crates/kernel)"), Some(("kernel".to_owned(), "0.1.0".to_owned())));
    }

    #[test]
    fn only_the_registrys_crates_have_an_address_and_a_checksum() {
        let example = example();
        let by_name = |name: &str| example.packages.iter().find(|package| package.name == name).unwrap();
        let lock = checksums("[[package]]\nname = \"uuid\"\nversion = \"1.0.0\"\nchecksum = \"00ff\"\n");
        let uuid = component(by_name("uuid"), true, &lock);
        assert_eq!(uuid.get("purl").unwrap(), "pkg:cargo/uuid@1.0.0");
        assert_eq!(uuid.pointer("/hashes/0/content").unwrap(), "00ff");
        assert_eq!(uuid.pointer("/licenses/0/expression").unwrap(), "MIT OR Apache-2.0");
        assert_eq!(component(by_name("kernel"), true, &lock).get("purl"), None);
    }
}
