//! roomd as a participant: room server, broker and appliance for each test, driven over MQTT alone.
import { bench } from "./bench.mjs";
import { connectController, startBroker, startRoomd } from "./roomd.mjs";

/** The bars of roomd's camera test picture, left to right; a white block moves through the band from 3/4 of the height. */
const BARS = [
    [200, 30, 30],
    [30, 160, 60],
    [40, 60, 200],
    [220, 200, 40],
    [190, 40, 180],
    [40, 180, 190],
];
/** The quadrants of its presentation's test picture; a black block moves through the band from 1/8 to 1/4. */
const QUADRANTS = [
    [230, 120, 20],
    [20, 90, 160],
    [120, 30, 140],
    [150, 200, 90],
];
const SAMPLES = 64;

/** What the meters read of a picture: the mean colour of the inner half of each cell of a 4 × 4 grid; null in a row with the moving block. */
const cellsOf = (colourAt, movingRow) =>
    Array.from({ length: 16 }, (_, index) => {
        const [column, row] = [index % 4, Math.floor(index / 4)];
        if (row === movingRow) return null;
        const sums = [0, 0, 0];
        for (let sample = 0; sample < SAMPLES; sample += 1) {
            const x = (column + 0.25 + (sample + 0.5) / SAMPLES / 2) / 4;
            colourAt(x, (row + 0.5) / 4).forEach((value, channel) => (sums[channel] += value / SAMPLES));
        }
        return sums.map(Math.round);
    });

/** What an SDK should measure of roomd's camera. */
export const CAMERA = cellsOf((x) => BARS[Math.floor(x * 6)], 3);
/** What an SDK should measure of roomd's screenshare. */
export const PRESENTATION = cellsOf((x, y) => QUADRANTS[(x >= 0.5 ? 1 : 0) + (y >= 0.5 ? 2 : 0)], 0);
/** roomd's test tone. */
export const TONE = { hz: 660, dbfs: -15 };
/** Frames per second of roomd's camera. */
export const FPS = 15;

/** The configuration of a roomd without hardware; `extra` is put behind it. */
export const applianceToml = ({
    broker,
    room = "",
    media = "",
    extra = "",
    device = "desk",
    camera = '"test"',
    microphone = `{ test = { frequency = ${TONE.hz}.0, level_dbfs = ${TONE.dbfs}.0 } }`,
    display = '"none"',
    speaker = '"none"',
    size = { width: 320, height: 180 },
}) => `
[device]
id = "${device}"
name = "Room ${device}"
[room]
${room}
[media]
camera = ${camera}
microphone = ${microphone}
screenshare = [{ name = "laptop", source = "test" }]
display = ${display}
speaker = ${speaker}
${media}
[media.camera_encoding]
width = ${size.width}
height = ${size.height}
fps = ${FPS}
bitrate = 400000
[media.screenshare_encoding]
width = 640
height = 360
fps = 10
bitrate = 500000
[mqtt]
brokers = ["mqtt://127.0.0.1:${broker.port}"]
[log]
level = "debug,rustls=info,hyper=info,reqwest=info,tungstenite=info"
${extra}
`;

/** What roomd has published so far: the states of one part, or of all as `{ part, state }`, in order. */
export const statesOf = (box, part) =>
    box.history.flatMap((line) => {
        const found = /^\S+ (?:retained )?\S+\/state\/(\w+) (.*)$/s.exec(line);
        if (!found || (part && found[1] !== part)) return [];
        const state = JSON.parse(found[2]);
        return part ? [state] : [{ part: found[1], state }];
    });

/** As \`bench\`, and its tests also get `appliance(options)` and `call(options)`. */
export function applianceBench(options) {
    const around = bench(options);
    const plain = around.test;
    around.test = (name, body, settings) =>
        plain(
            name,
            async (desk) => {
                const ends = [];
                try {
                    const broker = await startBroker();
                    ends.push(() => broker.stop());
                    /** Starts a roomd; gives its controller with `program` and `stop`. */
                    const appliance = async ({ device = "desk", ...given } = {}) => {
                        const toml = applianceToml({ broker, device, ...given });
                        const roomd = await startRoomd({ name: device === "desk" ? "roomd" : `roomd-${device}`, toml, env: given.env, args: given.args, hosts: given.hosts });
                        ends.push(() => roomd.stop({ force: true }));
                        const box = await connectController({ port: broker.port, base: `roomd/${device}` });
                        ends.push(() => box.close());
                        desk.watch({ programs: [roomd.program] });
                        await box.untilAvailability("online");
                        return Object.assign(box, { program: roomd.program, roomd, toml });
                    };
                    /** A room in which roomd (a visitor unless told otherwise, both devices on) and the SDK "anna" (host) are connected. */
                    const call = async ({ devices, kinds, boxFirst = false, boxIsHost = false, meetingOptions, origin = around.server.origin, ...given }) => {
                        const meeting = await desk.meeting(meetingOptions);
                        const roomUrl = origin + meeting.roomName;
                        const anna = await desk.open("anna");
                        const box = await appliance(given);
                        const joinAnna = async () => {
                            const joined = await anna.join({ roomUrl: meeting.sdkUrl, roomKey: meeting.hostKey, devices, kinds });
                            if (joined !== "joined") throw new Error(`anna: ${joined}`);
                        };
                        if (!boxFirst) await joinAnna();
                        const roomKey = boxIsHost ? { roomKey: meeting.hostKey } : {};
                        await box.carryOut("join_room", { roomUrl, ...roomKey, initialMuteStates: { camera: false, microphone: false } });
                        if (boxFirst) await joinAnna();
                        await anna.untilStream();
                        const local = await box.waitState("local_participant", (one) => one.id);
                        return { anna, box, meeting, roomUrl, boxId: local.id, annaId: (await anna.state()).localParticipant.id };
                    };
                    await body({ ...desk, broker, appliance, call });
                } finally {
                    for (const end of ends.reverse()) await end();
                }
            },
            settings,
        );
    return Object.assign(around, { CAMERA, PRESENTATION, TONE, FPS });
}
