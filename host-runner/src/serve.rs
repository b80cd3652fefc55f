//! `cae serve`: continuous access evaluation in front of an existing API.
//!
//! Three listeners: [`authorize`] for proxies, [`signals`] for transmitters, [`administration`] for operators. The first has
//! threads of its own, so that nobody else can keep it waiting. [`service`] is what they share.

mod administration;
mod assembly;
mod authorize;
pub(crate) mod client;
pub(crate) mod database;
mod decision_log;
mod engines;
pub(crate) mod http;
mod keys;
mod metrics;
mod proof;
mod receiver;
mod records;
mod reload;
pub(crate) mod service;
pub(crate) mod settings;
mod signals;
mod simulator;
pub(crate) mod ssf;
mod store;
mod tls;
pub(crate) mod watched;
mod workers;

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use cae_core::configuration::transmitter::Brake;
use cae_core::state::retention::RetentionLimits;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::clock;
use crate::component::EngineError;
use crate::engine::Runtime;
use crate::entra::outside::first_policies;
use crate::entra::tenant::Tenant;
use crate::session::BrakeAlarm;
use crate::signature::VerifiedTokens;
pub(crate) use assembly::read_settings;
pub(crate) use client::Client;
use engines::Engines;
use reload::Reloader;
use service::{Loaded, Service};
use store::{LogBounds, Store};
use workers::Workers;

/// How long answers that are under way may take after a stop.
const GRACE: Duration = Duration::from_secs(10);
/// How often records are looked through for what may be forgotten.
const CLEAN_EVERY: Duration = Duration::from_secs(600);

/// Why the service does not start: one line each.
pub(crate) type Faults = Vec<String>;

/// Where the service listens, once it does.
pub(crate) struct Addresses {
    pub(crate) authorization: SocketAddr,
    pub(crate) signals: Option<SocketAddr>,
    pub(crate) administration: SocketAddr,
}

