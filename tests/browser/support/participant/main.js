//! A participant without a user interface: the unmodified SDK, page-made devices, meters. Tests call `window.lab`.
import { allStats, peerConnections, refusedDescriptions, selectedPaths, settledConnections } from "./peer_connections.js";
import { WherebyClient } from "@whereby.com/core";
import { measurePicture, measureSound, playerOf, snapshotOf } from "./meters.js";
import { replaceDevices, stopScreenFromBrowserBar } from "./sources.js";

const client = new WherebyClient();
const room = client.getRoomConnection();
const media = client.getLocalMedia();
/** What the last join was answered with. */
let welcome = null;
const lines = [];
const statuses = [];
const record = (what, value) => lines.push(`${new Date().toISOString()} ${what} ${JSON.stringify(plain(value))}`);

/** Streams, tracks and emitters cannot be sent over the debugging protocol; streams become their ids and tracks. */
function plain(value) {
    if (value instanceof MediaStream) {
        return { id: value.id, active: value.active, tracks: value.getTracks().map(({ id, kind, enabled, muted, readyState }) => ({ id, kind, enabled, muted, readyState })) };
    }
    if (value instanceof Date) return value.toISOString();
    if (Array.isArray(value)) return value.map(plain);
    if (value && typeof value === "object") {
        if (typeof value.emit === "function") return undefined;
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
    }
    return value;
}

room.subscribeToConnectionStatus((status) => {
    statuses.push(status);
    record("connectionStatus", status);
});
room.subscribeToConnectionError((error) => record("connectionError", error));
room.subscribeToChatMessages((messages) => record("chatMessages", messages));
room.subscribeToWaitingParticipants((people) => record("waitingParticipants", people));
room.subscribeToScreenshares((shares) => record("screenshares", shares));
let lastRemote = "";
room.subscribeToRemoteParticipants((people) => {
    const text = JSON.stringify(plain(people));
    if (text !== lastRemote) record("remoteParticipants", people);
    lastRemote = text;
    for (const { stream, presentationStream } of people) for (const one of [stream, presentationStream]) if (one) playerOf(one);
});
/** The named events of a room connection. */
const EVENTS = [
    "cloud-recording:status-changed", "live-captions:status-changed", "live-transcription:status-changed", "breakout:config-changed",
    "connection:status-changed", "connection:error-changed", "camera:state-changed", "microphone:state-changed", "streaming:started",
    "streaming:stopped", "local-screenshare:status-changed", "local-participant:changed", "remote-participants:changed",
    "screenshare:started", "screenshare:stopped", "waiting-participant:joined", "waiting-participant:left",
    "spotlight:participant-added", "spotlight:participant-removed", "room:joined", "room:joined:error", "chat:new-message",
]; // prettier-ignore
const events = [];
for (const name of EVENTS) room.on(name, (payload) => events.push({ name, payload: plain(payload) }));
const notifications = [];
const follow = (emitter) =>
    emitter.on("*", ({ type, message, props }) => {
        notifications.push({ type, message, props: plain(props) });
        record("notification", { type, message });
    });
addEventListener("error", ({ message }) => record("pageError", message));
addEventListener("unhandledrejection", ({ reason }) => record("unhandledRejection", String(reason)));

/** The stream of a remote participant: "camera" or "presentation"; without an id, of the only one that has it. */
function streamOf(kind, participantId) {
    const field = kind === "presentation" ? "presentationStream" : "stream";
    const found = room.getState().remoteParticipants.filter((person) => person[field] && (!participantId || person.id === participantId));
    if (found.length !== 1) throw new Error(`${found.length} remote participants have a ${kind} stream, expected one`);
    return found[0][field];
}

const outcomeOf = (joining) =>
    joining.then(
        (answer) => {
            welcome = answer;
            return "joined";
        },
        (error) => String(error?.message ?? error),
    );

window.lab = {
    /** Starts the devices, the browser's own when there are none to replace them, and joins. Resolves to "joined", or the error with which the SDK refuses. */
    async join({ devices, kinds = { audio: true, video: true }, roomUrl, displayName, ...options }) {
        if (devices) replaceDevices(devices);
        // With `localMediaOptions` the join starts the devices.
        const outcome = options.localMediaOptions ? {} : await media.startMedia(kinds);
        if (outcome.error) throw new Error(`startMedia: ${outcome.payload ?? outcome.error.message}`);
        const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
        room.initialize({ roomUrl, displayName, ...Object.fromEntries(given) });
        const joined = room.joinRoom();
        follow(room.getState().events);
        return outcomeOf(joined);
    },
    /** Has a client of its own ask for each of these rooms, without devices; gives how each was answered and what its status was then. */
    async ask(roomUrls) {
        const answers = [];
        // One after the other: the clients of a page share the emitter that settles a join.
        for (const roomUrl of roomUrls) {
            const one = new WherebyClient();
            await one.getLocalMedia().startMedia({ audio: false, video: false });
            const connection = one.getRoomConnection();
            connection.initialize({ roomUrl, displayName: "asking" });
            const outcome = await connection.joinRoom().then(() => "joined", (error) => String(error?.message ?? error));
            const { connectionStatus, connectionError } = connection.getState();
            answers.push({ outcome, connectionStatus, connectionError });
        }
        return answers;
    },
    /** Joins again with the same client and devices. */
    rejoin: () => outcomeOf(room.joinRoom()),
    /** The value of the last successful join's promise. */
    welcome: () => plain(welcome),
    /** Puts files of these names and texts into the chat. */
    sendFiles: (files) => void room.sendFiles(files.map(({ name, type, text }) => new File([text], name, { type }))),
    /** Calls an action of the room connection. */
    act: (name, ...args) => void room[name](...args),
    state: () => ({ ...plain(room.getState()), isLocked: client.getStore().getState().room.isLocked }),
    /** Everything that an application sees: the room's state and the grid's. */
    view: () => ({ ...plain(room.getState()), grid: plain(client.getGrid().getState()) }),
    events: () => [...events],
    /** Sends an event that the SDK has no action for, as a service client does. */
    emit: (name, payload) => void client.getStore().getState().signalConnection.socket.emit(name, payload),
    statuses: () => [...statuses],
    notifications: () => [...notifications],
    lines: () => [...lines],
    picture: (kind, participantId, ms) => measurePicture(streamOf(kind, participantId), ms),
    sound: (kind, participantId, ms) => measureSound(streamOf(kind, participantId), ms),
    snapshot: (kind, participantId) => snapshotOf(streamOf(kind, participantId)),
    stopScreenFromBrowserBar,
    paths: selectedPaths,
    settledConnections,
    refusedDescriptions: () => [...refusedDescriptions],
    stats: allStats,
    descriptions: () => peerConnections.map(({ connectionState, localDescription, remoteDescription }) => ({ connectionState, local: localDescription?.sdp, remote: remoteDescription?.sdp })),
};
