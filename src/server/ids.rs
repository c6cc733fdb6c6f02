//! Where ids come from: an input of the pure part, so that its tests can foresee them.

use uuid::Uuid;

/// Gives ids, none of them twice.
pub trait IdSource: Send {
    /// An id that was never given before.
    fn next_id(&mut self) -> String;
}

/// Random ids: UUIDs of version 4.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_id(&mut self) -> String {
        Uuid::new_v4().to_string()
    }
}
