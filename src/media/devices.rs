//! Which cameras, microphones and speakers this machine has, as GStreamer's device providers see them.

use std::path::{Path, PathBuf};

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
    /// Names it also after a restart and at another socket, where the system knows such a name; else the path.
    pub id: String,
    /// The same for all that is in one piece of hardware: its place below `/sys/devices`. Empty where nobody knows.
    pub group: String,
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
        id: stable_id(Path::new("/dev/v4l/by-id"), &path),
        group: group(Path::new("/"), &path),
        path,
        caps: device.caps(),
    })
}

/// The link in `links` that leads to `path`, else `path`.
fn stable_id(links: &Path, path: &str) -> String {
    let target = std::fs::canonicalize(path).ok();
    let links = std::fs::read_dir(links).into_iter().flatten().flatten();
    let mut links = links.map(|link| link.path());
    let link = target.and_then(|target| {
        links.find(|link| std::fs::canonicalize(link).is_ok_and(|leads_to| leads_to == target))
    });
    link.map_or_else(
        || path.to_owned(),
        |link| link.to_string_lossy().into_owned(),
    )
}

/// The hardware of a V4L2 node or an ALSA PCM; `root` is where `/sys` and `/proc` are.
fn group(root: &Path, path: &str) -> String {
    let class = match path.strip_prefix("/dev/") {
        Some(node) => PathBuf::from("sys/class/video4linux").join(node),
        None => PathBuf::from("sys/class/sound").join(card(root, path)),
    };
    let Ok(device) = std::fs::canonicalize(root.join(class).join("device")) else {
        return String::new();
    };
    // Camera and microphone of one device are different interfaces of it: `1-2:1.0` and `1-2:1.2` are in `1-2`.
    let is_interface = device.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.split_once(':')
            .is_some_and(|(usb, _)| usb.contains('-'))
    });
    let hardware = match device.parent() {
        Some(parent) if is_interface => parent,
        _ => &device,
    };
    let devices = std::fs::canonicalize(root.join("sys/devices"));
    let place = devices.and_then(|devices| {
        let place = hardware.strip_prefix(devices);
        place.map_err(std::io::Error::other).map(Path::to_owned)
    });
    place.map_or_else(
        |_| String::new(),
        |place| place.to_string_lossy().into_owned(),
    )
}

/// `card1` of `hw:1,0`, and of `hw:CARD=Camera,DEV=0` where that is its name.
fn card(root: &Path, pcm: &str) -> PathBuf {
    let arguments = pcm.split_once(':').map_or(pcm, |(_, arguments)| arguments);
    let name = arguments.split(',').next().unwrap_or_default();
    let name = name.strip_prefix("CARD=").unwrap_or(name);
    if name.chars().all(|letter| letter.is_ascii_digit()) {
        return PathBuf::from(format!("card{name}"));
    }
    // A link to the card of that name.
    std::fs::read_link(root.join("proc/asound").join(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn camera_and_microphone_of_one_device_are_a_group_whatever_they_are_called() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let usb = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2";
        for (class, interface) in [
            ("sys/class/video4linux/video0", "1-2:1.0"),
            ("sys/class/sound/card1", "1-2:1.2"),
            ("sys/class/sound/card0", "../../../0000:00:1f.3"),
        ] {
            std::fs::create_dir_all(at(usb).join(interface)).unwrap();
            std::fs::create_dir_all(at(class)).unwrap();
            symlink(at(usb).join(interface), at(class).join("device")).unwrap();
        }
        std::fs::create_dir_all(at("proc/asound")).unwrap();
        symlink("card1", at("proc/asound/Camera")).unwrap();
        let of = |path| group(root.path(), path);
        assert_eq!(of("/dev/video0"), "pci0000:00/0000:00:14.0/usb1/1-2");
        for microphone in ["hw:1,0", "hw:1", "hw:CARD=Camera,DEV=0", "plughw:Camera"] {
            assert_eq!(of(microphone), of("/dev/video0"), "{microphone}");
        }
        assert_eq!(of("hw:0,0"), "pci0000:00/0000:00:1f.3");
        for unknown in ["hw:7,0", "hw:CARD=Nobody", "default", "/dev/video9", ""] {
            assert_eq!(of(unknown), "", "{unknown}");
        }
    }

    #[test]
    fn a_camera_is_named_by_the_link_that_leads_to_it() {
        let root = tempfile::tempdir().unwrap();
        let node = root.path().join("video0");
        std::fs::write(&node, "").unwrap();
        let links = root.path().join("by-id");
        std::fs::create_dir(&links).unwrap();
        let link = links.join("usb-ACME_Camera_0001-video-index0");
        symlink("../video0", &link).unwrap();
        assert_eq!(
            stable_id(&links, &node.to_string_lossy()),
            link.to_string_lossy()
        );
        assert_eq!(stable_id(&links, "hw:1,0"), "hw:1,0");
        assert_eq!(stable_id(&root.path().join("none"), "hw:1,0"), "hw:1,0");
    }
}
