use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder, SecurityRequirement, security};
use utoipa_axum::router::OpenApiRouter;

use crate::limits::limit_changes;
use crate::{Context, Service, audit, queue, require_staff};

/// The routes of a set of services, and the documents that describe them.
pub struct Surfaces {
    /// `/store/v1`, `/admin/v1`, webhooks and the rest, with problems for what is unknown below the two API prefixes.
    pub router: Router,
    /// OpenAPI 3.1 of `/store/v1`.
    pub store_document: OpenApi,
    /// OpenAPI 3.1 of `/admin/v1`.
    pub admin_document: OpenApi,
}

impl Surfaces {
    /// Puts the services' routes and those of the queue together; the closed part of the admin surface behind staff sign-in.
    #[must_use]
    pub fn of(context: &Context, services: &[Service]) -> Self {
        let merge = |routes: fn(&Service) -> OpenApiRouter| services.iter().fold(OpenApiRouter::new(), |all, service| all.merge(routes(service)));
        let (store, store_document) = merge(Service::store_routes).split_for_parts();
        // A layer around nothing is refused by axum.
        let store = if store.has_routes() { store.route_layer(from_fn_with_state(context.clone(), limit_changes)) } else { store };
        let (closed, mut admin_document) = merge(Service::admin_routes).merge(queue::routes(context)).merge(audit::routes(context)).split_for_parts();
        let (open, open_document) = merge(Service::open_admin_routes).split_for_parts();
        admin_document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("staff", [])]);
        admin_document.merge(without_security(open_document));
        let closed = closed.route_layer(from_fn_with_state(context.clone(), require_staff));
        let other = services.iter().fold(Router::new(), |all, service| all.merge(service.routes()));
        Self {
            router: store.merge(closed).merge(open).merge(other),
            store_document: described(with_limits(store_document), "Tradewind store API", "What shoppers, and the pages and apps made for them, call."),
            admin_document: described(admin_document, "Tradewind admin API", "What staff, and the programs that work for them, call. Needs a bearer token."),
        }
    }
}

/// Routes that need no session say so one by one, since the document asks for one.
fn without_security(mut document: OpenApi) -> OpenApi {
    for operation in operations(&mut document) {
        operation.security = Some(vec![SecurityRequirement::default()]);
    }
    document
}

/// Whatever changes something may be too much from one address; the handlers' descriptions do not know the layer around them.
fn with_limits(mut document: OpenApi) -> OpenApi {
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let words = "`too_many_requests`, with `Retry-After`: this address has done too much within a minute.";
    let items = document.paths.paths.values_mut();
    for operation in items.flat_map(|item| [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete]).flatten() {
        let refusal = || RefOr::T(ResponseBuilder::new().description(words).content("application/json", problem()).build());
        operation.responses.responses.entry("429".to_owned()).or_insert_with(refusal);
    }
    document
}

/// Refusals are problem documents (RFC 9457); the handlers' descriptions know only JSON.
fn with_problem_documents(mut document: OpenApi) -> OpenApi {
    for operation in operations(&mut document) {
        let refusals = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5']));
        for response in refusals.filter_map(|(_, response)| if let RefOr::T(response) = response { Some(response) } else { None }) {
            if let Some(content) = response.content.swap_remove("application/json") {
                response.content.insert("application/problem+json".to_owned(), content);
            }
        }
    }
    document
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    let items = document.paths.paths.values_mut();
    items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]).flatten()
}

fn described(document: OpenApi, title: &str, description: &str) -> OpenApi {
    let mut described = OpenApiBuilder::from(with_problem_documents(document)).build();
    described.info = InfoBuilder::new().title(title).description(Some(description)).version("1").build();
    let components = described.components.get_or_insert_with(Components::new);
    if title.contains("admin") {
        components.add_security_scheme("staff", security::SecurityScheme::Http(security::HttpBuilder::new().scheme(security::HttpAuthScheme::Bearer).build()));
    }
    described
}
