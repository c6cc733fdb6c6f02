//! The peer's streams: what its descriptions announce, joined with what really arrives.

use std::{collections::BTreeMap, time::Instant};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_webrtc as gst_webrtc;
use roomd_protocol::StreamId;
use roomd_room::{MediaEvent, RemoteTracks};
use tokio::sync::oneshot;

use super::{InputKey, PeerConnection, PeerDemand};
use crate::{
    encoders::Codec,
    receive::{DecoderNews, Incoming, RtpTap, TrackReport},
    sdp::Section,
};

/// The streams that were reported, each with what was said last.
#[derive(Debug, Default)]
pub(crate) struct RemoteStreams(BTreeMap<StreamId, RemoteTracks>);

/// The streams of a description with their tracks, nothing received yet.
fn announced(remote: &[Section]) -> BTreeMap<StreamId, RemoteTracks> {
    let mut streams: BTreeMap<StreamId, RemoteTracks> = BTreeMap::new();
    for section in remote.iter().filter(|section| section.is_sending()) {
        let Some(stream) = &section.stream else {
            continue;
        };
        let tracks = streams.entry(stream.clone()).or_default();
        match section.kind.as_str() {
            "video" => tracks.video = true,
            _ => tracks.audio = true,
        }
    }
    streams
}

/// Whether a difference is worth an event: the frame rate of a live stream never stands still.
fn differs(before: &RemoteTracks, now: &RemoteTracks) -> bool {
    let without_rate = |tracks: &RemoteTracks| RemoteTracks {
        fps: 0,
        ..tracks.clone()
    };
    without_rate(before) != without_rate(now)
        || (before.fps == 0) != (now.fps == 0)
        || before.fps.abs_diff(now.fps) > 2 + before.fps / 10
}

impl PeerConnection {
    pub(super) async fn pad_added(&mut self, pad: gst::Pad, tap: RtpTap) {
        let transceiver = pad.property::<Option<gst_webrtc::WebRTCRTPTransceiver>>("transceiver");
        let index =
            transceiver.and_then(|transceiver| usize::try_from(transceiver.mlineindex()).ok());
        let codec = pad.current_caps().as_deref().and_then(codec_of);
        let (Some(index), Some(codec)) = (index, codec) else {
            tracing::warn!(peer = %self.start.peer, caps = ?pad.current_caps(), "a stream of a peer is of no known kind");
            return;
        };
        let stream = self.stream_of(index);
        let mut track = Incoming::new(pad, tap, index, stream, codec, Instant::now());
        self.decode(&mut track).await;
        self.incoming.push(track);
    }

    pub(super) async fn pad_removed(&mut self, pad: &gst::Pad) {
        if let Some(place) = self.incoming.iter().position(|track| track.pad == *pad) {
            let track = self.incoming.remove(place);
            self.remove_input(&track);
            track.remove(&self.pipeline).await;
        }
    }

    pub(super) async fn hear_decoder(&mut self, pad: &gst::Pad, news: DecoderNews) {
        let Some(place) = self.incoming.iter().position(|track| track.pad == *pad) else {
            return;
        };
        match news {
            DecoderNews::KeyFrameNeeded => {
                if let Some(track) = self.incoming.get_mut(place) {
                    track.want_key_frame();
                }
            }
            DecoderNews::Failed(event) => {
                tracing::warn!(peer = %self.start.peer, ?event, "a decoder failed; it is made again");
                let mut track = self.incoming.remove(place);
                if track.is_decoded() {
                    track.stop_decoding().await;
                    self.remove_input(&track);
                    self.decode(&mut track).await;
                }
                self.incoming.push(track);
            }
        }
    }

    /// Decodes the tracks of a kind for the inputs that are there now, or no more.
    pub(super) async fn reattach(&mut self, video: bool) {
        let mut kept = Vec::with_capacity(self.incoming.len());
        for mut track in std::mem::take(&mut self.incoming) {
            if track.codec.is_video() == video {
                track.stop_decoding().await;
                let is_sending = self.remote.get(track.index).is_none_or(Section::is_sending);
                if is_sending {
                    self.decode(&mut track).await;
                }
            }
            kept.push(track);
        }
        self.incoming = kept;
    }

    /// Decodes a track if there is something to show or play it.
    async fn decode(&self, track: &mut Incoming) {
        let (reply, input) = oneshot::channel();
        self.demand(PeerDemand::Input(self.input_key(track), reply));
        let Ok(Some(target)) = input.await else {
            return track.only_count();
        };
        let settings = &self.start.settings;
        if let Err(error) = track.decode(
            target,
            &settings.tables,
            &settings.timing,
            self.tell_decoder.clone(),
        ) {
            tracing::error!(peer = %self.start.peer, %error, "a stream of a peer cannot be decoded");
            self.remove_input(track);
        }
    }

