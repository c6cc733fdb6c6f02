//! Where each picture goes: pure arithmetic from the screen's size and the number of pictures.

/// A rectangle on the screen in pixels; every figure is even, as 4:2:0 pictures want it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 2.
    pub width: u32,
    /// Height, at least 2.
    pub height: u32,
}

/// The smallest screen that is laid out, in pixels.
pub const SMALLEST_SCREEN: (u32, u32) = (320, 180);

/// A place for each picture, the presentations' first. Pictures are 16:9 (to the even pixel), do not overlap,
/// and stay between the line of the title and the line of the status.
///
/// One or more presentations share the large part of the screen and cameras stand in a strip beside them.
#[must_use]
pub fn arrange(screen: (u32, u32), presentations: usize, cameras: usize) -> Vec<Rect> {
    let area = picture_area(screen);
    if presentations == 0 {
        return grid(area, cameras);
    }
    if cameras == 0 {
        return grid(area, presentations);
    }
    let (main, strip) = split(area, gap(screen.1));
    let mut places = grid(main, presentations);
    places.extend(grid(strip, cameras));
    places
}

/// Height of the line at the top, where the room's name stands.
#[must_use]
pub fn title_height(screen_height: u32) -> u32 {
    even(screen_height / 12)
}

/// Height of the line at the bottom, where the own state stands.
#[must_use]
pub fn status_height(screen_height: u32) -> u32 {
    even(screen_height / 13)
}

/// Everything between the two lines, with a margin at the sides.
fn picture_area((width, height): (u32, u32)) -> Rect {
    let margin = gap(height);
    let top = title_height(height);
    Rect {
        x: margin,
        y: top,
        width: even(width.saturating_sub(2 * margin)),
        height: even(height.saturating_sub(top + status_height(height))),
    }
}

/// The large part and the strip: at the right of a wide screen, below on a tall one.
fn split(area: Rect, gap: u32) -> (Rect, Rect) {
    if area.width >= area.height {
        let width = even(area.width / 5);
        let main = Rect {
            width: area.width - width - gap,
            ..area
        };
        (
            main,
            Rect {
                x: area.x + main.width + gap,
                width,
                ..area
            },
        )
    } else {
        let height = even(area.height / 4);
        let main = Rect {
            height: area.height - height - gap,
            ..area
        };
        (
            main,
            Rect {
                y: area.y + main.height + gap,
                height,
                ..area
            },
        )
    }
}

/// `count` equal places, as large as possible, centred row by row.
fn grid(area: Rect, count: usize) -> Vec<Rect> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let Some((columns, (width, height))) = (1..=count)
        .map(|columns| (columns, place_size(area, columns, count.div_ceil(columns))))
        .max_by_key(|(columns, (width, _))| (*width, std::cmp::Reverse(*columns)))
    else {
        return Vec::new();
    };
    let rows = count.div_ceil(columns);
    let gap = grid_gap(area, columns, rows);
    let top = area.y + even(area.height.saturating_sub(rows * height + (rows - 1) * gap) / 2);
    (0..count)
        .map(|index| {
            let (row, column) = (index / columns, index % columns);
            let in_row = columns.min(count - row * columns);
            let left = area.x
                + even(
                    area.width
                        .saturating_sub(in_row * width + (in_row - 1) * gap)
                        / 2,
                );
            Rect {
                x: left + column * (width + gap),
                y: top + row * (height + gap),
                width,
                height,
            }
        })
        .collect()
}

/// The largest 16:9 that fits into `columns` by `rows`; 2 by 2 where nothing fits.
fn place_size(area: Rect, columns: u32, rows: u32) -> (u32, u32) {
    let gap = grid_gap(area, columns, rows);
    let width = area.width.saturating_sub((columns - 1) * gap) / columns;
    let height = area.height.saturating_sub((rows - 1) * gap) / rows;
    let width = width.min(height * 16 / 9);
    // Multiples of 32 by 18 are 16:9 without a rest and even: no sliver of border beside a picture.
    let width = if width >= 32 {
        width / 32 * 32
    } else {
        even(width)
    };
    (width.max(2), even(width * 9 / 16).max(2))
}

/// The space between places, none where there are too many for it.
fn grid_gap(area: Rect, columns: u32, rows: u32) -> u32 {
    let wanted = gap(area.width.min(area.height));
    if columns * wanted * 4 > area.width || rows * wanted * 4 > area.height {
        0
    } else {
        wanted
    }
}

fn gap(length: u32) -> u32 {
    even(length / 60)
}

fn even(value: u32) -> u32 {
    value & !1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn overlap(a: Rect, b: Rect) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    proptest! {
        #[test]
        fn every_picture_has_a_place_inside_the_screen_that_no_other_overlaps(
            width in SMALLEST_SCREEN.0..4096u32,
            height in SMALLEST_SCREEN.1..2400u32,
            presentations in 0usize..4,
            cameras in 0usize..40,
        ) {
            let places = arrange((width, height), presentations, cameras);
            prop_assert_eq!(places.len(), presentations + cameras);
            let bottom = height - status_height(height);
            for (index, place) in places.iter().enumerate() {
                prop_assert!(place.width >= 2 && place.height >= 2);
                prop_assert!(place.x + place.width <= width, "{:?}", place);
                prop_assert!(place.y >= title_height(height) && place.y + place.height <= bottom, "{:?}", place);
                prop_assert!([place.x, place.y, place.width, place.height].iter().all(|value| value % 2 == 0));
                for other in &places[index + 1..] {
                    prop_assert!(!overlap(*place, *other), "{:?} and {:?}", place, other);
                }
            }
        }

        #[test]
        fn the_aspect_is_kept_to_the_even_pixel(
            width in SMALLEST_SCREEN.0..4096u32,
            height in SMALLEST_SCREEN.1..2400u32,
            presentations in 0usize..3,
            cameras in 0usize..12,
        ) {
            for place in arrange((width, height), presentations, cameras) {
                let wanted = f64::from(place.width) * 9.0 / 16.0;
                prop_assert!((f64::from(place.height) - wanted).abs() <= 2.0, "{:?}", place);
            }
        }

        #[test]
        fn a_presentation_is_larger_than_any_camera(cameras in 1usize..20) {
            let places = arrange((1920, 1080), 1, cameras);
            prop_assert!(places[1..].iter().all(|camera| camera.width * 2 < places[0].width));
        }
    }

    #[test]
    fn one_picture_takes_the_whole_area() {
        let places = arrange((1920, 1080), 0, 1);
        assert!(
            places[0].height >= 890 && places[0].width >= 1580,
            "{places:?}"
        );
    }

    #[test]
    fn four_pictures_stand_two_by_two() {
        let places = arrange((1920, 1080), 0, 4);
        assert_eq!(places[0].y, places[1].y);
        assert_eq!(places[0].x, places[2].x);
        assert!(places[0].width > 750, "{places:?}");
    }

    #[test]
    fn the_last_row_is_centred() {
        let places = arrange((1920, 1080), 0, 3);
        let middle = places[2].x + places[2].width / 2;
        assert!(middle.abs_diff(960) <= 2, "{places:?}");
    }

    #[test]
    fn nothing_to_show_needs_no_place() {
        assert!(arrange((1920, 1080), 0, 0).is_empty());
    }
}
