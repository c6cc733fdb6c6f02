//! Starting and ending the server: the only place that knows every part.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    sync::{Arc, atomic::AtomicU64},
    thread::JoinHandle as ThreadHandle,
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle, Server,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use roomd_protocol::rest::Meeting;
use thiserror::Error;
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{
    certificate::{self, CertificateError},
    clock::Now,
    config::{ConfigError, ServerConfig, TlsMode},
    ids::RandomIds,
    keys::Keys,
    meetings::InvalidMeeting,
    rate::PerAddress,
    recorder::{Place, Recorders},
    rest::{Refused, Shared, router},
    room_loop::RoomLoop,
    rooms::{RoomSettings, Rooms, Services},
    store::{self, StoreError},
};

/// How long connections may take to end on shutdown.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a new connection may take to say what it wants.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// How long a connection may take to send the head of a further request.
const NEXT_REQUEST: Duration = Duration::from_secs(30);

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// A value of the configuration cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; choose another address or port, or stop what uses it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The address of the server has no form as a URL.
    #[error("cannot make a URL of {0}: set public_url")]
    Url(String),
}

/// Why [`RunningServer::make_meeting`] failed.
#[derive(Debug, Error)]
pub enum MeetingError {
    /// The request is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidMeeting),
    /// There are as many meetings as `limits.meetings` allows.
    #[error("too many meetings: delete some, or raise limits.meetings")]
    TooMany,
    /// The meeting could not be stored; the log says why.
    #[error("the meeting could not be stored; the log says why")]
    Internal,
}

/// A server that runs until [`RunningServer::shutdown`]. Dropping it ends it at once, without a
/// word to its clients.
pub struct RunningServer {
    local_addr: SocketAddr,
    plain_addr: Option<SocketAddr>,
    page_url: Url,
    fingerprint: Option<String>,
    shared: Arc<Shared>,
    listeners: Vec<(Handle<SocketAddr>, JoinHandle<io::Result<()>>)>,
    recorders: TaskTracker,
    room_loop: JoinHandle<()>,
    store_thread: Option<ThreadHandle<()>>,
}

/// Starts the server.
///
/// # Errors
/// When the configuration is wrong, or address, certificate or database cannot be used.
pub async fn start(config: ServerConfig) -> Result<RunningServer, ServerError> {
    config.check()?;
    let now = Now::read();
    let opened = store::open(config.state_dir.as_deref())?;
    let names = certificate::own_names();
    let certificate = certificate::load(&config.tls, config.state_dir.as_deref(), names, now.wall)?;
    let (listener, local_addr) = bind(config.listen)?;
    let plain = config.plain_listen.map(bind).transpose()?;
    let page_url = match &config.public_url {
        Some(url) => url.clone(),
        None => reachable(local_addr, certificate.is_some())?,
    };

    let keys = Arc::new(Keys::new(&opened.signing_key));
    let limits = Arc::new(config.limits.clone());
    let settings = RoomSettings {
        limits: config.limits.clone(),
        grace: config.grace,
        claim_lifetime: config.claim_lifetime,
        allow_unlisted_rooms: config.allow_unlisted_rooms,
        unlisted_role: config.unlisted_role.into(),
        unlisted_mode: config.unlisted_mode.into(),
        ice_servers: config.ice_servers.clone(),
    };
    let rooms = Rooms::new(
        settings,
        Arc::clone(&keys),
        Box::new(RandomIds),
        opened.meetings,
    )
    .with_services(Services {
        assistant_key: config.assistant_key.clone(),
        has_recorder: !config.recorder_command.is_empty(),
    });
    let registrations = PerAddress::new(limits.devices_per_minute);
    let stop = CancellationToken::new();
    let recorders = TaskTracker::new();
    let plain_addr = plain.as_ref().map(|(_, address)| *address);
    let recorder = (!config.recorder_command.is_empty()).then(|| {
        let command = config.recorder_command.clone();
        let place = for_recorders(&config, local_addr, plain_addr, &page_url);
        Recorders::new(command, place, stop.clone(), recorders.clone())
    });
    let (inbox, run) =
        RoomLoop::new(rooms, registrations, limits.meetings, opened.store.clone()).start(recorder);
    let room_loop = tokio::spawn(run);
    let shared = Arc::new(Shared {
        inbox,
        keys,
        store: opened.store,
        api_key: config.api_key.clone(),
        base_url: page_url.clone(),
        sockets: Arc::new(Semaphore::new(limits.sockets)),
        limits,
        next_socket: AtomicU64::new(1),
        sessions: TaskTracker::new(),
        stop,
        started: now.monotonic,
    });

    let app = router(Arc::clone(&shared));
    let fingerprint = certificate.as_ref().map(|c| c.fingerprint.clone());
    let tls = certificate.map(|c| RustlsConfig::from_config(c.rustls));
    let mut listeners = vec![serve(listener, local_addr, tls, app.clone())?];
    if let Some((listener, address)) = plain {
        listeners.push(serve(listener, address, None, app)?);
    }
    tracing::info!(%local_addr, url = %page_url, "the room server listens");
    Ok(RunningServer {
        local_addr,
        plain_addr,
        page_url,
        fingerprint,
        shared,
        listeners,
        recorders,
        room_loop,
        store_thread: opened.thread,
    })
}

