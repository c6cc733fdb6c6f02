//! Takes down what a participant sends on its signal connection: of a page over the debugging protocol, of roomd from its trace.
import { readFile } from "node:fs/promises";
import { until } from "../support/waiting.mjs";

/** A frame as an event `[name, payload]`; null for Engine.IO's ping, pong and noop, whose number is a matter of time. */
function eventOf(frame) {
    if (["2", "3", "6"].includes(frame)) return null;
    if (frame.startsWith("42")) {
        const [name, ...rest] = JSON.parse(frame.slice(2));
        // Surplus arguments are part of the frame: `42["leave_room"]` is not `42["leave_room",null]`.
        return [name, rest.length <= 1 ? rest[0] : { "(arguments)": rest }];
    }
    const names = { 40: "(connect)", 41: "(disconnect)" };
    return [names[frame.slice(0, 2)] ?? "(other frame)", frame.slice(2) || undefined];
}

/** What both kinds of recording can do, above `frames`, which gives all frames sent so far. */
function recording(frames) {
    let taken = 0;
    const events = async () => (await frames()).map(eventOf).filter(Boolean);
    return {
        /** The events since the last `take`. */
        async take() {
            const all = await events();
            const since = all.slice(taken);
            taken = all.length;
            return since;
        },
        /** Waits until an event with this name, whose payload fulfils `predicate`, was sent since the last `take`. */
        untilSent: (name, predicate = () => true) =>
            until(`${name} is sent`, async () => (await events()).slice(taken).some(([sent, payload]) => sent === name && predicate(payload)), 20_000),
        /** The frames as they were, for the evidence. */
        text: async () => (await frames()).join("\n"),
    };
}

/** Records what a page sends to the signal server from now on. */
export async function recordPage(page) {
    const session = await page.createCDPSession();
    const [frames, sockets] = [[], new Set()];
    session.on("Network.webSocketCreated", ({ requestId, url }) => url.includes("signal.appearin.net") && sockets.add(requestId));
    session.on("Network.webSocketFrameSent", ({ requestId, response }) => sockets.has(requestId) && frames.push(response.payloadData));
    await session.send("Network.enable");
    return Object.assign(
        recording(async () => {
            // What was sent before this answer has been told before it.
            await session.send("Runtime.evaluate", { expression: "0" });
            return frames;
        }),
        {
            /** Takes the network away from the page, or gives it back. */
            setOffline: (offline) => session.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }),
        },
    );
}

/** Reads what roomd sends from the file of `roomd run --trace-signal`. */
export function recordTrace(file) {
    return recording(async () => {
        const text = await readFile(file, "utf8").catch((error) => {
            if (error.code === "ENOENT") return ""; // nothing was sent yet
            throw error;
        });
        // Without its newline the last line is still being written.
        const lines = text.split("\n").slice(0, -1);
        return lines.map((line) => JSON.parse(line)).filter(({ direction }) => direction === ">").map(({ frame }) => frame);
    });
}
