//! How many messages are delivered when clients send as fast as answers come, against an echo that
//! does nothing else. The same clients, the same frames, in turn.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{Listening, SEATS, client::Client, load::devices};
use crate::{
    bench::{proc, report::Figure, rounds::rounds, statistics::median},
    cli::BenchArgs,
};

/// Rooms of the room server; the echo has as many connections as they have seats.
const ROOMS: usize = 16;
/// Messages of a client that are on their way at a time.
const WINDOW: usize = 4;
/// What they say.
const TEXT: &str = "the quick brown fox jumps over the lazy dog";
/// Longest turn in seconds.
const TURN: u16 = 5;

/// What a turn gave, for each second of it.
#[derive(Clone, Copy)]
struct Turn {
    delivered: f64,
    /// Processor time of the server for a delivered message, in microseconds.
    cost: f64,
}

/// Rounds of both.
pub(super) async fn measure(arguments: &BenchArgs) -> anyhow::Result<Vec<Option<Figure>>> {
    let length = Duration::from_secs(arguments.seconds.min(TURN).into());
    let mut room_server = Listening::room_server().await?;
    let mut echo = Listening::echo().await?;
    let (kept, count) = rounds(arguments, arguments.rounds.into(), async |number| {
        let (rooms, bare);
        if number % 2 == 0 {
            rooms = turn(&room_server, true, length).await?;
            bare = turn(&echo, false, length).await?;
        } else {
            bare = turn(&echo, false, length).await?;
            rooms = turn(&room_server, true, length).await?;
        }
        Ok(Some((rooms, bare)))
    })
    .await?;
    room_server.program.check()?;
    echo.program.check()?;
    room_server.program.stop().await?;
    echo.program.stop().await?;
    let of = |name: &str, unit, goal, value: fn(&(Turn, Turn)) -> f64| {
        let samples: Vec<f64> = kept.iter().map(value).collect();
        Figure::of(name, unit, &samples, median, goal, count)
    };
    Ok(vec![
        of("delivered by rooms", "1/s", None, |(r, _)| r.delivered),
        of("delivered by a bare echo", "1/s", None, |(_, e)| {
            e.delivered
        }),
        // At least 0.3 of it.
        of(
            "bare echo ÷ rooms, delivered",
            "×",
            Some(1.0 / 0.3),
            |(r, e)| e.delivered / r.delivered,
        ),
        of(
            "processor time of a delivery, rooms",
            "µs",
            None,
            |(r, _)| r.cost,
        ),
        of(
            "processor time of a delivery, bare echo",
            "µs",
            None,
            |(_, e)| e.cost,
        ),
    ])
}

async fn turn(server: &Listening, has_rooms: bool, length: Duration) -> anyhow::Result<Turn> {
    let address = server.address;
    let devices = if has_rooms {
        Some(devices(address).await?)
    } else {
        None
    };
    let mut clients = Vec::new();
    for number in 0..ROOMS * SEATS {
        clients.push(match &devices {
            Some(devices) => {
                let room = format!("/throughput-{}", number / SEATS);
                Client::join(address, &room, &devices[number % SEATS]).await?
            }
            None => Client::open(address).await?,
        });
    }
    let pid = server.program.pid();
    let (before, began) = (proc::cpu_seconds(pid)?, Instant::now());
    let mut talking = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        talking.spawn(talk(client, format!("{number} {TEXT}"), began + length));
    }
    let mut delivered = 0;
    while let Some(count) = talking.join_next().await {
        delivered += count??;
    }
    let used = proc::cpu_seconds(pid)? - before;
    Ok(Turn {
        delivered: delivered as f64 / length.as_secs_f64(),
        cost: used * 1e6 / delivered as f64,
    })
}

/// Talks until `end`; how many messages came, one's own and others'.
async fn talk(mut client: Client, text: String, end: Instant) -> anyhow::Result<usize> {
    for _ in 0..WINDOW {
        client.say(text.clone()).await?;
    }
    let mut delivered = 0;
    while let Ok(event) = timeout_at(end, client.next()).await {
        let event = event?;
        let Some(said) = event.said() else {
            continue;
        };
        delivered += 1;
        if said == text {
            client.say(text.clone()).await?;
        }
    }
    Ok(delivered)
}
