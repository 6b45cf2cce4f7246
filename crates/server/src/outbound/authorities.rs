//! Whose signature is believed besides that of the public authorities.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::edge::tls::TlsError;

/// Reads the certificates of a PEM file.
///
/// # Errors
/// A file that cannot be read, is broken, or has no certificate in it.
pub fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = std::fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let read = read.map_err(|_| TlsError::Broken { what: "certificate", path: path.to_owned() })?;
    if read.is_empty() {
        return Err(TlsError::NothingInIt { what: "certificate", path: path.to_owned() });
    }
    Ok(read)
}
