//! The thread of a sound card: takes and gives five milliseconds every five milliseconds, whatever the other end does.
import { readSync, writeSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";

const { playback, capture, rate, wave } = workerData;
const FRAME_BYTES = 4;
const PERIOD_MS = 5;
/** Ten milliseconds, which roomd reads at a time: ALSA fills up with silence what is not there. A pipe takes that whole or not at all. */
const BLOCK = (rate / 100) * FRAME_BYTES;
/** A fifth of a second: as late as this thread may be without a gap. */
const LONGEST = 20 * BLOCK;
const tone = Buffer.from(wave);
const window = Buffer.alloc(tone.length);
const clock = new Int32Array(new SharedArrayBuffer(4));

/** Repeats `step` until `bytes` are moved, or the FIFO is empty, or full; gives how many were. */
function moved(bytes, step, least) {
    let count = 0;
    while (bytes - count >= least) {
        try {
            count += step(bytes - count);
        } catch (error) {
            if (error.code !== "EAGAIN") throw error;
            break;
        }
    }
    return count;
}

/** What one direction has to move by now. It makes up for being late, but not for a time in which the other end was away. */
class Pace {
    #owed = 0;

    turn(frames, step, least = 1) {
        this.#owed += frames * FRAME_BYTES;
        if (this.#owed < least) return;
        const count = moved(this.#owed, step, least);
        this.#owed = count === 0 ? 0 : Math.min(this.#owed - count, LONGEST);
    }
}

try {
    setPriority(0, -15); // of this thread alone: hardware waits for nobody
} catch (error) {
    if (!["ERR_SYSTEM_ERROR", "EACCES", "EPERM"].includes(error.code)) throw error; // only root may
}
const began = performance.now();
const [playing, recording] = [new Pace(), new Pace()];
let frames = 0;
let filled = 0;
let at = 0;
for (let period = 1; ; period += 1) {
    Atomics.wait(clock, 0, 0, Math.max(0, began + period * PERIOD_MS - performance.now()));
    const due = Math.floor(((performance.now() - began) * rate) / 1000) - frames;
    frames += due;
    recording.turn(
        due,
        () => {
            writeSync(capture, tone, at, BLOCK);
            at = (at + BLOCK) % tone.length;
            return BLOCK;
        },
        BLOCK,
    );
    playing.turn(due, (rest) => {
        const read = readSync(playback, window, filled, Math.min(rest, window.length - filled), null);
        filled += read;
        if (filled === window.length) {
            const samples = new Int16Array(window.buffer, window.byteOffset, window.length / 2);
            parentPort.postMessage(Float64Array.from({ length: samples.length / 2 }, (unused, frame) => samples[2 * frame] / 32_768));
            filled = 0;
        }
        return read;
    });
}
