//! A room in simulated time.

mod delivery;
mod media;
mod participant;
mod test_room;

pub(crate) use test_room::TestRoom;
