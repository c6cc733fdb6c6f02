//! The far end of roomd's display: an X server without a screen.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { start } from "./processes.mjs";

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
