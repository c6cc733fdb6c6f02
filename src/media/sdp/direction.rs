//! Directions of sections (RFC 8866 §6.7): reading them, meeting an offer, rewriting them.

/// Direction of a section as its writer sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The writer sends only.
    SendOnly,
    /// The writer receives only.
    RecvOnly,
    /// Nothing.
    Inactive,
}

impl Direction {
    /// What an attribute of this name says; `None` for any other attribute.
    pub(super) fn named(attribute: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.name() == attribute)
    }

    fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The writer of the description sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The writer of the description receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// What is left of it in the answer to an offer of `offered` (RFC 3264 §6.1).
    pub(crate) fn answering(self, offered: Self) -> Self {
        match (
            self.sends() && offered.receives(),
            self.receives() && offered.sends(),
        ) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

/// The description with another direction in each section for which `direction` names one.
pub(crate) fn with_directions(sdp: &str, direction: impl Fn(usize) -> Option<Direction>) -> String {
    let mut text = String::with_capacity(sdp.len() + 64);
    let mut sections = 0usize;
    let mut unwritten = None;
    let write = |text: &mut String, direction: Option<Direction>| {
        if let Some(direction) = direction {
            text.push_str("a=");
            text.push_str(direction.name());
            text.push_str("\r\n");
        }
    };
    for line in sdp
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        if line.starts_with("m=") {
            write(&mut text, unwritten.take());
            unwritten = direction(sections);
            sections += 1;
        }
        let is_direction = line.strip_prefix("a=").and_then(Direction::named).is_some();
        let is_replaced = is_direction
            && sections
                .checked_sub(1)
                .is_some_and(|section| direction(section).is_some());
        if is_replaced {
            write(&mut text, unwritten.take());
        } else {
            text.push_str(line);
            text.push_str("\r\n");
        }
    }
    write(&mut text, unwritten.take());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_sends_only_what_is_received_and_receives_only_what_is_sent() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        for (own, offered, answer) in [
            (SendRecv, SendRecv, SendRecv),
            (SendRecv, RecvOnly, SendOnly),
            (SendRecv, SendOnly, RecvOnly),
            (SendRecv, Inactive, Inactive),
            (RecvOnly, SendRecv, RecvOnly),
            (RecvOnly, RecvOnly, Inactive),
            (SendOnly, SendOnly, Inactive),
        ] {
            assert_eq!(own.answering(offered), answer, "{own:?} to {offered:?}");
        }
    }

    #[test]
    fn the_direction_of_a_named_section_is_written_and_every_other_line_stays() {
        let sdp = "v=0\r\na=sendrecv\r\nm=audio 9 X 111\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n\
                   m=video 9 X 96\r\na=mid:1\r\nm=video 9 X 96\r\na=sendonly\r\n";
        let written = with_directions(sdp, |index| (index != 2).then_some(Direction::Inactive));
        assert_eq!(
            written,
            "v=0\r\na=sendrecv\r\nm=audio 9 X 111\r\na=mid:0\r\na=inactive\r\na=rtcp-mux\r\n\
             m=video 9 X 96\r\na=mid:1\r\na=inactive\r\nm=video 9 X 96\r\na=sendonly\r\n"
        );
    }
}
