//! The box by behaviour: scripted rooms and media engines, time as it is told.

mod changes;
mod commands;
mod controls;
mod meeting;
mod policy;
mod privacy;
mod requests;
mod returning;
mod support;
