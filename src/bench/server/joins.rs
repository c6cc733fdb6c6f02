//! Processor time of a join as the server has more rooms: a join must not cost more because others are
//! there.
//!
//! Three servers with 10, 50 and 250 rooms, each with one seat free, run at the same time; guests come
//! to rooms by chance and leave again, at one server after the other, until each has used five
//! seconds for it. What the others are doing meanwhile is the same for all.
//!
//! The people of a server are pinged whether somebody joins or not. What that costs is measured while
//! the other servers have their turn, told by itself, and is no part of a join.

use std::{sync::Arc, time::Instant};

use anyhow::Context;
use rand::RngExt;
use roomd_protocol::records::DeviceCredentials;
use tokio::task::JoinSet;

use super::{Listening, SEATS, client::Client, load::devices};
use crate::{
    bench::{
        proc,
        report::{Count, Figure},
        statistics::median,
    },
    cli::BenchArgs,
};

/// Rooms of the servers.
const ROOMS: [usize; 3] = [10, 50, 250];
/// Joins at one server before it is the next one's turn.
const TURN: usize = 2000;
/// Guests at the same time.
const GUESTS: usize = 4;
/// Processor seconds that each server uses at least.
const ENOUGH: f64 = 5.0;
/// Turns at the least: with fewer the ratio has no interval worth the name.
const TURNS: usize = 5;

/// A server with its people.
struct Populated {
    server: Listening,
    rooms: usize,
    devices: Arc<Vec<DeviceCredentials>>,
    people: JoinSet<anyhow::Result<()>>,
    /// Processor time of a join in each turn, in milliseconds.
    turns: Vec<f64>,
    /// All of it, in seconds.
    used: f64,
    /// Processor time of the server when it was left alone, and since when.
    alone: (f64, Instant),
    /// Processor time and length of all times that it was left alone, in seconds.
    heartbeats: (f64, f64),
}

/// Turn by turn.
pub(super) async fn measure(_arguments: &BenchArgs) -> anyhow::Result<Vec<Option<Figure>>> {
    let mut servers = Vec::new();
    for rooms in ROOMS {
        servers.push(Populated::open(rooms).await?);
    }
    // A turn that is not counted: the first joins pay for what is made once.
    for server in &mut servers {
        server.turn().await?;
        server.turns.clear();
        server.used = 0.0;
        server.heartbeats = (0.0, 0.0);
    }
    let mut turn = 0;
    while turn < TURNS || servers.iter().any(|server| server.used < ENOUGH) {
        // Forth and back, so that nobody is always first.
        for index in 0..servers.len() {
            let index = if turn % 2 == 0 {
                index
            } else {
                servers.len() - 1 - index
            };
            servers[index].turn().await?;
        }
        turn += 1;
    }
    let count = Count {
        kept: turn,
        voided: 0,
    };
    let mut figures = Vec::new();
    for server in &servers {
        let name = format!("processor time of a join, {} rooms", server.rooms);
        figures.push(Figure::of(name, "ms", &server.turns, median, None, count));
    }
    for server in &servers {
        let people = server.rooms * (SEATS - 1);
        let name = format!("heartbeats of {people} people, of one processor");
        let share = server.share() * 100.0;
        figures.push(Figure::of(name, "%", &[share], median, None, count));
    }
    let first = servers.first().context("there are servers")?;
    for other in servers.iter().skip(1) {
        let ratios: Vec<f64> = other
            .turns
            .iter()
            .zip(&first.turns)
            .map(|(other, first)| other / first)
            .collect();
        let name = format!(
            "a join among {} rooms against {}: deviation",
            other.rooms, first.rooms
        );
        let deviation = |ratios: &[f64]| Some((median(ratios)? - 1.0).abs() * 100.0);
        figures.push(Figure::of(name, "%", &ratios, deviation, Some(15.0), count));
    }
    for server in servers {
        server.close().await?;
    }
    Ok(figures)
}

impl Populated {
    async fn open(rooms: usize) -> anyhow::Result<Self> {
        let server = Listening::room_server().await?;
        let devices = Arc::new(devices(server.address).await?);
        let mut people = JoinSet::new();
        for room in 0..rooms {
            for device in &devices[1..] {
                let name = format!("/room-{room}");
                let mut client = Client::join(server.address, &name, device).await?;
                // Answers pings and takes what comes, until the server ends.
                people.spawn(async move {
                    loop {
                        client.next().await?;
                    }
                });
            }
        }
        anyhow::ensure!(devices.len() == SEATS, "a device for each seat");
        let alone = (proc::cpu_seconds(server.program.pid())?, Instant::now());
        Ok(Self {
            server,
            alone,
            heartbeats: (0.0, 0.0),
            rooms,
            devices,
            people,
            turns: Vec::new(),
            used: 0.0,
        })
    }

    /// Guests who come and go.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let pid = self.server.program.pid();
        let before = proc::cpu_seconds(pid)?;
        self.heartbeats.0 += before - self.alone.0;
        self.heartbeats.1 += self.alone.1.elapsed().as_secs_f64();
        let began = Instant::now();
        let mut guests = JoinSet::new();
        for guest in 0..GUESTS {
            let (address, rooms) = (self.server.address, self.rooms);
            let devices = Arc::clone(&self.devices);
            guests.spawn(async move {
                for _ in 0..TURN / GUESTS {
                    // Each guest has rooms of its own: a room has one free seat.
                    let any = rand::rng().random_range(0..rooms / GUESTS);
                    let room = format!("/room-{}", any * GUESTS + guest);
                    let client = Client::join(address, &room, &devices[0]).await?;
                    client.leave().await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(guest) = guests.join_next().await {
            guest??;
        }
        let after = proc::cpu_seconds(pid)?;
        self.alone = (after, Instant::now());
        let heartbeats = self.share() * began.elapsed().as_secs_f64();
        let used = after - before - heartbeats;
        self.turns.push(used * 1000.0 / TURN as f64);
        self.used += used;
        Ok(())
    }

    /// Which share of a processor the people need who only are there.
    fn share(&self) -> f64 {
        self.heartbeats.0 / self.heartbeats.1
    }

    async fn close(mut self) -> anyhow::Result<()> {
        self.people.abort_all();
        self.server.program.check()?;
        self.server.program.stop().await
    }
}
