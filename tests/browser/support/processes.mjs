//! Programs started by tests: own process group, output kept as lines with times, always ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { within } from "./waiting.mjs";

const KEPT_LINES = 5000;

// Whatever ends the tests, a deadline included, nothing that they started stays.
const running = new Set();
process.once("SIGTERM", () => process.exit(143));
process.once("SIGINT", () => process.exit(130));
process.once("exit", () => {
    for (const end of running) end();
});

/** Starts a program. `line(pattern, ms)` waits for output, `stop()` ends it with SIGTERM, then SIGKILL. */
export function start(name, command, args = [], { env = {}, cwd } = {}) {
    const child = spawn(command, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    const lines = [];
    const listeners = new Set();
    const began = performance.now();
    for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (text) => {
            lines.push(`${((performance.now() - began) / 1000).toFixed(3)} ${text}`);
            if (lines.length > KEPT_LINES) lines.shift();
            for (const listener of listeners) listener(text);
        });
    }
    let ended = null;
    const exit = new Promise((resolve) => {
        child.once("error", (error) => resolve((ended = { error })));
        child.once("exit", (code, signal) => resolve((ended = { code, signal })));
    });
    const signal = (which) => {
        try {
            process.kill(-child.pid, which);
        } catch (error) {
            if (error.code !== "ESRCH") throw error; // the whole group is gone already
        }
    };
    const end = () => signal("SIGKILL");
    running.add(end);
    const tail = () => lines.slice(-30).join("\n");

    return {
        name,
        pid: child.pid,
        lines,
        exit,
        hasEnded: () => ended,
        signal,
        /** Waits for a line of output, past or coming, that matches. */
        async line(pattern, ms = 10_000) {
            const past = lines.map((text) => pattern.exec(text)).find(Boolean);
            if (past) return past;
            let listener;
            const coming = new Promise((resolve, reject) => {
                listener = (text) => {
                    const match = pattern.exec(text);
                    if (match) resolve(match);
                };
                listeners.add(listener);
                exit.then((how) => reject(new Error(`${name} ended (${JSON.stringify(how)}) before it said ${pattern}:\n${tail()}`)));
            });
            try {
                return await within(`${name} says ${pattern}`, coming, ms);
            } finally {
                listeners.delete(listener);
            }
        },
        /** Asks it to end and waits; after `ms` it is killed, which is an error unless `force`. */
        async stop({ ms = 10_000, force = false } = {}) {
            if (!ended) signal("SIGTERM");
            try {
                await within(`${name} ends after SIGTERM`, exit, ms);
            } catch (error) {
                end();
                await exit;
                if (!force) throw error;
            }
            end(); // what it left behind in its group
            running.delete(end);
            return ended;
        },
        async kill() {
            end();
            running.delete(end);
            await exit;
        },
    };
}

/** Runs a program to its end and fails unless it succeeds. */
export async function run(command, args) {
    const program = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [program.stdout, program.stderr]) stream.on("data", (data) => (output += data));
    const [code] = await once(program, "close");
    if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit ${code}\n${output}`);
    return output;
}
