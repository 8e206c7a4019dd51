//! One route of the API with everything that is known about it: handler and documentation together.

use std::collections::BTreeMap;

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use sentri_wire::{Problem, headers::IDEMPOTENCY_KEY};
use utoipa::{
    ToSchema,
    openapi::{
        Components, Content, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Paths, Ref, RefOr,
        Required, ResponseBuilder, Schema,
        path::{OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{PROBLEM_STATUS, Shared};

const BEARER: &str = "access_token";

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// An account that is logged in, in good standing or not, on a device that was removed or not.
    AnyDevice,
    /// An account that is logged in, in good standing or not.
    AnyStanding,
    /// Whoever has proven who they are, with password and mailed code: the bearer is the identity.
    Proven,
    /// An account that is logged in and in good standing.
    Account,
    /// An agent in good standing.
    Agent,
    /// A hub in use: the bearer is its key.
    Hub,
}

/// A route.
pub struct Endpoint {
    /// GET, POST or DELETE.
    pub method: Method,
    /// With `{names}` of its path parameters.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// The feature that it is part of, where an app may be too old for that and good for the rest.
    pub feature: Option<&'static str>,
    pub(super) handler: MethodRouter<Shared>,
    operation: OperationBuilder,
    schemas: Schemas,
    /// Schemas of what it takes: what these don't name is refused.
    taken: Vec<String>,
}

impl Endpoint {
    /// A route that only answers problems so far.
    pub(super) fn new<H, T>(
        method: (MethodFilter, Method),
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        let mut endpoint = Self {
            method: method.1,
            path,
            access,
            feature: None,
            handler: on(method.0, handler),
            operation: OperationBuilder::new(),
            schemas: Schemas::new(),
            taken: Vec::new(),
        };
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            endpoint = endpoint.parameter(name, ParameterIn::Path, Required::True, "");
        }
        if access != Access::Public {
            let bearer = SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []);
            endpoint.operation = endpoint.operation.security(bearer);
        }
        let problem = endpoint.schema_of::<Problem>();
        for (status, description) in PROBLEM_STATUS {
            let answer = ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", Content::new(Some(problem.clone())));
            endpoint.operation = endpoint.operation.response(status.to_string(), answer);
        }
        endpoint
    }

    /// Its name in the document, and what it does.
    pub(super) fn named(mut self, id: &str, summary: &str) -> Self {
        self.operation = self.operation.operation_id(Some(id)).summary(Some(summary));
        self
    }

    /// Names the feature that it is part of: `minimum_versions` can ask more of an app for it.
    pub(super) fn feature(mut self, name: &'static str) -> Self {
        self.feature = Some(name);
        self
    }

    /// Takes a JSON body.
    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        let schema = self.schema_of::<T>();
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        self.taken.extend(nested.into_iter().map(|(name, _)| name).chain([T::name().into_owned()]));
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", Content::new(Some(schema)))
            .build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    /// Answers with a JSON body.
    pub(super) fn gives<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let schema = self.schema_of::<T>();
        let answer = ResponseBuilder::new()
            .description(description)
            .content("application/json", Content::new(Some(schema)));
        self.operation = self.operation.response(status.to_string(), answer);
        self
    }

    /// Answers with a JSON object that another specification describes.
    pub(super) fn gives_object(mut self, description: &str) -> Self {
        let object = ObjectBuilder::new().schema_type(Type::Object);
        let answer = ResponseBuilder::new()
            .description(description)
            .content("application/json", Content::new(Some(object)));
        self.operation = self.operation.response("200", answer);
        self
    }

    /// Answers with a CSV document.
    pub(super) fn gives_csv(mut self, description: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let answer =
            ResponseBuilder::new().description(description).content("text/csv", Content::new(Some(text)));
        self.operation = self.operation.response("200", answer);
        self
    }

    /// Answers without a body.
    pub(super) fn gives_nothing(mut self, description: &str) -> Self {
        let answer = ResponseBuilder::new().description(description);
        self.operation = self.operation.response("204", answer);
        self
    }

    /// Answers that something is under way, without a body.
    pub(super) fn gives_accepted(mut self, description: &str) -> Self {
        let answer = ResponseBuilder::new().description(description);
        self.operation = self.operation.response("202", answer);
        self
    }

    /// Takes a parameter in the query.
    pub(super) fn query(self, name: &str, required: Required, description: &str) -> Self {
        self.parameter(name, ParameterIn::Query, required, description)
    }

    /// Honours the idempotency key.
    pub(super) fn once(self) -> Self {
        let description = "A UUID: a retry with the same key and body gets the first answer again.";
        self.parameter(IDEMPOTENCY_KEY, ParameterIn::Header, Required::False, description)
    }

    fn parameter(mut self, name: &str, place: ParameterIn, required: Required, description: &str) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description((!description.is_empty()).then_some(description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        self.operation = self.operation.parameter(parameter);
        self
    }

    fn schema_of<T: ToSchema>(&mut self) -> Ref {
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        self.schemas.extend(nested);
        self.schemas.insert(T::name().into_owned(), T::schema());
        Ref::from_schema_name(T::name())
    }

    fn http_method(&self) -> HttpMethod {
        match self.method {
            Method::POST => HttpMethod::Post,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Get,
        }
    }
}

/// The document of these routes.
pub(super) fn document(endpoints: Vec<Endpoint>) -> OpenApi {
    let mut paths: BTreeMap<&str, PathItem> = BTreeMap::new();
    let (mut schemas, mut taken) = (Schemas::new(), Vec::new());
    for endpoint in endpoints {
        let item = PathItem::new(endpoint.http_method(), endpoint.operation);
        taken.extend(endpoint.taken);
        schemas.extend(endpoint.schemas);
        paths.entry(endpoint.path).or_default().merge_operations(item);
    }
    for name in taken {
        if let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(&name) {
            let is_plain = object.schema_type == SchemaType::Type(Type::Object);
            object.additional_properties = is_plain.then(|| Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
    let paths = paths.into_iter().fold(Paths::builder(), |all, (path, item)| all.path(path, item));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let mut components = Components::new();
    components.schemas.extend(schemas);
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let info = InfoBuilder::new().title("Sentri").version(sentri_wire::API_VERSION).description(Some(
        "What the apps ask of the backend. Every refusal is a problem document (RFC 9457).",
    ));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}
