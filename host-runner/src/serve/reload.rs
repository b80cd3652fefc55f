//! Another configuration without a stop: built beside the one in force, put in its place if all of it is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use cae_core::decision::Request;
use cae_core::engine::Detail;
use cae_core::state::StateTable;
use tokio_rustls::TlsAcceptor;

use super::assembly::{self, Assembled, PolicyNote};
use super::client::Client;
use super::decision_log::DecisionLog;
use super::engines::{Decision, Engines};
use super::keys::{Keys, Took};
use super::receiver::{Receiver, Stop};
use super::service::Service;
use super::settings::{Credentials, Delivery, Settings};
use super::simulator;
use super::watched::Watched;
use super::{Faults, brakes, lines, tell, tls};
use crate::clock;
use crate::directory::Directory;
use crate::engine::Runtime;
use crate::entra::directory::View;
use crate::entra::outside::first_policies;
use crate::entra::policies::Documents;
use crate::entra::reader::{policies_note, policies_value};
use crate::entra::tenant::Tenant;
use crate::signature::VerifiedTokens;

/// Notes of fetched keys begin so.
const KEY_NOTES: &str = "keys/";
/// Notes of signs of life begin so.
const ALIVE_NOTES: &str = "alive/";
/// How often signs of life are noted, in looks of one second.
const NOTE_ALIVE: u32 = 30;

/// Reads the files again.
pub(crate) struct Reloader {
    file: PathBuf,
    runtime: Runtime,
    verified: Arc<VerifiedTokens>,
    pub(crate) service: Arc<Service>,
    tls: Arc<ArcSwapOption<TlsAcceptor>>,
    policies: BTreeMap<String, PolicyNote>,
    stamps: Vec<(PathBuf, Option<SystemTime>, u64)>,
    receivers: Arc<Stop>,
    looks: u32,
}

/// What is to be in force, complete.
struct Prepared {
    assembled: Assembled,
    engines: Engines,
    tenant: Option<Arc<Tenant>>,
    documents: Option<Arc<Documents>>,
}

/// Builds the engines of a configuration.
pub(crate) fn build(
    assembled: &Assembled,
    runtime: &Runtime,
    verified: &Arc<VerifiedTokens>,
) -> Result<Engines, Faults> {
    let settings = &assembled.settings;
    let built = Engines::build(
        runtime,
        assembled.engine.clone(),
        settings.instances,
        verified,
    );
    let mut engines = built.map_err(|error| lines(&error, Path::new("configuration")))?;
    if let Some((woven, directory)) = &assembled.tenant {
        let wanted = woven.wanted(&engines.configuration);
        engines.tenant = Some(View::new(Arc::clone(directory), wanted));
    }
    if let Some(file) = &settings.files.directory {
        let directory = Directory::open(file, &engines.configuration);
        let named = |faults: Vec<String>| -> Faults {
            faults
                .iter()
                .map(|fault| format!("{}: {fault}", file.display()))
                .collect()
        };
        engines.directory = Some(directory.map_err(named)?);
    }
    Ok(engines)
}

/// Where `cae.toml` and the engine configuration do not go together.
pub(crate) fn mismatches(settings: &Settings, engines: &Engines) -> Faults {
    let mut faults = Vec::new();
    for transmitter in &settings.transmitters {
        let known = engines.configuration.transmitters.iter();
        if !known
            .map(|it| &it.issuer)
            .any(|issuer| *issuer == transmitter.issuer)
        {
            faults.push(format!(
                "transmitter `{}`: its issuer is not among engine.transmitters: add it there, with its keys and whom it speaks for",
                transmitter.name
            ));
        }
    }
    let entra = settings.entra.as_ref();
    let notifies = entra.is_some_and(|it| it.notifications.is_some());
    if notifies && settings.listen.signals.is_none() {
        let what = "comes in at the signals listener, which `listen.signals = false` closes";
        faults.push(format!("entra.notifications: {what}"));
    }
    if let Some(folder) = &settings.simulator
        && !folder.join(simulator::PAGE).is_file()
    {
        faults.push(format!(
            "administration.simulator: {} holds no {}: `cargo xtask build --www` makes the page",
            folder.display(),
            simulator::PAGE
        ));
    }
    faults
}

/// Files with secrets that cannot be read.
pub(crate) fn unreadable_secrets(settings: &Settings) -> Faults {
    let files = settings.transmitters.iter().flat_map(|transmitter| {
        let credentials = match &transmitter.credentials {
            Some(Credentials::Token(file)) => Some(file),
            Some(Credentials::Client { client_secret, .. }) => Some(client_secret),
            None => None,
        };
        let push = match &transmitter.delivery {
            Delivery::Push { token, .. } => token.as_ref(),
            Delivery::Poll { .. } => None,
        };
        credentials.into_iter().chain(push)
    });
    let mut faults: Faults = files.filter_map(|file| super::secret(file).err()).collect();
    if let Some(entra) = &settings.entra {
        faults.extend(entra.file_faults(clock::now()));
    }
    faults
}

