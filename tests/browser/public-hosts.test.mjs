//! A room of whereby.com by configuration alone: roomd joins under the public service's own host names, and what it sends
//! there is compared with what the SDK sends. The service itself is not contacted: the names lead to this machine.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applianceBench } from "./support/appliance.mjs";
import { assertPicture, assertTone, devices } from "./support/content.mjs";

const { test, CAMERA, FPS, TONE } = applianceBench({ front: { listenPort: 443 } });
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: FPS });

/** Events whose number and moment depend on the network: only their content is compared. */
const NEGOTIATION = ["ready_to_receive_offer", "sdp_offer", "sdp_answer", "ice_candidate", "ice_endofcandidates"];

/** Everything in which roomd's frames differ from the SDK's in fields and types, with the reason. Paths are `event.field.field`. */
const DIFFERENCES = {
    ice_endofcandidates: "not sent: the SDK connects without it",
    "ice_endofcandidates.receiverId": "as above",
};
/** Fields with another value, in the events that do not belong to the negotiation, with the reason. */
const OTHER_VALUES = {
    "identify_device.deviceCredentials.credentials.uuid": "each device has its own",
    "identify_device.deviceCredentials.hmac": "belongs to the device; left out of roomd's trace",
    "join_room.displayName": "each has its own name",
    "join_room.userAgent": "roomd says what it is",
    "send_client_metadata.payload.displayName": "each has its own name",
    "send_client_metadata.payload.stickyReaction.timestamp": "the time at which the hand was raised",
};

/** The events of a list of Socket.IO frames, as [name, payload]. */
const eventsOf = (frames) => frames.filter((frame) => frame.startsWith("42")).map((frame) => JSON.parse(frame.slice(2)));
const orderOf = (events) => events.map(([name]) => name).filter((name) => !NEGOTIATION.includes(name));

/** Path → type of everything in a payload, in its order. */
function shapeOf(value, path, shape = new Map()) {
    const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    shape.set(path, type);
    if (type === "object") for (const [key, inner] of Object.entries(value)) shapeOf(inner, `${path}.${key}`, shape);
    if (type === "array" && value.length > 0) shapeOf(value[0], `${path}[]`, shape);
    return shape;
}

/** Path → value of everything that is no object, by event and its turn. */
function valuesOf(events) {
    const [values, turns] = [new Map(), new Map()];
    const walk = (value, path) => {
        if (value === null || typeof value !== "object") return values.set(path, value);
        values.set(`${path} keys`, Object.keys(value).join(" "));
        for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    };
    for (const [name, payload] of events.filter(([name]) => !NEGOTIATION.includes(name))) {
        turns.set(name, (turns.get(name) ?? 0) + 1);
        walk(payload ?? null, `${name}#${turns.get(name)}`);
    }
    return values;
}

