//! The policies of the tenant: read as a whole, in force as a whole, kept for when Graph gives no answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cae_core::json::{Map, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::graph::{Graph, GraphError};
use super::host::Host;
use super::pages::Pages;

/// Most pages of one collection: a tenant has at most 240 policies.
const MOST_PAGES: usize = 200;

/// What was read, each as Graph lists it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Documents {
    /// <https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies>
    pub(crate) policies: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations>
    pub(crate) named_locations: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/authenticationstrengthroot-list-policies>
    pub(crate) authentication_strengths: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/conditionalaccessroot-list-authenticationcontextclassreferences>
    pub(crate) authentication_contexts: Vec<Value>,
    /// When all of it was last seen to be so, in seconds since 1970.
    pub(crate) read_at: u64,
}

const COLLECTIONS: [&str; 4] = [
    "/identity/conditionalAccess/policies",
    "/identity/conditionalAccess/namedLocations",
    "/policies/authenticationStrengthPolicies",
    "/identity/conditionalAccess/authenticationContextClassReferences",
];

/// What was read last, whatever became of it, with the entity tags of its collections.
#[derive(Debug, Default)]
pub(crate) struct Tagged {
    documents: Documents,
    tags: [Option<String>; 4],
}

impl Documents {
    /// Reads everything, or nothing.
    ///
    /// # Errors
    /// Whatever keeps one collection from being read.
    pub(crate) fn read(
        graph: &mut Graph,
        host: &dyn Host,
        before: &mut Tagged,
    ) -> Result<Self, GraphError> {
        let known = [
            &before.documents.policies,
            &before.documents.named_locations,
            &before.documents.authentication_strengths,
            &before.documents.authentication_contexts,
        ];
        let mut lists = Vec::new();
        let mut tags = [const { None }; 4];
        for (number, path) in COLLECTIONS.into_iter().enumerate() {
            let known = known.get(number).copied();
            let tag = before.tags.get(number).and_then(Option::as_deref);
            let (list, etag) = match graph.page_unless(host, &graph.url(path), tag)? {
                None => (known.cloned().unwrap_or_default(), tag.map(str::to_owned)),
                Some(page) => {
                    // The tag of a first page says nothing of those behind it.
                    let etag = page.etag.filter(|_| page.next.is_none());
                    (follow(graph, host, page.value, page.next)?, etag)
                }
            };
            lists.push(list);
            if let Some(place) = tags.get_mut(number) {
                *place = etag;
            }
        }
        let mut lists = lists.into_iter();
        let mut next = || lists.next().unwrap_or_default();
        let documents = Self {
            policies: next(),
            named_locations: next(),
            authentication_strengths: next(),
            authentication_contexts: next(),
            read_at: host.now().as_secs(),
        };
        *before = Tagged {
            documents: documents.clone(),
            tags,
        };
        Ok(documents)
    }

    /// Whether the other says the same, whenever it was read.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let undated = |it: &Self| Self {
            read_at: 0,
            ..it.clone()
        };
        undated(self) == undated(other)
    }

    /// Puts them into an engine configuration, under the issuers with these indexes.
    pub(crate) fn put(&self, engine: &mut Map<String, Value>, issuers: &[usize]) {
        add(
            engine,
            "authenticationStrengths",
            &self.authentication_strengths,
        );
        let Some(Value::Array(all)) = engine.get_mut("issuers") else {
            return;
        };
        for index in issuers {
            if let Some(Value::Object(issuer)) = all.get_mut(*index) {
                add(issuer, "policies", &self.policies);
                add(issuer, "namedLocations", &self.named_locations);
            }
        }
    }
}

fn add(to: &mut Map<String, Value>, name: &str, added: &[Value]) {
    if added.is_empty() {
        return;
    }
    let mut all = match to.remove(name) {
        Some(Value::Array(given)) => given,
        Some(Value::Object(mut list)) => match list.remove("value") {
            Some(Value::Array(given)) => given,
            _ => vec![Value::Object(list)],
        },
        _ => Vec::new(),
    };
    all.extend_from_slice(added);
    to.insert(name.to_owned(), Value::Array(all));
}

fn follow(
    graph: &mut Graph,
    host: &dyn Host,
    mut list: Vec<Value>,
    mut next: Option<String>,
) -> Result<Vec<Value>, GraphError> {
    let (mut pages, mut count) = (Pages::default(), 1_usize);
    while let Some(link) = next {
        if count >= MOST_PAGES {
            return Err(GraphError::Endless);
        }
        count = count.saturating_add(1);
        let page = pages.read(graph, host, &link)?;
        list.extend(page.value);
        next = page.next;
    }
    Ok(list)
}

/// The policies in force, and those that are to come into force.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    state: Mutex<State>,
    /// Tells whoever reloads.
    pub(crate) changed: Notify,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) in_force: Option<Arc<Documents>>,
    pub(crate) candidate: Option<Arc<Documents>>,
    /// What was refused, so that it is not tried again and again.
    refused: Option<Arc<Documents>>,
    /// Why those in force are not those of the tenant.
    pub(crate) problem: Option<String>,
}

impl Policies {
    pub(crate) fn new(in_force: Option<Documents>) -> Self {
        let policies = Self::default();
        policies.lock().in_force = in_force.map(Arc::new);
        policies
    }

    pub(crate) fn state(&self) -> State {
        self.lock().clone()
    }

    /// Policies as they were read just now. Says whether they are others than those in force.
    pub(crate) fn read(&self, documents: Documents) -> bool {
        let mut state = self.lock();
        let same = |known: &Option<Arc<Documents>>| {
            known
                .as_ref()
                .is_some_and(|known| known.says_the_same(&documents))
        };
        if same(&state.refused) {
            return false;
        }
        if same(&state.in_force) {
            state.problem = None;
            state.candidate = None;
            state.in_force = Some(Arc::new(documents));
            return false;
        }
        state.candidate = Some(Arc::new(documents));
        drop(state);
        self.changed.notify_one();
        true
    }

    /// They could not be read.
    pub(crate) fn not_read(&self, why: &str) {
        self.lock().problem = Some(why.to_owned());
    }

    /// These came into force.
    pub(crate) fn accept(&self, documents: &Arc<Documents>) {
        let mut state = self.lock();
        if state
            .candidate
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, documents))
        {
            state.candidate = None;
        }
        state.in_force = Some(Arc::clone(documents));
        state.refused = None;
        state.problem = None;
    }

    /// These cannot be used.
    pub(crate) fn refuse(&self, documents: &Arc<Documents>, why: String) {
        let mut state = self.lock();
        if state
            .candidate
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, documents))
        {
            state.candidate = None;
        }
        state.refused = Some(Arc::clone(documents));
        state.problem = Some(why);
    }

    /// Whatever was refused may be good with another configuration.
    pub(crate) fn forgive(&self) {
        self.lock().refused = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
