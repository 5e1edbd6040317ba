//! TLS on loopback: a certificate authority of a test's own, a certificate for 127.0.0.1, and a listener that shows it.

use std::{
    error::Error,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::NamedTempFile;
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
    server::TlsStream,
};

use crate::wire::{Connection, Cuttable, Wire};

/// Connections whose handshake is done and which nobody took yet.
const WAITING: usize = 64;

/// What a server shows, and what a client must trust for it.
pub(crate) struct Identity {
    acceptor: TlsAcceptor,
    /// PEM file of the authority's certificate. It goes with the value.
    pub authority: NamedTempFile,
}

impl Identity {
    /// Makes an authority and a certificate of it for 127.0.0.1. No key is ever written.
    pub fn new() -> io::Result<Self> {
        let (config, pem) = Self::made().map_err(io::Error::other)?;
        let mut authority = NamedTempFile::with_prefix("labelstream-simulator-")?;
        authority.write_all(pem.as_bytes())?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority })
    }

    fn made() -> Result<(ServerConfig, String), Box<dyn Error + Send + Sync>> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let server = CertificateParams::new([Ipv4Addr::LOCALHOST.to_string()])?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], key)?;
        Ok((config, authority.pem()))
    }

    /// Shows the certificate to who connects to `listener`.
    pub fn listen(&self, listener: TcpListener) -> io::Result<TlsListener> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(WAITING);
        let acceptor = self.acceptor.clone();
        tokio::spawn(async move {
            let mut listener = Cuttable(listener);
            let mut handshakes = JoinSet::new();
            loop {
                tokio::select! {
                    (connection, peer) = listener.accept() => {
                        let (acceptor, sender) = (acceptor.clone(), sender.clone());
                        handshakes.spawn(async move {
                            // Who does not get through it is told by the handshake itself, and is no connection.
                            if let Ok(stream) = acceptor.accept(connection).await {
                                drop(sender.send((stream, peer)).await);
                            }
                        });
                    }
                    Some(_) = handshakes.join_next() => {}
                    () = sender.closed() => break,
                }
            }
        });
        Ok(TlsListener { ready, address })
    }
}

/// Connections whose handshake is done. It stops listening when it is dropped.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<Connection>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for TlsListener {
    type Io = TlsStream<Connection>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The runtime is ending.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        stream.io().get_ref().0.wire().clone()
    }
}
