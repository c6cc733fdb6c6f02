// In the room: tiles, chat, who waits outside, and the bar of controls.
import { h, button, toggle, setText } from "./dom.js";
import { chat } from "./chat.js";
import { differences } from "./notices.js";
import { room, hasCamera, hasMicrophone } from "./session.js";
import { updateDevices } from "./start_view.js";
import { tell, withdrawAll } from "./events.js";
import { tiles } from "./tiles.js";
import { waiting } from "./waiting.js";

/** The view in the room. `update(state)` follows the connection; `press(key)` carries out a shortcut. */
export function roomView(roomName) {
    let before = null;
    const canShare = Boolean(navigator.mediaDevices?.getDisplayMedia);

    const actions = {
        m: () => hasMicrophone(before) && room.toggleMicrophone(),
        c: () => hasCamera(before) && room.toggleCamera(),
        h: () => room.toggleRaiseHand(),
        s: () => {
            if (!canShare) return;
            if (before.localScreenshareStatus === "active") room.stopScreenshare();
            else if (!before.localScreenshareStatus) room.startScreenshare();
        },
        l: () => room.leaveRoom(),
    };

    const microphone = toggle({ label: "Microphone", symbol: "microphone", key: "m", className: "device", onClick: actions.m });
    const camera = toggle({ label: "Camera", symbol: "camera", key: "c", className: "device", onClick: actions.c });
    const hand = toggle({ label: "Raise hand", symbol: "hand", key: "h", onClick: actions.h });
    const share = toggle({ label: "Share screen", symbol: "screen", key: "s", onClick: actions.s });
    const talk = toggle({ label: "Chat", symbol: "chat", onClick: () => openChat(!panel.isOpen()) });
    const unread = h("span", { className: "badge", hidden: true });
    talk.element.append(unread);
    const leave = button({ label: "Leave", symbol: "leave", className: "danger toggle", onClick: actions.l, title: "Leave (L)", aria: { keyshortcuts: "L" } });
    const lock = toggle({ label: "Lock room", symbol: "lock", className: "host", onClick: () => room.lockRoom(!before.isLocked) });
    const end = button({ label: "End meeting", symbol: "end", className: "host toggle", onClick: () => confirmEnd.showModal() });

    const panel = chat({
        onUnread: (count) => {
            unread.hidden = count === 0;
            setText(unread, count === 0 ? "" : `${count} new`);
        },
        onClose: () => openChat(false),
    });
    function openChat(open) {
        panel.show(open);
        talk.update({ on: open });
        if (!open) talk.element.focus();
    }

    const confirmEnd = h(
        "dialog",
        { aria: { labelledby: "end-title" } },
        h("h2", { id: "end-title" }, "End the meeting for everybody?"),
        h(
            "div",
            { className: "row" },
            button({
                label: "End meeting",
                className: "danger",
                onClick: () => {
                    confirmEnd.close();
                    room.endMeeting();
                },
            }),
            button({ label: "Cancel", onClick: () => confirmEnd.close() }),
        ),
    );
    const people = h("span", { className: "people" });
    const lockedMark = h("span", { className: "mark" }, "locked");
    const trouble = h("p", { className: "trouble", hidden: true, attributes: { role: "status" } });
    const grid = tiles();
    const outside = waiting();
    const bar = h(
        "nav",
        { className: "bar", aria: { label: "Controls" } },
        microphone.element,
        camera.element,
        hand.element,
        share.element,
        talk.element,
        lock.element,
        end,
        leave,
    );
    const element = h(
        "div",
        { className: "room" },
        h("header", { className: "top" }, h("h1", { title: roomName }, roomName), lockedMark, people),
        trouble,
        outside.element,
        h("main", { className: "stage" }, grid.element),
        panel.element,
        bar,
        confirmEnd,
    );
    element.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && panel.isOpen() && panel.element.contains(event.target)) openChat(false);
    });

    const update = (state) => {
        const first = before === null;
        const last = before;
        before = state;
        if (first) tell(`You are in the room ${roomName}`);
        else differences(last, state).forEach(tell);
        updateDevices(state, microphone, camera);
        const raised = Boolean(state.localParticipant.stickyReaction);
        hand.update({ on: raised });
        share.update({ on: state.localScreenshareStatus === "active", disabled: !canShare, hint: canShare ? null : "not possible in this browser" });
        lock.update({ on: state.isLocked, symbol: state.isLocked ? "lock" : "unlock" });
        lock.element.hidden = end.hidden = !state.isHost;
        bar.classList.toggle("for-host", state.isHost);
        lockedMark.hidden = !state.isLocked;
        const count = state.remoteParticipants.length + 1;
        setText(people, count === 1 ? "You are alone here" : `${count} people`);
        const lost = state.connectionStatus !== "connected";
        trouble.hidden = !lost;
        setText(trouble, lost ? "The connection to the room server is lost. Trying again…" : "");
        grid.update(state);
        outside.update(state);
        panel.update(state);
    };
    const close = () => {
        withdrawAll();
        confirmEnd.close();
        grid.close();
    };
    return { element, update, close, isChatOpen: panel.isOpen, press: (key) => actions[key]?.(), focus: () => microphone.element.focus() };
}
