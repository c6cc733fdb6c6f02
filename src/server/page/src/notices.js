// What is worth telling: differences between two states, and the SDK's notifications.
import { ask, tell, withdraw } from "./events.js";
import { room } from "./session.js";
import { nameOf } from "./words.js";

const byId = (people) => new Map(people.map((person) => [person.id, person]));

/** Sentences for what changed in the room between two states. */
export function differences(before, now) {
    const sentences = [];
    const was = byId(before.remoteParticipants);
    const is = byId(now.remoteParticipants);
    for (const [id, person] of is) {
        const old = was.get(id);
        if (!old) sentences.push(`${nameOf(person)} joined`);
        else if (person.stickyReaction && !old.stickyReaction) sentences.push(`${nameOf(person)} raised a hand`);
        else if (!person.stickyReaction && old.stickyReaction) sentences.push(`${nameOf(person)} lowered the hand`);
    }
    for (const [id, person] of was) if (!is.has(id)) sentences.push(`${nameOf(person)} left`);
    const owner = ({ participantId }) => nameOf(is.get(participantId) ?? was.get(participantId));
    const shared = new Set(before.screenshares.map(({ id }) => id));
    const shares = new Set(now.screenshares.map(({ id }) => id));
    for (const share of now.screenshares) {
        if (!shared.has(share.id)) sentences.push(share.isLocal ? "You share your screen" : `${owner(share)} shares a screen`);
    }
    for (const share of before.screenshares) {
        if (!shares.has(share.id)) sentences.push(share.isLocal ? "You stopped sharing" : `${owner(share)} stopped sharing`);
    }
    if (before.isLocked !== now.isLocked) sentences.push(now.isLocked ? "The room is locked now" : "The room is open now");
    const waited = new Set(before.waitingParticipants.map(({ id }) => id));
    for (const person of now.isHost ? now.waitingParticipants : []) {
        if (!waited.has(person.id)) sentences.push(`${nameOf(person)} knocks`);
    }
    return sentences;
}

/** Follows the SDK's notifications for as long as the page lives: a host's requests become questions. */
export function followNotifications({ isChatOpen }) {
    const emitter = room.getNotificationsEventEmitter();
    const from = ({ props }) => nameOf(props.client);
    emitter.on("requestAudioEnable", (event) =>
        ask({
            kind: "audio",
            text: `${from(event)} asks you to speak.`,
            yes: "Turn microphone on",
            no: "Not now",
            onYes: () => room.toggleMicrophone(true),
        }),
    );
    emitter.on("requestAudioDisable", (event) => {
        withdraw("audio");
        tell(`${from(event)} turned your microphone off`);
    });
    emitter.on("requestVideoEnable", (event) =>
        ask({
            kind: "video",
            text: `${from(event)} asks you to turn your camera on.`,
            yes: "Turn camera on",
            no: "Not now",
            onYes: () => room.toggleCamera(true),
        }),
    );
    emitter.on("requestVideoDisable", (event) => {
        withdraw("video");
        tell(`${from(event)} turned your camera off`);
    });
    emitter.on("chatMessageReceived", (event) => {
        if (!isChatOpen()) tell(`${from(event)} says: ${event.props.chatMessage.text}`);
    });
    emitter.on("clientUnableToJoinFullRoom", () => tell("Somebody could not join: the room is full"));
}
