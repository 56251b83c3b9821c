//! TLS between nodes: each shows a certificate, and takes only what one authority has signed. Neither side trusts anything else.

use std::fmt;
use std::io::Read;
use std::path::Path;

use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

use crate::Error;
use crate::limits::{HANDSHAKE, PEM_BYTES};

/// What a node shows and what it trusts, as PEM.
#[derive(Clone)]
pub struct Tls {
    /// Of the authority that signs nodes' certificates.
    pub authority: Vec<u8>,
    /// This node's, with what stands between it and the authority.
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
    /// The name all nodes' certificates carry. Without one, each carries the host its address names.
    pub name: Option<String>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    pub fn read(authority: &Path, certificate: &Path, key: &Path) -> Result<Self, Error> {
        Ok(Self { authority: read(authority)?, certificate: read(certificate)?, key: read(key)?, name: None })
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }

    pub(crate) fn client(&self) -> ClientTlsConfig {
        let config = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.authority))
            .identity(self.identity())
            .timeout(HANDSHAKE);
        match &self.name {
            Some(name) => config.domain_name(name),
            None => config,
        }
    }

    pub(crate) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .client_ca_root(Certificate::from_pem(&self.authority))
            .identity(self.identity())
            .timeout(HANDSHAKE)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(PEM_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
