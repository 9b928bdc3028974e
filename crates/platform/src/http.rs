//! The HTTP kit: a server that drains, the layers around every route, and extractors that refuse with problems.

mod credential;
mod extract;
mod forwarded;
mod layers;
mod observe;
mod serve;

pub use credential::InternalCredential;
pub use extract::{Json, Path, Query, body_problem, has_json_content_type, parse_json, unsupported_media_type, validate};
pub use forwarded::see_through;
pub use layers::{Kit, api_fallbacks};
pub use observe::{Place, RequestId};
pub use serve::{Answering, ServeError, bind, serve};
