//! Makes inputs for tests/fuzz of recorded traffic: node tests/browser/wire/corpora.mjs TRAFFIC
//!
//! TRAFFIC is what `ROOMD_RECORDED_TRAFFIC=TRAFFIC tests/browser/run wire.test.mjs` has written: every frame and body between SDKs, roomd and the
//! room server. Keys are blanked, ids and times replaced, and of messages of the same form a few are kept.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CORPUS = join(dirname(fileURLToPath(import.meta.url)), "../../fuzz/corpus");
const MARK = "recorded-";
/** How many inputs of one name a target gets, each of another form. */
const MOST = 3;
/** Descriptions of sessions are long: they belong to targets of their own, elsewhere only shorter inputs are kept. */
const LONGEST = { session_description: 10_000, client_messages: 10_000, server_messages: 10_000, room_connection: 30_000, rooms: 30_000 };
const SHORT = 3000;
/** How many conversations are kept, how many lines of them, and how many of those about the negotiation. */
const [CONVERSATIONS, LINES, NEGOTIATION] = [3, 80, 6];
const SECRETS = ["hmac", "roomKey", "assistantKey", "clientClaim", "eventClaim", "credential", "sig"];

const names = new Map();
/** The same id becomes the same short one everywhere. */
const idOf = (id) => names.get(id) ?? names.set(id, `00000000-0000-4000-8000-${String(names.size + 1).padStart(12, "0")}`).get(id);

/** A value without keys, ids and times of that day. */
function plain(value, key) {
    if (typeof value === "string") {
        if (SECRETS.includes(key)) return value && "x".repeat(Math.min(value.length, 24));
        return text(value);
    }
    if (typeof value === "number") return value > 1e12 ? 1767225600000 : value;
    if (Array.isArray(value)) return value.map((item) => plain(item, key));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), plain(inner, name)]));
    return value;
}

/** A text likewise. */
const text = (given) =>
    given
        .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, idOf)
        .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, "2026-01-01T00:00:00.000Z")
        .replace(/\/[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}/g, "/standup")
        .replace(/(ice-pwd:)\S+/g, `$1${"x".repeat(24)}`)
        .replace(/(roomKey=)[^&\s"]+/g, "$1x")
        .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:8443");

/** The form of a JSON value: its paths and types; of texts of many lines their kinds of lines. */
function formOf(value) {
    if (Array.isArray(value)) return `[${[...new Set(value.map(formOf))].sort().join()}]`;
    if (value && typeof value === "object") return `{${Object.keys(value).sort().map((key) => `${/^[\w-]{30,}$/.test(key) ? "id" : key}:${formOf(value[key])}`).join()}}`;
    if (typeof value === "string" && value.includes("\r\n")) return [...new Set(value.split("\r\n").map((line) => /^(a=[\w-]+|m=\w+|.=)/.exec(line)?.[0]))].join();
    return value === null ? "null" : typeof value === "string" && value === "" ? "empty" : typeof value;
}

const forms = new Map();
const found = new Map();
/** Keeps an input of a target, if it is of a new form and there are not enough of its name. */
function keep(target, name, form, content) {
    const known = forms.get(`${target} ${name}`) ?? forms.set(`${target} ${name}`, new Set()).get(`${target} ${name}`);
    if (known.has(form) || known.size >= MOST || content.length > (LONGEST[target] ?? SHORT)) return;
    known.add(form);
    const files = found.get(target) ?? found.set(target, new Map()).get(target);
    files.set(`${MARK}${name}${known.size > 1 ? `-${known.size}` : ""}`, content);
}

/** A frame without secrets, and its event. */
function frameOf(raw) {
    const packet = /^(\d+)(\[.*\]|\{.*\})$/s.exec(raw);
    if (!packet) return { frame: text(raw) };
    const value = plain(JSON.parse(packet[2]));
    const isEvent = packet[1].startsWith("42") && Array.isArray(value);
    return { frame: packet[1] + JSON.stringify(value), value, prefix: packet[1], event: isEvent ? value[0] : null, payload: isEvent ? value[1] : undefined };
}

const lines = (await readFile(process.argv[2], "utf8")).trim().split("\n").map((line) => JSON.parse(line));
const conversations = new Map();
const origins = new Map();
for (const { connection, origin, client, server, request, answer } of lines) {
    if (origin) origins.set(connection, origin);
    for (const body of [request, answer].filter(Boolean)) {
        const value = plain(JSON.parse(body));
        keep("rest_bodies", body === request ? "request" : "answer", formOf(value), JSON.stringify(value));
    }
    const raw = client ?? server;
    if (raw === undefined) continue;
    const { frame, value, prefix, event, payload } = frameOf(raw);
    const form = `${prefix ?? raw} ${event ?? ""} ${value === undefined ? "" : formOf(value)}`;
    const name = event ?? (value ? "packet" : "short");
    keep("engine_io_frame", name, `${prefix ?? raw} ${event ?? ""}`, frame);
    if (!frame.startsWith("4")) continue;
    keep("socket_io_packet", name, form, frame.slice(1));
    keep("signal_trace", name, `${event}`, frame);
    if (payload !== undefined) keep(client ? "client_messages" : "server_messages", event, form, JSON.stringify(payload));
    const description = payload?.message?.sdp;
    if (description) keep("session_description", event, formOf(description), description);
    const candidate = payload?.message?.candidate;
    if (candidate) keep("ice", "candidate", candidate.replace(/\d+/g, "0").replace(/ufrag \S+/, ""), JSON.stringify(payload.message));
    if (event === "join_room") {
        const origin = origins.get(connection);
        const host = origin?.includes("127.0.0.1") && payload.userAgent.startsWith("roomd") ? "http://127.0.0.1:8443" : "https://local.whereby.com";
        for (const key of ["", "?roomKey=x"]) keep("room_url", "room", host + key, host + payload.roomName + key);
    }
    const talk = conversations.get(connection) ?? conversations.set(connection, { client: [], server: [], negotiation: 0 }).get(connection);
    const isNegotiation = /^(sdp|ice)_/.test(event ?? "");
    if (isNegotiation && (talk.negotiation += 1) > NEGOTIATION) continue;
    if (event) talk[client ? "client" : "server"].push(frame.slice(1));
}
// Those that say the most different things.
const rich = [...conversations.values()].map((talk) => ({ ...talk, kinds: new Set([...talk.client, ...talk.server].map((packet) => /"(\w+)"/.exec(packet)[1])) })).sort((one, other) => other.kinds.size - one.kinds.size);
for (const { client, server } of rich.slice(0, CONVERSATIONS)) {
    keep("room_connection", "conversation", server.join(), server.slice(0, LINES).join("\n"));
    keep("rooms", "conversation", client.join(), client.slice(0, LINES).map((packet) => `0${packet}`).join("\n"));
}

let bytes = 0;
for (const [target, files] of found) {
    const folder = join(CORPUS, target);
    await mkdir(folder, { recursive: true });
    for (const file of await readdir(folder)) if (file.startsWith(MARK)) await rm(join(folder, file));
    for (const [file, content] of files) {
        bytes += Buffer.byteLength(content);
        await writeFile(join(folder, file), content);
    }
    console.log(`${target}: ${files.size}`);
}
console.log(`${bytes} bytes`);
