//! What stands around the services on the public port: unknown routes, the documents, their page.

use std::path::Path;

use serde_json::Value;

use crate::process::Folder;

#[tokio::test]
async fn what_no_api_route_knows_is_a_problem_with_a_request_id() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    for path in ["/store/v1/nothing", "/admin/v1/nothing", "/webhooks/nobody", "/store/v9/carts"] {
        let answer = running.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["instance"]), (&"route_not_found".into(), &id.into()), "{path}");
    }
    let wrong_method = crate::process::http().put(format!("{}/admin/v1/sessions", running.base_url())).send().await.unwrap();
    assert_eq!(wrong_method.status(), 405);
    let problem: Value = wrong_method.json().await.unwrap();
    assert_eq!(problem["code"], "method_not_allowed");
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn the_docs_are_one_self_contained_page_for_each_surface() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    for path in ["/docs", "/docs/admin"] {
        let page = running.get(path).await;
        assert_eq!(page.status(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let html = page.text().await.unwrap();
        assert!(!html.contains("<script") && !html.contains("style=\"") && !html.contains("//cdn"), "{path}");
    }
    let admin = running.get("/docs/admin").await.text().await.unwrap();
    assert!(admin.contains("href=\"#schema-Problem\"") && admin.contains("id=\"schema-Problem\"") && admin.contains("Needs no token"));
    for (path, prefix) in [("/docs/store.json", "/store/v1/"), ("/docs/admin.json", "/admin/v1/")] {
        let document: Value = running.get(path).await.json().await.unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert!(document["paths"].as_object().unwrap().keys().all(|route| route.starts_with(prefix)), "{path}");
    }
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn the_documents_in_the_repository_are_those_of_the_handlers() {
    let folder = Folder::new();
    for surface in ["store", "admin"] {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/api/{surface}.json"));
        let kept = std::fs::read_to_string(&kept).unwrap_or_default();
        let printed = folder.run(&["openapi", "--surface", surface]).await.succeeded();
        assert!(kept == printed, "docs/api/{surface}.json is not what the handlers say: run `make openapi` and look at what changed");
    }
}
