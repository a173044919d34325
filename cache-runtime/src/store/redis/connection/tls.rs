//! `rediss://`: TLS with the certificates that the system trusts.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::store::redis::connection::error::{Cause, shortened};

/// Makes `stream` a TLS connection to `host`.
pub(in crate::store) async fn client(
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Cause> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| unusable("the host is no name that a certificate could be for"))?;
    let connected = TlsConnector::from(config().await?).connect(name, stream).await;
    connected.map_err(|error| match error.kind() {
        // Errors of rustls itself: certificate, name, protocol.
        io::ErrorKind::InvalidData => Cause::Tls(shortened(format!(
            "the server's certificate is not trusted, or it speaks no TLS: {error}"
        ))),
        _ => error.into(),
    })
}

/// The system's certificates are read once, away from the runtime: that is file access. The
/// provider is named here, since a process-wide default may not have been chosen, or twice.
async fn config() -> Result<Arc<ClientConfig>, Cause> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    });
    let roots = read.await.map_err(|_| unusable("the system's certificates could not be read"))?;
    if roots.is_empty() {
        return Err(unusable("the system has no trusted certificates"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable("TLS cannot be set up"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

fn unusable(why: &str) -> Cause {
    Cause::Tls(why.to_owned())
}
