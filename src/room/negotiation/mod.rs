//! Who describes which media to whom, and when.
//!
//! [`acceptance`] says with whom at all. [`p2p`] serves rooms without a media server: one connection per remote client. A room that
//! insists on a media server is refused at the join (`media_server_required`); its negotiation
//! would stand beside this one, behind the same inputs.

mod acceptance;
mod p2p;

pub(crate) use acceptance::has_camera;
pub(crate) use p2p::Peer;
