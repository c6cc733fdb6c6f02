//! What a call costs: processor time for each megapixel that is delivered, and memory, of roomd and of Chromium with the SDK
//! in its place. In each round both come, in changing order, into a room in which the same boxes wait: they send and receive
//! with them at the same size, rate and codec, show all pictures and play all sounds. Prints "result: {…}"; `roomd bench
//! call` reads it.
import { launchBrowser } from "../support/browser.mjs";
import { requirePrivateNetwork } from "../support/network.mjs";
import { startScreen } from "../support/outputs.mjs";
import { openParticipant, sdkRoomUrl, serveParticipantPage } from "../support/participant.mjs";
import { foreignSince, memoryOf, processors, secondsOf } from "../support/processors.mjs";
import { connectController, startBroker, startRoomd, startRoomServer } from "../support/roomd.mjs";
import { startSoundCard } from "../support/sound_card.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const foreignLimit = Number(process.env.BENCH_FOREIGN ?? 25) / 100;
const peerCounts = (process.env.BENCH_PEERS ?? "1,4").split(",").map(Number);
const SIZE = { width: 640, height: 360, fps: 30 };
/** What one picture to all others may have, in bit/s; the SDK gives each of four about as much. */
const BITRATE = 800_000;
const CODEC = "h264";
/** The share of the pictures that must arrive, else a round does not count. */
const ENOUGH = 0.9;
/** After the last picture began, until rates and bitrates have settled. */
const SETTLING_MS = 5_000;
const MS = 30_000;

requirePrivateNetwork();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const configuration = ({ id, broker, display = '"none"', speaker = '"none"' }) => `
[device]
id = "${id}"
name = "${id}"
[media]
camera = "test"
microphone = { test = { frequency = 440.0, level_dbfs = -20.0 } }
display = ${display}
speaker = ${speaker}
video_codecs = ["${CODEC}"]
[media.camera_encoding]
width = ${SIZE.width}
height = ${SIZE.height}
fps = ${SIZE.fps}
bitrate = ${BITRATE}
[mqtt]
brokers = ["mqtt://127.0.0.1:${broker.port}"]
[log]
level = "warn"
`;

/** Runs in the page before the SDK: the browser's camera has this size and rate alone, as a camera has that knows no other. */
function onlyOf({ width, height, fps }) {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = ({ audio, video }) => ask({ audio, video: video ? { width: { exact: width }, height: { exact: height }, frameRate: fps } : false });
}

