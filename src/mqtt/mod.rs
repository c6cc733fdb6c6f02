//! The MQTT interface of the box: `docs/mqtt.md` is what it promises.
//!
//! | module | what it holds |
//! |---|---|
//! | [`settings`] | the `[mqtt]` section of the configuration |
//! | [`topics`] | every topic, and what an incoming one means |
//! | [`commands`], [`arguments`] | the table of commands, their arguments as types |
//! | [`command`] | a message → a command for the room loop, or why not |
//! | [`admission`] | which commands go on when too many arrive |
//! | [`reply`] | replies, and the memory for repeated commands |
//! | [`status`] | the state → what is published of it, and when |
//! | `fitting` | what is cut of a payload that is too large |
//! | `schema` | the JSON Schemas of what is published |
//! | [`info`] | `info`, and the problems of the interface |
//! | `connection`, `tls`, `backoff` | one connection with one broker; when to try again |
//! | `interface`, `task` | the owner of all this |
//!
//! **Invariant:** nothing here publishes a state because a command asked for it; status is a
//! function of [`ApplianceState`] alone.

pub mod admission;
pub mod arguments;
mod backoff;
pub mod command;
mod command_table;
pub mod commands;
pub(crate) mod connection;
mod fitting;
pub mod info;
mod interface;
pub mod reply;
mod schema;
pub mod settings;
pub mod status;
mod task;
#[cfg(test)]
mod task_tests;
mod tls;
pub mod topics;

use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use info::{Info, MqttStatus};
pub use settings::{MqttConfig, MqttVersion};

use crate::{
    appliance::{ApplianceEvent, ApplianceState, Request},
    suspend::Clocks,
};

/// Starts the interface.
///
/// It connects, publishes what `state` and `events` tell, turns messages into `requests` and
/// answers them, and tells through `problems` how the connection stands. When `shutdown` is
/// cancelled it publishes what is left and `offline`, disconnects in good order and ends, within
/// three seconds; cancel it after the room was left, so that this is still told.
pub fn start(
    config: MqttConfig,
    info: Info,
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<ApplianceState>,
    events: broadcast::Receiver<ApplianceEvent>,
    problems: mpsc::UnboundedSender<MqttStatus>,
    shutdown: CancellationToken,
) -> JoinHandle<()> {
    let first = state.borrow().clone();
    let interface = interface::Interface::new(config, info, first);
    let ears = task::Ears {
        state,
        events,
        shutdown,
        clocks: Box::new(Clocks::now),
    };
    tokio::spawn(task::Task::new(interface, ears, requests, problems).run())
}
