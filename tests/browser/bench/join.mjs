//! How long it takes to join: from the command to the first picture that a page with the SDK decodes. In each round once
//! roomd joins (its command over MQTT) and once a second page with the SDK (`joinRoom` and its devices), in changing
//! order, into a room of its own in which the first page waits. Prints "result: {…}"; `roomd bench join` reads it.
import { foreignSince, processors } from "../support/processors.mjs";
import { launchBrowser } from "../support/browser.mjs";
import { devices } from "../support/content.mjs";
import { requirePrivateNetwork } from "../support/network.mjs";
import { openParticipant, sdkRoomUrl, serveParticipantPage } from "../support/participant.mjs";
import { connectController, startBroker, startRoomd, startRoomServer } from "../support/roomd.mjs";
import { within } from "../support/waiting.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 10);
const foreignLimit = Number(process.env.BENCH_FOREIGN ?? 25) / 100;
const SIZE = { width: 640, height: 360, fps: 30 };

requirePrivateNetwork();

/** Runs in the page before the SDK: notes when the first picture of a remote participant has been decoded. */
function noteFirstPicture() {
    window.firstPicture = new Promise((resolve) => {
        const watch = (video) => video.requestVideoFrameCallback((_, { width, height }) => resolve({ at: Date.now(), width, height }));
        new MutationObserver((records) => {
            for (const { addedNodes } of records) for (const node of addedNodes) if (node instanceof HTMLVideoElement) watch(node);
        }).observe(document, { childList: true, subtree: true });
    });
}

const ends = [];
try {
    const server = await startRoomServer({ toml: "[server.limits]\ndevices_per_minute = 1000" });
    ends.push(() => server.stop({ force: true }));
    const participantPage = await serveParticipantPage();
    ends.push(() => participantPage.close());
    const { browser, newPage, version, close } = await launchBrowser();
    ends.push(close);
    const broker = await startBroker();
    ends.push(() => broker.stop());
    const roomd = await startRoomd({
        toml: `
[device]
id = "desk"
[media]
camera = "test"
microphone = { test = { frequency = 440.0, level_dbfs = -20.0 } }
display = "none"
speaker = "none"
[media.camera_encoding]
width = ${SIZE.width}
height = ${SIZE.height}
fps = ${SIZE.fps}
[mqtt]
brokers = ["mqtt://127.0.0.1:${broker.port}"]
[log]
level = "warn"
`,
    });
    ends.push(() => roomd.stop({ force: true }));
    const box = await connectController({ port: broker.port, base: "roomd/desk" });
    ends.push(() => box.close());
    await box.untilAvailability("online");

    const open = async (name, prepare) => {
        const pages = {
            async newPage() {
                const page = await newPage();
                if (prepare) await page.evaluateOnNewDocument(prepare);
                return page;
            },
        };
        return openParticipant(pages, { name, pageUrl: participantPage.url, ledTo: new URL(server.origin).host });
    };
    const joined = async (person, meeting, sources) => {
        const outcome = await person.join({ roomUrl: sdkRoomUrl(meeting.roomName), roomKey: meeting.hostKey, devices: sources });
        if (outcome !== "joined") throw new Error(`${person.name}: ${outcome}`);
    };
    /** Milliseconds until the waiting page has decoded the first picture of who joins. `arrive` gives when it was told to. */
    const measure = async (prepareOther, arrive) => {
        const meeting = await server.createMeeting();
        const anna = await open("anna", noteFirstPicture);
        const other = await prepareOther();
        try {
            await joined(anna, meeting, devices({ shift: 0, hz: 440, ...SIZE }));
            await anna.untilStatus("connected");
            const began = await arrive(meeting, other);
            const first = await within("the first picture", anna.page.evaluate("window.firstPicture"), 20_000);
            return first.at - began;
        } finally {
            await other?.close();
            await anna.close();
        }
    };
    const byRoomd = async () => {
        const took = await measure(
            async () => null,
            async (meeting) => {
                const began = Date.now();
                await box.carryOut("join_room", { roomUrl: server.origin + meeting.roomName, initialMuteStates: { camera: false, microphone: false } });
                return began;
            },
        );
        await box.carryOut("leave_room");
        await box.waitState("room", (room) => room.connectionStatus === "left");
        return took;
    };
    const bySdk = () =>
        measure(
            () => open("ben"),
            async (meeting, ben) => {
                const began = Date.now();
                await joined(ben, meeting, devices({ shift: 5, hz: 880, ...SIZE }));
                return began;
            },
        );

    // The first joins load what later ones find in memory: they do not count.
    await byRoomd();
    await bySdk();
    const result = { roomd: [], sdk: [], voided: 0, browser: `${version}, Node ${process.version}` };
    while (result.roomd.length < rounds) {
        const before = await processors();
        const roomdFirst = (result.roomd.length + result.voided) % 2 === 0;
        const first = await (roomdFirst ? byRoomd : bySdk)();
        const second = await (roomdFirst ? bySdk : byRoomd)();
        const [byBox, byPage] = roomdFirst ? [first, second] : [second, first];
        const foreign = await foreignSince(before);
        console.error(`  roomd ${byBox} ms, SDK ${byPage} ms (other programs ${Math.round(foreign * 100)} %)`);
        if (foreign > foreignLimit) {
            result.voided += 1;
            if (result.voided > 2 * rounds) throw new Error(`${result.voided} rounds do not count: other programs used too much`);
        } else {
            result.roomd.push(byBox);
            result.sdk.push(byPage);
        }
    }
    console.log(`result: ${JSON.stringify(result)}`);
} finally {
    for (const end of ends.reverse()) await end();
}
