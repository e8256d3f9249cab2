//! A server of TLS 1.3 by rustls, for measuring what its records show: `rustls_server CHAIN KEY PORT`.
//!
//! It serves the certificates of a PEM file to whoever comes, one after the other, until it is ended.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: rustls_server CHAIN KEY PORT")
    };
    let chain = CertificateDer::pem_file_iter(next()?)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(next()?)?;
    let port: u16 = next()?.parse()?;
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let config = Arc::new(config);
    for stream in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        // A client that leaves is no fault of the server.
        drop(serve(stream?, &config));
    }
    Ok(())
}

fn serve(stream: TcpStream, config: &Arc<ServerConfig>) -> Result<(), Box<dyn Error>> {
    let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(config))?, stream);
    // The handshake ends before the first byte is read.
    let read = tls.read(&mut [0; 100]);
    tls.conn.send_close_notify();
    tls.flush()?;
    read?;
    Ok(())
}