impl Reloader {
    pub(crate) fn new(
        file: &Path,
        runtime: Runtime,
        verified: Arc<VerifiedTokens>,
        service: Arc<Service>,
        tls: Arc<ArcSwapOption<TlsAcceptor>>,
        notes: &[(String, Vec<u8>)],
    ) -> Self {
        let stamps = assembly::stamps(file, &service.settings.load());
        Self {
            file: file.to_owned(),
            runtime,
            verified,
            service,
            tls,
            policies: assembly::policy_notes(notes),
            stamps,
            receivers: Arc::default(),
            looks: 0,
        }
    }

    /// Begins to fetch keys, with those of an earlier time until then.
    pub(crate) fn start_keys(&self, notes: &[(String, Vec<u8>)]) -> std::io::Result<()> {
        let kept: Vec<(String, String)> = notes
            .iter()
            .filter_map(|(name, value)| {
                let issuer = name.strip_prefix(KEY_NOTES)?;
                Some((issuer.to_owned(), String::from_utf8(value.clone()).ok()?))
            })
            .collect();
        let service = Arc::clone(&self.service);
        let took: Took = Arc::new(move |issuer: &str, jwks: &str| {
            service.engines.load().set_keys(issuer, jwks)?;
            service
                .store
                .put_note(format!("{KEY_NOTES}{issuer}"), jwks.as_bytes().to_vec());
            Ok(())
        });
        let engines = self.service.engines.load();
        let keys = Keys::start(&engines.configuration, &self.service.client(), &kept, &took)?;
        if let Some(before) = self.service.keys.swap(Some(Arc::new(keys))) {
            before.stop();
        }
        Ok(())
    }

    /// Begins to receive from every transmitter.
    pub(crate) fn start_receivers(&mut self, notes: &[(String, Vec<u8>)]) -> std::io::Result<()> {
        self.receivers.stop();
        self.receivers = Arc::default();
        let before = self.service.transmitters.load_full();
        let settings = self.service.settings.load_full();
        let tenant = self.service.entra.load_full();
        let alive = |name: &str| {
            let note = notes
                .iter()
                .find(|(note, _)| note.strip_prefix(ALIVE_NOTES) == Some(name));
            let noted = note.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
            let known = before
                .iter()
                .find(|it| it.settings.name == name)
                .map(|it| it.alive());
            noted.unwrap_or(0).max(known.unwrap_or(0))
        };
        let transmitters: Vec<Arc<Watched>> = settings
            .transmitters
            .iter()
            .cloned()
            .chain(tenant.map(|tenant| tenant.as_transmitter()))
            .map(|it| {
                let alive = alive(&it.name);
                Arc::new(Watched::new(it, alive))
            })
            .collect();
        self.service
            .transmitters
            .store(Arc::new(transmitters.clone()));
        for watched in transmitters {
            let receiver = Receiver {
                service: Arc::clone(&self.service),
                watched,
                stop: Arc::clone(&self.receivers),
            };
            receiver.start()?;
        }
        Ok(())
    }

    /// Looks whether a file is another one than before.
    pub(crate) fn reload_if_changed(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.checked_rem(NOTE_ALIVE) == Some(0) {
            self.note_alive();
        }
        let stamps = assembly::stamps(&self.file, &self.service.settings.load());
        if stamps != self.stamps {
            // A file that is being replaced is not there for a moment: the next look sees it whole.
            self.stamps = stamps;
            self.reload();
        }
    }

    /// Reads everything again; all of it comes into force, or nothing.
    pub(crate) fn reload(&mut self) {
        if let Some(tenant) = self.service.entra.load_full() {
            // What could not be used may be good with what the files say now.
            tenant.shared.policies.forgive();
        }
        let result = self.reload_all(true);
        self.tell_result(result);
    }

    /// Takes up other policies of the tenant.
    pub(crate) fn reload_policies(&mut self) {
        let tenant = self.service.entra.load_full();
        if tenant.is_some_and(|tenant| tenant.shared.policies.state().candidate.is_some()) {
            let result = self.reload_all(false);
            self.tell_result(result);
        }
    }

