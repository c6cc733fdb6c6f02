//! `roomd demo`: room server, broker and appliance in one process, without configuration.

mod terminal;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use roomd_server::{RunningServer, ServerConfig, config::UnlistedRole};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{self, BrokerError},
    cli::DemoArgs,
    config::{self, Config, ConfigError, Sources},
    daemon::{self, DaemonError},
};

/// Why the demo does not start.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The room server.
    #[error("the room server does not start: {0}")]
    Server(#[from] roomd_server::ServerError),
    /// The broker.
    #[error("{0}; choose another with --mqtt-port")]
    Broker(#[from] BrokerError),
    /// The defaults of the configuration, together with the environment, are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The appliance.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The folder that the demo lives in.
    #[error("cannot make a folder for the demo: {0}")]
    Folder(#[from] std::io::Error),
}

/// Runs the demo until `q`, Ctrl-C or `stop`.
///
/// # Errors
/// When a part cannot start.
pub async fn run(arguments: DemoArgs, stop: CancellationToken) -> Result<(), DemoError> {
    let server = start_server(&arguments).await?;
    let broker = broker::start(arguments.mqtt_port)?;
    let folder = tempfile::tempdir()?;
    let room = arguments.room.clone().unwrap_or_else(unguessable_room);
    let local = format!("http://localhost:{}/{room}", plain_port(&server));
    let config = configuration(&arguments, &local, broker, folder.path())?;
    let appliance = daemon::start(&config, None)?;

    let screen = terminal::Screen {
        local_page: local,
        page: format!("{}{room}", server.page_url()),
        fingerprint: server.fingerprint().map(str::to_owned),
        broker,
        device: config.device.id.to_string(),
        sources: sources(&config),
        read_keys: !arguments.no_keys,
    };
    terminal::run(&screen, &appliance, stop).await;
    println!("Leaving the room …");
    appliance.stop().await;
    server.shutdown().await;
    Ok(())
}

/// One address with TLS for the network, because browsers give their camera to secure pages only, and
/// one without for this machine.
async fn start_server(arguments: &DemoArgs) -> Result<RunningServer, DemoError> {
    let config = ServerConfig {
        listen: arguments.listen,
        plain_listen: Some(SocketAddr::from((
            Ipv4Addr::LOCALHOST,
            arguments.local_port,
        ))),
        // Nobody made the room beforehand, so everybody in it may try everything.
        unlisted_role: UnlistedRole::Host,
        ..ServerConfig::default()
    };
    Ok(roomd_server::start(config).await?)
}

fn plain_port(server: &RunningServer) -> u16 {
    server
        .plain_addr()
        .unwrap_or_else(|| server.local_addr())
        .port()
}

/// The server listens on the network, so the room's name is what keeps strangers out.
fn unguessable_room() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("demo-{}", &id[..8])
}

/// The demo's configuration is an ordinary one, so it shows what an ordinary one looks like.
fn configuration(
    arguments: &DemoArgs,
    room: &str,
    broker: SocketAddr,
    folder: &Path,
) -> Result<Config, DemoError> {
    let test = if arguments.test_media {
        "camera = \"test\"\nmicrophone = { test = { frequency = 440.0, level_dbfs = -30.0 } }\n"
    } else {
        ""
    };
    let loopback = !has_network();
    let state = folder.join("state");
    let text = format!(
        r#"[device]
id = "demo"
name = "Demo room"

[room]
url = "{room}"
initial_microphone = "on"
initial_camera = "on"

[media]
{test}screenshare = [{{ name = "test", source = "test" }}]
allow_loopback = {loopback}

[media.camera_encoding]
width = 640
height = 360

[mqtt]
brokers = ["mqtt://{broker}"]

[state]
dir = {state:?}
"#
    );
    let file = folder.join("roomd.toml");
    std::fs::write(&file, text)?;
    let sources = Sources {
        file,
        file_required: true,
        ..Sources::none()
    };
    Ok(config::load(&sources)?.config)
}

/// Without any network the two ends can only meet on the loopback interface.
fn has_network() -> bool {
    if_addrs::get_if_addrs().is_ok_and(|all| all.iter().any(|interface| !interface.is_loopback()))
}

fn sources(config: &Config) -> String {
    use roomd_media::settings::{AudioSource, VideoSource};
    let media = &config.media.settings;
    let camera = match &media.camera {
        VideoSource::Auto => "the first camera, or else a moving test picture",
        _ => "a moving test picture",
    };
    let microphone = match &media.microphone {
        AudioSource::Auto => "the default microphone, or else a test tone",
        _ => "a test tone",
    };
    format!("{camera}; {microphone}")
}
