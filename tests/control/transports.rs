//! The ways to a broker: TLS with an authority and an identity of one's own, WebSocket, and both.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use roomd::mqtt::{MqttConfig, MqttStatus};
use tempfile::TempDir;

use crate::{appliance::Appliance, broker::Broker, controller::Controller};

/// An authority's certificate, and a broker's and a box's signed by it, as files.
struct Authority {
    folder: TempDir,
}

impl Authority {
    fn new(called: &str) -> Self {
        let folder = TempDir::new().unwrap();
        // mosquitto gives root's rights away before it reads them.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, called);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        for (name, subject, mode) in [("broker", "127.0.0.1", 0o644), ("box", "wall", 0o600)] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new([subject.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            let signed = params.signed_by(&key, &issuer).unwrap();
            let place = |ending| folder.path().join(format!("{name}.{ending}"));
            fs::write(place("pem"), signed.pem()).unwrap();
            fs::write(place("key"), key.serialize_pem()).unwrap();
            fs::set_permissions(place("key"), fs::Permissions::from_mode(mode)).unwrap();
        }
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lines of mosquitto's configuration for a listener that lets in only whom this authority knows.
    fn listener(&self, port: u16, protocol: &str) -> String {
        let folder = self.path().display();
        format!(
            "listener {port} 127.0.0.1\nprotocol {protocol}\ncafile {folder}/ca.pem\n\
             certfile {folder}/broker.pem\nkeyfile {folder}/broker.key\nrequire_certificate true\n"
        )
    }
}

fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().port()
}

fn config(url: &str, version: &str, tls: &str) -> MqttConfig {
    toml::from_str(&format!(
        "brokers = [\"{url}\"]\nversion = \"{version}\"\ndevice = \"wall\"\n\
         clock_synchronised = \"always\"\n[tls]\n{tls}"
    ))
    .unwrap()
}

#[tokio::test]
async fn the_box_is_commanded_over_tls_and_websocket_with_an_identity_of_its_own() {
    let authority = Authority::new("AV department");
    let folder = authority.path().display();
    let (tls, websocket, both) = (free_port(), free_port(), free_port());
    let broker = Broker::start_with(&format!(
        "{}listener {websocket} 127.0.0.1\nprotocol websockets\n{}",
        authority.listener(tls, "mqtt"),
        authority.listener(both, "websockets"),
    ))
    .await;
    let identity = format!(
        "ca = \"{folder}/ca.pem\"\nclient_certificate = \"{folder}/box.pem\"\nclient_key = \"{folder}/box.key\""
    );
    for version in ["3.1.1", "5"] {
        for (url, tls) in [
            (format!("mqtts://127.0.0.1:{tls}"), identity.as_str()),
            (format!("ws://127.0.0.1:{websocket}/mqtt"), ""),
            (format!("wss://127.0.0.1:{both}/mqtt"), identity.as_str()),
        ] {
            let appliance = Appliance::start(config(&url, version, tls)).await;
            let mut controller = Controller::connect(&broker, version).await;
            controller.command("set_volume", r#"{"level":77}"#).await;
            assert_eq!(controller.reply().await["ok"], true, "{url} {version}");
            appliance.shutdown.cancel();
            appliance.interface.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_broker_of_an_unknown_authority_is_not_trusted_and_one_that_asks_for_an_identity_says_so()
{
    let (known, foreign) = (
        Authority::new("AV department"),
        Authority::new("somebody else"),
    );
    let tls = free_port();
    let _broker = Broker::start_with(&known.listener(tls, "mqtt")).await;
    let url = format!("mqtts://127.0.0.1:{tls}");
    for (authority, words) in [(&foreign, "UnknownIssuer"), (&known, "CertificateRequired")] {
        let ca = format!("ca = \"{}/ca.pem\"", authority.path().display());
        let mut appliance = Appliance::begin(config(&url, "3.1.1", &ca));
        let message = appliance.problem("broker_unreachable").await;
        assert!(message.contains(words), "{message}");
        while let Ok(status) = appliance.problems.try_recv() {
            assert!(
                !matches!(status, MqttStatus::Connected { .. }),
                "{status:?}"
            );
        }
    }
}
