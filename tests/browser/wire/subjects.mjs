//! Those whose frames are compared: an SDK in a page and a roomd, told to do the same things by the same words.
import { join } from "node:path";
import { commandOf } from "../support/actions.mjs";
import { startDistance } from "../support/front.mjs";
import { until } from "../support/waiting.mjs";
import { recordPage, recordTrace } from "./recording.mjs";

/** How long anything may take that is waited for. */
export const PATIENCE = 20_000;
/** Both have the same name in the room. */
const NAME = "carla";

/** roomd says that it cannot do this at all. */
export class NotSupported extends Error {}

/** Replies that are the room's answer and no mistake of the test. */
const ANSWERS = ["rejected_by_room"];

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The SDK as a subject. `without`: kinds of device that it does not have. */
export async function sdkSubject(desk, { devices, without = [] }) {
    const person = await desk.open(NAME);
    const recording = await recordPage(person.page);
    const subject = {
        kind: "SDK",
        recording,
        id: null,
        async join({ meeting, roomKey, assistantKey, muted, externalId }) {
            const kinds = { audio: !without.includes("microphone"), video: !without.includes("camera") };
            const initialMuteStates = muted && { camera: true, microphone: true };
            const outcome = await person.join({ roomUrl: meeting.sdkUrl, roomKey, assistantKey, devices, kinds, displayName: NAME, externalId, initialMuteStates });
            subject.id = (await person.state()).localParticipant.id;
            return outcome;
        },
        async act(action, ...args) {
            if (action !== "removeChatMessage") return person.act(action, ...args);
            const { chatMessages } = await person.state();
            await person.act(action, args[0], chatMessages.find(({ id }) => id === args[0]).sig);
        },
        untilStatus: (status) => person.untilStatus(status, PATIENCE),
        /** Waits for the only one who knocks and gives its id. */
        async untilSomebodyWaits() {
            const { waitingParticipants } = await person.until("somebody knocks", (state) => state.waitingParticipants.length === 1, { ms: PATIENCE });
            return waitingParticipants[0].id;
        },
        /** Waits for the message and gives its id. */
        async untilMessage(text) {
            const { chatMessages } = await person.until(`the message ${text}`, (state, wanted) => state.chatMessages.some((one) => one.text === wanted), { args: [text], ms: PATIENCE });
            return chatMessages.findLast((one) => one.text === text).id;
        },
        /** How many notifications of a type there were. */
        told: async (type) => (await person.call("notifications")).filter((one) => one.type === type).length,
        /** Nothing more follows from what happened so far. */
        settle: async () => {},
        cut: () => recording.setOffline(true),
        restore: () => recording.setOffline(false),
        close: async () => {},
    };
    return subject;
}

/** A roomd as a subject, which knocks only when told to, as the SDK does. */
export async function roomdSubject(desk, { without = [], folder }) {
    const distance = await startDistance({ port: desk.witness.port });
    const trace = join(folder, `signal-${distance.origin.split(":").at(-1)}.jsonl`);
    const box = await desk.appliance({
        device: `box-${distance.origin.split(":").at(-1)}`,
        room: "auto_knock = false",
        args: ["--trace-signal", trace],
        ...Object.fromEntries(without.map((kind) => [kind, '"none"'])),
    });
    const recording = recordTrace(trace);
    const subject = {
        kind: "roomd",
        recording,
        box,
        id: null,
        async join({ meeting, roomKey, assistantKey, muted = false, externalId }) {
            const initialMuteStates = { camera: muted || without.includes("camera"), microphone: muted || without.includes("microphone") };
            const order = { roomUrl: distance.origin + meeting.roomName, roomKey, assistantKey, externalId, displayName: NAME, initialMuteStates };
            const reply = await box.command("join_room", order, { ms: 2 * PATIENCE });
            if (reply.ok) subject.id = reply.result.participantId;
            return reply.ok ? "joined" : reply.error.message;
        },
        async act(action, ...args) {
            const [name, payload] = commandOf(action, args);
            const reply = await box.command(name, payload, { ms: PATIENCE });
            if (reply.error?.code === "not_supported") throw new NotSupported(reply.error.message);
            if (!reply.ok && !ANSWERS.includes(reply.error.code)) throw new Error(`${name} was refused: ${JSON.stringify(reply.error)}`);
        },
        untilStatus: (status) => box.waitState("room", (room) => room.connectionStatus === status, PATIENCE),
        async untilSomebodyWaits() {
            const { waitingParticipants } = await box.waitState("waiting_participants", (part) => part.waitingParticipants.length === 1, PATIENCE);
            return waitingParticipants[0].id;
        },
        async untilMessage(text) {
            const { chat } = await box.waitState("chat", (part) => part.chat.some((one) => one.text === text), PATIENCE);
            return chat.findLast((one) => one.text === text).id;
        },
        told: async (type) => box.events.filter(({ name }) => name === snakeCase(type)).length,
        // Commands are carried out in their order.
        settle: () => box.carryOut("set_volume", { level: 50 }),
        cut: async () => distance.cut(),
        restore: async () => distance.restore(),
        close: () => distance.close(),
    };
    return subject;
}

/** Waits until a subject was told once more than `before`. */
export const untilTold = (subject, type, before) => until(`${subject.kind} is told ${type}`, async () => (await subject.told(type)) > before, PATIENCE);
