//! What goes wrong around roomd in a call: room server, broker and roomd itself end without a goodbye and come back.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { after } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertPicture, assertSilence, assertTone, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { startDistance } from "./support/front.mjs";
import { until } from "./support/waiting.mjs";

const GRACE_SECONDS = 6;
const stateDir = mkdtempSync(join(tmpdir(), "rooms-"));
after(() => rmSync(stateDir, { recursive: true }));
const { test, CAMERA, FPS, TONE } = applianceBench({ server: { stateDir, toml: `grace_seconds = ${GRACE_SECONDS}` } });
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: FPS });

const seesRoomd = { expected: CAMERA, sentFps: FPS };
const isReceiving = ({ remoteParticipants }) => remoteParticipants.length === 1 && remoteParticipants[0].stream?.receiving;
/** What roomd published under a topic since a place in its history. */
const published = (box, topic, from) =>
    box.history
        .slice(from)
        .map((line) => line.split(" "))
        .filter((words) => words.some((word) => word === `roomd/desk/${topic}`))
        .map((words) => words.slice(words.indexOf(`roomd/desk/${topic}`) + 1).join(" "));
/** The connection statuses that roomd published since then, repetitions left out. */
const statuses = (box, from) =>
    published(box, "state/room", from)
        .map((text) => JSON.parse(text).connectionStatus)
        .filter((status, index, all) => index === 0 || status !== all[index - 1]);
