//! Waiting with deadlines: states are polled, nothing sleeps for a guessed time.
import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 20;

/** Polls `probe` until it gives something truthy and returns that; fails after `ms` with what was last seen. */
export async function until(what, probe, ms = 10_000) {
    const deadline = performance.now() + ms;
    let seen;
    for (;;) {
        seen = await probe();
        if (seen) return seen;
        if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what} (last seen: ${JSON.stringify(seen)})`);
        await pause(POLL_MS);
    }
}

/** Gives the promise's value, or fails after `ms`. */
export async function within(what, promise, ms) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}
