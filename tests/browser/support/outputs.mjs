//! The far end of roomd's display, speaker and microphone: an X server, and a sound card that is none.
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { run, start } from "./processes.mjs";

const execute = promisify(execFile);

/** Starts an X server without a screen; `env` leads a program to it. */
export async function startScreen({ width = 1280, height = 720 } = {}) {
    const program = start("Xvfb", "Xvfb", ["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", `${width}x${height}x24`]);
    const number = (await program.line(/(?:^|\s)(\d+)$/))[1];
    const env = { DISPLAY: `:${number}` };
    const grab = async (format) => (await execute("import", ["-window", "root", "-depth", "8", format], { env: { ...process.env, ...env }, encoding: "buffer", maxBuffer: 64 << 20 })).stdout;
    return {
        program,
        env,
        /** What stands on the screen: `at(x, y)` is a colour. */
        async look() {
            const ppm = await grab("ppm:-");
            const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(ppm.subarray(0, 40).toString("latin1"));
            const pixels = ppm.subarray(header[0].length);
            const [columns, rows] = [Number(header[1]), Number(header[2])];
            return { width: columns, height: rows, at: (x, y) => [...pixels.subarray((y * columns + x) * 3, (y * columns + x) * 3 + 3)] };
        },
        png: () => grab("png:-"),
        stop: () => program.stop({ force: true }),
    };
}

/** How far a colour must be from the background to belong to a picture. */
const EDGE = 20;

/** The pictures on the middle row of a screen, left to right, each with its rectangle and the mean colours of the inner halves of 4 × 4 cells. */
export function picturesOf(shot) {
    const ground = shot.at(1, Math.floor(shot.height / 2));
    const differs = (x, y) => Math.max(...shot.at(x, y).map((value, channel) => Math.abs(value - ground[channel]))) > EDGE;
    const middle = Math.floor(shot.height / 2) + 3; // not on the border between two cells
    const found = [];
    for (let x = 0; x < shot.width; x += 1) {
        if (!differs(x, middle)) continue;
        const left = x;
        // Two colours may pass through the background's where they meet.
        while ([0, 1, 2, 3].some((step) => x + step < shot.width && differs(x + step, middle))) x += 1;
        const column = left + Math.floor((x - left) / 2) + 3;
        let [top, bottom] = [middle, middle];
        const reaches = (y, step) => [1, 2, 3, 4].some((far) => y + far * step >= 0 && y + far * step < shot.height && differs(column, y + far * step));
        while (reaches(top, -1)) top -= 1;
        while (reaches(bottom, 1)) bottom += 1;
        found.push({ left, top, width: x - left, height: bottom - top + 1 });
    }
    return found.filter(({ width, height }) => width > 60 && height > 40).map((place) => ({ ...place, cells: cellsOf(shot, place) }));
}

const cellsOf = (shot, { left, top, width, height }) =>
    Array.from({ length: 16 }, (_, index) => {
        const sum = [0, 0, 0];
        for (let sample = 0; sample < 64; sample += 1) {
            const x = Math.floor(left + (((index % 4) + 0.25 + ((sample % 8) + 0.5) / 16) * width) / 4);
            const y = Math.floor(top + ((Math.floor(index / 4) + 0.25 + (Math.floor(sample / 8) + 0.5) / 16) * height) / 4);
            shot.at(x, y).forEach((value, channel) => (sum[channel] += value / 64));
        }
        return sum.map(Math.round);
    });

const RATE = 48_000;
/** A tenth of a second: whole periods of every frequency that is a multiple of 10 Hz. */
const WINDOW = RATE / 10;

/** F_SETPIPE_SZ: two pages are 43 ms. A third of a second would pass for the latency of a sound card that does not tell it. */
const SHORTEN = 'open(my $fifo, "+<", $ARGV[0]) or die $!; fcntl($fifo, 1031, 8192) or die $!';

/**
 * A private ALSA configuration: `speaker` is a PCM of type `file` whose FIFO is emptied at the pace of a sound card,
 * `microphone` one whose FIFO is filled at that pace with a sine of `hz` at `dbfs` (RMS). A plain file is not paced at all.
 */
export async function startSoundCard({ hz, dbfs }) {
    const folder = await mkdtemp(join(tmpdir(), "sound-card-"));
    const [playback, capture, config] = ["playback", "capture", "asound.conf"].map((name) => join(folder, name));
    await run("mkfifo", [playback, capture]);
    await writeFile(
        config,
        `pcm.speaker_file { type file slave.pcm "null" file "${playback}" format "raw" }
pcm.speaker { type plug slave { pcm "speaker_file" format S16_LE rate ${RATE} channels 2 } }
pcm.microphone_file { type file slave.pcm "null" file "/dev/null" infile "${capture}" format "raw" }
pcm.microphone { type plug slave { pcm "microphone_file" format S16_LE rate ${RATE} channels 2 } }
`,
    );
    // Both directions: opening waits for no other end, and a FIFO never ends.
    const pipes = await Promise.all([playback, capture].map((path) => open(path, constants.O_RDWR | constants.O_NONBLOCK)));
    for (const path of [playback, capture]) await run("perl", ["-e", SHORTEN, path]);
    // A thread of its own: nothing that a test does may disturb the pace.
    const card = new Worker(new URL("./sound_card.mjs", import.meta.url), { workerData: { playback: pipes[0].fd, capture: pipes[1].fd, wave: sine(hz, dbfs), rate: RATE } });
    let broken = null;
    card.on("error", (error) => (broken = error));
    return {
        env: { ALSA_CONFIG_PATH: `/usr/share/alsa/alsa.conf:${config}` },
        /** Waits for a tenth of a second of sound for which `predicate(level)` holds; `level(hz)` is that of a sine in dBFS RMS, `level()` of all. */
        async untilHeard(what, predicate, ms = 10_000) {
            let last = "nothing was played";
            let listener;
            try {
                return await new Promise((resolve, reject) => {
                    const timeout = setTimeout(() => reject(new Error(`not heard within ${ms} ms: ${what}; at last ${last}`)), ms);
                    if (broken) reject(broken);
                    listener = (window) => {
                        const level = (frequency) => (frequency ? toneOf(window, frequency) : rmsOf(window));
                        last = `${level().toFixed(1)} dBFS`;
                        if (!predicate(level)) return;
                        clearTimeout(timeout);
                        resolve(level);
                    };
                    card.on("message", listener);
                });
            } finally {
                card.off("message", listener);
            }
        },
        async stop() {
            await card.terminate();
            for (const pipe of pipes) await pipe.close();
            await rm(folder, { recursive: true });
        },
    };
}

/** A window of 16-bit stereo that can be repeated: `hz` is a multiple of 10. */
function sine(hz, dbfs) {
    const peak = 10 ** (dbfs / 20) * Math.SQRT2 * 32_767;
    const samples = new Int16Array(WINDOW * 2);
    for (let frame = 0; frame < WINDOW; frame += 1) samples[2 * frame] = samples[2 * frame + 1] = Math.round(peak * Math.sin((2 * Math.PI * hz * frame) / RATE));
    return samples.buffer;
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
