//! Gestures: a table of behaviours, and what holds of any edges whatever.

use proptest::prelude::*;

use super::*;

const TIMING: Timing = Timing {
    debounce: Duration::from_millis(5),
    long_press: Duration::from_millis(600),
    double_press: Duration::from_millis(300),
};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Edges at milliseconds; what came of them until long after the last.
fn told(used_for: Use, edges: &[(u64, Edge)]) -> Vec<Gesture> {
    let start = Instant::now();
    let mut button = Button::new(TIMING, used_for, false);
    let mut gestures = Vec::new();
    for (at, edge) in edges {
        gestures.extend(button.edge(start + ms(*at), *edge));
    }
    let last = edges.last().map_or(0, |(at, _)| *at);
    gestures.extend(button.timeout(start + ms(last + 10_000)));
    gestures
}

use Edge::{Down, Up};
use Gesture::{DoublePress, LongPress, Press, TalkEnd, TalkStart};

const PRESS: Use = Use {
    long_press: false,
    double_press: false,
    talk: false,
};
const ALL: Use = Use {
    long_press: true,
    double_press: true,
    talk: false,
};
const TALK: Use = Use {
    talk: true,
    ..PRESS
};

#[test]
fn a_press_counts_at_the_push_where_nothing_else_is_bound() {
    let start = Instant::now();
    let mut button = Button::new(TIMING, PRESS, false);
    assert_eq!(button.edge(start, Down), [Press]);
    assert!(button.edge(start + ms(5_000), Up).is_empty());
}

#[test]
fn a_bouncing_contact_makes_one_press() {
    let bouncing = [(0, Down), (1, Up), (2, Down), (3, Up), (4, Down)];
    assert_eq!(told(PRESS, &bouncing), [Press]);
    assert_eq!(
        told(PRESS, &[(0, Down), (100, Up), (101, Down), (102, Up)]),
        [Press]
    );
}

#[test]
fn a_press_shorter_than_the_debounce_time_is_a_press_and_the_next_one_too() {
    assert_eq!(
        told(PRESS, &[(0, Down), (2, Up), (50, Down), (52, Up)]),
        [Press, Press]
    );
}

#[test]
fn a_long_press_is_told_while_the_button_is_held() {
    let start = Instant::now();
    let mut button = Button::new(TIMING, ALL, false);
    assert!(button.edge(start, Down).is_empty());
    assert!(button.timeout(start + ms(599)).is_empty());
    assert_eq!(button.next_deadline(), Some(start + ms(600)));
    assert_eq!(button.timeout(start + ms(600)), [LongPress]);
    assert!(button.edge(start + ms(900), Up).is_empty());
    assert_eq!(button.next_deadline(), Some(start + ms(905)));
    assert!(button.timeout(start + ms(10_000)).is_empty());
}

#[test]
fn two_pushes_are_a_double_press_or_two_presses_as_the_time_between_says() {
    assert_eq!(
        told(ALL, &[(0, Down), (80, Up), (200, Down), (280, Up)]),
        [DoublePress]
    );
    assert_eq!(
        told(ALL, &[(0, Down), (80, Up), (500, Down), (580, Up)]),
        [Press, Press]
    );
    assert_eq!(told(ALL, &[(0, Down), (80, Up)]), [Press]);
}

#[test]
fn hold_to_talk_lasts_as_long_as_the_button_is_held() {
    assert_eq!(told(TALK, &[(0, Down), (3_000, Up)]), [TalkStart, TalkEnd]);
}

#[test]
fn talk_ends_when_the_device_vanishes_and_does_not_begin_when_it_returns_held() {
    let start = Instant::now();
    let mut button = Button::new(TIMING, TALK, false);
    assert_eq!(button.edge(start, Down), [TalkStart]);
    assert_eq!(button.vanished(), [TalkEnd]);
    assert!(button.vanished().is_empty());

    let mut button = Button::new(TIMING, TALK, true);
    assert!(button.edge(start, Down).is_empty());
    assert!(button.edge(start + ms(100), Up).is_empty());
    assert_eq!(button.edge(start + ms(200), Down), [TalkStart]);
}

