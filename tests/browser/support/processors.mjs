//! What the kernel counts: processor time and memory of programs with all that they started.
import { readdir, readFile } from "node:fs/promises";

/** Ticks of the kernel's clock in a second. */
const TICKS = 100;

/** Every program: its parent and its ticks, those of its ended children included. */
async function programs() {
    const found = new Map();
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null); // it has ended
        if (!text) continue;
        const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
        found.set(Number(pid), { parent: Number(fields[1]), used: fields.slice(11, 15).map(Number).reduce((sum, value) => sum + value, 0) });
    }
    return found;
}

/** A program and all that descend from it. */
const treeOf = (all, root) => [root, ...[...all].filter(([, { parent }]) => parent === root).flatMap(([pid]) => treeOf(all, pid))];
const usedBy = (all, root) => treeOf(all, root).reduce((sum, pid) => sum + (all.get(pid)?.used ?? 0), 0);

/** Ticks of all processors (busy, all), and of this program with all that it started. */
export async function processors() {
    const [user, nice, system, idle, iowait, ...rest] = (await readFile("/proc/stat", "utf8")).split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
    const busy = user + nice + system + rest.reduce((sum, value) => sum + value, 0);
    return { busy, all: busy + idle + iowait, own: usedBy(await programs(), process.pid) };
}

/** The share of all processors that other programs have used since. */
export async function foreignSince(before) {
    const now = await processors();
    return Math.max(0, now.busy - before.busy - (now.own - before.own)) / Math.max(1, now.all - before.all);
}

/** Processor time in seconds that these programs and their descendants have used so far. */
export async function secondsOf(pids) {
    const all = await programs();
    return pids.reduce((sum, pid) => sum + usedBy(all, pid), 0) / TICKS;
}

/** Memory of these programs and their descendants in bytes: their own, and their shares of what they share (PSS). */
export async function memoryOf(pids) {
    const all = await programs();
    let sum = 0;
    for (const pid of pids.flatMap((root) => treeOf(all, root))) {
        const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => ""); // it has ended, or has no memory
        sum += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
    }
    return sum;
}
