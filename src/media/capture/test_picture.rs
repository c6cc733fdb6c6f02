//! The moving test pictures, of known content so that a receiver can tell whether it got the right one.
//!
//! Camera: six vertical bars of equal width, left to right [`CAMERA_BARS`]; in the row band from 3/4 to
//! 7/8 of the height a white block of 1/12 of the width moves to the right, one step each frame, and
//! starts again at the left after [`STEPS`] frames.
//! Presentation: four quadrants [`PRESENTATION_QUADRANTS`] (top left, top right, bottom left, bottom
//! right); the same block moves in black in the band from 1/8 to 1/4 of the height.

/// Red, green, blue, each 0 to 255.
pub type Rgb = [u8; 3];

/// Colours of the camera's bars.
pub const CAMERA_BARS: [Rgb; 6] = [
    [200, 30, 30],
    [30, 160, 60],
    [40, 60, 200],
    [220, 200, 40],
    [190, 40, 180],
    [40, 180, 190],
];

/// Colours of the presentation's quadrants.
pub const PRESENTATION_QUADRANTS: [Rgb; 4] = [
    [230, 120, 20],
    [20, 90, 160],
    [120, 30, 140],
    [150, 200, 90],
];

/// Number of places of the moving block.
pub(crate) const STEPS: u64 = 88;

/// Which of the two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestPicture {
    /// The camera's.
    Camera,
    /// The presentation's.
    Presentation,
}

impl TestPicture {
    /// Colour at a place of frame `number`, with `x` and `y` from 0.0 to 1.0 (exclusive).
    #[must_use]
    pub fn colour_at(self, number: u64, x: f64, y: f64) -> Rgb {
        let block = (number % STEPS) as f64 / (STEPS as f64) * (11.0 / 12.0);
        let in_block = (block..block + 1.0 / 12.0).contains(&x);
        match self {
            Self::Camera if in_block && (0.75..0.875).contains(&y) => [255, 255, 255],
            Self::Camera => CAMERA_BARS[((x * 6.0) as usize).min(5)],
            Self::Presentation if in_block && (0.125..0.25).contains(&y) => [0, 0, 0],
            Self::Presentation => {
                PRESENTATION_QUADRANTS[usize::from(x >= 0.5) + 2 * usize::from(y >= 0.5)]
            }
        }
    }

    /// Paints frame `number` into the three planes of an I420 picture, each with its row length.
    pub(crate) fn paint(
        self,
        number: u64,
        width: usize,
        height: usize,
        planes: [(&mut [u8], usize); 3],
    ) {
        for (plane, (data, stride)) in planes.into_iter().enumerate() {
            let (columns, rows) = if plane == 0 {
                (width, height)
            } else {
                (width.div_ceil(2), height.div_ceil(2))
            };
            // Colours change only from one eighth of the height to the next: all other rows are copies.
            let mut painted: Option<(u8, usize)> = None;
            for row in 0..rows {
                let y = (row as f64 + 0.5) / rows as f64;
                let band = (y * 8.0) as u8;
                let start = row * stride;
                if let Some((same, from)) = painted
                    && same == band
                {
                    data.copy_within(from..from + columns, start);
                    continue;
                }
                for step in 0..STEPS_ACROSS {
                    let colour =
                        self.colour_at(number, (step as f64 + 0.5) / STEPS_ACROSS as f64, y);
                    let left = step * columns / STEPS_ACROSS;
                    let right = (step + 1) * columns / STEPS_ACROSS;
                    data[start + left..start + right].fill(yuv(colour)[plane]);
                }
                painted = Some((band, start));
            }
        }
    }
}

/// Cells in which a row is painted: the bars' edges, the middle and the block's places fall on them.
const STEPS_ACROSS: usize = 96;

/// BT.601, limited range.
fn yuv([r, g, b]: Rgb) -> [u8; 3] {
    let [r, g, b] = [
        f64::from(r) / 255.0,
        f64::from(g) / 255.0,
        f64::from(b) / 255.0,
    ];
    let y = 0.299 * r + 0.587 * g + 0.114 * b;
    let level = |value: f64| value.round().clamp(0.0, 255.0) as u8;
    [
        level(16.0 + 219.0 * y),
        level(128.0 + 224.0 * (b - y) / 1.772),
        level(128.0 + 224.0 * (r - y) / 1.402),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(picture: TestPicture, number: u64) -> [Vec<u8>; 3] {
        let (width, height) = (192, 96);
        let mut planes = [vec![0; 192 * 96], vec![0; 96 * 48], vec![0; 96 * 48]];
        let [y, u, v] = &mut planes;
        picture.paint(number, width, height, [(y, 192), (u, 96), (v, 96)]);
        planes
    }

    #[test]
    fn the_painted_picture_has_the_documented_colours() {
        for picture in [TestPicture::Camera, TestPicture::Presentation] {
            let [y, u, v] = painted(picture, 7);
            for (column, row) in [
                (16, 10),
                (48, 10),
                (80, 40),
                (112, 60),
                (144, 80),
                (176, 90),
            ] {
                let colour = picture.colour_at(
                    7,
                    (f64::from(column) + 0.5) / 192.0,
                    (f64::from(row) + 0.5) / 96.0,
                );
                let at = |plane: &[u8], stride: i32, half: i32| {
                    plane[((row / half) * stride + column / half) as usize]
                };
                assert_eq!(
                    [at(&y, 192, 1), at(&u, 96, 2), at(&v, 96, 2)],
                    yuv(colour),
                    "{picture:?} {column},{row}"
                );
            }
        }
    }

    #[test]
    fn the_block_moves() {
        assert_ne!(
            painted(TestPicture::Camera, 0)[0],
            painted(TestPicture::Camera, 8)[0]
        );
        assert_eq!(
            painted(TestPicture::Camera, 0),
            painted(TestPicture::Camera, STEPS)
        );
    }

    #[test]
    fn the_two_pictures_differ_everywhere_enough_to_tell_them_apart() {
        for x in [0.08, 0.25, 0.42, 0.58, 0.75, 0.92] {
            for y in [0.3, 0.6] {
                let camera = TestPicture::Camera.colour_at(0, x, y);
                let share = TestPicture::Presentation.colour_at(0, x, y);
                let distance: i32 = camera
                    .iter()
                    .zip(share)
                    .map(|(a, b)| (i32::from(*a) - i32::from(b)).abs())
                    .sum();
                assert!(distance > 60, "{x} {y}: {camera:?} {share:?}");
            }
        }
    }
}
