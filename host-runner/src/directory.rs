//! What the host's directory knows of users whose tokens do not say it: groups, roles, kind of user.
//!
//! A file of JSON lines, one user each, read anew when it changes. It is closed for the users that it lists: a list is
//! complete, so what it does not name, the user is not. What a line leaves out, and whoever has no line, is unknown, which
//! never widens access (`enforcement.md` §1). A token's own claims win, then what a request says, then this.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cae_core::configuration::Configuration;
use cae_core::decision::DirectoryFacts;
use cae_core::state::StateKey;
use cae_core::state::selection::{Scopes, SelectionErrorKind, select};
use serde::Deserialize;

/// Most bytes of the file: a million users with a hundred groups each.
const MOST_BYTES: u64 = 8 << 30;
/// Most bytes of one line: a user in 20,000 groups.
const LONGEST_LINE: usize = 1 << 20;
/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The users of a file, by the key of their records.
#[derive(Debug)]
pub struct Directory {
    file: PathBuf,
    /// The file as it was read last, whether or not it could be used.
    stamp: Stamp,
    looked: Instant,
    users: HashMap<StateKey, User>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

/// What one line says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct User {
    /// The id that policies and events name: `oid`, `uid`, `sub`.
    user: String,
    /// Whose user it is, by URL or scope, where several issuers are configured.
    issuer: Option<String>,
    /// Transitive group ids.
    member_of: Option<Vec<String>>,
    /// Directory role template ids.
    roles: Option<Vec<String>>,
    user_type: Option<String>,
    external_user_type: Option<String>,
    external_tenant_id: Option<String>,
}

impl Directory {
    /// Reads `file`, whose users are those of the issuers in `configuration`.
    ///
    /// # Errors
    /// Every line that cannot be used, each as one line that names it; or that the file cannot be read.
    pub fn open(file: &Path, configuration: &Configuration) -> Result<Self, Vec<String>> {
        let stamp = fs::metadata(file).map_err(|error| vec![error.to_string()])?;
        let stamp = Stamp::of(&stamp);
        Ok(Self {
            file: file.to_owned(),
            stamp,
            looked: Instant::now(),
            users: read(file, stamp, configuration)?,
        })
    }

    /// Reads the file again if it is another one than before; looks at most once a second. How many users it lists now;
    /// `None` if nothing changed. All or nothing: after an error the users are those of before.
    ///
    /// # Errors
    /// As [`Directory::open`], once for each state of the file.
    pub fn refresh(&mut self, configuration: &Configuration) -> Result<Option<usize>, Vec<String>> {
        if self.looked.elapsed() < LOOK_EVERY {
            return Ok(None);
        }
        self.looked = Instant::now();
        self.read_if_changed(configuration)
    }

    fn read_if_changed(
        &mut self,
        configuration: &Configuration,
    ) -> Result<Option<usize>, Vec<String>> {
        // A file that is being replaced is not there for a moment.
        let Ok(stamp) = fs::metadata(&self.file) else {
            return Ok(None);
        };
        let stamp = Stamp::of(&stamp);
        if stamp == self.stamp {
            return Ok(None);
        }
        self.stamp = stamp;
        self.users = read(&self.file, stamp, configuration)?;
        Ok(Some(self.users.len()))
    }

    /// How many users it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether it lists nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The line of the user that one of these keys stands for.
    pub(crate) fn listed(&self, keys: &[StateKey]) -> Option<Listed<'_>> {
        let user = keys.iter().find_map(|key| self.users.get(key))?;
        fn texts(list: &Option<Vec<String>>) -> Option<Vec<&str>> {
            Some(list.as_ref()?.iter().map(String::as_str).collect())
        }
        Some(Listed {
            user,
            member_of: texts(&user.member_of),
            roles: texts(&user.roles),
        })
    }
}

/// One user, in the form that a request borrows.
#[derive(Debug)]
pub(crate) struct Listed<'d> {
    user: &'d User,
    member_of: Option<Vec<&'d str>>,
    roles: Option<Vec<&'d str>>,
}

impl Listed<'_> {
    /// What the request says, and this where it says nothing.
    pub(crate) fn complete<'a>(&'a self, facts: DirectoryFacts<'a>) -> DirectoryFacts<'a> {
        // What kind of user this is comes from one source: a request that says so says all of it.
        let typed = facts.user_type.is_some() || facts.external_user_type.is_some();
        let text = |text: &'a Option<String>| text.as_deref().filter(|_| !typed);
        DirectoryFacts {
            member_of: facts.member_of.or(self.member_of.as_deref()),
            roles: facts.roles.or(self.roles.as_deref()),
            user_type: facts.user_type.or_else(|| text(&self.user.user_type)),
            external_user_type: facts
                .external_user_type
                .or_else(|| text(&self.user.external_user_type)),
            external_tenant: facts
                .external_tenant
                .or_else(|| text(&self.user.external_tenant_id)),
            ..facts
        }
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
        }
    }
}

fn read(
    file: &Path,
    stamp: Stamp,
    configuration: &Configuration,
) -> Result<HashMap<StateKey, User>, Vec<String>> {
    if stamp.length > MOST_BYTES {
        return Err(vec![format!("the file is larger than {MOST_BYTES} bytes")]);
    }
    let text = fs::read_to_string(file).map_err(|error| vec![error.to_string()])?;
    let mut users = HashMap::new();
    let mut faults = Vec::new();
    for (number, line) in (1_usize..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        match read_line(line, configuration) {
            Ok((key, user)) => {
                if users.insert(key, user).is_some() {
                    faults.push(format!("line {number}: the user has a line already"));
                }
            }
            Err(fault) => faults.push(format!("line {number}: {fault}")),
        }
    }
    if faults.is_empty() {
        Ok(users)
    } else {
        Err(faults)
    }
}