impl RunningServer {
    /// The address of `listen`, with the port that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The address of `plain_listen`, if there is one.
    #[must_use]
    pub fn plain_addr(&self) -> Option<SocketAddr> {
        self.plain_addr
    }

    /// Where people find the room page; a room is at `<page URL><room name>`.
    #[must_use]
    pub fn page_url(&self) -> &Url {
        &self.page_url
    }

    /// SHA-256 of the certificate as browsers show it, `None` without TLS.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Makes a meeting as `POST /v1/meetings` does, without the API key. `request` is that call's
    /// body.
    ///
    /// # Errors
    /// When the request is wrong, there are too many meetings or the database fails.
    pub async fn make_meeting(&self, request: &serde_json::Value) -> Result<Meeting, MeetingError> {
        let body = request.to_string();
        self.shared
            .make_meeting(body.as_bytes())
            .await
            .map_err(|refused| match refused {
                Refused::Invalid(invalid) => MeetingError::Invalid(invalid),
                Refused::TooManyMeetings => MeetingError::TooMany,
                _ => MeetingError::Internal,
            })
    }

    /// Whether the room loop answers, as `GET /healthz` asks it.
    pub async fn is_healthy(&self) -> bool {
        self.shared.census().await.is_some()
    }

    /// Ends the server: every client is told to come back later (WebSocket code 1012), nobody is
    /// accepted any more, the database is closed. Takes 2 s at most where clients do not answer, and
    /// as long as recorders need to finish their files, 20 s at most.
    pub async fn shutdown(self) {
        let Self {
            shared,
            listeners,
            recorders,
            room_loop,
            store_thread,
            ..
        } = self;
        for (handle, _) in &listeners {
            handle.graceful_shutdown(Some(FAREWELL));
        }
        shared.stop.cancel();
        shared.sessions.close();
        if tokio::time::timeout(FAREWELL, shared.sessions.wait())
            .await
            .is_err()
        {
            tracing::warn!("some clients did not take their farewell");
        }
        // Each kills its process when that takes too long.
        recorders.close();
        recorders.wait().await;
        for (_, task) in listeners {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a listening address failed"),
                Err(error) => tracing::error!(%error, "the task of a listening address failed"),
            }
        }
        room_loop.abort();
        // Ends by cancellation, and with it the last use of the store.
        let _ = room_loop.await;
        drop(shared);
        if let Some(thread) = store_thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the thread of the database failed");
            }
        }
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    listen().map_err(|source| ServerError::Listen { address, source })
}

fn serve(
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
    app: Router,
) -> Result<(Handle<SocketAddr>, JoinHandle<io::Result<()>>), ServerError> {
    let handle = Handle::new();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum_server::from_tcp(listener)
        .map_err(|source| ServerError::Listen { address, source })?;
    let server = patient(server).handle(handle.clone());
    // Frames are small and each is wanted at once: none waits until the one before is acknowledged.
    let acceptor = NoDelayAcceptor::new();
    let task = match tls {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).acceptor(acceptor);
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
        None => tokio::spawn(server.acceptor(acceptor).serve(service)),
    };
    Ok((handle, task))
}

/// Where recorders, which run on this machine, find the server: without encryption where it serves
/// that, else under the address and with the certificate that people use.
fn for_recorders(
    config: &ServerConfig,
    local_addr: SocketAddr,
    plain_addr: Option<SocketAddr>,
    page_url: &Url,
) -> Place {
    let is_plain = matches!(config.tls, TlsMode::Off);
    let plain = plain_addr.or(is_plain.then_some(local_addr));
    let on_this_machine = plain.and_then(|address| {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Url::parse(&format!("http://{}/", SocketAddr::new(ip, address.port()))).ok()
    });
    let own = matches!(config.tls, TlsMode::SelfSigned).then_some(config.state_dir.as_ref());
    match on_this_machine {
        Some(url) => Place { url, ca_file: None },
        None => Place {
            url: page_url.clone(),
            ca_file: own.flatten().map(|dir| dir.join(certificate::CHAIN_FILE)),
        },
    }
}

/// The server with its patience for requests.
fn patient(server: Server<SocketAddr>) -> Server<SocketAddr> {
    let mut server = server.first_request_timeout(FIRST_REQUEST);
    server
        .http_builder()
        .http1()
        .header_read_timeout(NEXT_REQUEST);
    server
}

/// The URL of a listening address; where it listens on all, a LAN address of this machine.
fn reachable(address: SocketAddr, is_encrypted: bool) -> Result<Url, ServerError> {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => certificate::lan_addresses()
            .into_iter()
            .next()
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ip => ip,
    };
    let scheme = if is_encrypted { "https" } else { "http" };
    let text = format!("{scheme}://{}/", SocketAddr::new(ip, address.port()));
    Url::parse(&text).map_err(|_| ServerError::Url(text))
}
