//! HTTP: device credentials, organization, meetings, health, and the door to the WebSocket.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        ConnectInfo, DefaultBodyLimit, Path, Query, State, WebSocketUpgrade,
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use roomd_protocol::{
    SIGNAL_PATH, Secret,
    rest::{Meeting, Organization},
};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::{
    cors::{Any, CorsLayer},
    timeout::TimeoutLayer,
};
use url::Url;
use uuid::Uuid;

use crate::{
    clock::Now,
    config::Limits,
    ids::RandomIds,
    keys::Keys,
    meetings::{ExtraUrls, InvalidMeeting, MeetingRecord, read_fields, read_request},
    page,
    rate::peer,
    room_loop::{Command, Inbox},
    rooms::SocketId,
    session::Session,
    store::Store,
};

/// Largest body of an HTTP request in bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// Read buffer of a WebSocket in bytes; there is one per connection.
const READ_BUFFER: usize = 8 * 1024;

/// How long a call may take, the body that the caller sends included. WebSockets are not calls: they
/// begin when their call has ended.
const CALL: Duration = Duration::from_secs(10);

/// How long the health check waits for the room loop.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);

/// What the calls need.
pub(crate) struct Shared {
    pub(crate) inbox: Inbox,
    pub(crate) keys: Arc<Keys>,
    pub(crate) store: Store,
    pub(crate) api_key: Option<Secret>,
    pub(crate) base_url: Url,
    pub(crate) limits: Arc<Limits>,
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) next_socket: AtomicU64,
    pub(crate) sessions: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
}

type Calls = State<Arc<Shared>>;

/// All addresses of the server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("x-appearin-device-platform"),
            HeaderName::from_static("x-whereby-room-key"),
        ])
        .max_age(Duration::from_secs(3600));
    Router::new()
        .route("/devices", post(devices))
        // The SDK asks with an empty subdomain for addresses that have none.
        .route("/organization-subdomains/", get(no_subdomain))
        .route("/organization-subdomains//", get(no_subdomain))
        .route("/organization-subdomains/{subdomain}", get(organization))
        .route("/organization-subdomains/{subdomain}/", get(organization))
        .route("/v1/meetings", post(create_meeting))
        .route(
            "/v1/meetings/{meeting_id}",
            get(read_meeting).delete(delete_meeting),
        )
        .route("/healthz", get(health))
        .route(SIGNAL_PATH, get(signal))
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            CALL,
        ))
        .layer(cors)
        .with_state(shared)
}

