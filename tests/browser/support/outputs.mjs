//! The far end of roomd's display, speaker and microphone: an X server, and a sound card that is none.
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
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
const EDGE = 40;

/** The pictures on the middle row of a screen, left to right, each with its rectangle and the mean colours of the inner halves of 4 × 4 cells. */
export function picturesOf(shot) {
    const ground = shot.at(1, Math.floor(shot.height / 2));
    const differs = (x, y) => Math.max(...shot.at(x, y).map((value, channel) => Math.abs(value - ground[channel]))) > EDGE;
    const middle = Math.floor(shot.height / 2) + 3; // not on the border between two cells
    const found = [];
    for (let x = 0; x < shot.width; x += 1) {
        if (!differs(x, middle)) continue;
        const left = x;
        while (x < shot.width && differs(x, middle)) x += 1;
        const column = left + Math.floor((x - left) / 2) + 3;
        let [top, bottom] = [middle, middle];
        while (top > 0 && differs(column, top - 1)) top -= 1;
        while (bottom < shot.height - 1 && differs(column, bottom + 1)) bottom += 1;
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
const FRAME_BYTES = 4;
/** A tenth of a second: whole periods of every frequency that is a multiple of 10 Hz. */
const WINDOW = RATE / 10;

/**
 * A private ALSA configuration: `speaker` is a PCM of type `file` into a FIFO that is emptied at the pace of a sound card,
 * `microphone` one that reads `seconds` of a sine of `hz` at `dbfs` (RMS).
 */
export async function startSoundCard({ hz, dbfs, seconds = 120 }) {
    const folder = await mkdtemp(join(tmpdir(), "sound-card-"));
    const [fifo, samples, config] = ["speaker.fifo", "microphone.raw", "asound.conf"].map((name) => join(folder, name));
    await run("mkfifo", [fifo]);
    await writeFile(samples, sine(hz, dbfs, seconds));
    await writeFile(
        config,
        `pcm.speaker_file { type file slave.pcm "null" file "${fifo}" format "raw" }
pcm.speaker { type plug slave { pcm "speaker_file" format S16_LE rate ${RATE} channels 2 } }
pcm.microphone_file { type file slave.pcm "null" file "/dev/null" infile "${samples}" format "raw" }
pcm.microphone { type plug slave { pcm "microphone_file" format S16_LE rate ${RATE} channels 2 } }
`,
    );
    // Both directions: opening waits for no writer, and the FIFO never ends.
    const pipe = await open(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const began = performance.now();
    let played = 0;
    let recent = Buffer.alloc(0);
    const heard = new Set();
    let reading = Promise.resolve();
    const take = async () => {
        const due = Math.floor(((performance.now() - began) * RATE) / 1000) - played;
        const buffer = Buffer.alloc(due * FRAME_BYTES);
        played += due;
        let filled = 0;
        while (filled < buffer.length) {
            try {
                filled += (await pipe.read(buffer, filled, buffer.length - filled)).bytesRead;
            } catch (error) {
                if (error.code !== "EAGAIN") throw error;
                break; // nothing was played
            }
        }
        recent = Buffer.concat([recent, buffer.subarray(0, filled)]);
        while (recent.length >= WINDOW * FRAME_BYTES) {
            const window = Float64Array.from({ length: WINDOW }, (_, frame) => recent.readInt16LE(frame * FRAME_BYTES) / 32_768);
            recent = recent.subarray(WINDOW * FRAME_BYTES);
            for (const listener of heard) listener(window);
        }
    };
    const timer = setInterval(() => (reading = reading.then(take)), 10);
    return {
        env: { ALSA_CONFIG_PATH: `/usr/share/alsa/alsa.conf:${config}` },
        /** Waits for a tenth of a second of sound for which `predicate(level)` holds; `level(hz)` is that of a sine in dBFS RMS, `level()` of all. */
        async untilHeard(what, predicate, ms = 10_000) {
            let last = "nothing was played";
            let listener;
            try {
                return await new Promise((resolve, reject) => {
                    const timeout = setTimeout(() => reject(new Error(`not heard within ${ms} ms: ${what}; at last ${last}`)), ms);
                    listener = (window) => {
                        const level = (frequency) => (frequency ? toneOf(window, frequency) : rmsOf(window));
                        last = `${level().toFixed(1)} dBFS`;
                        if (!predicate(level)) return;
                        clearTimeout(timeout);
                        resolve(level);
                    };
                    heard.add(listener);
                });
            } finally {
                heard.delete(listener);
            }
        },
        async stop() {
            clearInterval(timer);
            await reading;
            await pipe.close();
            await rm(folder, { recursive: true });
        },
    };
}

/** 16-bit stereo. */
function sine(hz, dbfs, seconds) {
    const peak = 10 ** (dbfs / 20) * Math.SQRT2 * 32_767;
    const samples = new Int16Array(RATE * seconds * 2);
    for (let frame = 0; frame < samples.length / 2; frame += 1) samples[2 * frame] = samples[2 * frame + 1] = Math.round(peak * Math.sin((2 * Math.PI * hz * frame) / RATE));
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
