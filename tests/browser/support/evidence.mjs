//! What is kept when a test fails: event lines, states, statistics, session descriptions and pictures of every
//! participant, and the output of every program, in target/browser-failures/<test>.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./waiting.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../target/browser-failures");

/** Writes the evidence and gives its folder. A part that cannot be had is noted, it never hides the failure itself. */
export async function keepEvidence(test, { participants = [], pages = [], programs = [], texts = {} }) {
    const folder = join(root, test.replace(/[^\w-]+/g, "-").slice(0, 100));
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const missing = [];
    const keep = async (name, get) => {
        try {
            const content = await within(name, Promise.resolve(get()), 10_000);
            if (content !== null && content !== undefined) await writeFile(join(folder, name), content);
        } catch (error) {
            missing.push(`${name}: ${error.message}`);
        }
    };
    const json = (value) => JSON.stringify(value, null, 1);
    for (const person of participants) {
        const name = person.name;
        await keep(`${name}-events.txt`, async () => (await person.call("lines")).join("\n"));
        await keep(`${name}-state.json`, async () => json(await person.state()));
        await keep(`${name}-stats.json`, async () => json(await person.call("stats")));
        await keep(`${name}-sdp.json`, async () => json(await person.call("descriptions")));
        await keep(`${name}-refused-sdp.json`, async () => json(await person.call("refusedDescriptions")));
        await keep(`${name}-console.txt`, () => person.console.join("\n"));
        for (const kind of ["camera", "presentation"]) {
            const state = await person.state().catch(() => ({ remoteParticipants: [] })); // the page is gone; said above
            for (const { id, stream, presentationStream } of state.remoteParticipants) {
                if (!(kind === "camera" ? stream : presentationStream)) continue;
                await keep(`${name}-sees-${id}-${kind}.png`, async () => {
                    const url = await person.call("snapshot", kind, id);
                    return url && Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
                });
            }
        }
    }
    for (const { name, page } of pages) await keep(`${name}.png`, () => page.screenshot());
    for (const { name, lines } of programs) await keep(`${name}.log`, () => lines.join("\n"));
    for (const [name, text] of Object.entries(texts)) await keep(name, () => (typeof text === "function" ? text() : text));
    const machine = `load average ${loadavg().join(" ")}, ${cpus().length} cores, Node ${process.version}`;
    await writeFile(join(folder, "about.txt"), [machine, ...missing].join("\n"));
    return folder;
}
