//! The far end of roomd's speaker and microphone: ALSA devices without a sound card. PulseAudio's null sinks give and
//! take sound at the pace of a clock, as hardware does; a PCM of type `file` blocks inside the write instead, while
//! alsasink holds the lock that it needs to ask for the delay.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { start } from "./processes.mjs";

const RATE = 48_000;
/** A tenth of a second: whole periods of every frequency that is a multiple of 10 Hz. */
const WINDOW = RATE / 10;
const FRAME_BYTES = 4;
const STREAM = ["--raw", `--rate=${RATE}`, "--channels=2", "--format=s16le", "--latency-msec=50"];

/** Starts a sound server with the ALSA devices `speaker`, of which everything is heard, and `microphone`, which hears a sine of `hz` at `dbfs` (RMS). */
export async function startSoundCard({ hz, dbfs }) {
    const folder = await mkdtemp(join(tmpdir(), "sound-card-"));
    const [socket, config] = ["socket", "asound.conf"].map((name) => join(folder, name));
    const server = `unix:${socket}`;
    const device = (name, pulse) => `pcm.${name} { type pulse server "${server}" device "${pulse}" }\n`;
    await writeFile(config, device("speaker", "speaker") + device("microphone", "voice.monitor"));
    const sink = (name) => `--load=module-null-sink sink_name=${name} rate=${RATE} channels=2 format=s16le`;
    const program = start(
        "pulseaudio",
        "pulseaudio",
        ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes", "--log-level=info", `--load=module-native-protocol-unix auth-anonymous=1 socket=${socket}`, sink("speaker"), sink("voice")],
        { env: { HOME: folder, XDG_RUNTIME_DIR: folder, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" } },
    );
    await program.line(/startup complete/i);
    // Both end with the server.
    const client = (command, args) => spawn(command, [`--server=${server}`, ...args, ...STREAM], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, HOME: folder } });
    const voice = client("pacat", ["--playback", "--device=voice"]);
    Readable.from(repeated(sine(hz, dbfs))).pipe(voice.stdin);
    voice.stdin.on("error", (error) => (broken ??= error));
    const heard = client("parec", ["--device=speaker.monitor"]);
    let broken = null;
    let stopping = false;
    const listeners = new Set();
    for (const [name, process] of Object.entries({ pacat: voice, parec: heard })) {
        process.on("error", (error) => (broken = error));
        process.on("exit", (code) => stopping || (broken = new Error(`${name} ended with ${code}`)));
    }
    eachWindow(heard.stdout, (window) => listeners.forEach((listener) => listener(window)));
    return {
        env: { ALSA_CONFIG_PATH: `/usr/share/alsa/alsa.conf:${config}` },
        /** Waits for a tenth of a second of sound for which `predicate(level)` holds; `level(hz)` is that of a sine in dBFS RMS, `level()` of all. */
        async untilHeard(what, predicate, ms = 10_000) {
            let last = "nothing was played";
            let listener;
            try {
                return await new Promise((resolve, reject) => {
                    const timeout = setTimeout(() => reject(broken ?? new Error(`not heard within ${ms} ms: ${what}; at last ${last}`)), ms);
                    listener = (window) => {
                        const level = (frequency) => (frequency ? toneOf(window, frequency) : rmsOf(window));
                        last = `${level().toFixed(1)} dBFS`;
                        if (!predicate(level)) return;
                        clearTimeout(timeout);
                        resolve(level);
                    };
                    listeners.add(listener);
                });
            } finally {
                listeners.delete(listener);
            }
        },
        async stop() {
            stopping = true;
            for (const process of [voice, heard]) process.kill();
            await program.stop({ force: true });
            await rm(folder, { recursive: true });
        },
    };
}

/** Cuts 16-bit stereo into windows of its left channel, -1 to 1. */
function eachWindow(stream, tell) {
    let kept = Buffer.alloc(0);
    stream.on("data", (data) => {
        kept = Buffer.concat([kept, data]);
        for (; kept.length >= WINDOW * FRAME_BYTES; kept = kept.subarray(WINDOW * FRAME_BYTES)) {
            const window = kept;
            tell(Float64Array.from({ length: WINDOW }, (unused, frame) => window.readInt16LE(frame * FRAME_BYTES) / 32_768));
        }
    });
}

function* repeated(block) {
    for (;;) yield block;
}

/** A window of 16-bit stereo that can be repeated: `hz` is a multiple of 10. */
function sine(hz, dbfs) {
    const peak = 10 ** (dbfs / 20) * Math.SQRT2 * 32_767;
    const samples = new Int16Array(WINDOW * 2);
    for (let frame = 0; frame < WINDOW; frame += 1) samples[2 * frame] = samples[2 * frame + 1] = Math.round(peak * Math.sin((2 * Math.PI * hz * frame) / RATE));
    return Buffer.from(samples.buffer);
}

const decibels = (power) => 10 * Math.log10(Math.max(power, 1e-12));
const rmsOf = (window) => decibels(window.reduce((sum, value) => sum + value * value, 0) / window.length);

/** Goertzel's algorithm. */
function toneOf(window, hz) {
    const coefficient = 2 * Math.cos((2 * Math.PI * hz) / RATE);
    let [last, before] = [0, 0];
    for (const sample of window) [last, before] = [sample + coefficient * last - before, last];
    return decibels((2 * (last * last + before * before - coefficient * last * before)) / window.length ** 2);
}
