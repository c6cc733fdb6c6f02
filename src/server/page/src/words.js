// What the page says about states and errors of the room, in one place.

const JOIN_ERRORS = {
    room_full: "The room is full. Try again when somebody has left.",
    room_empty: "Nobody is in this room yet, and this link cannot open it.",
    room_unclaimed: "There is no room of this name.",
    invalid_room_name: "This is not a name of a room. Check the address.",
    invalid_key: "The key in the address is not valid. Ask the host for a new link.",
    room_join_permission_denied: "You are not allowed to join this room. Ask the host for a link.",
    room_concurrency_control_error: "The room cannot take more people now. Try again later.",
    room_meeting_time_exhausted: "The time of this meeting is over.",
    max_viewer_limit_reached: "The room has no place for more viewers.",
    host_presence_controls_error: "The meeting has not started: no host is there yet.",
    internal_server_error: "The room server has a problem. Try again in a moment.",
};

/** Why joining failed, in words; unknown codes are shown as they are. */
export const joinError = (code) => JOIN_ERRORS[code] ?? `Joining failed (${code}).`;

/** What happened when the room is over for this person. */
export const endOfStay = (status) =>
    ({
        left: "You left the room.",
        kicked: "A host removed you from the room or ended the meeting.",
    })[status] ?? null;

/** What is wrong with a device, from the browser's error. */
export function mediaProblem(error) {
    if (!window.isSecureContext) return "The browser gives camera and microphone only to pages opened with https.";
    switch (error?.name) {
        case "NotAllowedError":
        case "PermissionDeniedError":
            return "The browser has not allowed camera and microphone. You can join without, or allow them in the address bar.";
        case "NotFoundError":
        case "NoDevicesError":
            return "No camera and no microphone was found. You can join without.";
        case "NotReadableError":
            return "Camera or microphone is in use by another program. You can join without.";
        default:
            return "Camera and microphone could not be opened. You can join without.";
    }
}

export const nameOf = (person) => person?.displayName?.trim() || "Guest";

/** At most two letters that stand for a person without a picture. */
export const initials = (name) =>
    name
        .split(/\s+/)
        .filter(Boolean)
        .slice(0, 2)
        .map((word) => [...word][0].toUpperCase())
        .join("");
