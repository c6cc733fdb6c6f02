//! Connections that have not said yet who they are. A few are kept at a time, whoever opens how many:
//! they must not take the places of those who want to join.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use super::SocketId;

/// Those that are kept, by the address they come from.
#[derive(Default)]
pub(super) struct Unidentified {
    peers: HashMap<SocketId, IpAddr>,
    /// The oldest of each address first: ids count up.
    sockets: HashMap<IpAddr, BTreeSet<SocketId>>,
}

impl Unidentified {
    /// Adds one. If there are more than `limit` then, one is taken out and returned: the oldest of the
    /// address that has most of them. So an address with few is never the one that makes room for
    /// an address with many, and one with many, as an office has in the morning, is not refused: its
    /// connections need a moment to identify, and the oldest has had more of it than the others.
    pub(super) fn add(&mut self, socket: SocketId, peer: IpAddr, limit: usize) -> Option<SocketId> {
        self.peers.insert(socket, peer);
        self.sockets.entry(peer).or_default().insert(socket);
        if self.peers.len() <= limit {
            return None;
        }
        let most = self
            .sockets
            .values()
            .max_by_key(|sockets| (sockets.len(), Reverse(sockets.first())))?;
        let oldest = *most.first()?;
        self.remove(oldest);
        Some(oldest)
    }

    /// It has said who it is, or is gone.
    pub(super) fn remove(&mut self, socket: SocketId) {
        let Some(peer) = self.peers.remove(&socket) else {
            return;
        };
        if let Some(sockets) = self.sockets.get_mut(&peer) {
            sockets.remove(&socket);
            if sockets.is_empty() {
                self.sockets.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn the_address_with_most_connections_makes_room_with_its_oldest() {
        let mut unidentified = Unidentified::default();
        assert_eq!(unidentified.add(SocketId(1), peer(1), 3), None);
        assert_eq!(unidentified.add(SocketId(2), peer(2), 3), None);
        assert_eq!(unidentified.add(SocketId(3), peer(2), 3), None);
        assert_eq!(
            unidentified.add(SocketId(4), peer(3), 3),
            Some(SocketId(2)),
            "although another address has an older one"
        );
        assert_eq!(
            unidentified.add(SocketId(5), peer(4), 3),
            Some(SocketId(1)),
            "with one each the oldest of all goes"
        );
    }

    #[test]
    fn who_has_identified_or_gone_makes_room_for_others() {
        let mut unidentified = Unidentified::default();
        for number in 1..=10 {
            assert_eq!(unidentified.add(SocketId(number), peer(1), 1), None);
            unidentified.remove(SocketId(number));
            unidentified.remove(SocketId(number));
        }
        assert!(unidentified.peers.is_empty() && unidentified.sockets.is_empty());
    }
}
