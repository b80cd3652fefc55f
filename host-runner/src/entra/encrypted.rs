//! Resource data in notifications: encrypted for our certificate, with tokens that say that Graph sent them.
//!
//! SPEC: <https://learn.microsoft.com/graph/change-notifications-with-resource-data>.

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cae_core::json::{self, Limits, Value};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ureq::http::Method;

use super::host::Host;
use crate::encoding::hexadecimal_of;
use crate::serve::client::Ask;
use crate::serve::settings::entra::Entra;
use crate::signature::install_provider;
use crate::signing::SigningKey;
use crate::text::word;

/// The application that sends notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// How long fetched keys are used.
const FRESH: Duration = Duration::from_secs(86_400);
/// The shortest time between two fetches.
const GAP: Duration = Duration::from_secs(300);

/// Names a certificate in its subscription.
pub(crate) fn certificate_id(der: &[u8]) -> String {
    let digest = digest(&SHA256, der);
    let half: Vec<u8> = digest.as_ref().iter().take(16).copied().collect();
    hexadecimal_of(&half)
}

/// Decrypts resource data with our private key.
///
/// # Errors
/// It is not for us, or not whole.
pub(crate) fn decrypt(content: &Value, private_key: &Path) -> Result<Value, String> {
    let key = decryption_key(private_key)?;
    open(content, &key).ok_or_else(|| "resource data that is not encrypted for this key".to_owned())
}

/// Our private key in PKCS #8.
///
/// # Errors
/// The file cannot be read, or holds no key of RSA.
pub(crate) fn decryption_key(file: &Path) -> Result<Vec<u8>, String> {
    let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let key = SigningKey::read(&pem, None, None).ok();
    let key = key.and_then(|key| key.rsa_pkcs8());
    key.ok_or_else(|| format!("{}: holds no RSA key", file.display()))
}

fn open(content: &Value, pkcs8: &[u8]) -> Option<Value> {
    let bytes = |name: &str| STANDARD.decode(word(content, name)?).ok();
    let (data, signature, wrapped) = (bytes("data")?, bytes("dataSignature")?, bytes("dataKey")?);
    let rsa = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
    let rsa = OaepPrivateDecryptingKey::new(rsa).ok()?;
    let mut room = vec![0; rsa.min_output_size()];
    let key = rsa
        .decrypt(&OAEP_SHA1_MGF1SHA1, &wrapped, &mut room, None)
        .ok()?;
    // In constant time, and before anything is decrypted.
    let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&mac, &data, &signature).ok()?;
    let vector: [u8; 16] = *key.first_chunk()?;
    let key = UnboundCipherKey::new(&AES_256, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut data = data;
    let context = DecryptionContext::Iv128(FixedLength::from(&vector));
    let plain = key.decrypt(&mut data, context).ok()?;
    json::parse(plain, Limits::EVENT).ok()
}

/// The keys with which Entra signs the tokens beside resource data.
#[derive(Debug, Default)]
pub(crate) struct PublisherKeys {
    keys: Option<JwkSet>,
    fetched: Option<Duration>,
}

impl PublisherKeys {
    /// Whether every token says that Graph sent this to us. There has to be one.
    ///
    /// # Errors
    /// The keys cannot be fetched just now, so nobody knows.
    pub(crate) fn vouch(
        &mut self,
        host: &dyn Host,
        settings: &Entra,
        tokens: &[String],
    ) -> Result<bool, String> {
        if tokens.is_empty() {
            return Ok(false);
        }
        install_provider();
        for token in tokens {
            let Some(kid) = jsonwebtoken::decode_header(token)
                .ok()
                .and_then(|it| it.kid)
            else {
                return Ok(false);
            };
            self.refresh(host, settings, &kid)?;
            let key = self.keys.as_ref().and_then(|keys| keys.find(&kid));
            let Some(key) = key.and_then(|key| DecodingKey::from_jwk(key).ok()) else {
                return Ok(false);
            };
            if !is_publisher(token, &key, settings, host.now().as_secs()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn refresh(&mut self, host: &dyn Host, settings: &Entra, kid: &str) -> Result<(), String> {
        let age = self.fetched.map(|at| host.elapsed().saturating_sub(at));
        let has = self
            .keys
            .as_ref()
            .is_some_and(|keys| keys.find(kid).is_some());
        if age.is_some_and(|age| age < GAP || has && age < FRESH) {
            return Ok(());
        }
        self.fetched = Some(host.elapsed());
        let url = format!("{}/{}/discovery/v2.0/keys", settings.login, settings.tenant);
        let reply = host.send(Ask {
            method: Method::GET,
            url: &url,
            authorization: None,
            headers: &[],
            body: None,
        });
        let reply = reply.map_err(|error| error.to_string())?;
        let keys = serde_json::from_slice(&reply.body);
        self.keys = Some(keys.map_err(|_| "the keys of Entra cannot be read".to_owned())?);
        Ok(())
    }
}

/// SPEC: the page above, "Validation tokens in the change notification".
fn is_publisher(token: &str, key: &DecodingKey, settings: &Entra, now: u64) -> bool {
    #[derive(serde::Deserialize)]
    struct Claims {
        tid: Option<String>,
        azp: Option<String>,
        appid: Option<String>,
        exp: u64,
    }
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[&settings.client_id]);
    // Against the host's time, below.
    validation.validate_exp = false;
    let Ok(read) = jsonwebtoken::decode::<Claims>(token, key, &validation) else {
        return false;
    };
    let claims = read.claims;
    let from = claims.azp.or(claims.appid);
    from.as_deref() == Some(PUBLISHER)
        && claims
            .tid
            .is_some_and(|tid| tid.eq_ignore_ascii_case(&settings.tenant))
        && claims.exp > now.saturating_sub(300)
}
