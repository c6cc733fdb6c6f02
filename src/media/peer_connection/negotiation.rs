//! Descriptions and candidates of one connection: made, set and sent one after the other.

use roomd_protocol::client::{IceCandidate, SdpType};
use roomd_room::MediaEvent;

use super::{Agreed, Negotiation, NegotiationError, PeerConnection, PeerRequest, webrtcbin};
use crate::{
    encoders::Codec,
    sdp::{self, Direction, Section},
};
use gst::prelude::*;
use gstreamer as gst;

impl PeerConnection {
    pub(super) async fn offer(&mut self) -> Result<(), NegotiationError> {
        for branch in &mut self.outgoing {
            branch.caps_known().await;
        }
        let sdp = webrtcbin::create(&self.webrtcbin, SdpType::Offer).await?;
        while let Ok(request) = self.inbox.try_recv() {
            self.backlog.push_back(request);
        }
        if self.backlog.iter().any(|request| {
            matches!(
                request,
                PeerRequest::Describe(SdpType::Offer, _) | PeerRequest::Close
            )
        }) {
            // The peer was first: ours is dropped unsent and made again after the answer.
            return Ok(());
        }
        let sdp = sdp::with_setup(&sdp, sdp::Setup::ActPass);
        self.set_local(SdpType::Offer, sdp).await?;
        self.negotiation = Negotiation::HaveLocalOffer;
        self.needs_offer = false;
        Ok(())
    }

    pub(super) async fn set_local(
        &mut self,
        kind: SdpType,
        sdp: String,
    ) -> Result<(), NegotiationError> {
        let told = self.as_told(&sdp);
        webrtcbin::set(&self.webrtcbin, "set-local-description", kind, &told).await?;
        let sdp = if kind == SdpType::Answer {
            self.within_the_offer(&sdp)
        } else {
            sdp
        };
        let before = std::mem::replace(&mut self.local, sdp::sections(&sdp)).len();
        let known: Vec<_> = self
            .outgoing
            .iter()
            .map(|branch| (branch.section(), branch.key.codec.is_video()))
            .collect();
        let places = sdp::assign_sections(&self.local, before, &known);
        self.own_sections.extend(places.iter().flatten());
        let sent: Vec<_> = self
            .outgoing
            .iter()
            .zip(places)
            .filter_map(|(branch, place)| Some(branch.sent_in(place?)))
            .collect();
        let sdp = sdp::with_msids(&sdp, &sent);
        self.report(MediaEvent::LocalDescription {
            peer: self.start.peer.clone(),
            session: self.start.session,
            kind,
            sdp,
        });
        Ok(())
    }

    pub(super) async fn answer(&mut self, offer: &str) -> Result<(), NegotiationError> {
        if self.negotiation == Negotiation::HaveLocalOffer {
            return Err(NegotiationError::Glare);
        }
        let offer = sdp::without_sprop_stereo(offer);
        let sections = sdp::sections(&offer);
        if sdp::restarts_ice(&self.remote, &sections) {
            return Err(NegotiationError::IceRestart);
        }
        self.agree(&sections)?;
        if self.outgoing.is_empty() {
            self.add_camera_and_microphone()?;
            for branch in &mut self.outgoing {
                branch.caps_known().await;
            }
        }
        self.set_remote(SdpType::Offer, &offer, sections).await?;
        let answer = webrtcbin::create(&self.webrtcbin, SdpType::Answer).await?;
        let answer = match self.dtls_role {
            Some(role) => sdp::with_setup(&answer, role),
            None => {
                self.dtls_role = sdp::setup_of(&answer);
                answer
            }
        };
        self.set_local(SdpType::Answer, answer).await?;
        self.settled().await
    }

