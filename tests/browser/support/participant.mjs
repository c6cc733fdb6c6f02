//! A participant in a test: the unmodified SDK in a page of its own, driven over the debugging protocol.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "participant");

/** Bundles the participant's page and serves it on loopback (a secure context, so that devices can be had). */
export async function serveParticipantPage() {
    const { outputFiles } = await build({
        entryPoints: [join(folder, "main.js")],
        bundle: true,
        minify: true, // also selects the production build of the SDK's state library
        format: "esm",
        platform: "browser",
        external: ["@whereby.com/camera-effects", "@whereby.com/audio-denoiser"],
        write: false,
        logLevel: "warning",
    });
    const files = new Map([
        ["/", ["text/html; charset=utf-8", await readFile(join(folder, "index.html"))]],
        ["/participant.js", ["text/javascript; charset=utf-8", Buffer.from(outputFiles[0].contents)]],
    ]);
    const server = createServer((request, response) => {
        const [type, body] = files.get(request.url) ?? ["text/plain", Buffer.from("not here")];
        response.writeHead(files.has(request.url) ? 200 : 404, { "content-type": type });
        response.end(body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        url: `http://127.0.0.1:${server.address().port}/`,
        async close() {
            server.closeAllConnections();
            server.close();
            await once(server, "close");
        },
    };
}

/** The room's address as the SDK wants it: the first label of the host names the organization, the path the room. */
export const sdkRoomUrl = (roomName) => `https://local.whereby.com${roomName}`;

/**
 * Opens a participant. `ledTo`: the address of a room server that the page itself is led to by a script before the SDK;
 * without it the browser must lead it (`startFront`).
 */
export async function openParticipant(browser, { name, pageUrl, ledTo }) {
    const page = await browser.newPage();
    const console_ = [];
    page.on("console", (message) => console_.push(`${message.type()} ${message.text()}`));
    page.on("pageerror", (error) => console_.push(`pageerror ${error.stack ?? error}`));
    if (ledTo) await page.evaluateOnNewDocument(lead, ledTo);
    await page.goto(pageUrl);
    await page.waitForFunction("window.lab !== undefined", { timeout: 30_000 });
    const call = (method, ...args) => page.evaluate((name, given) => window.lab[name](...given), method, args);
    return {
        name,
        page,
        console: console_,
        call,
        /** Joins; gives "joined" or the SDK's error. */
        join: (options) => call("join", { displayName: name, ...options }),
        act: (action, ...args) => call("act", action, ...args),
        state: () => call("state"),
        /** Waits until `predicate(state, ...args)` holds in the page, polling every 20 ms; gives the state. */
        async until(what, predicate, { args = [], ms = 10_000 } = {}) {
            const inner = args.map((arg) => JSON.stringify(arg)).join(", ");
            try {
                await page.waitForFunction(`(${predicate})(window.lab.state()${inner ? `, ${inner}` : ""})`, { polling: 20, timeout: ms });
            } catch (error) {
                throw new Error(`${name}: not within ${ms} ms: ${what}; state ${JSON.stringify(await call("state"))}`, { cause: error });
            }
            return call("state");
        },
        untilStatus(status, ms) {
            return this.until(`status ${status}`, (state, wanted) => state.connectionStatus === wanted, { args: [status], ms });
        },
        /** Waits until a remote participant's stream is there. */
        untilStream(kind = "camera", participantId = null, ms = 10_000) {
            const seen = (state, field, id) => state.remoteParticipants.some((person) => person[field]?.tracks.length && (!id || person.id === id));
            return this.until(`${kind} stream`, seen, { args: [kind === "presentation" ? "presentationStream" : "stream", participantId], ms });
        },
        picture: (kind = "camera", participantId = null, ms = 2000) => call("picture", kind, participantId, ms),
        sound: (kind = "camera", participantId = null, ms = 2000) => call("sound", kind, participantId, ms),
        paths: () => call("paths"),
        close: () => page.browserContext().close(),
    };
}

/** Runs in the page before the SDK: replaces its built-in hosts. Names are compared: the socket library adds a port. */
function lead(host) {
    const hosts = new Set(["api.whereby.dev", "signal.appearin.net", "rtcstats.srv.whereby.com"]);
    const to = (given) => {
        const url = new URL(given, location.href);
        return hosts.has(url.hostname) ? `${url.protocol.startsWith("ws") ? "ws" : "http"}://${host}${url.pathname}${url.search}` : given;
    };
    const { open } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.open = function (method, url, ...rest) {
        return open.call(this, method, to(url), ...rest);
    };
    window.WebSocket = class extends WebSocket {
        constructor(url, ...rest) {
            super(to(url), ...rest);
        }
    };
}