/// Reads everything that the service would start with.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn check(file: &Path, runtime: &Runtime) -> Result<Vec<String>, Faults> {
    let settings = assembly::read_settings(file)?;
    let tenant = tenant_of(&settings, &[])?;
    let now = clock::now();
    let entra = tenant.as_deref().map(|tenant| (tenant, None));
    let assembled = assembly::assemble(file, settings, &Default::default(), entra, now)?;
    let settings = &assembled.settings;
    let engines = reload::build(&assembled, runtime, &Arc::default())?;
    let mut faults = reload::mismatches(settings, &engines);
    if let Some(tls) = &settings.tls {
        faults.extend(tls::acceptor(tls).err());
    }
    faults.extend(Client::new(settings.certificate_authorities.as_deref()).err());
    faults.extend(reload::unreadable_secrets(settings));
    if faults.is_empty() {
        Ok(notes(&engines))
    } else {
        Err(faults)
    }
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// Everything that keeps it from starting.
pub(crate) fn run(
    file: &Path,
    runtime: Runtime,
    started: impl FnOnce(&Addresses, &[String]),
) -> Result<(), Faults> {
    client::install_tls();
    let one = |error: &dyn std::fmt::Display| vec![error.to_string()];
    let settings = assembly::read_settings(file)?;
    let bounds = LogBounds {
        age: settings.store.log_age,
        entries: settings.store.log_entries,
    };
    let alarms = Box::new(|alarm: &BrakeAlarm| {
        let brake = alarm.brake;
        tell(
            "warning",
            &format!(
                "{}: its events touch more than {} subjects a minute{}",
                alarm.transmitter,
                brake.subjects_per_minute,
                if brake.hold {
                    "; they wait from now on, except those about accounts"
                } else {
                    ""
                }
            ),
        );
    });
    let opened = Store::open(&settings.store.file, bounds, alarms);
    let (store, mut notes) =
        opened.map_err(|error| vec![format!("{}: {error}", settings.store.file.display())])?;
    let policies = assembly::policy_notes(&notes);
    let mut faults = Vec::new();
    let client = Client::new(settings.certificate_authorities.as_deref());
    let client = client.map_err(|fault| faults.push(fault)).ok();
    let Some(client) = client else {
        return Err(faults);
    };
    let tenant = tenant_of(&settings, &notes)?;
    if let Some(tenant) = &tenant {
        first_policies(tenant, &client).map_err(|fault| vec![fault])?;
    }
    let documents = tenant.as_ref().and_then(|tenant| {
        let state = tenant.shared.policies.state();
        state.candidate.or(state.in_force)
    });
    let entra = tenant
        .as_deref()
        .map(|tenant| (tenant, documents.as_deref()));
    let assembled = assembly::assemble(file, settings, &policies, entra, clock::now())?;
    let verified: Arc<VerifiedTokens> = Arc::default();
    let engines = reload::build(&assembled, &runtime, &verified)?;
    faults.extend(reload::mismatches(&assembled.settings, &engines));
    let acceptor = match &assembled.settings.tls {
        Some(tls) => tls::acceptor(tls).map_err(|fault| faults.push(fault)).ok(),
        None => None,
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    store.set_brakes(brakes(&engines));
    for (name, value) in &assembled.notes {
        store.put_note(name.clone(), value.clone());
    }
    notes.extend(assembled.notes);
    let settings = Arc::new(assembled.settings);
    let log = settings
        .decision_log
        .as_ref()
        .map(decision_log::DecisionLog::open);
    let log = log.transpose().map_err(|error| one(&error))?;
    let service = Arc::new(Service {
        settings: ArcSwap::from(Arc::clone(&settings)),
        engines: ArcSwap::from_pointee(engines),
        store,
        keys: ArcSwapOption::empty(),
        transmitters: ArcSwap::from_pointee(Vec::new()),
        metrics: metrics::Metrics::default(),
        proofs: proof::Proofs::default(),
        log: ArcSwapOption::from_pointee(log),
        stopping: AtomicBool::new(false),
        client: ArcSwap::from_pointee(client),
        loaded: Mutex::new(Loaded {
            at: clock::now().as_secs(),
            ..Loaded::default()
        }),
        turn: AtomicU64::new(0),
        entra: ArcSwapOption::from(tenant),
    });
    let tls = Arc::new(ArcSwapOption::from_pointee(acceptor));
    let mut reloader = Reloader::new(
        file,
        runtime,
        verified,
        Arc::clone(&service),
        Arc::clone(&tls),
        &notes,
    );
    if let (Some(tenant), Some(documents)) = (service.entra.load_full(), &documents) {
        reloader.keep_policies(&tenant, documents);
    }
    reloader.start_keys(&notes).map_err(|error| one(&error))?;
    reloader
        .start_receivers(&notes)
        .map_err(|error| one(&error))?;
    let deciding =
        Workers::start("authorization", settings.instances).map_err(|error| one(&error))?;
    let other = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("other")
        .enable_all()
        .build()
        .map_err(|error| one(&error))?;
    let result = listen(
        &service,
        &settings,
        &tls,
        deciding,
        other.handle(),
        reloader,
        &notes,
        started,
    );
    // Threads that still wait for somebody are left behind: everything that counts is on disk.
    other.shutdown_timeout(Duration::from_millis(100));
    service.store.close();
    result
}

#[expect(
    clippy::too_many_arguments,
    reason = "everything that a running service is made of"
)]
fn listen(
    service: &Arc<Service>,
    settings: &settings::Settings,
    tls: &Arc<ArcSwapOption<tokio_rustls::TlsAcceptor>>,
    deciding: Workers,
    other: &Handle,
    mut reloader: Reloader,
    notes_kept: &[(String, Vec<u8>)],
    started: impl FnOnce(&Addresses, &[String]),
) -> Result<(), Faults> {
    let bind = |runtime: &Handle, address: SocketAddr| {
        let listener = runtime.block_on(TcpListener::bind(address));
        listener.map_err(|error| vec![format!("{address}: {error}")])
    };
    let accepting = deciding.first().clone();
    let authorization = bind(&accepting, settings.listen.authorization)?;
    let administration = bind(other, settings.listen.administration)?;
    let signals = settings
        .listen
        .signals
        .map(|address| bind(other, address))
        .transpose()?;
    let local = |listener: &TcpListener| {
        listener
            .local_addr()
            .map_err(|error| vec![error.to_string()])
    };
    let addresses = Addresses {
        authorization: local(&authorization)?,
        administration: local(&administration)?,
        signals: signals.as_ref().map(local).transpose()?,
    };
    let (stop, stopped) = watch::channel(false);
    let covers = |covered: fn(&settings::Tls) -> bool| {
        settings
            .tls
            .as_ref()
            .is_some_and(covered)
            .then(|| Arc::clone(tls))
    };
    let mut listeners = Vec::new();
    {
        let shared = Arc::clone(service);
        let bounds = http::Bounds::new(settings.authorization.connections);
        listeners.push(accepting.spawn(http::serve(
            authorization,
            Some(deciding),
            covers(|tls| tls.authorization),
            bounds,
            move |request, peer| proxies(Arc::clone(&shared), request, peer),
            stopped.clone(),
        )));
    }
    {
        let shared = Arc::clone(service);
        listeners.push(other.spawn(http::serve(
            administration,
            None,
            covers(|tls| tls.administration),
            http::Bounds::new(64),
            move |request, _| administration::answer(Arc::clone(&shared), request),
            stopped.clone(),
        )));
    }
    if let Some(listener) = signals {
        let shared = Arc::clone(service);
        listeners.push(other.spawn(http::serve(
            listener,
            None,
            covers(|tls| tls.signals),
            http::Bounds::new(settings.signals.connections),
            move |request, _| signals::answer(Arc::clone(&shared), request),
            stopped,
        )));
    }
    let cleaning = Arc::clone(service);
    other.spawn(async move {
        loop {
            tokio::time::sleep(CLEAN_EVERY).await;
            let limits = RetentionLimits::of(&cleaning.engines.load().configuration);
            let _ = cleaning.store.clean(clock::now(), limits).await;
        }
    });
    // Only now: when it subscribes to changes, somebody has to answer for the URL at once.
    if let Some(tenant) = service.entra.load_full() {
        let reads = tenant.start(service, Some(notes_kept));
        reads.map_err(|error| vec![error.to_string()])?;
    }
    started(&addresses, &notes(&service.engines.load()));
    other
        .block_on(supervise(&mut reloader))
        .map_err(|error| vec![error.to_string()])?;
    service.stopping.store(true, Ordering::Relaxed);
    reloader.stop();
    let _ = stop.send(true);
    let deadline = Instant::now().checked_add(GRACE);
    other.block_on(async {
        for listener in listeners {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let _ = tokio::time::timeout(left.unwrap_or_default(), listener).await;
        }
    });
    Ok(())
}