/** How many participants the SDK ever listed at once. */
const mostParticipants = async (person) =>
    Math.max(
        ...(await person.call("lines"))
            .map((line) => / remoteParticipants (\[.*)$/.exec(line))
            .filter(Boolean)
            .map(([, list]) => JSON.parse(list).length),
    );

/** Muted, camera on, hand raised: none of it is what a new participant has. */
async function mutedWithHand(box, anna) {
    await box.carryOut("toggle_microphone", { enabled: false });
    await box.carryOut("toggle_raise_hand", { enabled: true });
    await anna.until("roomd muted with its hand up", asMutedWithHand);
}
const asMutedWithHand = "({ remoteParticipants: [one] }) => one && !one.isAudioEnabled && one.isVideoEnabled && one.stickyReaction?.reaction === '✋'";

test("the room server is killed and comes back: media go on, and everything is as before", async (desk) => {
    const distance = await startDistance({ port: desk.server.port, delayMs: 250 });
    try {
        const { anna, box, boxId, annaId } = await desk.call({ devices: sources, origin: distance.origin });
        await mutedWithHand(box, anna);
        await box.waitState("remote_participants", isReceiving);
        const before = box.history.length;

        await desk.server.kill();
        await Promise.all([anna.untilStatus("disconnected"), box.waitState("room", (room) => room.connectionStatus === "disconnected")]);
        assertPicture(await anna.picture(), seesRoomd);
        await box.waitState("remote_participants", isReceiving);
        assert.equal(box.state("room").connectionStatus, "disconnected");

        desk.watch({ programs: [await desk.server.startAgain()] });
        await Promise.all([anna.untilStatus("connected", 20_000), box.waitState("room", (room) => room.connectionStatus === "connected", 20_000)]);
        assert.deepEqual(statuses(box, before), ["disconnected", "reconnecting", "connecting", "connected"]);
        assert.equal(box.state("local_participant").id, boxId);
        assert.equal((await anna.state()).localParticipant.id, annaId);
        await anna.until("roomd is back as it was", asMutedWithHand);
        await anna.untilStream("camera", boxId);
        assertPicture(await anna.picture(), seesRoomd);
        assertSilence(await anna.sound());
        const { remoteParticipants } = await box.waitState("remote_participants", isReceiving);
        assert.deepEqual(remoteParticipants.map(({ id }) => id), [annaId]);
        assert.deepEqual((await anna.state()).remoteParticipants.map(({ id }) => id), [boxId]);
        assert.equal(await mostParticipants(anna), 1);
        await box.carryOut("toggle_microphone", { enabled: true });
        await anna.sound("camera", null, 500);
        assertTone(await anna.sound(), TONE);
    } finally {
        await distance.close();
    }
});

test("the broker is killed and comes back: the call does not notice, and the state is published again", async (desk) => {
    const { anna, box } = await desk.call({ devices: sources });
    await mutedWithHand(box, anna);
    const parts = new Set(box.history.map((line) => / roomd\/desk\/(state\/\w+|info) /.exec(line)?.[1]).filter(Boolean));
    const [before, seen] = [box.history.length, (await anna.call("statuses")).length];

    await desk.broker.kill();
    await until("the controller has lost the broker", () => !box.client.connected);
    assertPicture(await anna.picture(), seesRoomd);
    desk.watch({ programs: [await desk.broker.startAgain()] });
    await until("availability is online again", () => published(box, "availability", before).at(-1) === "online", 15_000);
    await until("every part is published again", () => [...parts].every((part) => published(box, part, before).length > 0));
    for (const part of ["info", "state/chat", "state/room", "state/local_media"]) assert.ok(parts.has(part), part);
    const again = JSON.parse(published(box, "state/local_participant", before)[0]);
    assert.deepEqual([again.isAudioEnabled, again.isVideoEnabled, again.stickyReaction?.reaction], [false, true, "✋"]);
    assert.deepEqual(statuses(box, before), ["connected"]);
    assertPicture(await anna.picture(), seesRoomd);
    assert.equal((await anna.call("statuses")).length, seen);
    assert.equal(await mostParticipants(anna), 1);
    await box.carryOut("toggle_raise_hand", { enabled: false });
    await anna.until("the hand is down", "({ remoteParticipants: [one] }) => one && !one.stickyReaction");
});

test("on SIGTERM roomd leaves: gone for the browser in less than a second, exit 0, offline", async (desk) => {
    const { anna, box } = await desk.call({ devices: sources });
    const began = performance.now();
    box.program.signal("SIGTERM");
    await anna.until("roomd is gone", (state) => state.remoteParticipants.length === 0);
    const took = performance.now() - began;
    assert.ok(took < 1000, `gone after ${took.toFixed(0)} ms`);
    await box.untilAvailability("offline");
    assert.deepEqual(await box.program.stop(), { code: 0, signal: null });
    console.log(`gone after ${took.toFixed(0)} ms`);
});

test("roomd is killed: gone after the grace period, and started again it is the same participant as before", async (desk) => {
    const { anna, box, boxId } = await desk.call({ devices: sources });
    await mutedWithHand(box, anna);
    const killed = performance.now();
    await box.roomd.kill();
    await box.untilAvailability("offline");
    await anna.until("roomd is gone", (state) => state.remoteParticipants.length === 0, { ms: (GRACE_SECONDS + 10) * 1000 });
    const took = performance.now() - killed;
    assert.ok(took > GRACE_SECONDS * 1000 - 500, `gone after ${took.toFixed(0)} ms`);

    desk.watch({ programs: [await box.roomd.startAgain()] });
    await anna.until("roomd is back as it was", asMutedWithHand, { ms: 15_000 });
    await box.untilAvailability("online");
    await box.waitState("room", (room) => room.connectionStatus === "connected");
    const { remoteParticipants } = await anna.untilStream();
    assert.deepEqual(remoteParticipants.map(({ id }) => id), [boxId]);
    await box.waitState("local_participant", ({ id, isAudioEnabled, isVideoEnabled, stickyReaction }) => id === boxId && !isAudioEnabled && isVideoEnabled && stickyReaction);
    assertPicture(await anna.picture(), seesRoomd);
    assertSilence(await anna.sound());
});

test("roomd is killed and back within the grace period: the same participant, no ghost, media again", async (desk) => {
    const { anna, box, boxId, annaId } = await desk.call({ devices: sources });
    await mutedWithHand(box, anna);
    const [{ stream }] = (await anna.state()).remoteParticipants;
    await box.roomd.kill();
    desk.watch({ programs: [await box.roomd.startAgain()] });
    const isNew = (state, old) => state.remoteParticipants[0]?.stream?.tracks.some(({ kind, id, readyState }) => kind === "video" && id !== old && readyState === "live");
    await anna.until("a new picture of roomd", isNew, { args: [stream.tracks.find(({ kind }) => kind === "video").id], ms: 15_000 });
    assertPicture(await anna.picture(), seesRoomd);
    assertSilence(await anna.sound());
    const { remoteParticipants } = await anna.until("roomd is as it was", asMutedWithHand);
    assert.deepEqual(remoteParticipants.map(({ id }) => id), [boxId]);
    assert.equal(await mostParticipants(anna), 1);
    assert.deepEqual((await anna.state()).screenshares, [], "the new picture is no screenshare");
    const there = await box.waitState("remote_participants", isReceiving);
    assert.deepEqual(there.remoteParticipants.map(({ id }) => id), [annaId]);
});

for (const [configured, on] of [
    ["", false],
    [`initial_microphone = "on"\ninitial_camera = "on"`, true],
]) {
    test(`at the first join ever microphone and camera are ${on ? "on when configured so" : "off"}`, async (desk) => {
        const meeting = await desk.meeting();
        const anna = await desk.open("anna");
        assert.equal(await anna.join({ roomUrl: meeting.sdkUrl, roomKey: meeting.hostKey, devices: sources }), "joined");
        const box = await desk.appliance({ room: configured });
        await box.carryOut("join_room", { roomUrl: desk.server.origin + meeting.roomName });
        const wanted = [on, on];
        const { remoteParticipants } = await anna.until("roomd is there", (state) => state.remoteParticipants.length === 1);
        assert.deepEqual([remoteParticipants[0].isAudioEnabled, remoteParticipants[0].isVideoEnabled], wanted);
        await anna.untilStream();
        const { microphone, camera } = await box.waitState("local_media", (media) => media.camera.proof.flowing === on && media.microphone.proof.flowing === on);
        assert.deepEqual([microphone.state, camera.state], on ? ["on", "on"] : ["muted", "off"]);
        if (on) {
            assertPicture(await anna.picture(), seesRoomd);
            assertTone(await anna.sound(), TONE);
        } else {
            assert.deepEqual([microphone.proof.open, camera.proof.open], [false, false]);
            assertSilence(await anna.sound());
            assert.equal((await anna.picture("camera", null, 1000)).framesDecoded, 0);
        }
    });
}
