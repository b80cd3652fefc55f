//! TLS of the listeners: rustls on the cryptography that the rest uses.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::client::install_tls;
use super::settings::Tls;

/// Reads the certificate and its key.
pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, String> {
    install_tls();
    let named = |file: &std::path::Path, what: &dyn std::fmt::Display| {
        format!("{}: {what}", file.display())
    };
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| named(&tls.certificate, &error))?;
    if chain.is_empty() {
        return Err(named(&tls.certificate, &"holds no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| named(&tls.key, &error))?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| named(&tls.certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