/// Reads files again when they change or somebody asks, until the process is told to stop.
async fn supervise(reloader: &mut Reloader) -> std::io::Result<()> {
    let mut end = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut look = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = end.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => tokio::task::block_in_place(|| reloader.reload()),
            () = policies_changed(&reloader.service) => {
                tokio::task::block_in_place(|| reloader.reload_policies());
            }
            _ = look.tick() => tokio::task::block_in_place(|| reloader.reload_if_changed()),
        }
    }
}

/// Waits until the policies of the tenant are others.
async fn policies_changed(service: &Service) {
    match service.entra.load_full() {
        Some(tenant) => tenant.shared.policies.changed.notified().await,
        // Each second somebody looks whether there is one now.
        None => std::future::pending().await,
    }
}

/// The tenant in the settings, if there is one.
fn tenant_of(
    settings: &settings::Settings,
    notes: &[(String, Vec<u8>)],
) -> Result<Option<Arc<Tenant>>, Faults> {
    let tenant = settings.entra.clone();
    let tenant = tenant.map(|settings| Tenant::new(settings, notes).map(Arc::new));
    tenant.transpose().map_err(|error| vec![error.to_string()])
}

async fn proxies(
    service: Arc<Service>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> http::Answer {
    let path = request.uri().path();
    if authorize::is_asked(path) {
        return authorize::authorize(service, request, peer).await;
    }
    match (request.method(), path) {
        (&Method::POST, administration::DECIDE) => {
            administration::decide(&service, request, false).await
        }
        (&Method::GET, "/healthz") => http::text(StatusCode::OK, "ok\n"),
        _ => http::empty(StatusCode::NOT_FOUND),
    }
}

/// The brakes of the transmitters, by issuer URL.
fn brakes(engines: &Engines) -> Vec<(String, Brake)> {
    let transmitters = engines.configuration.transmitters.iter();
    let brake = |it: &cae_core::configuration::Transmitter| Some((it.issuer.clone(), it.brake?));
    transmitters.filter_map(brake).collect()
}

/// What an operator should know about a configuration that can be used.
fn notes(engines: &Engines) -> Vec<String> {
    engines
        .configuration
        .notes
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// The lines of an error of the engine about a configuration.
fn lines(error: &EngineError, file: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Fault {
        at: String,
        code: String,
        message: String,
    }
    match error {
        EngineError::Configuration(faults) => match serde_json::from_str::<Vec<Fault>>(faults) {
            Ok(faults) => faults
                .iter()
                .map(|fault| {
                    format!(
                        "{}: engine{}: {} [{}]",
                        file.display(),
                        fault.at,
                        fault.message,
                        fault.code
                    )
                })
                .collect(),
            Err(_) => vec![faults.clone()],
        },
        other => vec![other.to_string()],
    }
}

/// A secret in a file, without the line end that editors add.
pub(crate) fn secret(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(format!("{}: holds no secret on one line", file.display()));
    }
    Ok(text.to_owned())
}

/// Compares secrets in a time that does not depend on where they differ.
pub(crate) fn is_same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// One line on standard error.
pub(crate) fn tell(word: &str, what: &str) {
    let what = crate::text::one_line(what);
    // That nobody reads it is no reason to stop.
    drop(writeln!(std::io::stderr(), "{word}: {what}"));
}
