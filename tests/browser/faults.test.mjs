//! Bad input from the side of rooms and configuration: each gets its documented error and status, and the next good
//! command works. No browser takes part.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { applianceToml } from "./support/appliance.mjs";
import { NONSENSE, startNonsense } from "./support/nonsense.mjs";
import { freePort, requirePrivateNetwork } from "./support/network.mjs";
import { start } from "./support/processes.mjs";
import { connectController, ROOMD, startBroker, startRoomd, startRoomServer } from "./support/roomd.mjs";

const JOIN_TIMEOUT_MS = 3000;
let broker, server, box, goodUrl;
const ends = [];

/** A roomd with its controller. */
async function appliance({ device = "desk", room = "", extra = "" } = {}) {
    const roomd = await startRoomd({ toml: applianceToml({ broker, device, room: `join_timeout_ms = ${JOIN_TIMEOUT_MS}\n${room}`, extra }) });
    ends.push(() => roomd.stop({ force: true }));
    const controller = await connectController({ port: broker.port, base: `roomd/${device}` });
    ends.push(() => controller.close());
    await controller.untilAvailability("online");
    return Object.assign(controller, { roomd });
}

before(async () => {
    requirePrivateNetwork();
    broker = await startBroker();
    ends.push(() => broker.stop());
    server = await startRoomServer({ toml: "[server.limits]\nclients_per_room = 1" });
    ends.push(() => server.stop());
    goodUrl = server.origin + (await server.createMeeting()).roomName;
    box = await appliance();
});
after(async () => {
    for (const end of ends.reverse()) await end();
});

/** Joins a room in which nothing is wrong, and leaves it: the box has survived. */
async function assertNextJoinWorks(controller = box) {
    const { roomName } = await controller.carryOut("join_room", { roomUrl: goodUrl });
    assert.equal(roomName, new URL(goodUrl).pathname);
    const room = await controller.waitState("room", ({ connectionStatus }) => connectionStatus === "connected");
    assert.equal(room.connectionError, null);
    await controller.waitState("problems", ({ problems }) => problems.length === 0);
    await controller.carryOut("leave_room");
    await controller.waitState("room", ({ connectionStatus }) => connectionStatus === "left");
    assert.equal(controller.roomd.program.hasEnded(), null);
}

/** Sends a join that must fail, and gives the error, which has a message and a remedy. */
async function refusedJoin(args, controller = box) {
    const reply = await controller.command("join_room", args);
    assert.equal(reply.ok, false, JSON.stringify(reply));
    assert.ok(reply.error.message && reply.error.remedy, JSON.stringify(reply.error));
    return reply.error;
}
const problemOf = (code, controller = box) => controller.waitState("problems", ({ problems }) => problems.some((one) => one.code === code && one.remedy));

for (const [what, args] of [
    ["no address", { roomUrl: "somewhere" }],
    ["another scheme", { roomUrl: "ftp://127.0.0.1/room" }],
    ["an address without a room", { roomUrl: "https://127.0.0.1" }],
    ["no room at all, with none configured", {}],
]) {
    test(`join_room with ${what} is invalid_payload and names roomUrl`, async () => {
        const error = await refusedJoin(args);
        assert.deepEqual([error.code, error.field], ["invalid_payload", "roomUrl"]);
        await assertNextJoinWorks();
    });
}

test("a wrong key is rejected by the room with invalid_key", async () => {
    const error = await refusedJoin({ roomUrl: goodUrl, roomKey: "wrong" });
    assert.deepEqual([error.code, error.message], ["rejected_by_room", "invalid_key"]);
    const room = await box.waitState("room", ({ connectionStatus }) => connectionStatus === "disconnected");
    assert.equal(room.connectionError, "invalid_key");
    await problemOf("join_refused");
    await assertNextJoinWorks();
});

test("a full room is room_full, and the box is in as soon as there is a place", async () => {
    const wall = await appliance({ device: "wall" });
    await wall.carryOut("join_room", { roomUrl: goodUrl });
    const error = await refusedJoin({ roomUrl: goodUrl });
    assert.deepEqual([error.code, error.message], ["rejected_by_room", "room_full"]);
    assert.equal((await box.waitState("room", (room) => room.connectionError)).connectionError, "room_full");
    await wall.carryOut("leave_room");
    await box.waitState("room", ({ connectionStatus }) => connectionStatus === "connected", 20_000);
    await box.carryOut("leave_room");
    await assertNextJoinWorks();
});

