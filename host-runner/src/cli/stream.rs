//! `cae stream`: the streams of a transmitter in `cae.toml`, for operators.

use std::path::PathBuf;

use cae_core::json::Value;
use clap::ValueEnum;
use serde_json::json;

use super::Exit;
use super::output::Output;
use super::problem::{Problem, note};
use crate::component::random;
use crate::serve::settings::{Delivery, Transmitter};
use crate::serve::ssf::{Metadata, Peer, SsfError, Stream};
use crate::serve::{Client, read_settings, secret};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// List the streams that the transmitter has for this receiver
    List(At),
    /// Make a stream as cae.toml describes it, or adopt the one that is there
    Create(At),
    /// Ask for a verification event; the running service receives it
    Verify(At),
    /// Delete a stream
    Delete {
        #[command(flatten)]
        at: At,
        /// Which one, where there are several
        #[arg(long, value_name = "ID")]
        stream: Option<String>,
    },
    /// Show whether a stream is enabled, or change that
    Status {
        #[command(flatten)]
        at: At,
        /// Which one, where there are several
        #[arg(long, value_name = "ID")]
        stream: Option<String>,
        /// The new status
        #[arg(long, value_enum)]
        set: Option<Status>,
    },
}

/// Which transmitter.
#[derive(clap::Args, Debug)]
pub(super) struct At {
    /// The name of the transmitter in cae.toml
    transmitter: String,
    /// The configuration of the service
    #[arg(long, value_name = "cae.toml")]
    config: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Status {
    /// Events are sent
    Enabled,
    /// Events are kept by the transmitter
    Paused,
    /// Events are lost
    Disabled,
}

pub(super) const HELP: &str = "\
Exit status: 0 done; 1 there is no such stream; 2 the transmitter refuses, or cannot be
reached.

Examples:
  cae stream list keycloak --config cae.toml
  cae stream status keycloak --config cae.toml --set enabled";

pub(super) fn run(command: &Command, out: &mut Output) -> Result<Exit, Problem> {
    match command {
        Command::List(at) => Operator::of(at)?.list(out),
        Command::Create(at) => Operator::of(at)?.create(out),
        Command::Verify(at) => Operator::of(at)?.verify(),
        Command::Delete { at, stream } => Operator::of(at)?.delete(stream.as_deref()),
        Command::Status { at, stream, set } => {
            Operator::of(at)?.status(stream.as_deref(), *set, out)
        }
    }
}

struct Operator {
    client: Client,
    transmitter: Transmitter,
}

impl Operator {
    fn of(at: &At) -> Result<Self, Problem> {
        let settings = read_settings(&at.config).map_err(Problem::lines)?;
        let client =
            Client::new(settings.certificate_authorities.as_deref()).map_err(Problem::new)?;
        let names: Vec<String> = settings
            .transmitters
            .iter()
            .map(|it| it.name.clone())
            .collect();
        let found = settings
            .transmitters
            .into_iter()
            .find(|it| it.name == at.transmitter);
        let transmitter = found.ok_or_else(|| {
            let names = names.join(", ");
            Problem::file(
                &at.config,
                format_args!(
                    "no [[transmitter]] is called `{}`; there are: {names}",
                    at.transmitter
                ),
            )
        })?;
        Ok(Self {
            client,
            transmitter,
        })
    }

    fn peer(&self) -> Result<(Peer<'_>, Metadata, Vec<Stream>), Problem> {
        let mut peer = Peer::new(&self.client, &self.transmitter);
        let metadata = peer.discover().map_err(|error| self.problem(&error))?;
        if let Some(version) = &metadata.spec_version
            && version != "1_0"
        {
            note(format_args!(
                "{}: it speaks version {version} of the framework",
                self.transmitter.name
            ));
        }
        let streams = peer
            .streams(&metadata)
            .map_err(|error| self.problem(&error))?;
        Ok((peer, metadata, streams))
    }

    fn problem(&self, error: &SsfError) -> Problem {
        Problem::new(format_args!("{}: {error}", self.transmitter.issuer))
    }

