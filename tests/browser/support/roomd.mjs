//! The programs under test and around it: roomd's room server, roomd itself, mosquitto and an MQTT client.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomBytes } from "node:crypto";
import mqtt from "mqtt";
import { freePort } from "./network.mjs";
import { start } from "./processes.mjs";
import { until, within } from "./waiting.mjs";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../../..");
/** The program under test. */
export const ROOMD = process.env.ROOMD_BIN ?? join(repository, "target/debug/roomd");

/** The roles that a meeting has keys for. */
const KEYS = ["host", "viewer", "recorder", "streamer", "captioner"];

/** Starts the room server on loopback, without encryption unless `tls` says how; nothing is kept unless `stateDir` is given. */
export async function startRoomServer({ port, stateDir, tls = `{ mode = "off" }`, assistantKey, toml = "" } = {}) {
    const isPlain = tls.includes(`"off"`);
    const listen = `127.0.0.1:${port ?? (await freePort())}`;
    const plain = isPlain ? listen : `127.0.0.1:${await freePort()}`;
    const apiKey = randomBytes(24).toString("hex");
    const folder = await mkdtemp(join(tmpdir(), "room-server-"));
    const config = join(folder, "roomd.toml");
    const kept = stateDir ? `state_dir = ${JSON.stringify(stateDir)}\n` : "";
    const keyFile = join(folder, "api-key");
    await writeFile(keyFile, apiKey, { mode: 0o600 });
    const assistants = assistantKey ? `assistant_key_file = ${JSON.stringify(join(folder, "assistant-key"))}\n` : "";
    if (assistantKey) await writeFile(join(folder, "assistant-key"), assistantKey, { mode: 0o600 });
    await writeFile(config, `[server]\ntls = ${tls}\n${isPlain ? "" : `plain_listen = "${plain}"\n`}api_key_file = ${JSON.stringify(keyFile)}\n${assistants}${kept}${toml}\n`);
    const args = ["room-server", "--config", config, "--listen", listen, ...(stateDir ? [] : ["--ephemeral"])];
    const life = lives("room-server", ROOMD, args);
    const origin = `${isPlain ? "http" : "https"}://${listen}`;
    const answers = async (path, options) => {
        const response = await fetch(`http://${plain}${path}`, options);
        if (!response.ok) throw new Error(`${options?.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
        return response;
    };
    const begin = () =>
        life.begin("the room server answers", () => answers("/healthz").catch(() => null)); // not listening yet
    await begin();
    return {
        get program() {
            return life.program;
        },
        kill: life.kill,
        /** Starts it again after `kill`, with the same configuration and port. */
        startAgain: begin,
        origin,
        port: Number(listen.split(":")[1]),
        /** Makes a room; gives its name, addresses and the keys of hosts, viewers and service clients. */
        async createMeeting({ isLocked = false, roomMode = "normal" } = {}) {
            const endDate = new Date(Date.now() + 3_600_000).toISOString();
            const body = JSON.stringify({ isLocked, roomMode, endDate, fields: KEYS.map((role) => `${role}RoomUrl`) });
            const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
            const meeting = await (await answers("/v1/meetings", { method: "POST", headers, body })).json();
            const keyOf = (url) => new URL(url).searchParams.get("roomKey");
            return { ...meeting, ...Object.fromEntries(KEYS.map((role) => [`${role}Key`, keyOf(meeting[`${role}RoomUrl`])])) };
        },
        async stop(options) {
            await life.program.stop(options);
            await rm(folder, { recursive: true });
        },
    };
}

/** The lives of a program that is killed and started again with the same arguments; each has a log of its own. */
function lives(name, command, args, options) {
    let program;
    let count = 0;
    return {
        get program() {
            return program;
        },
        /** Starts it and waits until it is ready; gives the program. */
        async begin(what, isReady) {
            count += 1;
            program = start(count === 1 ? name : `${name}-${count}`, command, args, options);
            try {
                await until(what, () => {
                    if (program.hasEnded()) throw new Error(`${name} ended:\n${program.lines.join("\n")}`);
                    return isReady();
                });
            } catch (error) {
                await program.kill();
                throw error;
            }
            return program;
        },
        /** Ends it at once, without a goodbye. */
        kill: () => program.kill(),
    };
}

/** Whether somebody listens on a port of loopback. */
async function accepts(port) {
    const socket = connect(port, "127.0.0.1");
    try {
        await once(socket, "connect");
        return true;
    } catch {
        return false; // refused: not yet
    } finally {
        socket.destroy();
    }
}

/** Starts mosquitto on a port of loopback of its own; `port` keeps the address over a restart. */
export async function startBroker({ port } = {}) {
    const used = port ?? (await freePort());
    const folder = await mkdtemp(join(tmpdir(), "mosquitto-"));
    const config = join(folder, "mosquitto.conf");
    await writeFile(config, `listener ${used} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\n`);
    const life = lives("mosquitto", "mosquitto", ["-c", config]);
    const begin = () => life.begin("mosquitto answers", () => accepts(used));
    await begin();
    return {
        get program() {
            return life.program;
        },
        port: used,
        kill: life.kill,
        /** Starts it again after `kill`, at the same address, with nothing retained. */
        startAgain: begin,
        async stop() {
            await life.program.stop({ force: true });
            await rm(folder, { recursive: true });
        },
    };
}

/** Drives one roomd over MQTT, by the contract of docs/mqtt.md: commands with replies, retained states, events. */
export async function connectController({ port, base = "roomd/test" }) {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 200 });
    const states = new Map();
    const history = [];
    const events = [];
    const replies = new Map();
    const listeners = new Set();
    let availability = null;
    let counter = 0;
    client.on("message", (topic, payload, { retain }) => {
        const text = payload.toString();
        history.push(`${new Date().toISOString()} ${retain ? "retained " : ""}${topic} ${text}`);
        const [kind, name] = topic.slice(base.length + 1).split("/");
        if (kind === "availability") availability = text;
        else if (kind === "state") states.set(name, JSON.parse(text));
        else if (kind === "event") events.push({ name, ...JSON.parse(text) });
        else if (kind === "reply") {
            const reply = JSON.parse(text);
            replies.get(reply.id)?.(reply);
        }
        for (const listener of listeners) listener();
    });
    await client.subscribeAsync([`${base}/#`], { qos: 1 });

    /** Waits for news until `probe` gives something; no polling: every message asks it again. */
    const heard = async (what, probe, ms) => {
        let listener;
        const found = new Promise((resolve, reject) => {
            listener = () => {
                try {
                    const value = probe();
                    if (value) resolve(value);
                } catch (error) {
                    reject(error);
                }
            };
            listeners.add(listener);
            listener();
        });
        try {
            return await within(what, found, ms);
        } catch (error) {
            throw new Error(`${error.message}; last messages:\n${history.slice(-20).join("\n")}`, { cause: error });
        } finally {
            listeners.delete(listener);
        }
    };

    return {
        client,
        history,
        events,
        availability: () => availability,
        untilAvailability: (wanted, ms = 10_000) => heard(`availability ${wanted}`, () => availability === wanted, ms),
        /** Sends a command and gives its reply, whatever it says. */
        async command(name, args = {}, { ms = 10_000, admin = false } = {}) {
            counter += 1;
            const id = `test-${process.pid}-${counter}`;
            const reply = new Promise((resolve) => replies.set(id, resolve));
            await client.publishAsync(`${base}/${admin ? "admin" : "cmd"}/${name}`, JSON.stringify({ ...args, id }), { qos: 1 });
            try {
                return await within(`reply to ${name}`, reply, ms);
            } finally {
                replies.delete(id);
            }
        },
        /** Sends a command that must succeed; gives its result. */
        async carryOut(name, args, options) {
            const reply = await this.command(name, args, options);
            if (!reply.ok) throw new Error(`${name} was refused: ${JSON.stringify(reply.error)}`);
            return reply.result;
        },
        /** The last published state of a part, or undefined. */
        state: (part) => states.get(part),
        /** Waits until a part's state fulfils the predicate; gives the state. */
        waitState: (part, predicate, ms = 10_000) => heard(`state/${part}`, () => states.has(part) && predicate(states.get(part)) && states.get(part), ms),
        /** Waits for an event that fulfils the predicate, past or coming. */
        waitEvent: (name, predicate = () => true, ms = 10_000) => heard(`event/${name}`, () => events.find((event) => event.name === name && predicate(event)), ms),
        close: () => client.endAsync(),
    };
}

/**
 * Starts `roomd run` with the given configuration (TOML text) in a directory of its own. `args` are added; `hosts` are
 * names that mean this machine for this program alone: it gets an /etc/hosts of its own by a mount namespace.
 */
export async function startRoomd({ name = "roomd", toml, env = {}, args = [], hosts = [] }) {
    const folder = await mkdtemp(join(tmpdir(), "roomd-"));
    const config = join(folder, "roomd.toml");
    await writeFile(config, toml, { mode: 0o600 });
    let command = [ROOMD, "run", "--config", config, ...args];
    if (hosts.length > 0) {
        const file = join(folder, "hosts");
        await writeFile(file, `127.0.0.1 localhost ${hosts.join(" ")}\n`);
        command = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', file, ...command];
    }
    const life = lives(name, command[0], command.slice(1), { env: { STATE_DIRECTORY: folder, ...env } });
    const begin = () => life.begin("roomd is there", () => true); // what it does is seen over MQTT
    await begin();
    return {
        get program() {
            return life.program;
        },
        folder,
        kill: life.kill,
        /** Starts it again after `kill` or its end, with the same configuration and state directory. */
        startAgain: begin,
        async stop(options) {
            await life.program.stop(options);
            await rm(folder, { recursive: true });
        },
    };
}
