//! How the application shows who it is: a client secret, or an assertion signed with its certificate.

use aws_lc_rs::digest::{SHA256, digest};
use cae_core::time::UnixTime;
use serde_json::json;

use super::encrypted::decryption_key;
use crate::encoding::percent_encoded;
use crate::serve::client::certificates;
use crate::serve::secret;
use crate::serve::settings::entra::{Credential, Entra};
use crate::signing::{SigningKey, fresh_id};

/// How long an assertion is good for, in seconds.
/// SPEC: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>: 5 to 10 minutes.
const ASSERTION: u64 = 300;

impl Entra {
    /// Where tokens are issued.
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.login, self.tenant)
    }

    /// The form of a token request (RFC 6749 §4.4, RFC 7523 §2.2).
    /// SPEC: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>.
    ///
    /// # Errors
    /// A file cannot be read, or holds no key that can sign.
    pub(crate) fn token_request(&self, now: UnixTime) -> Result<String, String> {
        let proof = match &self.credential {
            Credential::Secret(file) => {
                format!("client_secret={}", percent_encoded(&secret(file)?))
            }
            Credential::Certificate { .. } => {
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                format!(
                    "client_assertion_type={}&client_assertion={}",
                    percent_encoded(kind),
                    self.assertion(now)?
                )
            }
        };
        Ok(format!(
            "grant_type=client_credentials&client_id={}&scope={}&{proof}",
            percent_encoded(&self.client_id),
            percent_encoded(&format!("{}/.default", self.graph))
        ))
    }

    /// Everything that is wrong with the files that are named.
    pub(crate) fn file_faults(&self, now: UnixTime) -> Vec<String> {
        let encryption = self.notifications.as_ref();
        let encryption = encryption.and_then(|it| it.encryption.as_ref());
        let certificate = encryption.and_then(|(file, _)| certificates(file).err());
        let key = encryption.and_then(|(_, file)| decryption_key(file).err());
        let faults = self.token_request(now).err().into_iter();
        faults.chain(certificate).chain(key).collect()
    }

    fn assertion(&self, now: UnixTime) -> Result<String, String> {
        let Credential::Certificate {
            certificate,
            private_key,
        } = &self.credential
        else {
            return Err("no certificate is configured".to_owned());
        };
        let chain = certificates(certificate)?;
        let first = chain.first();
        let first =
            first.ok_or_else(|| format!("{}: holds no certificate", certificate.display()))?;
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(digest(&SHA256, first.der()).as_ref());
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", private_key.display());
        let pem = std::fs::read(private_key).map_err(|error| at(&error))?;
        let key = SigningKey::read(&pem, Some("PS256"), None).map_err(|error| at(&error))?;
        let claims = json!({
            "aud": self.token_endpoint(),
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": fresh_id().map_err(|error| at(&error))?,
            "nbf": now.as_secs(),
            "iat": now.as_secs(),
            "exp": now.as_secs().saturating_add(ASSERTION),
        });
        key.sign_as_certified(&thumbprint, &claims)
            .map_err(|error| at(&error))
    }
}
