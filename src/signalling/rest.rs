//! The two HTTP calls before a join, retried until they succeed.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::{Client, StatusCode};
use roomd_protocol::{RoomUrl, records::DeviceCredentials, rest::Organization};
use thiserror::Error;
use tokio::sync::{Notify, mpsc::UnboundedSender};

use crate::{Event, backoff::Backoff, credentials::CredentialsFile, endpoints::Endpoints, tls};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The header that tells the API what kind of program asks.
const PLATFORM_HEADER: &str = "X-Appearin-Device-Platform";

/// The HTTP side of a service.
#[derive(Clone, Debug)]
pub struct Rest {
    http: Client,
    endpoints: Endpoints,
    credentials: Option<CredentialsFile>,
    /// Told when a call that waits for its next try need not wait.
    hurry: Arc<Notify>,
}

/// Why a call failed.
#[derive(Debug, Error)]
enum CallError {
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} answers with status {status}")]
    Status { url: String, status: StatusCode },
    #[error("{url} does not answer as a room service does: {reason}")]
    Nonsense { url: String, reason: String },
}

impl Rest {
    /// A client for these endpoints.
    ///
    /// # Errors
    /// When the HTTP library refuses the TLS configuration.
    pub fn new(
        tls: Arc<rustls::ClientConfig>,
        endpoints: Endpoints,
        credentials: Option<PathBuf>,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .timeout(TIMEOUT)
            .user_agent(concat!("roomd/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            http,
            endpoints,
            credentials: credentials.map(CredentialsFile::at),
            hurry: Arc::default(),
        })
    }

    /// Calls that wait for their next try are tried now: the network is another one.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_waiters();
    }

    /// The device's credentials: the stored ones, or new ones that are stored then.
    pub(crate) async fn device_credentials(
        &self,
        room: &RoomUrl,
        events: &UnboundedSender<Event>,
    ) -> DeviceCredentials {
        let api = self.endpoints.api_for(room);
        if let Some(credentials) = self.credentials.as_ref().and_then(|file| file.load(&api)) {
            return credentials;
        }
        let mut backoff = Backoff::for_rest();
        loop {
            match self.create_device(&api).await {
                Ok(credentials) => {
                    if let Some(file) = &self.credentials
                        && let Err(error) = file.store(&api, &credentials)
                    {
                        tracing::warn!(%error, "the device credentials cannot be kept; this box will look like a new one after a restart");
                    }
                    return credentials;
                }
                Err(error) => self.wait(&mut backoff, &error, events).await,
            }
        }
    }

    /// The id of the organization that the room's host belongs to; `None` when there is none.
    pub(crate) async fn organization(
        &self,
        room: &RoomUrl,
        device: &DeviceCredentials,
        events: &UnboundedSender<Event>,
    ) -> Option<String> {
        let mut backoff = Backoff::for_rest();
        loop {
            match self.find_organization(room, device).await {
                Ok(organization) => return organization.map(|found| found.organization_id),
                Err(error) => self.wait(&mut backoff, &error, events).await,
            }
        }
    }

    async fn create_device(&self, api: &str) -> Result<DeviceCredentials, CallError> {
        let url = format!("{api}/devices");
        let request = self.http.post(&url).header(PLATFORM_HEADER, "web");
        read(&url, request).await?.ok_or(CallError::Status {
            url,
            status: StatusCode::NOT_FOUND,
        })
    }

    async fn find_organization(
        &self,
        room: &RoomUrl,
        device: &DeviceCredentials,
    ) -> Result<Option<Organization>, CallError> {
        let api = self.endpoints.api_for(room);
        let url = format!(
            "{api}/organization-subdomains/{}/?fields=permissions,account,onboardingSurvey",
            room.subdomain()
        );
        let request = self
            .http
            .get(&url)
            .header(PLATFORM_HEADER, "web")
            .basic_auth(device.credentials.uuid.as_str(), Some(device.hmac.reveal()));
        read(&url, request).await
    }

    async fn wait(
        &self,
        backoff: &mut Backoff,
        error: &CallError,
        events: &UnboundedSender<Event>,
    ) {
        let delay = backoff.next_delay();
        let retrying = Event::Retrying {
            attempt: backoff.failures(),
            delay,
            error: error.to_string(),
        };
        if events.send(retrying).is_ok() {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.hurry.notified() => backoff.reset(),
            }
        }
    }
}

/// Sends a request and reads its JSON body; `None` for 404.
async fn read<T: serde::de::DeserializeOwned>(
    url: &str,
    request: reqwest::RequestBuilder,
) -> Result<Option<T>, CallError> {
    let unreachable = |error: reqwest::Error| CallError::Unreachable {
        url: url.to_owned(),
        reason: tls::untrusted(&error).unwrap_or_else(|| innermost(&error)),
    };
    let response = request.send().await.map_err(unreachable)?;
    match response.status() {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => {
            let body = response.bytes().await.map_err(unreachable)?;
            serde_json::from_slice(&body)
                .map(Some)
                .map_err(|error| CallError::Nonsense {
                    url: url.to_owned(),
                    reason: error.to_string(),
                })
        }
        status => Err(CallError::Status {
            url: url.to_owned(),
            status,
        }),
    }
}

/// The cause that says most: "connection refused" rather than "error sending request".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_for_its_next_try_can_be_hurried() {
        let tls = tls::client_config(None).unwrap();
        let rest = Rest::new(tls, Endpoints::default(), None).unwrap();
        let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let mut backoff = Backoff::for_rest();
        let error = CallError::Nonsense {
            url: String::new(),
            reason: String::new(),
        };
        for _ in 0..10 {
            backoff.next_delay();
        }
        let began = tokio::time::Instant::now();
        let other = rest.clone();
        tokio::join!(rest.wait(&mut backoff, &error, &events), async {
            heard.recv().await.unwrap();
            other.hurry();
        });
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(backoff.failures(), 0);
    }
}
