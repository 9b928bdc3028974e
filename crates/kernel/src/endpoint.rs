use std::marker::PhantomData;

/// The HTTP methods the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Makes something new, or moves a state machine.
    Post,
    /// Replaces.
    Put,
    /// Changes some fields.
    Patch,
    /// Takes away.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One endpoint of the public API: where it is, what goes in (`Body`, `()` for nothing) and what comes out.
#[derive(Debug)]
pub struct Endpoint<Body, Answer> {
    method: Method,
    path: &'static str,
    shapes: PhantomData<fn(Body) -> Answer>,
}

impl<Body, Answer> Endpoint<Body, Answer> {
    /// Declares an endpoint; `path` has its parameters in braces, as OpenAPI writes it.
    #[must_use]
    pub const fn new(method: Method, path: &'static str) -> Self {
        Self { method, path, shapes: PhantomData }
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path template, such as `/store/v1/products/{slug}`.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }
}
