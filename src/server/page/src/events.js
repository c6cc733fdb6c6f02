// Tells events: short notes that go by themselves and are read out, and questions that wait for an answer.
import { h, button } from "./dom.js";

const SHOWN_MS = 6000;
const SHOWN_AT_ONCE = 3;

/** Shows a note and has it read out by screen readers. */
export function tell(text) {
    const note = h("p", { className: "note" }, text);
    const events = document.getElementById("events");
    events.append(note);
    while (events.childElementCount > SHOWN_AT_ONCE) events.firstElementChild.remove();
    setTimeout(() => note.remove(), SHOWN_MS);
}

const asked = new Map();

/** Asks with a yes and a no; a second question of the same kind replaces the first. */
export function ask({ kind, text, yes, no, onYes }) {
    withdraw(kind);
    const answer = (accepted) => {
        withdraw(kind);
        if (accepted) onYes();
    };
    const prompt = h(
        "section",
        { className: "prompt", attributes: { role: "alertdialog" }, aria: { label: text } },
        h("p", {}, text),
        button({ label: yes, className: "primary", onClick: () => answer(true) }),
        button({ label: no, onClick: () => answer(false) }),
    );
    asked.set(kind, prompt);
    document.getElementById("prompts").append(prompt);
    tell(text);
}

/** Takes a question back. */
export function withdraw(kind) {
    asked.get(kind)?.remove();
    asked.delete(kind);
}

/** Takes all questions back. */
export function withdrawAll() {
    for (const kind of [...asked.keys()]) withdraw(kind);
}
