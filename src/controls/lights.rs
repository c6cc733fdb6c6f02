//! The thread of the lights. It writes into files of the kernel, which may block, and shows a fault when
//! the room loop stops going round.

use std::{
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc::UnboundedSender, watch};

use crate::{
    binding::BoundLight,
    input::LightSource,
    lamp::{Lamp, LightPart},
    led::Led,
    light::Indications,
    pattern::Look,
    scan::Places,
};

/// The room loop goes round at least once a second; without a round for that long it is stuck.
const STALLED: Duration = Duration::from_secs(3);

/// Starts the thread. It ends, and leaves the lights dark, when `state` has no sender any more. `shown`
/// gets what every light was told, when that was tried.
///
/// # Errors
/// When the system has no thread for it.
pub fn start(
    lights: Vec<BoundLight>,
    places: Places,
    state: watch::Receiver<Indications>,
    rounds: watch::Receiver<u64>,
    shown: watch::Sender<Indications>,
    tell: UnboundedSender<Vec<LightPart>>,
) -> std::io::Result<JoinHandle<()>> {
    // The runtime is for its timers alone.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    thread::Builder::new()
        .name("lights".to_owned())
        .spawn(move || runtime.block_on(run(lights, places, state, rounds, shown, tell)))
}

async fn run(
    lights: Vec<BoundLight>,
    places: Places,
    mut state: watch::Receiver<Indications>,
    mut rounds: watch::Receiver<u64>,
    shown: watch::Sender<Indications>,
    tell: UnboundedSender<Vec<LightPart>>,
) {
    let mut alive = Instant::now();
    let lamps = lights.into_iter();
    let mut lamps: Vec<Lamp> = lamps
        .map(|light| Lamp::new(light, places.clone(), alive))
        .collect();
    let mut told = Vec::new();
    loop {
        let now = Instant::now();
        if rounds.has_changed().unwrap_or_default() {
            rounds.mark_unchanged();
            alive = now;
        }
        let is_stalled = now.saturating_duration_since(alive) > STALLED;
        let indications = *state.borrow_and_update();
        let known = (!is_stalled).then_some(&indications);
        let mut next = now + STALLED / 3;
        for lamp in &mut lamps {
            let look = lamp.wanted(known);
            next = next.min(lamp.show(now, look));
        }
        shown.send_if_modified(|before| std::mem::replace(before, indications) != indications);
        let parts: Vec<LightPart> = lamps.iter().map(Lamp::part).collect();
        if parts != told {
            // Nobody hears while the box ends.
            let _ = tell.send(parts.clone());
            told = parts;
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { break },
            () = tokio::time::sleep_until(next.into()) => {}
        }
    }
    for lamp in &mut lamps {
        lamp.show(Instant::now(), Look::DARK);
    }
}

/// Leaves every light showing a fault as well as it can by itself. Says what did not work.
#[must_use]
pub fn leave_with_a_fault(lights: &[BoundLight], places: &Places) -> Vec<String> {
    each_led(lights, places, |led, percent| {
        led.leave_with_a_fault(percent)
    })
}

/// Leaves every light dark. Says what did not work.
#[must_use]
pub fn leave_dark(lights: &[BoundLight], places: &Places) -> Vec<String> {
    each_led(lights, places, |led, percent| {
        led.set(false, Look::DARK.colour, percent)
    })
}

fn each_led(
    lights: &[BoundLight],
    places: &Places,
    act: impl Fn(&Led, u8) -> Result<(), crate::led::LedError>,
) -> Vec<String> {
    let mut failed = Vec::new();
    for light in lights {
        // A GPIO line belongs to whoever holds it open: nobody can leave it in a state.
        if let LightSource::Led(wanted) = &light.source {
            let done = Led::find(&places.leds, wanted).and_then(|led| act(&led, light.percent));
            failed.extend(done.err().map(|error| format!("{}: {error}", light.name)));
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use tokio::{sync::mpsc, time::timeout};

    use super::*;
    use crate::{
        gesture::Timing,
        led::tests::{plain_led, text},
        light::Capture,
        pattern::Pattern,
    };

    fn lights() -> Vec<BoundLight> {
        let rows = serde_json::json!([{ "led": "a", "shows": ["live", {"when": "muted", "pattern": "double"}] }]);
        let rows: Vec<crate::rows::LightRow> = serde_json::from_value(rows).unwrap();
        let timing = Timing {
            debounce: Duration::ZERO,
            long_press: Duration::ZERO,
            double_press: Duration::ZERO,
        };
        crate::binding::Table::new(&[], &[], &rows, timing)
            .unwrap()
            .lights
    }

    #[tokio::test]
    async fn lights_follow_the_state_show_a_stuck_room_loop_and_end_dark() {
        let class = tempfile::tempdir().unwrap();
        let folder = plain_led(class.path(), "a", &[("trigger", "[none]")]);
        let places = Places {
            leds: class.path().into(),
            ..Places::default()
        };
        let (state, shown) = watch::channel(Indications::default());
        let (round, rounds) = watch::channel(0);
        let (tell, mut parts) = mpsc::unbounded_channel();
        let (written, was_written) = watch::channel(Indications::default());
        let thread = start(lights(), places.clone(), shown, rounds, written, tell).unwrap();
        let mut look = async |pattern: Pattern| {
            let heard = timeout(Duration::from_secs(30), async {
                loop {
                    let part: Vec<LightPart> = parts.recv().await.unwrap();
                    if part[0].look.pattern == pattern {
                        return;
                    }
                }
            });
            heard.await.unwrap_or_else(|_| panic!("never {pattern:?}"));
        };
        look(Pattern::Off).await;
        state.send_modify(|now| now.microphone = Capture::Live);
        look(Pattern::On).await;
        assert_eq!(text(&folder, "brightness"), "255");
        assert_eq!(was_written.borrow().microphone, Capture::Live);
        // No round for three seconds.
        look(Pattern::Fault).await;
        round.send_modify(|count| *count += 1);
        look(Pattern::On).await;
        drop(state);
        thread.join().unwrap();
        assert_eq!(text(&folder, "brightness"), "0");

        assert!(leave_with_a_fault(&lights(), &places).is_empty());
        std::fs::remove_dir_all(folder).unwrap();
        let failed = leave_dark(&lights(), &places);
        assert!(failed[0].contains("no LED a"), "{failed:?}");
    }
}
