//! Reading and editing session descriptions as text (RFC 8866). Pure: no GStreamer, no I/O.
//!
//! webrtcbin makes and reads the descriptions; this is only what it does not do by itself.

mod direction;

use roomd_protocol::{StreamId, client::IceCandidate};

use crate::encoders::Codec;
pub use direction::Direction;
pub(crate) use direction::with_directions;

/// One media section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `audio`, `video` or `application`.
    pub kind: String,
    /// Its `a=mid`.
    pub mid: Option<String>,
    /// What its writer does with it.
    pub direction: Direction,
    /// Stream id of its `a=msid`, else of an `a=ssrc … msid`.
    pub stream: Option<StreamId>,
    /// `a=ice-ufrag`.
    pub ufrag: Option<String>,
    /// The payload types in order of preference.
    pub payloads: Vec<Payload>,
    /// Port 0 without `a=bundle-only`: refused.
    pub rejected: bool,
}

/// One payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its number.
    pub number: u8,
    /// Encoding name, upper case.
    pub encoding: String,
    /// `a=fmtp` as written.
    pub parameters: String,
}

impl Payload {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.split(';').find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Whether this is the codec in the form that is sent here.
    fn carries(&self, codec: Codec) -> bool {
        match codec {
            Codec::Opus => self.encoding == "OPUS",
            Codec::Vp8 => self.encoding == "VP8",
            Codec::H264 => {
                self.encoding == "H264"
                    && self.parameter("packetization-mode") == Some("1")
                    && self.parameter("profile-level-id").is_some_and(|id| {
                        id.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("42e0"))
                    })
            }
        }
    }
}

impl Section {
    /// Number of the payload type that carries `codec`.
    pub fn payload_of(&self, codec: Codec) -> Option<u8> {
        self.payloads
            .iter()
            .find(|payload| payload.carries(codec))
            .map(|payload| payload.number)
    }

    /// Whether its writer wants to be sent something in it.
    pub fn is_receiving(&self) -> bool {
        self.direction.receives() && !self.rejected
    }

    /// Whether its writer sends a stream in it.
    pub fn is_sending(&self) -> bool {
        self.direction.sends() && !self.rejected && matches!(self.kind.as_str(), "audio" | "video")
    }
}

/// The sections of a description in order. Lines that make no sense are passed over.
pub fn sections(sdp: &str) -> Vec<Section> {
    let mut session = Section::default();
    let mut sections: Vec<Section> = Vec::new();
    for line in sdp.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push(media_line(media, &session));
        } else if let Some(attribute) = line.strip_prefix("a=") {
            read_attribute(attribute, sections.last_mut().unwrap_or(&mut session));
        }
    }
    sections
}

fn media_line(media: &str, session: &Section) -> Section {
    let mut words = media.split_whitespace();
    let kind = words.next().unwrap_or_default().to_owned();
    let rejected = words.next() == Some("0");
    let payloads = words
        .skip(1)
        .filter_map(|number| number.parse().ok())
        .map(|number| Payload {
            number,
            encoding: String::new(),
            parameters: String::new(),
        })
        .collect();
    Section {
        kind,
        rejected,
        payloads,
        direction: session.direction,
        ufrag: session.ufrag.clone(),
        ..Section::default()
    }
}

fn read_attribute(attribute: &str, section: &mut Section) {
    let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
    match name {
        "bundle-only" => section.rejected = false,
        "mid" if !value.is_empty() => section.mid = Some(value.to_owned()),
        "ice-ufrag" => section.ufrag = Some(value.to_owned()),
        "msid" => section.stream = stream_id(value).or(section.stream.take()),
        "ssrc" if section.stream.is_none() => {
            section.stream = value
                .split_once(" msid:")
                .and_then(|(_, msid)| stream_id(msid));
        }
        "rtpmap" => {
            if let Some((payload, encoding)) = for_payload(section, value) {
                payload.encoding = encoding
                    .split('/')
                    .next()
                    .unwrap_or_default()
                    .to_ascii_uppercase();
            }
        }
        "fmtp" => {
            if let Some((payload, parameters)) = for_payload(section, value) {
                payload.parameters = parameters.to_owned();
            }
        }
        _ => {
            if let Some(direction) = Direction::named(attribute) {
                section.direction = direction;
            }
        }
    }
}

fn stream_id(msid: &str) -> Option<StreamId> {
    msid.split_whitespace()
        .next()
        .filter(|id| *id != "-")
        .map(StreamId::from)
}

fn for_payload<'a, 'b>(
    section: &'a mut Section,
    value: &'b str,
) -> Option<(&'a mut Payload, &'b str)> {
    let (number, rest) = value.split_once(' ')?;
    let number: u8 = number.parse().ok()?;
    section
        .payloads
        .iter_mut()
        .find(|payload| payload.number == number)
        .map(|payload| (payload, rest.trim()))
}

/// A stream that we send in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentStream {
    /// Index of the section.
    pub index: usize,
    /// Stream id.
    pub stream: String,
    /// Track id.
    pub track: String,
}

/// The section of each sent track. webrtcbin tells the index of a track only once it was answered; until then the
/// tracks stand in the order of their pads in the sections that are new, the first of them after `before` others.
/// A track is its index, if that is known, and whether it is video.
pub fn assign_sections(
    local: &[Section],
    before: usize,
    tracks: &[(Option<usize>, bool)],
) -> Vec<Option<usize>> {
    let mut taken: Vec<usize> = tracks.iter().filter_map(|(index, _)| *index).collect();
    tracks
        .iter()
        .map(|(index, video)| {
            index.or_else(|| {
                let kind = if *video { "video" } else { "audio" };
                let free = (before..local.len()).find(|index| {
                    local
                        .get(*index)
                        .is_some_and(|section| section.kind == kind)
                        && !taken.contains(index)
                })?;
                taken.push(free);
                Some(free)
            })
        })
        .collect()
}

