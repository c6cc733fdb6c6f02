//! What the core asks of the media engine, and what it hears from it.
//!
//! The core decides *when* descriptions are exchanged and with whom; the engine owns every pad,
//! codec and description. Each peer connection has a `session` number that the core counts up, so
//! that nothing of a closed connection is taken for its successor.

use roomd_protocol::{
    ClientId, StreamId,
    client::{IceCandidate, SdpType},
    records::IceServer,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::capture_profile::CaptureProfile;

/// A demand on the media engine. Demands are carried out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaCommand {
    /// Opens the microphone, or closes its gate at once and its device after it.
    /// Answered by [`MediaEvent::Microphone`] when it became true or failed.
    Microphone {
        /// On or off.
        enabled: bool,
    },
    /// The same for the camera; off closes the device.
    /// Answered by [`MediaEvent::Camera`].
    Camera {
        /// On or off.
        enabled: bool,
    },
    /// How the camera is captured from now on. An open camera is opened anew and answers with
    /// [`MediaEvent::Camera`]; what is off stays off and says nothing.
    CaptureProfile(CaptureProfile),
    /// Captures a presentation. Answered by [`MediaEvent::ScreenshareStarted`] or
    /// [`MediaEvent::ScreenshareEnded`].
    StartScreenshare {
        /// Name of a configured source, `None` for the first one.
        source: Option<String>,
    },
    /// Ends the capture of the presentation. Peers lose it by [`MediaCommand::SetPresentation`].
    StopScreenshare,
    /// STUN and TURN servers for the connections made from now on.
    IceServers(Vec<IceServer>),
    /// Makes a connection with a peer; an earlier one with the same peer is closed first.
    OpenPeer {
        /// With whom.
        peer: ClientId,
        /// Number of this connection.
        session: u64,
        /// True: make the initial offer ([`MediaEvent::LocalDescription`] follows).
        /// False: wait for the peer's offer.
        offer: bool,
        /// Presentation that the initial offer contains, besides camera and microphone.
        presentation: Option<StreamId>,
    },
    /// The peer's description. An offer is answered by [`MediaEvent::LocalDescription`].
    RemoteDescription {
        /// From whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// Offer or answer.
        kind: SdpType,
        /// The text.
        sdp: String,
    },
    /// A candidate of the peer; may come before its description.
    RemoteCandidate {
        /// From whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// The candidate.
        candidate: IceCandidate,
    },
    /// Adds the presentation to a stable connection, or takes it away: a new offer follows.
    SetPresentation {
        /// With whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// The stream to show, `None` for none.
        stream: Option<StreamId>,
    },
    /// Asks a peer's encoder for a key frame, for example after its camera came back.
    RequestKeyFrame {
        /// From whom.
        peer: ClientId,
    },
    /// Closes the connection with a peer.
    ClosePeer {
        /// With whom.
        peer: ClientId,
    },
}

/// What the media engine reports.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// The microphone changed.
    Microphone(CaptureReport),
    /// The camera changed.
    Camera(CaptureReport),
    /// The presentation is being captured under this id.
    ScreenshareStarted {
        /// The new stream's id; it will be the `msid` in every offer.
        stream: StreamId,
        /// Whether it has sound.
        has_audio: bool,
    },
    /// The presentation is not captured (any more), though nobody asked for its end.
    ScreenshareEnded {
        /// Why; `None` where the source ended by itself.
        error: Option<String>,
    },
    /// A description to be sent to the peer; it is already in force here.
    LocalDescription {
        /// For whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// Offer or answer.
        kind: SdpType,
        /// The text.
        sdp: String,
    },
    /// A candidate to be sent to the peer.
    LocalCandidate {
        /// For whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// The candidate.
        candidate: IceCandidate,
    },
    /// ICE and DTLS are through.
    PeerConnected {
        /// With whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
    },
    /// The connection cannot go on: a negotiation error, ICE or DTLS failure, or no packets for
    /// so long that it must be dead. It stays open until the core closes it.
    PeerFailed {
        /// With whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// What happened.
        reason: String,
    },
    /// A stream of the peer arrived or changed what it carries.
    RemoteStream {
        /// From whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// Its id in the peer's description (`msid`).
        stream: StreamId,
        /// What arrives.
        tracks: RemoteTracks,
    },
    /// A stream of the peer is gone.
    RemoteStreamEnded {
        /// From whom.
        peer: ClientId,
        /// Which connection.
        session: u64,
        /// Its id.
        stream: StreamId,
    },
}

/// Microphone or camera as the media graph sees them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptureReport {
    /// Name of the device in use or tried last, as people know it.
    pub device: String,
    /// The device is open.
    pub open: bool,
    /// The gate before the encoder lets samples through.
    pub flowing: bool,
    /// Why it is not as it was asked to be.
    pub error: Option<String>,
    /// It worked and was lost, and is opened again by itself when it returns. Meanwhile a still picture takes the
    /// place of a camera's.
    pub returning: bool,
}

/// What arrives of a remote stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteTracks {
    /// A video track exists.
    pub video: bool,
    /// An audio track exists.
    pub audio: bool,
    /// Width of the decoded or announced picture in pixels, 0 while unknown.
    pub width: u32,
    /// Height of the picture in pixels, 0 while unknown.
    pub height: u32,
    /// Frames per second that arrived lately.
    pub fps: u32,
    /// Packets arrive (within the last two seconds).
    pub receiving: bool,
}