#[test]
fn a_press_that_waits_for_a_second_one_is_not_lost_with_the_device() {
    let start = Instant::now();
    let mut button = Button::new(TIMING, ALL, false);
    button.edge(start, Down);
    button.edge(start + ms(100), Up);
    assert_eq!(button.vanished(), [Press]);
    button.edge(start + ms(200), Down);
    assert!(button.vanished().is_empty());
}

fn any_use() -> impl Strategy<Value = Use> {
    (any::<bool>(), any::<bool>()).prop_map(|(long_press, double_press)| Use {
        long_press,
        double_press,
        talk: false,
    })
}

/// How many pushes a gesture is made of.
fn pushes(gestures: &[Gesture]) -> usize {
    gestures
        .iter()
        .map(|gesture| match gesture {
            Press | LongPress => 1,
            DoublePress => 2,
            TalkStart | TalkEnd => 0,
        })
        .sum()
}

proptest! {
    /// Times between edges from "bounces" to "long".
    #[test]
    fn no_press_is_lost_and_none_invented(
        used_for in any_use(),
        gaps in prop::collection::vec(prop_oneof![0_u64..8, 0_u64..1_500], 0..80),
    ) {
        let start = Instant::now();
        let mut button = Button::new(TIMING, used_for, false);
        let (mut at, mut level, mut gestures) = (0, false, Vec::new());
        // What debouncing means, said in another way: a change counts when the level differs from
        // what counted last, at an edge or at the end of a lock.
        let (mut counted, mut locked_until, mut downs) = (false, 0, 0);
        for gap in gaps {
            at += gap;
            if locked_until <= at && counted != level && locked_until != 0 {
                counted = level;
                downs += usize::from(counted);
                locked_until += 5;
            }
            level = !level;
            if locked_until <= at && counted != level {
                counted = level;
                downs += usize::from(counted);
                locked_until = at + 5;
            }
            gestures.extend(button.edge(start + ms(at), if level { Down } else { Up }));
        }
        if level {
            at += 10_000;
            // The last lock's end comes before.
            if counted != level { downs += 1; }
            gestures.extend(button.edge(start + ms(at), Up));
        }
        gestures.extend(button.timeout(start + ms(at + 10_000)));
        prop_assert_eq!(pushes(&gestures), downs);
    }

    #[test]
    fn without_debouncing_every_push_counts(
        used_for in any_use(),
        gaps in prop::collection::vec(0_u64..1_500, 0..80),
    ) {
        let start = Instant::now();
        let mut button = Button::new(Timing { debounce: Duration::ZERO, ..TIMING }, used_for, false);
        let (mut at, mut gestures) = (0, Vec::new());
        let count = gaps.len();
        for gap in gaps {
            at += gap;
            gestures.extend(button.edge(start + ms(at), Down));
            at += gap / 2;
            gestures.extend(button.edge(start + ms(at), Up));
        }
        gestures.extend(button.timeout(start + ms(at + 10_000)));
        prop_assert_eq!(pushes(&gestures), count);
    }

    /// Whatever happens, in whatever order the times come: talk begins and ends in turn, and has
    /// ended when the device is gone.
    #[test]
    fn talk_always_ends(steps in prop::collection::vec((0_u8..4, 0_u64..2_000), 0..80)) {
        let start = Instant::now();
        let mut button = Button::new(TIMING, TALK, false);
        let mut gestures = Vec::new();
        for (what, at) in steps {
            let now = start + ms(at);
            gestures.extend(match what {
                0 => button.edge(now, Down),
                1 => button.edge(now, Up),
                2 => button.timeout(now),
                _ => button.vanished(),
            });
        }
        gestures.extend(button.vanished());
        for pair in gestures.chunks(2) {
            prop_assert_eq!(pair, [TalkStart, TalkEnd]);
        }
    }

    #[test]
    fn deadlines_are_never_in_the_past_once_they_were_served(
        used_for in any_use(),
        edges in prop::collection::vec((0_u64..100, any::<bool>()), 0..50),
    ) {
        let start = Instant::now();
        let mut button = Button::new(TIMING, used_for, false);
        let mut at = 0;
        for (gap, down) in edges {
            at += gap;
            button.edge(start + ms(at), if down { Down } else { Up });
            button.timeout(start + ms(at));
            prop_assert!(button.next_deadline().is_none_or(|next| next > start + ms(at)));
        }
    }
}
