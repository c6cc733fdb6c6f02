//! The task that carries demands out: it owns the calls that run and the one connection.

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
    task::JoinSet,
};

use crate::{
    Command, Event,
    connection::{Connection, Connector},
    rest::Rest,
};

/// Runs until nobody can send demands any more.
pub(crate) async fn run(
    rest: Rest,
    connector: Connector,
    mut commands: UnboundedReceiver<Command>,
    events: UnboundedSender<Event>,
) {
    let mut calls = JoinSet::new();
    let mut connection: Option<Connection> = None;
    while let Some(command) = commands.recv().await {
        while calls.try_join_next().is_some() {}
        match command {
            Command::FetchDeviceCredentials(room) => {
                calls.abort_all();
                let (rest, events) = (rest.clone(), events.clone());
                calls.spawn(async move {
                    let credentials = rest.device_credentials(&room, &events).await;
                    let _ = events.send(Event::Credentials(credentials));
                });
            }
            Command::FetchOrganization { room, credentials } => {
                let (rest, events) = (rest.clone(), events.clone());
                calls.spawn(async move {
                    let found = rest.organization(&room, &credentials, &events).await;
                    let _ =
                        events.send(found.map_or(Event::OrganizationNotFound, Event::Organization));
                });
            }
            Command::Open(room) => {
                close(connection.take()).await;
                connection = Some(connector.connect(&room, events.clone()));
            }
            Command::Close => {
                calls.abort_all();
                close(connection.take()).await;
            }
            Command::Restart => {
                rest.hurry();
                if let Some(connection) = &connection {
                    connection.restart();
                }
            }
            Command::Send(message) => {
                if let Some(connection) = &connection {
                    connection.send(message);
                }
            }
        }
    }
    close(connection).await;
}

/// Waits until what was sent before is on its way and the connection says goodbye, so that events of
/// an old connection never follow those of its successor.
async fn close(connection: Option<Connection>) {
    if let Some(connection) = connection {
        connection.close().await;
    }
}
