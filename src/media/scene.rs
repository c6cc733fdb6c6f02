//! What the display shows: a pure description, made by whoever knows the room.

use roomd_protocol::{ClientId, StreamId};

/// Everything on the display. Sent whole whenever anything of it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Line at the top: the room's name.
    pub title: String,
    /// Large text in the middle, for as long as there is something to say that matters more than the
    /// tiles (connecting, waiting for the host, kicked, an error with its remedy). Several lines.
    pub message: Option<String>,
    /// A few lines below the title that somebody should see while the pictures go on (a question to the
    /// room).
    pub notice: Option<String>,
    /// Line at the bottom: own state ("Microphone off", "Camera off", "Hand raised", "Sharing screen").
    pub status: String,
    /// Remote pictures in order; presentations first are shown large.
    pub tiles: Vec<Tile>,
}

/// One remote picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Whose.
    pub peer: ClientId,
    /// Which of their streams, `None` while there is no picture.
    pub stream: Option<StreamId>,
    /// Shown name, with marks for muted and raised hand already in it.
    pub label: String,
    /// The camera is off: the name is shown instead of a picture.
    pub video_off: bool,
    /// A presentation.
    pub presentation: bool,
}