/** Paths, without the turn, at which the values differ. */
function otherValues(ours, theirs) {
    const [our, their] = [valuesOf(ours), valuesOf(theirs)];
    const paths = [...new Set([...our.keys(), ...their.keys()])].filter((path) => our.get(path) !== their.get(path));
    return Object.fromEntries(paths.map((path) => [path.replace(/#\d+/, ""), `${path}: roomd ${our.get(path)}, SDK ${their.get(path)}`]));
}

/** The differences between two lists of events: paths that one lacks, or whose types differ. */
function differences(ours, theirs) {
    const found = {};
    const shapes = (events) => {
        const all = new Map();
        for (const [name, payload] of events) for (const [path, type] of shapeOf(payload ?? null, name)) all.set(path, (all.get(path) ?? new Set()).add(type));
        return all;
    };
    const [our, their] = [shapes(ours), shapes(theirs)];
    for (const path of new Set([...our.keys(), ...their.keys()])) {
        const [mine, sdk] = [our, their].map((all) => (all.has(path) ? [...all.get(path)].sort().join("|") : "absent"));
        if (mine !== sdk) found[path] = `roomd ${mine}, SDK ${sdk}`;
    }
    return found;
}

/** Records what a page sends on its signal connection. */
async function recordFrames(page) {
    const session = await page.createCDPSession();
    const [frames, sockets] = [[], new Set()];
    session.on("Network.webSocketCreated", ({ requestId, url }) => url.includes("signal.appearin.net") && sockets.add(requestId));
    session.on("Network.webSocketFrameSent", ({ requestId, response }) => sockets.has(requestId) && frames.push(response.payloadData));
    await session.send("Network.enable");
    return frames;
}

/** What somebody does whose frames are compared; `sees(what, predicate)` waits until the host sees it. */
async function takePart({ join, toggleMicrophone, raiseHand, chat, leave }, host) {
    const sees = (what, predicate) => host.until(what, predicate);
    await join();
    await sees("somebody there", "({ remoteParticipants: [one] }) => one?.stream && one.isAudioEnabled");
    await toggleMicrophone(false);
    await sees("muted", "({ remoteParticipants: [one] }) => one && !one.isAudioEnabled");
    await toggleMicrophone(true);
    await sees("unmuted", "({ remoteParticipants: [one] }) => one?.isAudioEnabled");
    await raiseHand(true);
    await sees("hand up", "({ remoteParticipants: [one] }) => one?.stickyReaction");
    await raiseHand(false);
    await sees("hand down", "({ remoteParticipants: [one] }) => one && !one.stickyReaction");
    const before = (await host.state()).chatMessages.length;
    await chat("hello");
    await host.until("the message", (state, count) => state.chatMessages.length > count, { args: [before] });
    await leave();
    await sees("nobody there", (state) => state.remoteParticipants.length === 0);
}

test("roomd joins a room of whereby.com with its defaults and sends what the SDK sends", async (desk) => {
    const folder = await mkdtemp(join(tmpdir(), "public-"));
    try {
        const [caFile, trace] = [join(folder, "front.pem"), join(folder, "signal.jsonl")];
        await writeFile(caFile, desk.front.certificate);
        const meeting = await desk.meeting();
        const anna = await desk.open("anna");
        assert.equal(await anna.join({ roomUrl: meeting.sdkUrl, roomKey: meeting.hostKey, devices: sources }), "joined");

        const ben = await desk.open("ben");
        const sdkFrames = await recordFrames(ben.page);
        await takePart(
            {
                join: async () => assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: sources }), "joined"),
                toggleMicrophone: (on) => ben.act("toggleMicrophone", on),
                raiseHand: (up) => ben.act("toggleRaiseHand", up),
                chat: (text) => ben.act("sendChatMessage", text),
                leave: () => ben.act("leaveRoom"),
            },
            anna,
        );

        const contacts = new Map(desk.front.contacts);
        const box = await desk.appliance({
            hosts: desk.front.hosts,
            args: ["--trace-signal", trace],
            extra: `[room.service]\nca_file = ${JSON.stringify(caFile)}`,
        });
        await takePart(
            {
                async join() {
                    await box.carryOut("join_room", { roomUrl: meeting.sdkUrl, initialMuteStates: { camera: false, microphone: false } });
                    await anna.untilStream();
                    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
                    assertTone(await anna.sound(), TONE);
                },
                toggleMicrophone: (enabled) => box.carryOut("toggle_microphone", { enabled }),
                raiseHand: (enabled) => box.carryOut("toggle_raise_hand", { enabled }),
                chat: (text) => box.carryOut("send_chat_message", { text }),
                leave: () => box.carryOut("leave_room"),
            },
            anna,
        );
        for (const host of desk.front.hosts) assert.ok(desk.front.contacts.get(host) > contacts.get(host), host);

        const lines = (await readFile(trace, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
        const roomdFrames = lines.filter(({ direction }) => direction === ">").map(({ frame }) => frame);
        desk.watch({ texts: { "roomd-frames.txt": roomdFrames.join("\n"), "sdk-frames.txt": sdkFrames.join("\n") } });
        const [ours, theirs] = [eventsOf(roomdFrames), eventsOf(sdkFrames)];
        assert.deepEqual(orderOf(ours), orderOf(theirs), "the order of events");
        assert.ok(ours.some(([name]) => name === "ready_to_receive_offer") && ours.some(([name]) => name === "sdp_answer"));
        const found = differences(ours, theirs);
        assert.deepEqual(Object.keys(found).sort(), Object.keys(DIFFERENCES).sort(), JSON.stringify(found, null, 1));
        const values = otherValues(ours, theirs);
        assert.deepEqual(Object.keys(values).sort(), Object.keys(OTHER_VALUES).sort(), JSON.stringify(values, null, 1));
    } finally {
        await rm(folder, { recursive: true });
    }
});