test("a locked room without auto_knock is rejected_by_room / room_locked, and knock may follow", async () => {
    const shy = await appliance({ device: "shy", room: "auto_knock = false" });
    const { roomName } = await server.createMeeting({ isLocked: true });
    const error = await refusedJoin({ roomUrl: server.origin + roomName }, shy);
    assert.deepEqual([error.code, error.message], ["rejected_by_room", "room_locked"]);
    await shy.waitState("room", ({ connectionStatus }) => connectionStatus === "room_locked");
    await shy.carryOut("knock");
    await shy.waitState("room", ({ connectionStatus }) => connectionStatus === "knocking");
    await assertNextJoinWorks(shy);
});

test("where no server is, the join times out with the reason, goes on trying, and succeeds when the server appears", async () => {
    const port = await freePort();
    const error = await refusedJoin({ roomUrl: `http://127.0.0.1:${port}/later` });
    assert.equal(error.code, "timeout");
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*Connection refused`));
    await problemOf("room_unreachable");
    const trying = await box.waitState("room", (room) => room.reconnectAttempt > 0 && room.nextRetryAt);
    assert.notEqual(trying.connectionStatus, "connected");
    const late = await startRoomServer({ port });
    try {
        await box.waitState("room", ({ connectionStatus, reconnectAttempt }) => connectionStatus === "connected" && reconnectAttempt === 0, 30_000);
        await box.waitState("problems", ({ problems }) => problems.length === 0);
        await box.carryOut("leave_room");
    } finally {
        await late.stop();
    }
    await assertNextJoinWorks();
});

for (const [what, [make, message]] of Object.entries(NONSENSE)) {
    test(`a server that answers with ${what} gets a clear error`, async () => {
        const nonsense = await startNonsense(make);
        try {
            const error = await refusedJoin({ roomUrl: `${nonsense.origin}/room` });
            assert.equal(error.code, "timeout");
            assert.match(error.message, message);
            assert.match(error.message, /127\.0\.0\.1/, "the server is named");
            assert.notEqual(box.state("room").connectionStatus, "connected");
            await box.carryOut("leave_room");
        } finally {
            await nonsense.close();
        }
        await assertNextJoinWorks();
    });
}

test("an unknown certificate is named together with the remedy, which works", async () => {
    const stateDir = await mkdtemp(join(tmpdir(), "tls-rooms-"));
    const secure = await startRoomServer({ stateDir, tls: `{ mode = "self_signed" }` });
    try {
        const roomUrl = `${secure.origin}/secure`;
        const error = await refusedJoin({ roomUrl });
        assert.equal(error.code, "timeout");
        assert.match(error.message, /certificate/);
        assert.match(`${error.message} ${error.remedy}`, /room\.service\.ca_file/);
        await box.carryOut("leave_room");
        await assertNextJoinWorks();
        const trusting = await appliance({ device: "trusting", extra: `[room.service]\nca_file = ${JSON.stringify(join(stateDir, "certificate.pem"))}` });
        await trusting.carryOut("join_room", { roomUrl });
        await trusting.waitState("room", ({ connectionStatus }) => connectionStatus === "connected");
        await trusting.carryOut("leave_room");
    } finally {
        await secure.stop({ force: true });
        await rm(stateDir, { recursive: true });
    }
});

for (const [what, toml, expected] of [
    ["a number out of range", "[media.camera_encoding]\nfps = 90", ["roomd.toml:2", "media.camera_encoding.fps", "90", "from 1 to 60", "remedy"]],
    ["an unknown key", '[room]\ndispaly_name = "x"', ["roomd.toml:2", "dispaly_name", "room.display_name", "remedy"]],
    ["a room's address without a room", '[room]\nurl = "https://example.org"', ["roomd.toml:2", "room.url", "https://example.org", "remedy"]],
    ["a wrong type", "[room]\nauto_join = 3", ["roomd.toml:2", "room.auto_join", "3", "true or false", "remedy"]],
    ["broken TOML", "[room\n", ["roomd.toml:1"]],
    ["a certificate file that is not there", '[room.service]\nca_file = "/nonexistent/ca.pem"', ["room.service.ca_file", "/nonexistent/ca.pem", "remedy"]],
]) {
    test(`roomd does not start with ${what} and says where, what and how to put it right`, async () => {
        const folder = await mkdtemp(join(tmpdir(), "config-"));
        try {
            const config = join(folder, "roomd.toml");
            await writeFile(config, toml, { mode: 0o600 });
            const roomd = start("roomd", ROOMD, ["run", "--config", config], { env: { STATE_DIRECTORY: folder } });
            const ended = await roomd.exit;
            const said = roomd.lines.join("\n");
            assert.equal(ended.code, 78, said);
            for (const text of expected) assert.ok(said.includes(text), `${text} in:\n${said}`);
        } finally {
            await rm(folder, { recursive: true });
        }
    });
}