fn read_line(line: &str, configuration: &Configuration) -> Result<(StateKey, User), String> {
    if line.len() > LONGEST_LINE {
        return Err(format!("longer than {LONGEST_LINE} bytes"));
    }
    let user: User = serde_json::from_str(line).map_err(|error| {
        // The parser counts lines of its own.
        let error = error.to_string();
        error.replace(" at line 1 column", " at column")
    })?;
    if let Some(kind) = &user.user_type
        && !["member", "guest"]
            .iter()
            .any(|known| kind.eq_ignore_ascii_case(known))
    {
        return Err("`userType` is `member` or `guest`".to_owned());
    }
    let subject = format!("user:{}", user.user);
    let scopes = Scopes::Configured(configuration, user.issuer.as_deref());
    let selected = select(&subject, scopes).map_err(|error| match error.kind {
        SelectionErrorKind::Ambiguous { known } => format!(
            "it may be any issuer's user: say whose with `issuer`, one of {}",
            known.join(", ")
        ),
        kind => kind.to_string(),
    })?;
    match selected.as_slice() {
        [one] => Ok((one.key, user)),
        _ => Err("`user` stands for several users: say whose with `issuer`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration() -> Configuration {
        let issuer = |url: &str| serde_json::json!({"issuer": url, "claims": "keycloak", "challenge": "oauth", "algorithms": ["RS256"], "jwks": {"keys": []}});
        let all = serde_json::json!({
            "resource": {"audiences": ["api://orders"]},
            "issuers": [issuer("https://a.example"), issuer("https://b.example")],
        });
        Configuration::read(&all.to_string()).unwrap()
    }

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("cae-directory-{}-{name}.jsonl", std::process::id()))
    }

    fn key_of(user: &str) -> StateKey {
        let configuration = configuration();
        let scopes = Scopes::Configured(&configuration, Some("https://a.example"));
        select(&format!("user:{user}"), scopes).unwrap()[0].key
    }

    #[test]
    fn a_listed_user_is_completed_and_nobody_else() {
        let file = file("listed");
        let line =
            r#"{"user":"adele","issuer":"https://a.example","memberOf":["g"],"userType":"guest"}"#;
        fs::write(&file, format!("{line}\n\n")).unwrap();
        let directory = Directory::open(&file, &configuration()).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(directory.listed(&[key_of("bruno")]).is_none());
        let listed = directory
            .listed(&[key_of("bruno"), key_of("adele")])
            .unwrap();
        let silent = listed.complete(DirectoryFacts::default());
        assert_eq!(silent.member_of, Some(["g"].as_slice()));
        assert_eq!((silent.roles, silent.user_type), (None, Some("guest")));
        // What the request says is not replaced, nor completed by a kind of user from elsewhere.
        let said = listed.complete(DirectoryFacts {
            member_of: Some(&[]),
            external_user_type: Some("internalGuest"),
            ..DirectoryFacts::default()
        });
        assert_eq!(said.member_of, Some([].as_slice()));
        assert_eq!(
            (said.user_type, said.external_user_type),
            (None, Some("internalGuest"))
        );
    }

    #[test]
    fn every_line_that_cannot_be_used_is_named() {
        let file = file("faults");
        let lines = [
            r#"{"user":"adele"}"#,
            r#"{"user":"adele","issuer":"https://a.example","groups":["g"]}"#,
            r#"{"user":"adele","issuer":"https://a.example","userType":"robot"}"#,
            "{",
            r#"{"user":"bruno","issuer":"https://a.example"}"#,
            r#"{"user":"bruno","issuer":"https://a.example"}"#,
        ];
        fs::write(&file, lines.join("\n")).unwrap();
        let faults = Directory::open(&file, &configuration()).unwrap_err();
        fs::remove_file(&file).unwrap();
        let begins = [
            "line 1: it may be any",
            "line 2: unknown field `groups`",
            "line 3: `userType`",
            "line 4: EOF",
            "line 6: the user has",
        ];
        assert_eq!(faults.len(), begins.len(), "{faults:#?}");
        for (fault, begin) in faults.iter().zip(begins) {
            assert!(fault.starts_with(begin), "{fault}");
        }
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_bad_one_changes_nothing() {
        let file = file("changed");
        let line =
            |user: &str| format!(r#"{{"user":"{user}","issuer":"https://a.example","roles":[]}}"#);
        fs::write(&file, line("adele")).unwrap();
        let configuration = configuration();
        let mut directory = Directory::open(&file, &configuration).unwrap();
        assert_eq!(directory.read_if_changed(&configuration), Ok(None));
        fs::write(&file, format!("{}\n{}", line("adele"), line("bruno"))).unwrap();
        assert_eq!(directory.read_if_changed(&configuration), Ok(Some(2)));
        fs::write(&file, "{").unwrap();
        assert!(directory.read_if_changed(&configuration).is_err());
        assert_eq!(
            directory.read_if_changed(&configuration),
            Ok(None),
            "told once"
        );
        assert_eq!(directory.len(), 2);
        fs::remove_file(&file).unwrap();
        assert_eq!(directory.read_if_changed(&configuration), Ok(None));
        assert!(directory.listed(&[key_of("bruno")]).is_some());
    }
}
