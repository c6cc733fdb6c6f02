//! What others see while a camera that was on is gone: a crossed-out camera instead of a picture that stands still.

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::painting::{self, Planes};
use crate::{
    fanout::{APPSINK, Fanout},
    launch::{self, LaunchError},
    pipeline::{self, Timing},
    settings::VideoEncoding,
};

const NO_CAMERA: &str = include_str!("../../../pipelines/capture/no-camera.launch");

/// Luma of the ground, as calm as the display's.
const GROUND: u8 = 38;
/// Luma of the sign.
const SIGN: u8 = 150;
/// No colour.
const GREY: u8 = 128;

/// The picture, sent at the camera's size and rate.
#[derive(Debug)]
pub(super) struct Placeholder {
    pipeline: gst::Pipeline,
    pub(super) encoding: VideoEncoding,
}

impl Placeholder {
    /// Feeds the picture into `raw` from now on.
    pub(super) fn start(
        encoding: VideoEncoding,
        raw: &Fanout,
        timing: &Timing,
    ) -> Result<Self, LaunchError> {
        let line = launch::fill(NO_CAMERA, &encoding.values())?;
        let text = format!("{line} ! {APPSINK} name=samples");
        let pipeline = launch::pipeline(&text)?;
        let painter: gst::Element = launch::named(&pipeline, &text, "painter")?;
        painting::paint(&painter, |_, width, height, planes| {
            paint(width, height, planes);
        });
        let sink: gst_app::AppSink = launch::named(&pipeline, &text, "samples")?;
        raw.feed_from(&sink, || {});
        timing.apply(&pipeline);
        pipeline::watch_bus(&pipeline, |event| {
            tracing::error!(?event, "the picture in place of the camera's failed");
        });
        let started = Self { pipeline, encoding };
        if started.pipeline.set_state(gst::State::Playing).is_err() {
            tracing::error!("the picture in place of the camera's does not start");
        }
        Ok(started)
    }

    /// Ends it; nothing of it comes any more when this returns.
    pub(super) async fn close(self) {
        pipeline::close(self.pipeline, "placeholder").await;
    }
}

/// A camera with a bar through it, in the middle.
fn paint(width: usize, height: usize, planes: Planes<'_>) {
    let [(luma, stride), (u, _), (v, _)] = planes;
    u.fill(GREY);
    v.fill(GREY);
    // One unit is a twentieth of the height; the sign is 8 units wide and 5 high.
    let unit = height as f64 / 20.0;
    let (middle_x, middle_y) = (width as f64 / 2.0, height as f64 / 2.0);
    for (row, line) in luma.chunks_mut(stride.max(1)).take(height).enumerate() {
        let y = (row as f64 - middle_y) / unit;
        for (column, pixel) in line.iter_mut().take(width).enumerate() {
            let x = (column as f64 - middle_x) / unit;
            *pixel = if is_sign(x, y) { SIGN } else { GROUND };
        }
    }
}

/// Whether a place, in units from the middle, is of the sign.
fn is_sign(x: f64, y: f64) -> bool {
    // Along and across the bar, which goes from the lower left to the upper right.
    let (along, across) = ((x - y) / 2.0, (x + y) / 2.0);
    if along.abs() < 4.0 && across.abs() < 0.9 {
        return across.abs() < 0.4;
    }
    let body = (-4.0..2.0).contains(&x) && y.abs() < 2.5;
    let lens = (2.4..4.4).contains(&x) && y.abs() < 0.6 + (x - 2.4) * 0.7;
    body || lens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_in_the_middle_and_the_rest_is_calm() {
        let (width, height) = (64, 36);
        let (mut y, mut u, mut v) = (vec![0; 64 * 36], vec![0; 32 * 18], vec![0; 32 * 18]);
        paint(width, height, [(&mut y, 64), (&mut u, 32), (&mut v, 32)]);
        assert!(u.iter().chain(&v).all(|chroma| *chroma == GREY));
        assert!(y.iter().all(|luma| [GROUND, SIGN].contains(luma)));
        assert_eq!(y[18 * 64 + 32], SIGN, "the bar");
        assert!(y[..10 * 64].iter().all(|luma| *luma == GROUND));
        let sign = y.iter().filter(|luma| **luma == SIGN).count();
        assert!((40..200).contains(&sign), "{sign} of {} pixels", y.len());
    }
}
