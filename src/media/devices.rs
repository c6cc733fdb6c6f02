//! Which cameras, microphones and speakers this machine has, as GStreamer's device providers see them.

use gst::prelude::*;
use gstreamer as gst;
use serde::Serialize;

/// What a device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// Gives pictures.
    Camera,
    /// Gives sound.
    Microphone,
    /// Plays sound.
    Speaker,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Device {
    /// What it is for.
    pub kind: DeviceKind,
    /// Name for people.
    pub name: String,
    /// Path of a V4L2 device, name of an ALSA PCM.
    pub path: String,
    /// The formats it gives or takes.
    #[serde(serialize_with = "caps_as_text")]
    pub caps: Option<gst::Caps>,
}

fn caps_as_text<S: serde::Serializer>(
    caps: &Option<gst::Caps>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match caps {
        Some(caps) => serializer.collect_str(caps),
        None => serializer.serialize_none(),
    }
}

impl Device {
    /// Whether this is the device at `path`, which may be a link such as `/dev/v4l/by-id/…`.
    pub(crate) fn is(&self, kind: DeviceKind, path: &str) -> bool {
        self.kind == kind
            && (self.path == path
                || std::fs::canonicalize(path)
                    .is_ok_and(|target| target == std::path::Path::new(&self.path)))
    }
}

/// All devices. Asks the device providers, which may take a moment: call it where blocking is allowed.
pub(crate) fn find() -> Vec<Device> {
    let monitor = gst::DeviceMonitor::new();
    for class in ["Video/Source", "Audio/Source", "Audio/Sink"] {
        monitor.add_filter(Some(class), None);
    }
    if monitor.start().is_err() {
        return Vec::new();
    }
    let devices = monitor.devices().iter().filter_map(described).collect();
    monitor.stop();
    devices
}

fn described(device: &gst::Device) -> Option<Device> {
    let kind = match device.device_class().as_str() {
        class if class.starts_with("Video/Source") => DeviceKind::Camera,
        class if class.starts_with("Audio/Source") => DeviceKind::Microphone,
        class if class.starts_with("Audio/Sink") => DeviceKind::Speaker,
        _ => return None,
    };
    let element = device.create_element(None).ok()?;
    let wanted = match kind {
        DeviceKind::Camera => "v4l2src",
        DeviceKind::Microphone => "alsasrc",
        DeviceKind::Speaker => "alsasink",
    };
    // Sound servers list the same devices again; only V4L2 and ALSA are opened here.
    if element.factory()?.name() != wanted {
        return None;
    }
    let path = element.property::<Option<String>>("device")?;
    Some(Device {
        kind,
        name: device.display_name().to_string(),
        path,
        caps: device.caps(),
    })
}
