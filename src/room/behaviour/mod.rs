//! The core against scripted servers and media engines, one file per behaviour.

mod joining;
mod media;
mod properties;
mod support;
