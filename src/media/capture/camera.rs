//! Where camera pictures come from.

use gstreamer as gst;

use super::{CaptureLine, test_picture::TestPicture};
use crate::{
    devices::{Device, DeviceKind},
    launch::{self, LaunchError, quoted},
    settings::{VideoEncoding, VideoSource},
};

const TEST_PICTURE: &str = include_str!("../../../pipelines/capture/test-picture.launch");
const V4L2_RAW: &str = include_str!("../../../pipelines/capture/v4l2-raw.launch");
const V4L2_MJPEG: &str = include_str!("../../../pipelines/capture/v4l2-mjpeg.launch");

/// The line for a source; `None` when there is to be no picture. `devices` are those of this machine.
pub(crate) fn line(
    source: &VideoSource,
    encoding: VideoEncoding,
    picture: TestPicture,
    devices: &[Device],
) -> Result<Option<CaptureLine>, LaunchError> {
    match source {
        VideoSource::None => Ok(None),
        VideoSource::Test => test_line(encoding, picture).map(Some),
        VideoSource::V4l2(path) => {
            let device = devices
                .iter()
                .find(|device| device.is(DeviceKind::Camera, path));
            v4l2_line(path, device, encoding).map(Some)
        }
        VideoSource::Auto => match devices
            .iter()
            .find(|device| device.kind == DeviceKind::Camera)
        {
            Some(device) => v4l2_line(&device.path, Some(device), encoding).map(Some),
            None => test_line(encoding, picture).map(Some),
        },
    }
}

fn test_line(encoding: VideoEncoding, picture: TestPicture) -> Result<CaptureLine, LaunchError> {
    Ok(CaptureLine {
        device: "test picture".to_owned(),
        line: launch::fill(TEST_PICTURE, &encoding.values())?,
        painted: Some(picture),
        is_test: true,
        placeholder: Some(encoding),
    })
}

