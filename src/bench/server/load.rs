//! A thousand clients come, talk and stay: how long a join takes, how long a message is on its way,
//! and what a client costs in memory.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rand::RngExt;
use roomd_protocol::records::DeviceCredentials;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    Listening, SEATS,
    client::{Client, device},
};
use crate::{
    bench::{
        proc,
        report::Figure,
        rounds::rounds,
        statistics::{median, percentile},
    },
    cli::BenchArgs,
};

/// Rooms of a round.
pub(super) const ROOMS: usize = 250;
/// How many clients come in a second.
pub(super) const JOINS_PER_SECOND: u32 = 200;
/// How many messages all of them together write in a second, once they are there.
pub(super) const MESSAGES_PER_SECOND: u32 = 500;

/// Clients that come and go before memory is looked at for the first time.
const WARM_UP: usize = 40;
/// How long the server is left alone before memory is looked at.
const REST: Duration = Duration::from_secs(1);
/// Share of the deliveries that must arrive, else a round is void: the last may be on their way.
const ENOUGH: f64 = 0.98;

/// What a round gives.
struct Round {
    join: Vec<f64>,
    delivery: Vec<f64>,
    kilobytes: f64,
}

/// What one client saw, in milliseconds.
struct Seen {
    join: f64,
    deliveries: Vec<f64>,
    said: usize,
}

/// Rounds with a server each.
pub(super) async fn measure(arguments: &BenchArgs) -> anyhow::Result<Vec<Option<Figure>>> {
    let talking = Duration::from_secs(arguments.seconds.into());
    let (kept, count) = rounds(arguments, arguments.rounds.into(), async |_| {
        round(talking).await
    })
    .await?;
    let of = |name: &str, unit, goal, value: &dyn Fn(&Round) -> Option<f64>| {
        let samples: Vec<f64> = kept.iter().filter_map(value).collect();
        Figure::of(name, unit, &samples, median, goal, count)
    };
    Ok(vec![
        of("join p50", "ms", None, &|r| percentile(&r.join, 50.0)),
        of("join p99", "ms", None, &|r| percentile(&r.join, 99.0)),
        of("message to a receiver p50", "ms", None, &|r| {
            percentile(&r.delivery, 50.0)
        }),
        of("message to a receiver p99", "ms", Some(10.0), &|r| {
            percentile(&r.delivery, 99.0)
        }),
        of("resident per client", "kB", Some(40.0), &|r| {
            Some(r.kilobytes)
        }),
    ])
}

async fn round(talking: Duration) -> anyhow::Result<Option<Round>> {
    let mut server = Listening::room_server().await?;
    let address = server.address;
    let devices = Arc::new(devices(address).await?);
    for number in 0..WARM_UP {
        let room = format!("/warm-{}", number / SEATS);
        let client = Client::join(address, &room, &devices[number % SEATS]).await?;
        client.leave().await?;
    }
    sleep(REST).await;
    let before = proc::memory(server.program.pid())?.rss;
    let began = Instant::now();
    let count = ROOMS * SEATS;
    let all_there = began + Duration::from_secs(1) * u32::try_from(count)? / JOINS_PER_SECOND;
    let end = all_there + talking;
    let mut clients = JoinSet::new();
    for number in 0..count {
        // One room after the other: a room is full before the next begins.
        let devices = Arc::clone(&devices);
        let comes = began + Duration::from_secs(1) * u32::try_from(number)? / JOINS_PER_SECOND;
        clients.spawn(async move {
            let room = format!("/load-{}", number / SEATS);
            let device = &devices[number % SEATS];
            visit(address, &room, device, comes, (all_there, end), began).await
        });
    }
    let (mut round, mut said) = (
        Round {
            join: Vec::with_capacity(count),
            delivery: Vec::new(),
            kilobytes: 0.0,
        },
        0,
    );
    sleep_until(end).await;
    let after = proc::memory(server.program.pid())?.rss;
    round.kilobytes = (after - before) / count as f64 / 1000.0;
    while let Some(seen) = clients.join_next().await {
        let seen = seen??;
        round.join.push(seen.join);
        round.delivery.extend(seen.deliveries);
        said += seen.said;
    }
    server.program.check()?;
    server.program.stop().await?;
    let expected = said * SEATS;
    let is_complete = round.delivery.len() as f64 >= expected as f64 * ENOUGH && said > 0;
    Ok(is_complete.then_some(round))
}

/// Joins when it is time, and talks from `begin` to `end`. Delays count from the moment that somebody
/// was to come or to speak, not from when the bench got round to it: a server that keeps its clients from
/// their work must not look quick for that.
async fn visit(
    address: SocketAddr,
    room: &str,
    device: &DeviceCredentials,
    comes: Instant,
    (begin, end): (Instant, Instant),
    clock: Instant,
) -> anyhow::Result<Seen> {
    sleep_until(comes).await;
    let mut client = Client::join(address, room, device).await?;
    let mut seen = Seen {
        join: milliseconds(comes.elapsed()),
        deliveries: Vec::new(),
        said: 0,
    };
    let pause = Duration::from_secs(1) * u32::try_from(ROOMS * SEATS)? / MESSAGES_PER_SECOND;
    // Nobody is in step with anybody.
    let phase = pause.mul_f64(rand::rng().random_range(0.0..1.0));
    let mut speaks = begin + phase;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(end) => return Ok(drained(client, seen, end, clock).await),
            () = sleep_until(speaks) => {
                let due = speaks - clock;
                speaks += pause;
                seen.said += 1;
                client.say(due.as_nanos().to_string()).await?;
            }
            event = client.next() => note(&mut seen, event?.said().as_deref(), clock),
        }
    }
}

/// What was on its way at the end still counts.
async fn drained(mut client: Client, mut seen: Seen, end: Instant, clock: Instant) -> Seen {
    while let Ok(Ok(event)) = timeout_at(end + REST, client.next()).await {
        note(&mut seen, event.said().as_deref(), clock);
    }
    seen
}

fn note(seen: &mut Seen, text: Option<&str>, clock: Instant) {
    if let Some(sent) = text.and_then(|text| text.parse().ok()) {
        let delay = clock.elapsed().saturating_sub(Duration::from_nanos(sent));
        seen.deliveries.push(milliseconds(delay));
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A device for each seat of a room.
pub(super) async fn devices(address: SocketAddr) -> anyhow::Result<Vec<DeviceCredentials>> {
    let mut devices = Vec::new();
    for _ in 0..SEATS {
        devices.push(device(address).await?);
    }
    Ok(devices)
}
