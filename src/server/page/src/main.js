// The room page: shows the view that fits the connection, and hears the keyboard.
import { roomNameForm, startView } from "./start_view.js";
import { followNotifications } from "./notices.js";
import { roomView } from "./room_view.js";
import { media, onChange, read } from "./session.js";

const page = document.getElementById("page");

/** The name of the room in the address, or null. */
export function roomNameOf(pathname) {
    const path = pathname.replace(/^\/+|\/+$/g, "");
    try {
        return decodeURIComponent(path) || null;
    } catch {
        return path; // not percent-encoded text: shown as it is
    }
}

const IN_ROOM = ["connected"];
// Seen after a lost connection; the room stays on screen, the media go on.
const COMING_BACK = ["disconnected", "reconnecting", "connecting", "ready", "leaving"];

function run(roomName) {
    document.title = roomName;
    let inside = null;
    const outside = startView(roomName);
    page.append(outside.element);

    const update = (state) => {
        const staysIn = inside && COMING_BACK.includes(state.connectionStatus) && state.connectionError === null;
        if (IN_ROOM.includes(state.connectionStatus) || staysIn) {
            if (!inside) {
                inside = roomView(roomName);
                page.replaceChildren(inside.element);
                inside.focus();
            }
            inside.update(state);
            return;
        }
        const cameBack = inside !== null;
        if (cameBack) {
            inside.close();
            inside = null;
            page.replaceChildren(outside.element);
        }
        outside.update(state);
        if (cameBack) outside.focus();
    };
    followNotifications({ isChatOpen: () => inside?.isChatOpen() ?? false });
    onChange(update);
    update(read());
    outside.focus();

    document.addEventListener("keydown", (event) => {
        const { target, key, repeat, ctrlKey, altKey, metaKey } = event;
        if (repeat || ctrlKey || altKey || metaKey || event.isComposing) return;
        if (target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
        const pressed = key.toLowerCase();
        if (inside) inside.press(pressed);
        else if (pressed === "m") media.toggleMicrophone();
        else if (pressed === "c") media.toggleCamera();
    });
}

const roomName = roomNameOf(location.pathname);
if (roomName) run(roomName);
else {
    const form = roomNameForm((path) => location.assign(path));
    page.append(form.element);
    form.focus();
}
