//! The core against scripted servers and media engines, one file per behaviour.

mod acceptance;
mod breakout;
mod breakout_moves;
mod entering;
mod events;
mod fields;
mod joining;
mod media;
mod permissions;
mod properties;
mod services;
mod support;
mod views;
