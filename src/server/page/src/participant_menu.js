// What a host can do with one participant: a button on the tile that opens a list of buttons.
import { h, button, setAttribute, setText } from "./dom.js";
import { room } from "./session.js";
import { nameOf } from "./words.js";

export function participantMenu() {
    let view = null;
    let isSpotlit = false;
    const act = (action) => () => {
        action(view.clientId);
        show(false);
        opener.focus();
    };
    const mute = button({ label: "Mute", onClick: act((id) => room.muteParticipants([id])) });
    const speak = button({ label: "Ask to speak", onClick: act((id) => room.askToSpeak(id)) });
    const cameraOff = button({ label: "Turn camera off", onClick: act((id) => room.turnOffParticipantCameras([id])) });
    const cameraOn = button({ label: "Ask to turn camera on", onClick: act((id) => room.askToTurnOnCamera(id)) });
    const spotlight = button({
        label: "Spotlight",
        onClick: act((id) => (isSpotlit ? room.removeSpotlight(id) : room.spotlightParticipant(id))),
    });
    const kick = button({ label: "Remove from the room", className: "danger", onClick: act((id) => room.kickParticipant(id)) });
    const list = h("div", { className: "menu-list", hidden: true }, mute, speak, cameraOff, cameraOn, spotlight, kick);
    const opener = button({ label: "Host actions", symbol: "more", className: "menu-opener", onClick: () => show(list.hidden), aria: { expanded: "false" } });
    const element = h("div", { className: "menu", hidden: true }, opener, list);

    function show(open) {
        list.hidden = !open;
        setAttribute(opener, "aria-expanded", open);
        if (open) list.querySelector("button:not([hidden])").focus();
    }
    element.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !list.hidden) {
            event.stopPropagation();
            show(false);
            opener.focus();
        }
    });
    element.addEventListener("focusout", ({ relatedTarget }) => {
        if (relatedTarget && !element.contains(relatedTarget)) show(false);
    });
    const gone = new AbortController();
    const clickedElsewhere = ({ target }) => {
        if (!list.hidden && !element.contains(target)) show(false);
    };
    document.addEventListener("pointerdown", clickedElsewhere, { signal: gone.signal });

    const update = (now, { isHost, isSpotlit: spotlit }) => {
        view = now;
        isSpotlit = spotlit;
        element.hidden = !isHost;
        setText(opener.querySelector(".text"), `Host actions for ${nameOf(view)}`);
        mute.hidden = !view.isAudioEnabled;
        speak.hidden = view.isAudioEnabled;
        cameraOff.hidden = !view.isVideoEnabled;
        cameraOn.hidden = view.isVideoEnabled;
        setText(spotlight.querySelector(".text"), isSpotlit ? "Remove spotlight" : "Spotlight");
    };
    return { element, update, close: () => gone.abort() };
}
