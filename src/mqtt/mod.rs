//! The MQTT interface of the box.
pub mod arguments;
pub mod command;
mod command_table;
pub mod commands;
pub mod settings;
pub mod topics;
