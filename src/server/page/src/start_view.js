// Before the room: which room, which name, a look at the own camera; and the states in front of a closed door.
import { h, button, toggle, setText } from "./dom.js";
import { endOfStay, joinError, mediaProblem } from "./words.js";
import { room, media, join, openDevices, read, hasCamera, hasMicrophone } from "./session.js";

const NAME_KEY = "roomd.displayName";

const remembered = () => {
    try {
        return localStorage.getItem(NAME_KEY) ?? "";
    } catch {
        return ""; // storage is blocked: the name is asked for again next time
    }
};
const remember = (name) => {
    try {
        localStorage.setItem(NAME_KEY, name);
    } catch {
        // see above
    }
};

/** The page without a room in its address: asks for the name of one. */
export function roomNameForm(open) {
    const input = h("input", {
        id: "room-name",
        required: true,
        autocomplete: "off",
        spellcheck: false,
        maxLength: 100,
        attributes: { autocapitalize: "none" },
    });
    const submit = (event) => {
        event.preventDefault();
        const name = input.value.trim().replace(/^\/+/, "");
        if (name) open(`/${encodeURIComponent(name)}`);
    };
    const form = h(
        "form",
        { className: "card", on: { submit } },
        h("h1", {}, "Join a room"),
        h("label", { htmlFor: "room-name" }, "Name of the room"),
        input,
        h("button", { type: "submit", className: "primary" }, "Go on"),
    );
    return { element: h("main", { className: "start" }, form), focus: () => input.focus() };
}

/** The view in front of a room. `update(state)` follows the connection. */
export function startView(roomName) {
    const name = h("input", { id: "display-name", value: remembered(), maxLength: 100, autocomplete: "name" });
    const preview = h("video", { className: "mirrored", muted: true, autoplay: true, playsInline: true, aria: { label: "Your camera" } });
    const previewText = h("p", { className: "preview-text" }, "Opening camera and microphone…");
    const problem = h("p", { className: "problem", attributes: { role: "status" } });
    const microphone = toggle({ label: "Microphone", symbol: "microphone", key: "m", className: "device", onClick: () => media.toggleMicrophone() });
    const camera = toggle({ label: "Camera", symbol: "camera", key: "c", className: "device", onClick: () => media.toggleCamera() });
    const joinButton = h("button", { type: "submit", className: "primary" }, "Join");
    const without = button({ label: "Join without camera and microphone", onClick: () => enter({ audio: false, video: false }) });
    const outcome = h("p", { className: "outcome", attributes: { role: "status" } });
    const back = button({ label: "Back", onClick: () => location.reload() });
    const knock = button({ label: "Knock", className: "primary", onClick: () => room.knock() });
    const cancel = button({ label: "Stop waiting", onClick: () => room.cancelKnock() });
    const again = button({ label: "Join again", className: "primary", onClick: () => enter() });

    let opening = true;
    openDevices().then((error) => {
        opening = false;
        if (error) setText(problem, mediaProblem(error));
        update(read());
    });

    async function enter(kinds) {
        const displayName = name.value.trim() || "Guest";
        remember(name.value.trim());
        if (kinds) await openDevices(kinds);
        // After a stay the SDK has closed the devices; they are opened again before the next one.
        else if (["left", "kicked"].includes(room.getState().connectionStatus)) await openDevices();
        join(displayName);
    }

    const form = h(
        "form",
        {
            className: "fields",
            on: {
                submit: (event) => {
                    event.preventDefault();
                    enter();
                },
            },
        },
        h("div", { className: "preview" }, preview, previewText),
        h("div", { className: "row center" }, microphone.element, camera.element),
        problem,
        h("label", { htmlFor: "display-name" }, "Your name"),
        name,
        joinButton,
        without,
    );
    const door = h("div", { className: "row center" }, knock, cancel, again, back);
    const element = h(
        "main",
        { className: "start" },
        h("div", { className: "card" }, h("h1", {}, roomName), outcome, form, door),
    );

    const update = (state) => {
        const { connectionStatus: status, connectionError: error } = state;
        const stream = state.media.localStream ?? null;
        const showsCamera = Boolean(stream?.getVideoTracks().length) && state.isCameraEnabled;
        if (preview.srcObject !== stream) preview.srcObject = stream;
        preview.hidden = !showsCamera;
        previewText.hidden = showsCamera;
        setText(previewText, opening ? "Opening camera and microphone…" : hasCamera(state) ? "Your camera is off" : "No camera");
        updateDevices(state, microphone, camera);

        const refused = status === "disconnected" && error !== null;
        const over = ["left", "kicked", "knock_rejected"].includes(status) || refused;
        const locked = status === "room_locked";
        const waiting = ["knocking", "knock_on_hold"].includes(status);
        form.hidden = over || locked || waiting;
        joinButton.disabled = opening || ["connecting", "leaving"].includes(status);
        without.hidden = !opening;
        knock.hidden = !locked;
        cancel.hidden = status !== "knocking";
        again.hidden = !over;
        back.hidden = !(locked || over || status === "knock_on_hold");
        setText(outcome, doorWords(state) ?? (refused ? joinError(error) : (endOfStay(status) ?? "")));
    };
    return { element, update, focus: () => (form.hidden ? door.querySelector("button:not([hidden])") : name.value ? joinButton : name)?.focus() };
}

/** Both switches, in front of the room and in it: what is open, what is missing. */
export function updateDevices(state, microphone, camera) {
    const hears = hasMicrophone(state);
    const sees = hasCamera(state);
    microphone.update({
        on: hears && state.isMicrophoneEnabled,
        symbol: hears && state.isMicrophoneEnabled ? "microphone" : "microphone-off",
        disabled: !hears,
        hint: hears ? null : "none available",
    });
    camera.update({
        on: sees && state.isCameraEnabled,
        symbol: sees && state.isCameraEnabled ? "camera" : "camera-off",
        disabled: !sees,
        hint: sees ? null : "none available",
    });
}

function doorWords({ connectionStatus, knockResponse }) {
    const said = knockResponse?.message ? `“${knockResponse.message}”` : "";
    switch (connectionStatus) {
        case "connecting":
            return "Joining…";
        case "leaving":
            return "Leaving…";
        case "room_locked":
            return "The room is locked. Knock, and a host can let you in.";
        case "knocking":
            return "You knocked. Waiting for a host to let you in…";
        case "knock_on_hold":
            return `A host asks you to wait. ${said}`.trim();
        case "knock_rejected":
            return `A host did not let you in. ${said}`.trim();
        default:
            return null;
    }
}