    pub(super) async fn take_answer(&mut self, answer: &str) -> Result<(), NegotiationError> {
        if self.negotiation != Negotiation::HaveLocalOffer {
            tracing::debug!(peer = %self.start.peer, "an answer without an offer is passed over");
            return Ok(());
        }
        let answer = sdp::without_sprop_stereo(answer);
        self.dtls_role = self
            .dtls_role
            .or_else(|| sdp::setup_of(&answer).map(sdp::Setup::opposite));
        let sections = sdp::sections(&answer);
        self.set_remote(SdpType::Answer, &answer, sections).await?;
        self.settled().await
    }

    pub(super) async fn set_remote(
        &mut self,
        kind: SdpType,
        sdp: &str,
        sections: Vec<Section>,
    ) -> Result<(), NegotiationError> {
        if self.remote.is_empty() && kind == SdpType::Offer {
            // webrtcbin gives our branches the first sections of their kinds.
            let branches: Vec<_> = self
                .outgoing
                .iter()
                .map(|branch| (None, branch.key.codec.is_video()))
                .collect();
            let places = sdp::assign_sections(&sections, 0, &branches);
            self.own_sections.extend(places.into_iter().flatten());
        }
        let told = self.as_told(sdp);
        webrtcbin::set(&self.webrtcbin, "set-remote-description", kind, &told).await?;
        self.remote = sections;
        for candidate in std::mem::take(&mut self.early_candidates) {
            self.add_candidate(&candidate);
        }
        Ok(())
    }

    /// A description as webrtcbin is told it. Version 1.22 cannot follow a section that changes its direction,
    /// and peers do change those in which we send: they begin a share in the section of ours, or come without
    /// camera and turn it on. So webrtcbin believes that both ends send there from the first description to
    /// the last; what is true stands in `local` and `remote`.
    fn as_told(&self, sdp: &str) -> String {
        sdp::with_directions(sdp, |index| {
            self.own_sections
                .contains(&index)
                .then_some(Direction::SendRecv)
        })
    }

    /// An answer of webrtcbin with the directions that the peer's offer allows.
    fn within_the_offer(&self, answer: &str) -> String {
        let made = sdp::sections(answer);
        sdp::with_directions(answer, |index| {
            let offered = self.remote.get(index)?.direction;
            Some(made.get(index)?.direction.answering(offered))
        })
    }

    /// What follows when both descriptions are in force.
    pub(super) async fn settled(&mut self) -> Result<(), NegotiationError> {
        self.negotiation = Negotiation::Stable;
        for branch in std::mem::take(&mut self.retired) {
            branch.remove(&self.pipeline).await?;
        }
        self.open_outputs();
        self.follow_streams().await;
        self.follow_presentation().await
    }

    /// Chooses the codec and payload types for the peer's offer: those of the first exchange stay.
    pub(super) fn agree(&mut self, offer: &[Section]) -> Result<(), NegotiationError> {
        if self.negotiation != Negotiation::Nothing {
            return Ok(());
        }
        let first = |kind: &str| offer.iter().find(|section| section.kind == kind);
        let audio_payload = first("audio")
            .and_then(|section| section.payload_of(Codec::Opus))
            .ok_or(NegotiationError::NoCommonCodec("sound codec"))?;
        let (video, video_payload) = first("video")
            .and_then(|section| {
                self.start
                    .settings
                    .codecs
                    .iter()
                    .find_map(|codec| Some((*codec, section.payload_of(*codec)?)))
            })
            .ok_or(NegotiationError::NoCommonCodec("video codec"))?;
        self.agreed.send_replace(Agreed {
            video,
            video_payload,
            audio_payload,
        });
        Ok(())
    }

    pub(super) fn take_candidate(&mut self, candidate: IceCandidate) {
        if self.remote.is_empty() {
            self.early_candidates.push(candidate);
        } else {
            self.add_candidate(&candidate);
        }
    }

    pub(super) fn add_candidate(&self, candidate: &IceCandidate) {
        if let Some((index, text)) = sdp::candidate_for_webrtcbin(candidate, &self.remote) {
            self.webrtcbin
                .emit_by_name::<()>("add-ice-candidate", &[&index, &text]);
        }
    }
}
