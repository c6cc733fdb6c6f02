// Who waits outside, for hosts.
import { h, button, keyed, setText } from "./dom.js";
import { room } from "./session.js";
import { nameOf } from "./words.js";

export function waiting() {
    const list = h("ul", {});
    const element = h("section", { className: "waiting", hidden: true, aria: { label: "Waiting outside" } }, h("h2", {}, "Waiting outside"), list);
    const draw = keyed(list, ({ id }) => {
        const name = h("span", { className: "name" });
        const held = h("span", { className: "held", hidden: true }, "asked to wait");
        const row = h(
            "li",
            {},
            name,
            held,
            button({ label: "Let in", className: "primary", onClick: () => room.acceptWaitingParticipant(id) }),
            button({
                label: "Ask to wait",
                onClick: () => {
                    room.holdWaitingParticipant(id);
                    held.hidden = false;
                },
            }),
            button({ label: "Reject", onClick: () => room.rejectWaitingParticipant(id) }),
        );
        return { element: row, update: (person) => setText(name, nameOf(person)) };
    });
    const update = ({ waitingParticipants, isHost }) => {
        draw(waitingParticipants, ({ id }) => id);
        element.hidden = !isHost || waitingParticipants.length === 0;
    };
    return { element, update };
}
