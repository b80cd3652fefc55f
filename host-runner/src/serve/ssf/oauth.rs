//! OAuth client credentials (RFC 6749 §4.4) for requests to a transmitter.

use std::time::{Duration, Instant};

use cae_core::json::Value;
use ureq::http::{Method, StatusCode};

use super::super::client::{Client, PATIENCE};
use super::super::settings::Credentials;
use super::SsfError;
use crate::encoding::percent_encoded;
use crate::serve::secret;

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);

/// The access token that was issued last.
#[derive(Default)]
pub(crate) struct Authority {
    token: Option<(String, Instant)>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// The value of `Authorization`; nothing if there are no credentials.
    pub(super) fn header(
        &mut self,
        client: &Client,
        credentials: Option<&Credentials>,
    ) -> Result<Option<String>, SsfError> {
        match credentials {
            None => Ok(None),
            // Read every time: it may be replaced while the service runs.
            Some(Credentials::Token(file)) => {
                let token = secret(file).map_err(SsfError::Unreachable)?;
                Ok(Some(format!("Bearer {token}")))
            }
            Some(Credentials::Client {
                token_endpoint,
                client_id,
                client_secret,
                scope,
            }) => {
                if let Some((token, until)) = &self.token
                    && Instant::now() < *until
                {
                    return Ok(Some(format!("Bearer {token}")));
                }
                let client_secret = secret(client_secret).map_err(SsfError::Unreachable)?;
                let mut form = "grant_type=client_credentials".to_owned();
                if let Some(scope) = scope {
                    form.push_str("&scope=");
                    form.push_str(&percent_encoded(scope));
                }
                let basic = basic(client_id, &client_secret);
                let (token, lifetime) = issued(client, token_endpoint, &basic, form)?;
                // Not to the last second: it also has to get there.
                let lifetime = lifetime
                    .saturating_sub(lifetime.checked_div(5).unwrap_or_default().min(MARGIN));
                let until = Instant::now().checked_add(lifetime);
                self.token = until.map(|until| (token.clone(), until));
                Ok(Some(format!("Bearer {token}")))
            }
        }
    }

    /// Forgets a token that was refused; says whether there was one.
    pub(super) fn forget(&mut self) -> bool {
        self.token.take().is_some()
    }
}

fn issued(
    client: &Client,
    endpoint: &str,
    basic: &str,
    form: String,
) -> Result<(String, Duration), SsfError> {
    let body = Some(("application/x-www-form-urlencoded", form));
    let reply = client.send(Method::POST, endpoint, Some(basic), body, PATIENCE)?;
    if reply.status != StatusCode::OK {
        let status = reply.status.as_u16();
        return Err(SsfError::Answer(format!(
            "the token endpoint answers {status}: look at `clientId` and `clientSecretFile`"
        )));
    }
    let document = reply.json().unwrap_or_default();
    let token = document.get("access_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| {
        SsfError::Answer("the token endpoint issues no `access_token`".to_owned())
    })?;
    let lifetime = document
        .get("expires_in")
        .and_then(Value::as_u64)
        .unwrap_or(300);
    Ok((token.to_owned(), Duration::from_secs(lifetime)))
}

/// SPEC: RFC 6749 §2.3.1: both are form-encoded first.
fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let text = format!("{}:{}", percent_encoded(id), percent_encoded(secret));
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}