const ends = [];
const later = (end) => ends.push(end);
const endAll = async (list) => {
    for (const end of list.splice(0).reverse()) await end();
};
try {
    const server = await startRoomServer({ toml: `[server.limits]\ndevices_per_minute = 1000` });
    later(() => server.stop({ force: true }));
    const participantPage = await serveParticipantPage();
    later(() => participantPage.close());
    const broker = await startBroker();
    later(() => broker.stop());
    const card = await startSoundCard({ hz: 440, dbfs: -20 });
    later(() => card.stop());

    /** Starts a box; everything of it ends with `endAll(list)`. */
    const startBox = async (id, outputs, list) => {
        const program = await startRoomd({ name: id, toml: configuration({ id, broker, ...outputs }), env: outputs.env });
        list.push(() => program.stop({ force: true }));
        const box = await connectController({ port: broker.port, base: `roomd/${id}` });
        list.push(() => box.close());
        await box.untilAvailability("online", MS);
        return { id, box, program };
    };
    const comeInto = ({ box }, meeting) =>
        box.carryOut("join_room", { roomUrl: server.origin + meeting.roomName, roomKey: meeting.hostKey, initialMuteStates: { camera: false, microphone: false } });
    const streamOf = ({ box }, name) => box.state("remote_participants")?.remoteParticipants.find(({ displayName }) => displayName === name)?.stream;
    const arrives = (stream) => stream?.receiving === true && stream.fps >= SIZE.fps * ENOUGH;
    const megapixels = ({ width, height, fps }) => (width * height * fps) / 1e6;

    // The first peer decodes what it gets: the size of a picture is known then.
    const look = await startScreen({ width: 320, height: 180 });
    later(() => look.stop());
    const peers = [];
    for (let number = 0; number < Math.max(...peerCounts); number += 1) peers.push(await startBox(`peer-${number}`, number === 0 ? { display: '"x11"', env: look.env } : {}, ends));

    /** roomd in the measured place, with a display of the size of Chromium's window. */
    const roomd = async (meeting, others, list) => {
        const screen = await startScreen({ width: 1280, height: 720 });
        list.push(() => screen.stop());
        const desk = await startBox("desk", { display: '"x11"', speaker: '{ alsa = "speaker" }', env: { ...screen.env, ...card.env } }, list);
        await comeInto(desk, meeting);
        const all = (part) => part.remoteParticipants.length === others.length && part.remoteParticipants.every(({ stream }) => arrives(stream));
        await desk.box.waitState("remote_participants", all, MS);
        return {
            pids: [desk.program.program.pid],
            // Chromium without a window has nothing of the kind.
            screen: [screen.program.pid],
            received: async () => desk.box.state("remote_participants").remoteParticipants.reduce((sum, { stream }) => sum + megapixels(stream), 0),
        };
    };
    /** Chromium with the SDK in the measured place: its own test camera and microphone, all pictures shown, all sounds played. */
    let version = "";
    const sdk = async (meeting, others, list) => {
        const chromium = await launchBrowser({ fakeDevices: false, flags: [`--use-fake-device-for-media-stream=fps=${SIZE.fps}`, "--window-size=1280,720"] });
        list.push(() => chromium.close());
        version = chromium.version;
        const pages = {
            async newPage() {
                const page = await chromium.newPage();
                await page.evaluateOnNewDocument(onlyOf, SIZE);
                return page;
            },
        };
        const person = await openParticipant(pages, { name: "desk", pageUrl: participantPage.url, ledTo: new URL(server.origin).host });
        const outcome = await person.join({ roomUrl: sdkRoomUrl(meeting.roomName), roomKey: meeting.hostKey, devices: null });
        if (outcome !== "joined") throw new Error(outcome);
        await person.until("all pictures", (state, count) => state.remoteParticipants.filter(({ stream }) => stream?.tracks.length === 2).length === count, { args: [others.length], ms: MS });
        await person.page.evaluate(() => {
            // A grid that fills the window, as on roomd's display.
            const videos = [...document.querySelectorAll("video")];
            const columns = Math.ceil(Math.sqrt(videos.length));
            document.body.style.cssText = `margin: 0; display: grid; width: 100vw; height: 100vh; grid: auto-flow 1fr / repeat(${columns}, 1fr)`;
            for (const video of videos) {
                video.muted = false;
                video.style.cssText = "width: 100%; height: 100%; min-height: 0";
            }
        });
        const frames = async () => (await person.call("stats")).flat().filter(({ type, kind }) => type === "inbound-rtp" && kind === "video");
        let before = await frames();
        let began = performance.now();
        return {
            pids: [chromium.pid],
            screen: [],
            /** Since it was asked last. */
            received: async () => {
                const [now, ended] = [await frames(), performance.now()];
                const decoded = now.reduce((sum, one) => sum + (one.framesDecoded - (before.find(({ id }) => id === one.id)?.framesDecoded ?? 0)) * one.frameWidth * one.frameHeight, 0);
                const rate = decoded / 1e6 / ((ended - began) / 1000);
                [before, began] = [now, ended];
                return rate;
            },
        };
    };

    /** One party in a room with so many peers: what it used in `seconds`, what was delivered meanwhile (Mpx/s), and its memory at the end. */
    const measure = async (party, count) => {
        const list = [];
        const others = peers.slice(0, count);
        try {
            const meeting = await server.createMeeting({ roomMode: "group" });
            for (const peer of others) await comeInto(peer, meeting);
            const { pids, screen, received } = await party(meeting, others, list);
            for (const peer of others) await peer.box.waitState("remote_participants", () => arrives(streamOf(peer, "desk")), MS);
            await pause(SETTLING_MS);
            await received();
            const before = [await secondsOf(pids), await secondsOf(screen)];
            const began = performance.now();
            let [sent, looks, complete] = [0, 0, true];
            const { width, height } = streamOf(others[0], "desk");
            while (performance.now() - began < seconds * 1000) {
                await pause(1000);
                const streams = others.map((peer) => streamOf(peer, "desk"));
                complete &&= streams.every(arrives);
                sent += streams.reduce((sum, { fps }) => sum + megapixels({ width, height, fps }), 0);
                looks += 1;
            }
            const took = (performance.now() - began) / 1000;
            const used = [(await secondsOf(pids)) - before[0], (await secondsOf(screen)) - before[1]];
            return { complete, processor: used[0] / took, screen: used[1] / took, sent: sent / looks, received: await received(), memory: await memoryOf(pids), size: `${width}×${height}` };
        } finally {
            for (const { box } of others) {
                await box.carryOut("leave_room");
                await box.waitState("room", (room) => room.connectionStatus === "left");
            }
            await endAll(list);
        }
    };

    const result = { calls: [], voided: 0, browser: "" };
    for (const count of peerCounts) {
        const kept = [];
        let voided = 0;
        while (kept.length < rounds) {
            const before = await processors();
            const order = (kept.length + voided) % 2 === 0 ? [roomd, sdk] : [sdk, roomd];
            const gave = new Map();
            for (const party of order) gave.set(party, await measure(party, count));
            const foreign = await foreignSince(before);
            const [box, page] = [gave.get(roomd), gave.get(sdk)];
            const said = ({ processor, screen, sent, received, memory, size }) => `${Math.round(processor * 100)} % (screen ${Math.round(screen * 100)} %), ${sent.toFixed(1)} + ${received.toFixed(1)} Mpx/s (${size}), ${Math.round(memory / 1e6)} MB`;
            console.error(`  ${count} peers: roomd ${said(box)}; Chromium ${said(page)} (other programs ${Math.round(foreign * 100)} %)`);
            if (foreign > foreignLimit || !box.complete || !page.complete) {
                voided += 1;
                if (voided > 2 * rounds) throw new Error(`${voided} rounds with ${count} peers do not count: other programs used too much, or pictures were missing`);
            } else kept.push({ roomd: box, sdk: page });
        }
        result.voided += voided;
        result.calls.push({ peers: count, roomd: kept.map(({ roomd: one }) => one), sdk: kept.map(({ sdk: one }) => one) });
    }
    result.browser = `${version}, Node ${process.version}`;
    console.log(`result: ${JSON.stringify(result)}`);
} finally {
    await endAll(ends);
}
