//! The world of whoever reads a tenant without a service: at the start, and on the command line.

use std::thread;
use std::time::{Duration, Instant};

use cae_core::state::Record;
use cae_core::time::UnixTime;

use super::directory::Wanted;
use super::facts::{About, Fact};
use super::graph::{Graph, GraphError};
use super::host::{Host, NotKept};
use super::policies::{Documents, Tagged};
use super::tenant::Tenant;
use crate::clock;
use crate::serve::client::{Ask, Client, NoReply, Reply};
use crate::serve::settings::entra::Feature;
use crate::serve::tell;

/// How long an answer of Graph may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often policies are asked for before the service gives up to start.
const ATTEMPTS: u32 = 3;
/// The longest pause between two attempts: whoever starts the service waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Requests, and nobody to tell.
pub(crate) struct Outside {
    client: Client,
    began: Instant,
}

impl Outside {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            began: Instant::now(),
        }
    }
}

impl Host for Outside {
    fn send(&self, ask: Ask<'_>) -> Result<Reply, NoReply> {
        self.client.ask(ask, PATIENCE)
    }

    fn now(&self) -> UnixTime {
        clock::now()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&self, time: Duration) -> bool {
        thread::sleep(time);
        false
    }

    fn record(&self, _: &About) -> Record {
        Record::default()
    }

    fn keep(&self, _: &[Fact]) -> Result<(), NotKept> {
        Err(NotKept)
    }

    fn note(&self, _: &str, _: Vec<u8>) -> Result<(), NotKept> {
        Err(NotKept)
    }

    fn wanted(&self) -> Wanted {
        Wanted::default()
    }

    fn tell(&self, what: &str) {
        tell("warning", what);
    }

    fn count(&self, _: u16) {}

    fn alive(&self) {}

    fn longest_token(&self) -> Duration {
        Duration::ZERO
    }
}

/// Reads the policies of a tenant of which none are known, before anything is decided without them.
///
/// # Errors
/// They cannot be read. That the application may not read them is no error: then they are off.
pub(crate) fn first_policies(tenant: &Tenant, client: &Client) -> Result<(), String> {
    let policies = &tenant.shared.policies;
    let is_known = policies.state().in_force.is_some();
    if is_known || !tenant.settings.features.contains(&Feature::Policies) {
        return Ok(());
    }
    let host = Outside::new(client.clone());
    let mut graph = Graph::new(tenant.settings.clone());
    let mut attempts = 0_u32;
    loop {
        attempts = attempts.saturating_add(1);
        match read(&mut graph, &host) {
            Ok(documents) => {
                policies.read(documents);
                return Ok(());
            }
            // The reader says so too, and looks again now and then.
            Err(GraphError::Forbidden(_)) => return Ok(()),
            Err(error) => {
                let wait = error.wait().unwrap_or(Duration::from_secs(1));
                let is_final = matches!(error, GraphError::Credential(_));
                if is_final || attempts >= ATTEMPTS || wait > LONGEST_PAUSE {
                    return Err(format!(
                        "entra: the policies of the tenant cannot be read, and none are kept from before: {error}; \
                         or leave `policies` out of [entra] features"
                    ));
                }
                host.pause(wait);
            }
        }
    }
}

/// Everything, if the application may read it.
///
/// # Errors
/// `Forbidden` if it lacks the permission.
pub(crate) fn read(graph: &mut Graph, host: &Outside) -> Result<Documents, GraphError> {
    let roles = graph.roles(host)?;
    if let Some(lacks) = roles.and_then(|roles| Feature::Policies.lacks(&roles)) {
        return Err(GraphError::Forbidden(lacks));
    }
    Documents::read(graph, host, &mut Tagged::default())
}