    pub(super) fn remove_input(&self, track: &Incoming) {
        self.demand(PeerDemand::RemoveInput(self.input_key(track)));
    }

    fn input_key(&self, track: &Incoming) -> InputKey {
        InputKey {
            peer: self.start.peer.clone(),
            stream: track.stream.clone(),
            video: track.codec.is_video(),
        }
    }

    /// The stream of a section; a description without stream ids has one stream, named after the peer.
    fn stream_of(&self, index: usize) -> StreamId {
        self.remote
            .get(index)
            .and_then(|section| section.stream.clone())
            .unwrap_or_else(|| StreamId::from(self.start.peer.as_str()))
    }

    /// After a description of the peer: sections may carry another stream than before, or none.
    pub(super) async fn follow_streams(&mut self) {
        let mut kept = Vec::with_capacity(self.incoming.len());
        for mut track in std::mem::take(&mut self.incoming) {
            let stream = self.stream_of(track.index);
            let is_sending = self
                .remote
                .get(track.index)
                .is_some_and(Section::is_sending);
            if track.is_decoded() && (stream != track.stream || !is_sending) {
                track.stop_decoding().await;
                self.remove_input(&track);
            }
            track.stream = stream;
            if is_sending && !track.is_decoded() {
                self.decode(&mut track).await;
            }
            kept.push(track);
        }
        self.incoming = kept;
        self.report_streams(Instant::now());
    }

    /// Tells the core what changed in the streams of the peer.
    pub(super) fn report_streams(&mut self, now: Instant) {
        let mut streams = announced(&self.remote);
        for track in &mut self.incoming {
            let report = track.report(now);
            if let Some(tracks) = streams.get_mut(&track.stream) {
                add(tracks, report);
            }
        }
        let (peer, session) = (self.start.peer.clone(), self.start.session);
        for gone in self
            .streams
            .0
            .keys()
            .filter(|stream| !streams.contains_key(*stream))
        {
            self.report(MediaEvent::RemoteStreamEnded {
                peer: peer.clone(),
                session,
                stream: gone.clone(),
            });
        }
        self.streams
            .0
            .retain(|stream, _| streams.contains_key(stream));
        for (stream, tracks) in streams {
            if self
                .streams
                .0
                .get(&stream)
                .is_none_or(|before| differs(before, &tracks))
            {
                self.report(MediaEvent::RemoteStream {
                    peer: peer.clone(),
                    session,
                    stream: stream.clone(),
                    tracks: tracks.clone(),
                });
                self.streams.0.insert(stream, tracks);
            }
        }
    }
}

fn add(tracks: &mut RemoteTracks, report: TrackReport) {
    tracks.width = tracks.width.max(report.width);
    tracks.height = tracks.height.max(report.height);
    tracks.fps = tracks.fps.max(report.fps);
    tracks.receiving |= report.receiving;
}

fn codec_of(caps: &gst::CapsRef) -> Option<Codec> {
    match caps.structure(0)?.get::<&str>("encoding-name").ok()? {
        "VP8" => Some(Codec::Vp8),
        "H264" => Some(Codec::H264),
        "OPUS" | "opus" => Some(Codec::Opus),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_announced_with_their_tracks_and_only_where_the_peer_sends() {
        let remote = crate::sdp::sections(
            "m=audio 9 X 111\r\na=msid:cam a\r\nm=video 9 X 96\r\na=msid:cam v\r\n\
             m=video 0 X 96\r\na=bundle-only\r\na=sendonly\r\na=msid:share v\r\nm=video 9 X 96\r\na=recvonly\r\na=msid:old v\r\n",
        );
        let streams = announced(&remote);
        assert_eq!(streams.len(), 2);
        assert!(streams["cam"].audio && streams["cam"].video);
        assert!(!streams["share"].audio && streams["share"].video);
    }

    #[test]
    fn small_changes_of_the_frame_rate_are_no_news() {
        let tracks = |fps, receiving| RemoteTracks {
            fps,
            receiving,
            ..RemoteTracks::default()
        };
        assert!(!differs(&tracks(30, true), &tracks(28, true)));
        assert!(differs(&tracks(30, true), &tracks(15, true)));
        assert!(differs(&tracks(1, true), &tracks(0, true)));
        assert!(differs(&tracks(30, true), &tracks(30, false)));
    }
}
