//! The room server that roomd brings.
