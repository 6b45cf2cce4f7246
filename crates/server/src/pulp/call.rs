//! A call of the dialect: its caller holds the operation that it needs, on its own path.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRequest, Request};
use grantd_node::realm::Refusal;
use grantd_node::realm::basis::Basis;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::Command;
use grantd_node::realm::pulp::{Operation, PulpUri, may};
use serde_json::{Map, Value};

use super::Pulp;
use super::errors::Error;
use super::place::Place;
use crate::app::SharedApp;
use crate::edge::{ContentTypeRule, EdgeError, JsonRules, parse_json};
use crate::face::CallError;

/// What a route needs.
pub(super) trait Needs: Send + Sync + 'static {
    /// Which operation on the path of the call.
    const OPERATION: Operation;
}

macro_rules! needs {
    ($($name:ident),+) => {$(
        #[doc = concat!("The caller needs `", stringify!($name), "`.")]
        pub(super) struct $name;
        impl Needs for $name {
            const OPERATION: Operation = Operation::$name;
        }
    )+};
}
needs!(Create, Read, Update, Delete, Execute);

/// A request whose caller holds the operation that it needs. A handler takes one of these, and so cannot forget to ask.
pub(super) struct Call<O> {
    call: crate::call::Call<Pulp>,
    pub(super) place: Place,
    resource: PulpUri,
    operation: PhantomData<O>,
}

impl<O: Needs> FromRequest<SharedApp> for Call<O> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Error> {
        let place = request.extensions().get::<Place>().cloned();
        let call = crate::call::Call::from_request(request, app).await?;
        let place = place.ok_or(EdgeError::NotFound)?;
        let resource = place.resource.clone().map_err(|bad| Error::rule(bad.to_string()))?;
        let call = Self { call, place, resource, operation: PhantomData };
        call.authorize().await?;
        Ok(call)
    }
}

impl<O: Needs> Call<O> {
    /// Asks the engine. A no is confirmed at the head of the store.
    async fn authorize(&self) -> Result<(), Error> {
        if self.may() {
            return Ok(());
        }
        self.call.realm.catch_up().await.map_err(CallError::from)?;
        if self.may() { Ok(()) } else { Err(Error::denied(O::OPERATION, &self.user())) }
    }

    fn may(&self) -> bool {
        let call = &self.call;
        may(&call.published().state, &call.caller, O::OPERATION, &self.resource, call.now())
    }

    /// What the caller's right to a command rests on; it is looked at again together with the command.
    pub(super) fn basis(&self) -> Basis {
        Basis::Pulp {
            uri: self.resource.clone(),
            operation: O::OPERATION,
            delegation: self.call.app.pulp_delegation,
        }
    }

    /// Who calls, as errors name them.
    pub(super) fn user(&self) -> String {
        match &self.call.caller.actor {
            Actor::User(login) => login.clone(),
            other => other.to_string(),
        }
    }

    /// Carries out a command; returns once it is durable.
    pub(super) async fn submit<C: Command>(&self, command: C) -> Result<C::Answer, Error> {
        self.submit_or(command, |_| None).await
    }

    /// The same, where some refusals have words of their own.
    pub(super) async fn submit_or<C: Command>(
        &self,
        command: C,
        words: fn(&Refusal) -> Option<Error>,
    ) -> Result<C::Answer, Error> {
        match self.call.submit(command).await {
            Ok(done) => Ok(done.answer),
            Err(CallError::Refused(refusal)) => {
                Err(words(&refusal).unwrap_or_else(|| refusal.into()).of(&self.user()))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The body, which must be a JSON object. Its content type is not looked at.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Error> {
        let rules = JsonRules { content_type: ContentTypeRule::Any, ..JsonRules::default() };
        match parse_json(self.call.body(), rules)? {
            Value::Object(object) => Ok(object),
            _ => Err(Error::no_object()),
        }
    }

    /// A path of the dialect as the world reaches it.
    pub(super) fn href(&self, path: &str) -> String {
        format!("{}{}{path}", self.call.app.public_path(), self.place.mount)
    }
}

/// The caller, the realm, the path's parameters, the state.
impl<O> Deref for Call<O> {
    type Target = crate::call::Call<Pulp>;

    fn deref(&self) -> &Self::Target {
        &self.call
    }
}

/// What nobody serves: a path that no route has, or one that cannot be normalised.
pub(super) async fn nowhere(request: Request) -> Error {
    match request.extensions().get::<Place>().map(|place| &place.resource) {
        Some(Err(bad)) => Error::rule(bad.to_string()),
        _ => EdgeError::NotFound.into(),
    }
}
