//! Cameras, microphones, peers and playback on GStreamer.
