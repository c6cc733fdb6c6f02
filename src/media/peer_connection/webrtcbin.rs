//! One `webrtcbin`: set up, and its promises as futures.

use std::net::IpAddr;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_sdp as gst_sdp;
use gstreamer_webrtc as gst_webrtc;
use roomd_protocol::client::SdpType;
use tokio::{sync::oneshot, time::timeout};

use super::{NegotiationError, PROMISE_TIMEOUT};
use crate::ice_servers::IceAddress;

/// What is set before anything is negotiated.
#[derive(Clone, Debug)]
pub(crate) struct WebRtcSettings {
    pub(crate) latency_ms: u32,
    pub(crate) allow_loopback: bool,
    pub(crate) ice_addresses: Vec<IceAddress>,
}

/// A webrtcbin, ready for its pipeline.
pub(crate) fn make(settings: &WebRtcSettings) -> Result<gst::Element, NegotiationError> {
    let webrtcbin = gst::ElementFactory::make("webrtcbin")
        .property("latency", settings.latency_ms)
        .build()
        .map_err(|error| NegotiationError::NoWebRtc(error.to_string()))?;
    webrtcbin.set_property_from_str("bundle-policy", "max-bundle");
    for address in &settings.ice_addresses {
        match address {
            IceAddress::Stun(url) => {
                if webrtcbin
                    .property::<Option<String>>("stun-server")
                    .is_none()
                {
                    webrtcbin.set_property("stun-server", url);
                }
            }
            IceAddress::Turn(url) => {
                if !webrtcbin.emit_by_name::<bool>("add-turn-server", &[url]) {
                    tracing::warn!("a TURN server of the room is not understood");
                }
            }
        }
    }
    set_up_ice(&webrtcbin, settings.allow_loopback);
    Ok(webrtcbin)
}

fn set_up_ice(webrtcbin: &gst::Element, allow_loopback: bool) {
    let ice = webrtcbin.property::<gst::Object>("ice-agent");
    if ice.ref_count() == 1 {
        // 1.22 hands its only reference out as a floating one and the binding takes it over: without
        // this one more reference webrtcbin would lose its agent when `ice` is dropped. It is the
        // one that webrtcbin gives back at its end, so nothing leaks.
        std::mem::forget(ice.clone());
    }
    if ice.find_property("agent").is_some() {
        let agent = ice.property::<gst::glib::Object>("agent");
        for off in ["upnp", "ice-tcp"] {
            if agent.find_property(off).is_some() {
                agent.set_property(off, false);
            }
        }
    }
    if allow_loopback {
        // Only the addresses given are used then, so all of this machine are given.
        let addresses = if_addrs::get_if_addrs().unwrap_or_default();
        for address in addresses
            .iter()
            .map(if_addrs::Interface::ip)
            .filter(is_usable)
        {
            if !ice.emit_by_name::<bool>("add-local-ip-address", &[&address.to_string()]) {
                tracing::warn!(%address, "the ICE agent does not take an address");
            }
        }
    }
}

/// Link-local IPv6 addresses need a scope that the agent does not take.
fn is_usable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}

/// `create-offer` or `create-answer`.
pub(crate) async fn create(
    webrtcbin: &gst::Element,
    kind: SdpType,
) -> Result<String, NegotiationError> {
    let (signal, field) = match kind {
        SdpType::Offer => ("create-offer", "offer"),
        SdpType::Answer => ("create-answer", "answer"),
    };
    let (promise, reply) = promise(signal, move |reply| {
        let description = reply
            .and_then(|reply| {
                reply
                    .get::<gst_webrtc::WebRTCSessionDescription>(field)
                    .ok()
            })
            .ok_or_else(|| "no description in the reply".to_owned())?;
        description
            .sdp()
            .as_text()
            .map_err(|error| error.to_string())
    });
    webrtcbin.emit_by_name::<()>(signal, &[&None::<gst::Structure>, &promise]);
    reply.wait(signal).await
}

/// `set-local-description` or `set-remote-description`.
pub(crate) async fn set(
    webrtcbin: &gst::Element,
    signal: &'static str,
    kind: SdpType,
    sdp: &str,
) -> Result<(), NegotiationError> {
    let message = gst_sdp::SDPMessage::parse_buffer(sdp.as_bytes())
        .map_err(|_| NegotiationError::Unreadable)?;
    let kind = match kind {
        SdpType::Offer => gst_webrtc::WebRTCSDPType::Offer,
        SdpType::Answer => gst_webrtc::WebRTCSDPType::Answer,
    };
    let description = gst_webrtc::WebRTCSessionDescription::new(kind, message);
    let (promise, reply) = promise(signal, |_| Ok(()));
    webrtcbin.emit_by_name::<()>(signal, &[&description, &promise]);
    reply.wait(signal).await
}

struct Reply<T>(oneshot::Receiver<Result<T, String>>);

impl<T> Reply<T> {
    async fn wait(self, signal: &'static str) -> Result<T, NegotiationError> {
        match timeout(PROMISE_TIMEOUT, self.0).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(message))) => Err(NegotiationError::Refused { signal, message }),
            Ok(Err(_)) => Err(NegotiationError::Interrupted { signal }),
            Err(_) => Err(NegotiationError::Unanswered { signal }),
        }
    }
}

/// A promise whose reply is read inside its change function: it must not be read anywhere else.
fn promise<T: Send + 'static>(
    signal: &'static str,
    read: impl FnOnce(Option<&gst::StructureRef>) -> Result<T, String> + Send + 'static,
) -> (gst::Promise, Reply<T>) {
    let (tell, reply) = oneshot::channel();
    let promise = gst::Promise::with_change_func(move |outcome| {
        let value = match outcome {
            Ok(reply) => {
                match reply.and_then(|reply| reply.get::<gst::glib::Error>("error").ok()) {
                    Some(error) => Err(error.to_string()),
                    None => read(reply),
                }
            }
            Err(error) => Err(format!("{signal}: {error:?}")),
        };
        // Whoever asked gave up waiting.
        let _ = tell.send(value);
    });
    (promise, Reply(reply))
}
