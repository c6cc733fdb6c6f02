//! The room state machine: inputs in, effects out.
