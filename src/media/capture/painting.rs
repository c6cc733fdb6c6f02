//! Painting into pictures on their way through a pipeline.

use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;
use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer_video as gst_video;

/// The three planes of an I420 picture, each with its row length in bytes.
pub(crate) type Planes<'a> = [(&'a mut [u8], usize); 3];

/// Calls `paint` with number, width, height and planes of every I420 picture that leaves `painter`.
pub(crate) fn paint(
    painter: &gst::Element,
    paint: impl Fn(u64, usize, usize, Planes<'_>) + Send + Sync + 'static,
) {
    let Some(pad) = painter.static_pad("src") else {
        return;
    };
    let number = AtomicU64::new(0);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(video) = pad
            .current_caps()
            .and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok())
        else {
            return gst::PadProbeReturn::Ok;
        };
        if let Some(buffer) = info.buffer_mut()
            && let Ok(mut frame) =
                gst_video::VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), &video)
        {
            let number = number.fetch_add(1, Ordering::Relaxed);
            let strides = [0, 1, 2]
                .map(|plane| usize::try_from(frame.plane_stride()[plane]).unwrap_or_default());
            let (width, height) = (video.width() as usize, video.height() as usize);
            let [y, u, v, _] = frame.planes_data_mut();
            paint(
                number,
                width,
                height,
                [(y, strides[0]), (u, strides[1]), (v, strides[2])],
            );
        }
        gst::PadProbeReturn::Ok
    });
}
