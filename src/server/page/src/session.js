// One participation: the SDK's client, the own devices, and one callback for every change.
import { WherebyClient } from "@whereby.com/core";

const client = new WherebyClient();
export const room = client.getRoomConnection();
export const media = client.getLocalMedia();
const grid = client.getGrid();
const store = client.getStore();

/** Everything the page shows, read at once. */
export function read() {
    const connection = room.getState();
    const { allClientViews, spotlightedParticipants } = grid.getState();
    return {
        ...connection,
        media: media.getState(),
        views: allClientViews,
        spotlights: spotlightedParticipants,
        isHost: connection.localParticipant.roleName === "host",
        // Not part of the connection's public state; the SDK keeps it in its store.
        isLocked: store.getState().room.isLocked,
    };
}

/** Calls back after changes, once for all changes of one step. */
export function onChange(callback) {
    let pending = false;
    store.subscribe(() => {
        if (pending) return;
        pending = true;
        queueMicrotask(() => {
            pending = false;
            callback(read());
        });
    });
}

let settled = null;

/**
 * Opens camera and microphone. Whatever happens, joining is possible afterwards: without devices the
 * media is "started" empty. Resolves to null, or to the browser's error.
 */
export async function openDevices(kinds = { audio: true, video: true }) {
    let problem = null;
    if (kinds.audio || kinds.video) {
        if (navigator.mediaDevices) {
            const outcome = await media.startMedia(kinds);
            if (!outcome.error) return (settled = kinds), null;
            problem = outcome.payload ?? outcome.error;
        } else {
            problem = new DOMException("no mediaDevices", "SecurityError");
        }
    }
    settled = { audio: false, video: false };
    await media.startMedia(settled);
    return problem;
}

export const hasMicrophone = ({ media }) => Boolean(media.localStream?.getAudioTracks().length);
/** A camera that is off has no track, so a listed device counts too. */
export const hasCamera = ({ media }) =>
    Boolean(media.localStream && (media.localStream.getVideoTracks().length || media.cameraDevices.length));

/** Joins; the outcome shows in the status, which is what the page follows. */
export function join(displayName) {
    const query = new URLSearchParams(location.search);
    room.initialize({
        roomUrl: location.origin + location.pathname,
        roomKey: query.get("roomKey"),
        displayName,
        localMediaOptions: settled,
    });
    room.joinRoom().catch((refused) => console.info("not joined:", refused));
}