    fn tell_result(&self, result: Result<Option<u64>, Faults>) {
        let mut loaded = self
            .service
            .loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match result {
            // Told already.
            Ok(None) => loaded.failed_reloads = loaded.failed_reloads.saturating_add(1),
            Ok(Some(hit)) => {
                loaded.at = clock::now().as_secs();
                loaded.faults.clear();
                loaded.reloads = loaded.reloads.saturating_add(1);
                drop(loaded);
                tell(
                    "note",
                    &format!(
                        "the configuration is read again: it may turn away {hit} of the tokens that are known"
                    ),
                );
            }
            Err(faults) => {
                for fault in &faults {
                    tell("error", fault);
                }
                tell("warning", "the configuration before stays in force");
                loaded.faults = faults;
                loaded.failed_reloads = loaded.failed_reloads.saturating_add(1);
            }
        }
    }

    /// With the policies that the tenant has now; if those are what is wrong, with those that it had. How many known tokens it
    /// may turn away; nothing if all stays as it is, because the files did not change and the policies cannot be used.
    fn reload_all(&mut self, files_changed: bool) -> Result<Option<u64>, Faults> {
        let settings = assembly::read_settings(&self.file)?;
        let tenant = self.tenant(&settings)?;
        let state = tenant.as_ref().map(|tenant| tenant.shared.policies.state());
        let state = state.unwrap_or_default();
        let Some(candidate) = state.candidate else {
            let prepared = self.prepare(settings, tenant, state.in_force)?;
            return self.install(prepared).map(Some);
        };
        let prepared = self.prepare(settings.clone(), tenant.clone(), Some(candidate.clone()));
        let (faults, in_force) = match (prepared, state.in_force) {
            (Ok(prepared), _) => return self.install(prepared).map(Some),
            (Err(faults), None) => return Err(faults),
            (Err(faults), Some(in_force)) => (faults, in_force),
        };
        let Ok(prepared) = self.prepare(settings, tenant.clone(), Some(in_force)) else {
            // The files are at fault: with better ones the policies may be good.
            return Err(faults);
        };
        let why = faults.join("; ");
        let what = "the policies of the tenant cannot be used, those before stay in force";
        tell("warning", &format!("entra: {what}: {why}"));
        if let Some(tenant) = tenant {
            tenant.shared.policies.refuse(&candidate, why);
        }
        match files_changed {
            true => self.install(prepared).map(Some),
            false => Ok(None),
        }
    }

    /// The tenant of these settings: that of before, unless they are others.
    fn tenant(&self, settings: &Settings) -> Result<Option<Arc<Tenant>>, Faults> {
        let Some(entra) = &settings.entra else {
            return Ok(None);
        };
        let before = self.service.entra.load_full();
        let kept = match before {
            Some(tenant) if tenant.settings == *entra => return Ok(Some(tenant)),
            Some(tenant) if tenant.settings.tenant == entra.tenant => {
                tenant.shared.policies.state().in_force
            }
            _ => None,
        };
        let notes = kept.map(|documents| {
            let name = policies_note(&entra.tenant);
            (name, policies_value(&documents))
        });
        let notes: Vec<_> = notes.into_iter().collect();
        let tenant = Tenant::new(entra.clone(), &notes);
        let tenant = tenant.map_err(|error| vec![error.to_string()])?;
        let client = Client::new(settings.certificate_authorities.as_deref());
        let client = client.map_err(|fault| vec![fault])?;
        first_policies(&tenant, &client).map_err(|fault| vec![fault])?;
        Ok(Some(Arc::new(tenant)))
    }

    /// Keeps policies for a time without Graph, before they come into force: what was in force is what comes back.
    pub(crate) fn keep_policies(&self, tenant: &Tenant, documents: &Arc<Documents>) {
        let policies = &tenant.shared.policies;
        let is_kept = policies
            .state()
            .in_force
            .is_some_and(|kept| Arc::ptr_eq(&kept, documents));
        if !is_kept {
            let name = policies_note(&tenant.settings.tenant);
            let kept = self
                .service
                .store
                .keep_note(name, policies_value(documents));
            if kept.is_err() {
                tell("warning", "entra: the policies could not be written down");
            }
        }
        policies.accept(documents);
    }