fn v4l2_line(
    path: &str,
    device: Option<&Device>,
    encoding: VideoEncoding,
) -> Result<CaptureLine, LaunchError> {
    let mut values = encoding.values();
    values.push(("device", quoted(path)));
    let format = device
        .and_then(|device| device.caps.as_ref())
        .map_or(DeviceFormat::Raw, |caps| format(caps, encoding));
    let template = match format {
        DeviceFormat::Raw => V4L2_RAW,
        DeviceFormat::Mjpeg { width, height } => {
            values.push(("device_width", width.to_string()));
            values.push(("device_height", height.to_string()));
            V4L2_MJPEG
        }
    };
    let name = device.map_or_else(|| path.to_owned(), |device| device.name.clone());
    Ok(CaptureLine {
        device: name,
        line: launch::fill(template, &values)?,
        painted: None,
        is_test: false,
        placeholder: Some(encoding),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeviceFormat {
    Raw,
    Mjpeg { width: i32, height: i32 },
}

/// Raw when the device gives the wanted size and rate raw, else the smallest Motion JPEG picture that
/// is large enough: USB 2 cameras reach 720p30 only so.
fn format(caps: &gst::Caps, encoding: VideoEncoding) -> DeviceFormat {
    let (Ok(width), Ok(height), Ok(fps)) = (
        i32::try_from(encoding.width),
        i32::try_from(encoding.height),
        i32::try_from(encoding.fps),
    ) else {
        return DeviceFormat::Raw;
    };
    let wanted = |media: &str| {
        gst::Caps::builder(media)
            .field("width", gst::IntRange::new(width, i32::MAX))
            .field("height", gst::IntRange::new(height, i32::MAX))
            .field(
                "framerate",
                gst::FractionRange::new(
                    gst::Fraction::new(fps - 1, 1),
                    gst::Fraction::new(i32::MAX, 1),
                ),
            )
            .build()
    };
    if caps.can_intersect(&wanted("video/x-raw")) {
        return DeviceFormat::Raw;
    }
    caps.intersect(&wanted("image/jpeg"))
        .iter()
        .filter_map(|structure| {
            Some((
                structure.get::<i32>("width").ok()?,
                structure.get::<i32>("height").ok()?,
            ))
        })
        .min_by_key(|(width, height)| i64::from(*width) * i64::from(*height))
        .map_or(DeviceFormat::Raw, |(width, height)| DeviceFormat::Mjpeg {
            width,
            height,
        })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn usb_camera() -> Device {
        gst::init().unwrap();
        Device {
            kind: DeviceKind::Camera,
            name: "HD Webcam".into(),
            path: "/dev/video0".into(),
            id: "/dev/video0".into(),
            group: String::new(),
            caps: gst::Caps::from_str(
                "video/x-raw,format=YUY2,width=640,height=480,framerate={(fraction)30/1,(fraction)15/1}; \
                 video/x-raw,format=YUY2,width=1280,height=720,framerate=(fraction)10/1; \
                 image/jpeg,width=1920,height=1080,framerate=(fraction)30/1; \
                 image/jpeg,width=1280,height=720,framerate={(fraction)30/1,(fraction)15/1}; \
                 image/jpeg,width=640,height=480,framerate=(fraction)30/1",
            )
            .ok(),
        }
    }

    #[test]
    fn a_usb_camera_is_read_as_motion_jpeg_where_raw_is_too_slow() {
        let line = line(
            &VideoSource::Auto,
            VideoEncoding::default(),
            TestPicture::Camera,
            &[usb_camera()],
        )
        .unwrap()
        .unwrap();
        assert_eq!(line.device, "HD Webcam");
        assert!(
            line.line.contains("image/jpeg,width=1280,height=720"),
            "{}",
            line.line
        );
        let small = VideoEncoding {
            width: 640,
            height: 360,
            ..VideoEncoding::default()
        };
        let device = usb_camera();
        assert_eq!(
            format(device.caps.as_ref().unwrap(), small),
            DeviceFormat::Raw
        );
    }

    #[test]
    fn the_golden_line_of_a_raw_camera() {
        let source = VideoSource::V4l2("/dev/v4l/by-id/usb-x".into());
        let line = line(&source, VideoEncoding::default(), TestPicture::Camera, &[])
            .unwrap()
            .unwrap();
        assert_eq!(
            line.line,
            "v4l2src device=\"/dev/v4l/by-id/usb-x\" do-timestamp=true ! video/x-raw \
             ! videorate drop-only=true max-rate=30 ! videoconvert n-threads=1 ! videoscale n-threads=1 \
             ! video/x-raw,format=I420,width=1280,height=720,colorimetry=bt601,pixel-aspect-ratio=1/1"
        );
    }

    #[test]
    fn without_a_camera_automatic_means_the_test_picture_and_a_named_one_does_not() {
        let chosen = line(
            &VideoSource::Auto,
            VideoEncoding::default(),
            TestPicture::Camera,
            &[],
        )
        .unwrap()
        .unwrap();
        assert_eq!(
            (chosen.device.as_str(), chosen.painted),
            ("test picture", Some(TestPicture::Camera))
        );
        let named = line(
            &VideoSource::V4l2("/dev/video9".into()),
            VideoEncoding::default(),
            TestPicture::Camera,
            &[],
        )
        .unwrap()
        .unwrap();
        assert_eq!(named.painted, None);
        assert_eq!(
            line(
                &VideoSource::None,
                VideoEncoding::default(),
                TestPicture::Camera,
                &[]
            )
            .unwrap(),
            None
        );
    }

    #[test]
    fn every_line_is_accepted_by_gstreamer() {
        gst::init().unwrap();
        for source in [VideoSource::Test, VideoSource::V4l2("/dev/video0".into())] {
            let line = line(
                &source,
                VideoEncoding::default(),
                TestPicture::Camera,
                &[usb_camera()],
            )
            .unwrap()
            .unwrap();
            launch::pipeline(&format!("{} ! fakesink", line.line)).unwrap();
        }
    }
}
