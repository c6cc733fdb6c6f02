//! The client end of the signalling connection.
