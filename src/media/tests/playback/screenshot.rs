//! What stands on the screen of the X server.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use roomd_media::playback::layout::{Rect, status_height, title_height};

use crate::{feed::Colour, timeline::SCREEN};

/// Pixels of the whole screen.
pub(crate) struct Screenshot {
    width: usize,
    pixels: Vec<u8>,
}

/// The first screenshot for which `holds` is true; fails after 20 s.
pub(crate) fn wait_for(what: &str, holds: impl Fn(&Screenshot) -> bool) -> Screenshot {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let shot = Screenshot::take();
        if holds(&shot) {
            if let Ok(folder) = std::env::var("ROOMD_TEST_SCREENSHOTS") {
                shot.save(&format!("{folder}/{}.ppm", what.replace(' ', "-")));
            }
            return shot;
        }
        if Instant::now() > deadline {
            shot.save("/tmp/roomd-playback-failed.ppm");
            panic!("{what}: not seen within 20 s, see /tmp/roomd-playback-failed.ppm");
        }
    }
}

impl Screenshot {
    fn take() -> Self {
        let output = Command::new("import")
            .args(["-window", "root", "-depth", "8", "ppm:-"])
            .output()
            .expect("import is installed (package imagemagick)");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let header = format!("P6\n{} {}\n255\n", SCREEN.0, SCREEN.1);
        let pixels = output
            .stdout
            .strip_prefix(header.as_bytes())
            .expect("a picture of the screen's size")
            .to_vec();
        Self {
            width: SCREEN.0 as usize,
            pixels,
        }
    }

    fn save(&self, path: &str) {
        let mut file = format!("P6\n{} {}\n255\n", SCREEN.0, SCREEN.1).into_bytes();
        file.extend_from_slice(&self.pixels);
        std::fs::write(path, file).unwrap();
    }

    fn pixel(&self, x: usize, y: usize) -> Colour {
        let at = (y * self.width + x) * 3;
        (self.pixels[at], self.pixels[at + 1], self.pixels[at + 2])
    }

    /// The middle of `place` has this colour, as exactly as two conversions between RGB and YCbCr allow.
    pub(crate) fn is_near(&self, place: Rect, wanted: Colour) -> bool {
        let (x, y) = (
            (place.x + place.width / 2) as usize,
            (place.y + place.height / 2) as usize,
        );
        let seen = self.pixel(x, y);
        seen.0.abs_diff(wanted.0) <= 10
            && seen.1.abs_diff(wanted.1) <= 10
            && seen.2.abs_diff(wanted.2) <= 10
    }

    /// Light letters: bright pixels beside dark ones.
    pub(crate) fn has_text_at(&self, place: Rect) -> bool {
        let rows = place.y as usize..(place.y + place.height) as usize;
        let columns = place.x as usize..(place.x + place.width) as usize;
        let all = rows.len() * columns.len();
        let bright = rows
            .flat_map(|y| columns.clone().map(move |x| (x, y)))
            .filter(|(x, y)| {
                let (red, green, _) = self.pixel(*x, *y);
                red > 180 && green > 140
            })
            .count();
        bright * 400 > all && bright * 2 < all
    }

    /// The share of pixels that are as black as a screen that is off.
    pub(crate) fn black_share(&self) -> f64 {
        let black = self
            .pixels
            .chunks_exact(3)
            .filter(|pixel| pixel.iter().all(|value| *value < 12))
            .count();
        black as f64 * 3.0 / self.pixels.len() as f64
    }

    /// Two pixels around a point given in parts of `place`.
    pub(crate) fn at(&self, place: Rect, across: f64, down: f64) -> Rect {
        Rect {
            x: place.x + (f64::from(place.width) * across) as u32,
            y: place.y + (f64::from(place.height) * down) as u32,
            width: 2,
            height: 2,
        }
    }

    /// Where a picture's name stands.
    pub(crate) fn label_of(&self, place: Rect) -> Rect {
        let height = place.height / 6;
        Rect {
            y: place.y + place.height - height,
            height,
            width: place.width / 3,
            ..place
        }
    }

    /// The middle of a card.
    pub(crate) fn inner(&self, place: Rect) -> Rect {
        Rect {
            x: place.x + place.width / 4,
            y: place.y + place.height / 4,
            width: place.width / 2,
            height: place.height / 2,
        }
    }

    /// The left part of the line of the title.
    pub(crate) fn title(&self) -> Rect {
        Rect {
            x: 0,
            y: 0,
            width: SCREEN.0 / 4,
            height: title_height(SCREEN.1),
        }
    }

    /// The middle of the two lines below the title.
    pub(crate) fn notice(&self) -> Rect {
        Rect {
            x: SCREEN.0 / 4,
            y: title_height(SCREEN.1),
            width: SCREEN.0 / 2,
            height: SCREEN.1 / 6,
        }
    }

    /// The middle of the line of the status.
    pub(crate) fn status(&self) -> Rect {
        let height = status_height(SCREEN.1);
        Rect {
            x: SCREEN.0 / 3,
            y: SCREEN.1 - height,
            width: SCREEN.0 / 3,
            height,
        }
    }
}
