//! The core against scripted servers and media engines, one file per behaviour.

mod acceptance;
mod breakout;
mod breakout_moves;
mod events;
mod joining;
mod media;
mod properties;
mod services;
mod support;
mod views;