    fn list(&self, out: &mut Output) -> Result<Exit, Problem> {
        let (peer, _, streams) = self.peer()?;
        for stream in &streams {
            if out.json() {
                out.line(&stream.document);
                continue;
            }
            let fits = if peer.fits(stream) {
                "as cae.toml describes it"
            } else {
                "another one than in cae.toml"
            };
            out.line(format_args!("{}  {}  {fits}", stream.id, stream.method));
            for event in &stream.events_delivered {
                out.line(format_args!("  {event}"));
            }
        }
        Ok(if streams.is_empty() {
            Exit::Negative
        } else {
            Exit::Done
        })
    }

    fn create(&self, out: &mut Output) -> Result<Exit, Problem> {
        let (mut peer, metadata, streams) = self.peer()?;
        let token = match &self.transmitter.delivery {
            Delivery::Push {
                token: Some(file), ..
            } => Some(secret(file).map_err(Problem::new)?),
            _ => None,
        };
        let stream = match streams.first() {
            Some(stream) if peer.fits(stream) => {
                note("there is such a stream already");
                stream.clone()
            }
            Some(stream) => {
                note("there is a stream already: it is changed");
                let changed = peer.update(&metadata, stream, token.as_deref());
                changed.map_err(|error| self.problem(&error))?
            }
            None => {
                let created = peer.create(&metadata, token.as_deref());
                created.map_err(|error| self.problem(&error))?
            }
        };
        if metadata.default_subjects.as_deref() == Some("NONE") {
            note(
                "this transmitter sends events only about subjects that were added to the stream: add them there",
            );
        }
        out.line(&stream.document);
        Ok(Exit::Done)
    }

    fn verify(&self) -> Result<Exit, Problem> {
        let (mut peer, metadata, streams) = self.peer()?;
        let Some(stream) = streams.first() else {
            return Ok(Exit::Negative);
        };
        // Without a state that the running service expects, it counts as unsolicited there, which is a sign of life too.
        let state = format!("{:016x}", random());
        note(format_args!(
            "asked with the state {state}: a service that did not ask itself answers invalid_state"
        ));
        let asked = peer.verify(&metadata, &stream.id, &state);
        asked.map_err(|error| self.problem(&error))?;
        Ok(Exit::Done)
    }

    fn delete(&self, id: Option<&str>) -> Result<Exit, Problem> {
        let (mut peer, metadata, streams) = self.peer()?;
        let Some(stream) = pick(&streams, id)? else {
            return Ok(Exit::Negative);
        };
        let deleted = peer.delete(&metadata, &stream.id);
        deleted.map_err(|error| self.problem(&error))?;
        note(format_args!(
            "{} is deleted; a running service with `manage` makes another one",
            stream.id
        ));
        Ok(Exit::Done)
    }

    fn status(
        &self,
        id: Option<&str>,
        set: Option<Status>,
        out: &mut Output,
    ) -> Result<Exit, Problem> {
        let (mut peer, metadata, streams) = self.peer()?;
        let Some(stream) = pick(&streams, id)? else {
            return Ok(Exit::Negative);
        };
        let status = match set.and_then(|set| set.to_possible_value()) {
            Some(set) => peer.set_status(&metadata, &stream.id, set.get_name()),
            None => peer.status(&metadata, &stream.id),
        };
        let (status, reason) = status.map_err(|error| self.problem(&error))?;
        let line: Value = json!({"streamId": stream.id, "status": status, "reason": reason});
        if out.json() {
            out.line(line);
        } else {
            let reason = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            out.line(format_args!("{}  {status}{reason}", stream.id));
        }
        Ok(Exit::Done)
    }
}

/// The stream that is meant; the only one, if none is named.
fn pick<'s>(streams: &'s [Stream], id: Option<&str>) -> Result<Option<&'s Stream>, Problem> {
    match (id, streams) {
        (Some(id), _) => Ok(streams.iter().find(|stream| stream.id == id)),
        (None, [one]) => Ok(Some(one)),
        (None, []) => Ok(None),
        (None, _) => Err(Problem::new(
            "there are several streams: say which one with --stream",
        )),
    }
}
