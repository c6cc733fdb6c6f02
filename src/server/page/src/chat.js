// The chat panel.
import { h, button, icon, keyed, setText } from "./dom.js";
import { room } from "./session.js";
import { nameOf } from "./words.js";

const LINK = /(https?:\/\/[^\s<>"]+)/;

const linked = (text) =>
    text.split(LINK).map((part, index) => (index % 2 ? h("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part));

/** `onUnread(count)` tells how many messages came while the panel was closed. */
export function chat({ onUnread, onClose }) {
    let seen = 0;
    let names = new Map();
    const list = h("ol", { className: "messages", attributes: { role: "log", tabindex: "0" }, aria: { label: "Messages" } });
    const empty = h("p", { className: "empty" }, "No messages yet.");
    const input = h("input", { id: "chat-text", maxLength: 10000, autocomplete: "off", placeholder: "Message to everybody", aria: { label: "Message" } });
    const send = (event) => {
        event.preventDefault();
        const text = input.value.trim();
        if (!text) return;
        room.sendChatMessage(text);
        input.value = "";
    };
    const form = h("form", { className: "chat-form", on: { submit: send } }, input, h("button", { type: "submit", title: "Send", className: "primary" }, icon("send"), h("span", { className: "hidden-text" }, "Send")));
    const close = button({ label: "Close chat", symbol: "close", className: "bare", onClick: onClose });
    const element = h(
        "aside",
        { className: "panel chat", hidden: true, aria: { label: "Chat" } },
        h("header", {}, h("h2", {}, "Chat"), close),
        empty,
        list,
        form,
    );
    const draw = keyed(list, (message) => {
        const sender = h("b", {}, names.get(message.senderId) ?? "Guest");
        const time = new Date(message.timestamp);
        const at = h("time", { dateTime: message.timestamp }, time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
        const body = h("p", {}, ...(message.file ? [`File: ${message.file.name}`] : linked(message.text)));
        const row = h("li", {}, h("div", { className: "from" }, sender, at), body);
        return {
            element: row,
            update: ({ removed }) => {
                row.classList.toggle("removed", removed);
                if (removed) setText(body, "Message removed");
            },
        };
    });

    const update = ({ chatMessages, remoteParticipants, localParticipant }) => {
        names.set(localParticipant.id, `${nameOf(localParticipant)} (you)`);
        for (const person of remoteParticipants) names.set(person.id, nameOf(person));
        const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
        const before = list.childElementCount;
        draw(chatMessages, (message) => message.id);
        empty.hidden = chatMessages.length > 0;
        if (chatMessages.length !== before && atEnd) list.scrollTop = list.scrollHeight;
        if (!element.hidden || chatMessages.length < seen) seen = chatMessages.length;
        onUnread(chatMessages.length - seen);
    };
    const show = (open) => {
        element.hidden = !open;
        if (open) {
            seen = list.childElementCount;
            list.scrollTop = list.scrollHeight;
            input.focus();
            onUnread(0);
        }
    };
    return { element, update, show, isOpen: () => !element.hidden };
}
