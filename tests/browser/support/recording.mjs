//! What a recording holds: its index, and its files as a player decodes them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { within } from "./waiting.mjs";

const execute = promisify(execFile);
const [WIDTH, HEIGHT] = [320, 180];
const RATE = 48_000;

/** The recordings of a directory, the oldest first: each with its folder, its mode, its index and the modes of its files. */
export async function recordingsIn(directory) {
    const names = await readdir(directory).catch(() => []); // not made yet
    const folders = [];
    for (const name of names.sort()) {
        const folder = join(directory, name);
        const text = await readFile(join(folder, "recording.json"), "utf8").catch(() => null);
        if (!text) continue;
        const modes = {};
        for (const file of await readdir(folder)) modes[file] = ((await stat(join(folder, file))).mode & 0o777).toString(8);
        folders.push({ name, folder, mode: ((await stat(folder)).mode & 0o777).toString(8), modes, index: JSON.parse(text) });
    }
    return folders;
}

/** The processes `roomd record` of a room server. */
export async function recordersOf(program) {
    const found = [];
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        try {
            const parent = /^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1];
            const line = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
            if (Number(parent) === program.pid && line[1] === "record") found.push({ pid: Number(pid), line, exe: await readlink(`/proc/${pid}/exe`) });
        } catch (error) {
            if (!["ENOENT", "ESRCH"].includes(error.code)) throw error; // it has ended meanwhile
        }
    }
    return found;
}

/** Runs GStreamer over a file and gives what comes out; `what` is a pad of the demuxer. */
async function decode(file, what, rest) {
    const line = ["-q", "filesrc", `location=${file}`, "!", "matroskademux", "name=d", `d.${what}`, "!", "queue", "!", ...rest.split(" "), "!", "fdsink", "fd=1"];
    const { stdout } = await within(`${file} is decoded`, execute("gst-launch-1.0", line, { encoding: "buffer", maxBuffer: 512 << 20 }), 60_000);
    return stdout;
}

/** The pictures of a file: how many, how many different ones, and the mean colours of the cells of one in the middle as the page measures them. */
export async function picturesOf(file) {
    const raw = await decode(file, "video_0", `decodebin ! videoconvert ! videoscale ! video/x-raw,format=RGB,width=${WIDTH},height=${HEIGHT}`);
    const size = WIDTH * HEIGHT * 3;
    const frames = Array.from({ length: Math.floor(raw.length / size) }, (_, index) => raw.subarray(index * size, (index + 1) * size));
    const distinct = new Set(frames.map((frame) => createHash("sha1").update(frame).digest("hex"))).size;
    return { hasTrack: frames.length > 0, frames: frames.length, distinctFrames: distinct, cells: frames.length > 0 ? cellsOf(frames[Math.floor(frames.length / 2)]) : [] };
}

const cellsOf = (frame) =>
    Array.from({ length: 16 }, (_, index) => {
        const [left, top] = [((index % 4) + 0.25) * (WIDTH / 4), (Math.floor(index / 4) + 0.25) * (HEIGHT / 4)];
        const sum = [0, 0, 0];
        for (let sample = 0; sample < 64; sample += 1) {
            const x = Math.floor(left + (((sample % 8) + 0.5) / 8) * (WIDTH / 8));
            const y = Math.floor(top + ((Math.floor(sample / 8) + 0.5) / 8) * (HEIGHT / 8));
            for (let channel = 0; channel < 3; channel += 1) sum[channel] += frame[(y * WIDTH + x) * 3 + channel] / 64;
        }
        return sum.map(Math.round);
    });

/**
 * The sound of a file: its length, and pitch and level (RMS) of a second from its middle. Time in which nothing was sent
 * is silence here (`audiorate`), so the length is that on the clock.
 */
export async function soundOf(file, pad = "audio_0") {
    const raw = await decode(file, pad, `decodebin ! audioconvert ! audioresample ! audiorate ! audio/x-raw,format=S16LE,rate=${RATE},channels=1,layout=interleaved`);
    const samples = new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + (raw.length & ~1)));
    const audible = (second) => measure(samples.subarray(second * RATE, (second + 1) * RATE));
    const seconds = Array.from({ length: Math.floor(samples.length / RATE) }, (_, second) => audible(second));
    return { seconds: samples.length / RATE, each: seconds, ...audible(Math.max(0, Math.floor(samples.length / RATE / 2) - 1)), hasTrack: samples.length > 0 };
}

function measure(samples) {
    let [square, crossings] = [0, 0];
    for (let at = 0; at < samples.length; at += 1) {
        square += (samples[at] / 32768) ** 2;
        if (at > 0 && samples[at - 1] < 0 && samples[at] >= 0) crossings += 1;
    }
    const rms = Math.sqrt(square / Math.max(1, samples.length));
    return { dbfs: rms > 0 ? 20 * Math.log10(rms) : null, hz: (crossings * RATE) / Math.max(1, samples.length) };
}
