// Tiles: one per camera and presentation. A presentation (else a spotlight) is shown large with the others in a strip.
import { h, button, icon, keyed, setAttribute, setText } from "./dom.js";
import { initials, nameOf } from "./words.js";
import { participantMenu } from "./participant_menu.js";

const RATIO = 16 / 9;
const GAP = 8;

/** The number of columns with which `count` tiles of 16:9 become largest in the given space. */
export function columnsFor(count, width, height) {
    let best = { columns: 1, tile: 0 };
    for (let columns = 1; columns <= count; columns += 1) {
        const rows = Math.ceil(count / columns);
        const tile = Math.min((width - GAP * (columns - 1)) / columns, ((height - GAP * (rows - 1)) / rows) * RATIO);
        if (tile > best.tile) best = { columns, tile };
    }
    return best;
}

/** The view to show large, or null for a grid: the newest presentation, else the first spotlight of somebody else. */
export const stageOf = (views, spotlights) =>
    views.findLast((view) => view.isPresentation) ?? (views.length > 1 ? spotlights.find((view) => !view.isLocalClient) : null) ?? null;

function tile(first) {
    const video = h("video", { autoplay: true, playsInline: true, muted: Boolean(first.isLocalClient), aria: { hidden: "true" } });
    const avatar = h("div", { className: "avatar", aria: { hidden: "true" } });
    const name = h("span", { className: "name" });
    const muted = icon("microphone-off");
    const hand = icon("hand");
    const words = h("span", { className: "hidden-text" });
    const menu = first.isLocalClient || first.isPresentation ? null : participantMenu();
    const start = button({ label: "Play", className: "primary play", onClick: () => video.play() });
    start.hidden = true;
    const element = h(
        "li",
        { className: "tile" },
        video,
        avatar,
        hand,
        h("div", { className: "caption" }, muted, name, words),
        start,
        menu?.element,
    );
    muted.classList.add("small");
    hand.classList.add("hand");
    // A browser may refuse sound before the person has touched the page.
    const play = () =>
        video.play().then(
            () => (start.hidden = true),
            (error) => (start.hidden = error.name !== "NotAllowedError"),
        );

    const update = (view, index, { isHost, stage, spotlights }) => {
        const stream = view.stream ?? null;
        if (video.srcObject !== stream) {
            video.srcObject = stream;
            if (stream) play();
        }
        const person = nameOf(view);
        const shownName = view.isLocalClient && !view.isPresentation ? `${person} (you)` : person;
        const raised = Boolean(view.stickyReaction) && !view.isPresentation;
        const silent = !view.isAudioEnabled && !view.isPresentation;
        setText(name, shownName);
        setText(avatar, initials(person));
        setText(words, [silent ? ", microphone off" : "", view.isVideoEnabled ? "" : ", camera off", raised ? ", hand raised" : ""].join(""));
        muted.classList.toggle("gone", !silent);
        hand.classList.toggle("gone", !raised);
        element.classList.toggle("no-picture", !view.isVideoEnabled || !stream);
        element.classList.toggle("presentation", Boolean(view.isPresentation));
        element.classList.toggle("mirrored", Boolean(view.isLocalClient && !view.isPresentation));
        element.classList.toggle("staged", stage?.id === view.id);
        setAttribute(element, "data-view", view.id);
        menu?.update(view, { isHost, isSpotlit: spotlights.some((spot) => spot.id === view.id) });
    };
    const close = () => {
        video.srcObject = null;
        menu?.close();
    };
    return { element, update, close };
}

/** The list of tiles. */
export function tiles() {
    const element = h("ul", { className: "tiles", aria: { label: "Participants" } });
    const draw = keyed(element, tile);
    let count = 1;
    const arrange = () => {
        const { columns, tile } = columnsFor(count, element.clientWidth, element.clientHeight);
        element.style.setProperty("--columns", columns);
        element.style.setProperty("--tile", `${Math.floor(tile)}px`);
        element.style.setProperty("--stage-width", `${element.clientWidth}px`);
    };
    const resized = new ResizeObserver(arrange);
    resized.observe(element);

    const update = ({ views, spotlights, localParticipant, isHost }) => {
        const shown = views.map((view) =>
            view.isLocalClient && !view.isPresentation ? { ...view, stickyReaction: localParticipant.stickyReaction } : view,
        );
        const stage = stageOf(views, spotlights);
        count = Math.max(1, shown.length);
        element.classList.toggle("with-stage", Boolean(stage));
        // The own id is empty before the join; the tile keeps its place when it gets one.
        draw(shown, (view) => (view.isLocalClient && !view.isPresentation ? "own" : view.id), { isHost, stage, spotlights });
        arrange();
    };
    const close = () => {
        resized.disconnect();
        draw([], () => null);
    };
    return { element, update, close };
}