/// Why a call was refused.
pub(crate) enum Refused {
    NoApiKey,
    WrongKey,
    NoSuchMeeting,
    Invalid(InvalidMeeting),
    TooManyMeetings,
    TooOften(Duration),
    TooManySockets,
    Transport,
    /// Something of the server's own failed; the log says what.
    Internal,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, body) = match &self {
            Self::NoApiKey => (
                StatusCode::FORBIDDEN,
                json!({ "error": "meetings are switched off",
                    "remedy": "set api_key in the configuration of the room server" }),
            ),
            Self::WrongKey => (
                StatusCode::UNAUTHORIZED,
                json!({ "error": "missing or wrong API key",
                    "remedy": "send the header Authorization: Bearer <api_key>" }),
            ),
            Self::NoSuchMeeting => (
                StatusCode::NOT_FOUND,
                json!({ "error": "there is no such meeting" }),
            ),
            Self::Invalid(invalid) => (
                StatusCode::BAD_REQUEST,
                json!({ "error": invalid.to_string(), "field": invalid.field,
                    "value": invalid.value, "remedy": invalid.remedy }),
            ),
            Self::TooManyMeetings => (
                StatusCode::TOO_MANY_REQUESTS,
                json!({ "error": "too many meetings",
                    "remedy": "delete some, or raise limits.meetings" }),
            ),
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                json!({ "error": "too many devices from this address" }),
            ),
            Self::TooManySockets => (
                StatusCode::SERVICE_UNAVAILABLE,
                json!({ "error": "too many connections",
                    "remedy": "try again later, or raise limits.sockets" }),
            ),
            Self::Transport => (
                StatusCode::BAD_REQUEST,
                json!({ "code": 0, "message": "Transport unknown: only EIO=4 over WebSocket" }),
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                json!({ "error": "the room server failed; its log says why" }),
            ),
        };
        let mut response = (status, Json(body)).into_response();
        let pause = match self {
            Self::TooOften(pause) => Some(pause.as_secs()),
            Self::TooManyMeetings => Some(60),
            _ => None,
        };
        if let Some(seconds) = pause {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Logs a failure of the server's own.
fn internal(error: impl std::fmt::Display) -> Refused {
    tracing::error!(%error, "a call failed");
    Refused::Internal
}

async fn devices(
    State(shared): Calls,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
) -> Result<Response, Refused> {
    let address = peer(address.ip());
    let may = shared
        .inbox
        .ask(|reply| Command::MayRegister { address, reply })
        .await
        .map_err(internal)?;
    may.map_err(Refused::TooOften)?;
    let uuid = Uuid::new_v4().to_string().into();
    Ok(Json(shared.keys.device_credentials(uuid)).into_response())
}

async fn no_subdomain() -> Json<Organization> {
    describe("")
}

async fn organization(Path(subdomain): Path<String>) -> Json<Organization> {
    describe(&subdomain)
}

/// There is one organization, whatever it is asked for as.
fn describe(subdomain: &str) -> Json<Organization> {
    Json(Organization {
        organization_id: "1".to_owned(),
        organization_name: "roomd".to_owned(),
        subdomain: subdomain.to_owned(),
        permissions: serde_json::Map::new(),
        limits: serde_json::Map::new(),
    })
}

impl Shared {
    fn check_key(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(key) = &self.api_key else {
            return Err(Refused::NoApiKey);
        };
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
            .unwrap_or_default();
        if shown.ct_eq(key.reveal().as_bytes()).into() {
            Ok(())
        } else {
            Err(Refused::WrongKey)
        }
    }

    /// Makes a meeting after the body of a request: stored first, then in force.
    pub(crate) async fn make_meeting(&self, body: &[u8]) -> Result<Meeting, Refused> {
        let now = Now::read();
        let (request, end, extra) = read_request(body, now).map_err(Refused::Invalid)?;
        let meeting = MeetingRecord::new(now, &request, end, &mut RandomIds);
        self.store.put(meeting.clone()).await.map_err(internal)?;
        let answer = self.answer(&meeting, extra);
        let meeting_id = meeting.meeting_id.clone();
        let is_added = self
            .inbox
            .ask(|reply| Command::AddMeeting { meeting, reply })
            .await
            .map_err(internal)?;
        if is_added {
            Ok(answer)
        } else {
            self.store.delete(meeting_id).await.map_err(internal)?;
            Err(Refused::TooManyMeetings)
        }
    }

    fn answer(&self, meeting: &MeetingRecord, extra: ExtraUrls) -> Meeting {
        meeting.to_answer(&self.base_url, &self.keys, extra)
    }
}

async fn create_meeting(
    State(shared): Calls,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    shared.check_key(&headers)?;
    let meeting = shared.make_meeting(&body).await?;
    Ok((StatusCode::CREATED, Json(meeting)).into_response())
}

async fn read_meeting(
    State(shared): Calls,
    headers: HeaderMap,
    Path(meeting_id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Meeting>, Refused> {
    shared.check_key(&headers)?;
    let meeting = shared
        .inbox
        .ask(|reply| Command::Meeting { meeting_id, reply })
        .await
        .map_err(internal)?
        .ok_or(Refused::NoSuchMeeting)?;
    let extra = query.get("fields").map(|fields| read_fields(fields));
    Ok(Json(shared.answer(&meeting, extra.unwrap_or_default())))
}

async fn delete_meeting(
    State(shared): Calls,
    headers: HeaderMap,
    Path(meeting_id): Path<String>,
) -> Result<StatusCode, Refused> {
    shared.check_key(&headers)?;
    let id = meeting_id.clone();
    let existed = shared
        .inbox
        .ask(|reply| Command::RemoveMeeting { meeting_id, reply })
        .await
        .map_err(internal)?;
    if !existed {
        return Err(Refused::NoSuchMeeting);
    }
    shared.store.delete(id).await.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Shared {
    /// How many there are of everything, `None` when the room loop does not answer in time.
    pub(crate) async fn census(&self) -> Option<crate::rooms::Census> {
        let question = self.inbox.ask(|reply| Command::Census { reply });
        tokio::time::timeout(HEALTH_PATIENCE, question)
            .await
            .ok()?
            .ok()
    }
}

/// Healthy means that the room loop answers.
async fn health(State(shared): Calls) -> Response {
    let Some(census) = shared.census().await else {
        let body = json!({ "status": "failing", "reason": "the room loop does not answer" });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    };
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": shared.started.elapsed().as_secs(),
        "rooms": census.rooms,
        "clients": census.clients,
        "sockets": census.sockets,
        "meetings": census.meetings,
    }))
    .into_response()
}

async fn signal(
    State(shared): Calls,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let is = |name, value: &str| query.get(name).is_some_and(|shown| shown == value);
    let upgrade = upgrade
        .ok()
        .filter(|_| is("EIO", "4") && is("transport", "websocket"))
        .ok_or(Refused::Transport)?;
    let place = Arc::clone(&shared.sockets)
        .try_acquire_owned()
        .map_err(|_| Refused::TooManySockets)?;
    let session = Session {
        peer: peer(address.ip()),
        socket: SocketId(shared.next_socket.fetch_add(1, Ordering::Relaxed)),
        inbox: shared.inbox.clone(),
        limits: Arc::clone(&shared.limits),
        stop: shared.stop.clone(),
    };
    let sessions = shared.sessions.clone();
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(shared.limits.message_bytes)
        .max_frame_size(shared.limits.message_bytes)
        .on_upgrade(move |websocket| sessions.track_future(session.run(websocket, place))))
}
