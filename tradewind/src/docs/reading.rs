use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// What the page shows of one OpenAPI document.
#[derive(Debug, Serialize)]
pub(super) struct Surface {
    title: String,
    description: String,
    version: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The operations under one tag.
#[derive(Debug, Serialize)]
struct Group {
    name: String,
    operations: Vec<Operation>,
}

#[derive(Debug, Serialize)]
struct Operation {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    is_open: bool,
    parameters: Vec<Field>,
    body: Option<Type>,
    answers: Vec<Answer>,
}

#[derive(Debug, Serialize)]
struct Answer {
    status: String,
    description: String,
    body: Option<Type>,
}

#[derive(Debug, Serialize)]
struct Schema {
    name: String,
    description: String,
    kind: Type,
    fields: Vec<Field>,
    values: Vec<String>,
}

/// A parameter of an operation or a property of a schema.
#[derive(Debug, Serialize)]
struct Field {
    name: String,
    place: String,
    kind: Type,
    required: bool,
    description: String,
}

/// A type in words, and the schema of our own that it leads to.
#[derive(Debug, Default, Serialize)]
struct Type {
    text: String,
    schema: Option<String>,
}

impl Surface {
    /// Reads a document. What it does not understand it leaves out; the JSON document is the whole truth.
    pub(super) fn read(document: &Value) -> Self {
        let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
        for (path, item) in object(document.get("paths")) {
            for (method, operation) in object(Some(item)).filter(|(_, operation)| operation.get("responses").is_some()) {
                let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other");
                groups.entry(tag.to_owned()).or_default().push(Operation::read(method, path, operation));
            }
        }
        Self {
            title: text(document.pointer("/info"), "title"),
            description: text(document.pointer("/info"), "description"),
            version: text(document.pointer("/info"), "version"),
            groups: groups.into_iter().map(|(name, operations)| Group { name, operations }).collect(),
            schemas: object(document.pointer("/components/schemas")).map(|(name, schema)| Schema::read(name, schema)).collect(),
        }
    }
}

impl Operation {
    fn read(method: &str, path: &str, operation: &Value) -> Self {
        let parameters = array(operation.get("parameters")).map(|parameter| Field {
            name: text(Some(parameter), "name"),
            place: text(Some(parameter), "in"),
            kind: Type::of(parameter.get("schema")),
            required: parameter.get("required") == Some(&Value::Bool(true)),
            description: text(Some(parameter), "description"),
        });
        let answers = object(operation.get("responses")).map(|(status, response)| Answer {
            status: status.clone(),
            description: text(Some(response), "description"),
            body: content(response),
        });
        Self {
            anchor: format!("{method}-{}", path.trim_matches('/').replace(['/', '{', '}'], "-")),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(Some(operation), "summary"),
            description: text(Some(operation), "description"),
            is_open: array(operation.get("security")).any(|requirement| object(Some(requirement)).next().is_none()),
            parameters: parameters.collect(),
            body: operation.get("requestBody").and_then(content),
            answers: answers.collect(),
        }
    }
}

impl Schema {
    fn read(name: &str, schema: &Value) -> Self {
        let required: Vec<&str> = array(schema.get("required")).filter_map(Value::as_str).collect();
        let fields = object(schema.get("properties")).map(|(name, property)| Field {
            name: name.clone(),
            place: String::new(),
            kind: Type::of(Some(property)),
            required: required.contains(&name.as_str()),
            description: text(Some(property), "description"),
        });
        Self {
            name: name.to_owned(),
            description: text(Some(schema), "description"),
            kind: Type::of(Some(schema)),
            fields: fields.collect(),
            values: array(schema.get("enum")).filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect(),
        }
    }
}

impl Type {
    fn of(schema: Option<&Value>) -> Self {
        let Some(schema) = schema else { return Self::default() };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or(reference).to_owned();
            return Self { text: name.clone(), schema: Some(name) };
        }
        let choices: Vec<Self> = ["oneOf", "anyOf", "allOf"].iter().flat_map(|key| array(schema.get(*key))).map(|choice| Self::of(Some(choice))).collect();
        if !choices.is_empty() {
            let words: Vec<&str> = choices.iter().map(|choice| choice.text.as_str()).filter(|words| !words.is_empty()).collect();
            return Self { text: words.join(" or "), schema: choices.iter().find_map(|choice| choice.schema.clone()) };
        }
        let names = match schema.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let inner = schema.get("items").map(|items| Self::of(Some(items)));
        let words: Vec<String> = names
            .into_iter()
            .map(|name| match (name, &inner) {
                ("array", Some(inner)) if !inner.text.is_empty() => format!("list of {}", inner.text),
                _ => schema
                    .get("format")
                    .and_then(Value::as_str)
                    .filter(|_| name != "null")
                    .map_or_else(|| name.to_owned(), |format| format!("{name} ({format})")),
            })
            .collect();
        Self { text: words.join(" or "), schema: inner.and_then(|inner| inner.schema) }
    }
}

/// The type of the first kind of content of a body or an answer.
fn content(of: &Value) -> Option<Type> {
    let (_, media) = object(of.get("content")).next()?;
    Some(Type::of(media.get("schema")))
}

fn text(of: Option<&Value>, key: &str) -> String {
    of.and_then(|of| of.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn array(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_told_in_words_and_lead_to_our_own_schemas() {
        let text = |schema: Value| Type::of(Some(&schema)).text;
        assert_eq!(text(json!({ "type": "array", "items": { "$ref": "#/components/schemas/Line" } })), "list of Line");
        assert_eq!(text(json!({ "type": ["string", "null"], "format": "date-time" })), "string (date-time) or null");
        assert_eq!(text(json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Money" }] })), "null or Money");
        assert_eq!(Type::of(Some(&json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/x/Money" }] }))).schema.as_deref(), Some("Money"));
    }

    #[test]
    fn operations_stand_under_their_tag_with_their_answers() {
        let document = json!({ "info": { "title": "T" }, "paths": { "/store/v1/products/{slug}": { "get": {
            "tags": ["catalog"], "summary": "One product.", "security": [{}],
            "parameters": [{ "name": "slug", "in": "path", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "description": "it", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Product" } } } } },
        } } } });
        let surface = serde_json::to_value(Surface::read(&document)).unwrap();
        let operation = &surface["groups"][0]["operations"][0];
        assert_eq!((&surface["groups"][0]["name"], &operation["method"]), (&json!("catalog"), &json!("GET")));
        assert_eq!(operation["answers"][0]["body"]["schema"], "Product");
        assert_eq!(operation["is_open"], true);
    }
}