/// Puts an `a=msid` at media level into each section that sends a stream; webrtcbin writes the
/// stream only into `a=ssrc` lines, and not even there before it knows the caps.
pub fn with_msids(sdp: &str, sent: &[SentStream]) -> String {
    let mut text = String::with_capacity(sdp.len() + sent.len() * 96);
    let mut next: usize = 0;
    for line in sdp
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        let current = next.checked_sub(1);
        let is_sent = sent.iter().any(|stream| Some(stream.index) == current);
        if !(is_sent && line.starts_with("a=msid:")) {
            text.push_str(line);
            text.push_str("\r\n");
        }
        if line.starts_with("m=") {
            next += 1;
        }
        // After `a=mid`, which every section of webrtcbin has.
        if line.starts_with("a=mid:")
            && let Some(stream) = sent
                .iter()
                .find(|stream| Some(stream.index) == next.checked_sub(1))
        {
            text.push_str(&format!("a=msid:{} {}\r\n", stream.stream, stream.track));
        }
    }
    text
}

/// Takes `sprop-stereo` and `sprop-maxcapturerate` out of `a=fmtp` lines: webrtcbin before 1.22.10 makes
/// media receive-only when the peers differ in it.
pub fn without_sprop_stereo(sdp: &str) -> String {
    let mut text = String::with_capacity(sdp.len());
    for line in sdp
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        match line
            .strip_prefix("a=fmtp:")
            .and_then(|value| value.split_once(' '))
        {
            Some((number, parameters))
                if parameters.contains("sprop-")
                    && !parameters.contains("sprop-parameter-sets") =>
            {
                let kept = parameters
                    .split(';')
                    .map(str::trim)
                    .filter(|pair| {
                        !pair.starts_with("sprop-stereo")
                            && !pair.starts_with("sprop-maxcapturerate")
                    })
                    .filter(|pair| !pair.is_empty())
                    .collect::<Vec<_>>();
                if !kept.is_empty() {
                    text.push_str(&format!("a=fmtp:{number} {}\r\n", kept.join(";")));
                }
            }
            _ => {
                text.push_str(line);
                text.push_str("\r\n");
            }
        }
    }
    text
}

/// Which end opens the DTLS connection (`a=setup`, RFC 8842). The first exchange decides it for as long as the
/// connection lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Either: what every offer says.
    ActPass,
    /// The writer opens it.
    Active,
    /// The writer waits for it.
    Passive,
}

impl Setup {
    /// The part of the other end.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::ActPass => Self::ActPass,
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
        }
    }

    fn line(self) -> &'static str {
        match self {
            Self::ActPass => "a=setup:actpass",
            Self::Active => "a=setup:active",
            Self::Passive => "a=setup:passive",
        }
    }
}

/// What the writer of an answer chose for itself.
pub(crate) fn setup_of(answer: &str) -> Option<Setup> {
    [Setup::Active, Setup::Passive]
        .into_iter()
        .find(|setup| answer.lines().any(|line| line.trim_end() == setup.line()))
}

/// The description with this `a=setup` in every section. webrtcbin writes `active` into later answers and offers
/// whatever the roles are, and browsers refuse another role than before.
pub(crate) fn with_setup(sdp: &str, setup: Setup) -> String {
    sdp.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .map(|line| {
            if line.starts_with("a=setup:") {
                setup.line()
            } else {
                line
            }
        })
        .flat_map(|line| [line, "\r\n"])
        .collect()
}

/// A candidate of webrtcbin as the peer wants it.
pub fn candidate_for_peer(index: u32, candidate: &str, local: &[Section]) -> IceCandidate {
    let section = usize::try_from(index)
        .ok()
        .and_then(|index| local.get(index));
    let candidate = candidate.strip_prefix("a=").unwrap_or(candidate).trim_end();
    IceCandidate {
        candidate: candidate.to_owned(),
        sdp_mid: section.and_then(|section| section.mid.clone()),
        sdp_m_line_index: Some(index),
        username_fragment: section.and_then(|section| section.ufrag.clone()),
    }
}

/// A candidate of the peer as webrtcbin wants it; `None` for an end of candidates and for a section
/// that does not exist, and for what is more than a line.
pub fn candidate_for_webrtcbin(
    candidate: &IceCandidate,
    remote: &[Section],
) -> Option<(u32, String)> {
    let text = candidate.candidate.trim();
    let text = text.strip_prefix("a=").unwrap_or(text);
    if !text.starts_with("candidate:") || text.contains(char::is_control) {
        return None;
    }
    let index = candidate.sdp_m_line_index.or_else(|| {
        let mid = candidate.sdp_mid.as_deref()?;
        let index = remote
            .iter()
            .position(|section| section.mid.as_deref() == Some(mid))?;
        u32::try_from(index).ok()
    })?;
    (usize::try_from(index).ok()? < remote.len()).then(|| (index, text.to_owned()))
}

/// Whether the peer restarted ICE between two of its descriptions; webrtcbin cannot follow.
pub fn restarts_ice(before: &[Section], after: &[Section]) -> bool {
    let ufrag = |sections: &[Section]| sections.iter().find_map(|section| section.ufrag.clone());
    match (ufrag(before), ufrag(after)) {
        (Some(before), Some(after)) => before != after,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