    /// Builds what is to be in force.
    fn prepare(
        &mut self,
        settings: Settings,
        tenant: Option<Arc<Tenant>>,
        documents: Option<Arc<Documents>>,
    ) -> Result<Prepared, Faults> {
        let entra = tenant
            .as_deref()
            .map(|tenant| (tenant, documents.as_deref()));
        let now = clock::now();
        let assembled = assembly::assemble(&self.file, settings, &self.policies, entra, now)?;
        self.stamps = assembly::stamps(&self.file, &assembled.settings);
        let engines = build(&assembled, &self.runtime, &self.verified)?;
        let faults = mismatches(&assembled.settings, &engines);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Prepared {
            assembled,
            engines,
            tenant,
            documents,
        })
    }

    /// Puts it in force, all of it or nothing.
    fn install(&mut self, prepared: Prepared) -> Result<u64, Faults> {
        let Prepared {
            assembled,
            engines,
            tenant,
            documents,
        } = prepared;
        let before = self.service.settings.load_full();
        let settings = assembled.settings;
        let acceptor = settings.tls.as_ref().map(tls::acceptor).transpose();
        let acceptor = acceptor.map_err(|fault| vec![fault])?;
        let client = Client::new(settings.certificate_authorities.as_deref());
        let client = client.map_err(|fault| vec![fault])?;
        let log = match &settings.decision_log {
            now if *now == before.decision_log => None,
            Some(log) => Some(Some(
                DecisionLog::open(log).map_err(|error| vec![error.to_string()])?,
            )),
            None => Some(None),
        };
        // From here on nothing fails any more.
        if let Some(keys) = self.service.keys.load_full() {
            for (issuer, jwks) in keys.current() {
                // An issuer that is configured no longer needs none.
                let _ = engines.set_keys(&issuer, &jwks);
            }
        }
        let known = self.service.engines.load().known_tokens();
        let hit = warm(&engines, &known);
        self.service.store.set_brakes(brakes(&engines));
        for (name, value) in assembled.notes {
            self.policies
                .extend(assembly::policy_notes(&[(name.clone(), value.clone())]));
            self.service.store.put_note(name, value);
        }
        if let (Some(tenant), Some(documents)) = (&tenant, &documents) {
            self.keep_policies(tenant, documents);
        }
        self.service.engines.store(Arc::new(engines));
        self.service.client.store(Arc::new(client));
        self.tls.store(acceptor.map(Arc::new));
        if let Some(log) = log {
            self.service.log.store(log.map(Arc::new));
        }
        for (what, changed) in [
            ("listen", before.listen != settings.listen),
            ("store", before.store != settings.store),
            ("tls", before.tls.is_some() != settings.tls.is_some()),
        ] {
            if changed {
                tell(
                    "warning",
                    &format!("`{what}` is another one: that takes a restart"),
                );
            }
        }
        let tenant_before = self.service.entra.load_full();
        let same_tenant = match (&tenant_before, &tenant) {
            (None, None) => true,
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            _ => false,
        };
        if let (Some(before), false) = (&tenant_before, same_tenant) {
            before.inbox.stop();
        }
        self.service.entra.store(tenant.clone());
        let same = same_tenant
            && before.transmitters == settings.transmitters
            && before.certificate_authorities == settings.certificate_authorities;
        self.service.settings.store(Arc::new(settings));
        let restarted = self
            .start_keys(&self.noted_keys())
            .and_then(|()| match same {
                true => Ok(()),
                false => self.start_receivers(&[]),
            })
            .and_then(|()| match tenant {
                Some(tenant) if !same_tenant => tenant.start(&self.service, None),
                Some(tenant) => {
                    tenant.inbox.reloaded();
                    Ok(())
                }
                None => Ok(()),
            });
        if let Err(error) = restarted {
            tell("error", &format!("no thread could be started: {error}"));
        }
        Ok(hit)
    }

    /// The keys that are held now, in the form of notes.
    fn noted_keys(&self) -> Vec<(String, Vec<u8>)> {
        let keys = self.service.keys.load_full();
        let current = keys.map(|keys| keys.current()).unwrap_or_default();
        let note =
            |(issuer, jwks): (String, String)| (format!("{KEY_NOTES}{issuer}"), jwks.into_bytes());
        current.into_iter().map(note).collect()
    }

    fn note_alive(&self) {
        for watched in self
            .service
            .transmitters
            .load()
            .iter()
            .filter(|it| it.alive() > 0)
        {
            let name = format!("{ALIVE_NOTES}{}", watched.settings.name);
            self.service
                .store
                .put_note(name, watched.alive().to_string().into_bytes());
        }
    }

    /// Ends what it started.
    pub(crate) fn stop(&self) {
        self.note_alive();
        self.receivers.stop();
        if let Some(tenant) = self.service.entra.load_full() {
            tenant.inbox.stop();
        }
        if let Some(keys) = self.service.keys.load_full() {
            keys.stop();
        }
    }
}

/// Lets engines that are not in force yet get to know the tokens that come again and again; says how many of those the
/// configuration may turn away (`TokenCreatedWithOutdatedPolicies`, or not acceptable any more).
fn warm(engines: &Engines, tokens: &BTreeSet<Box<str>>) -> u64 {
    let now = clock::now();
    let nothing = StateTable::default();
    let mut strangers = 0_u64;
    for token in tokens {
        let request = Request {
            now,
            ..Request::default()
        };
        let decision = engines.decide(token, &request, &nothing, &|_| None, true, Detail::None);
        if matches!(decision, Decision::Made { identity: None, .. }) {
            strangers = strangers.saturating_add(1);
        }
    }
    strangers.saturating_add(engines.outdated_tokens(now))
}
