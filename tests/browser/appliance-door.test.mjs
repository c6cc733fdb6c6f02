//! The door of the room: roomd before a locked one, sent out, and as the host who opens it for others.
import assert from "node:assert/strict";
import { assertPicture, assertTone, devices } from "./support/content.mjs";
import { applianceBench, statesOf } from "./support/appliance.mjs";

const { test, CAMERA, FPS, TONE } = applianceBench();
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 });

/** The statuses that roomd has published so far, each once in a row. */
const statusesOf = (box) => statesOf(box, "room").map((room) => room.connectionStatus).filter((status, index, all) => status !== all[index - 1]);

/** A locked room with a host in it and roomd outside, who has knocked by itself. */
async function knocking({ meeting, open, appliance, server }) {
    const made = await meeting({ isLocked: true });
    const anna = await open("anna");
    assert.equal(await anna.join({ roomUrl: made.sdkUrl, roomKey: made.hostKey, devices: sources }), "joined");
    const box = await appliance();
    const roomUrl = server.origin + made.roomName;
    const joining = box.command("join_room", { roomUrl, initialMuteStates: { camera: false, microphone: false } }, { ms: 30_000 });
    await box.waitState("room", (room) => room.connectionStatus === "knocking");
    const { waitingParticipants } = await anna.until("roomd waits", (state) => state.waitingParticipants.length === 1);
    assert.equal(waitingParticipants[0].displayName, "Room desk");
    return { anna, box, joining, knocker: waitingParticipants[0].id, roomUrl };
}

/** Nothing more comes of it: roomd stays out for longer than it takes to get in. */
async function staysOut(box, anna, status) {
    const joins = () => statesOf(box, "room").filter(({ connectionStatus }) => connectionStatus === "connecting").length;
    const before = joins();
    await assert.rejects(anna.until("roomd comes back", (state) => state.remoteParticipants.length + state.waitingParticipants.length > 0, { ms: 6000 }), /not within/);
    assert.equal(joins(), before);
    assert.equal(box.state("room").connectionStatus, status);
}

// conformance: status.knocking status.knock_on_hold transition.T6 transition.T8 transition.T9 [sdk]
test("roomd knocks by itself at a locked room, is asked to wait, and let in", async (desk) => {
    const { anna, box, joining, knocker } = await knocking(desk);
    await anna.act("holdWaitingParticipant", knocker, "one moment");
    const held = await box.waitState("room", (room) => room.connectionStatus === "knock_on_hold");
    assert.equal(held.knockResponse.message, "one moment");
    const before = box.state("local_media");
    assert.deepEqual([before.microphone.proof.flowing, before.camera.proof.flowing], [before.microphone.proof.open, before.camera.proof.open]);
    await anna.act("acceptWaitingParticipant", knocker);
    const reply = await joining;
    assert.equal(reply.ok, true, JSON.stringify(reply));
    assert.equal(reply.result.participantId, knocker);
    assert.equal(reply.result.roleName, "granted_visitor");
    await box.waitState("room", (room) => room.connectionStatus === "connected" && room.isLocked);
    assert.deepEqual(statusesOf(box).slice(-2), ["knock_on_hold", "connected"]);
    await anna.untilStream();
    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
    assertTone(await anna.sound(), TONE);
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one?.stream?.receiving);
    assert.equal((await anna.state()).waitingParticipants.length, 0);
});

// conformance: status.knock_rejected transition.T10 [sdk]
test("turned away, roomd says so and does not come back by itself, but does when told to", async (desk) => {
    const { anna, box, joining, knocker, roomUrl } = await knocking(desk);
    await anna.act("rejectWaitingParticipant", knocker, "not today");
    const reply = await joining;
    assert.equal(reply.ok, false);
    assert.deepEqual([reply.error.code, reply.error.message], ["rejected_by_room", "knock_rejected"]);
    const turnedAway = await box.waitState("room", (room) => room.connectionStatus === "knock_rejected");
    assert.equal(turnedAway.knockResponse.message, "not today");
    await staysOut(box, anna, "knock_rejected");
    const { microphone, camera } = box.state("local_media");
    assert.deepEqual([microphone.proof, camera.proof], [{ open: false, flowing: false }, { open: false, flowing: false }], "nobody is there to hear it");

    assert.equal((await box.command("join_room")).error?.field, "roomUrl", "no room is configured");
    const again = box.command("join_room", { roomUrl }, { ms: 20_000 });
    const { waitingParticipants } = await anna.until("roomd waits again", (state) => state.waitingParticipants.length === 1);
    await anna.act("acceptWaitingParticipant", waitingParticipants[0].id);
    assert.equal((await again).ok, true);
    await anna.untilStream();
    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
});

test("kicked, roomd is out with its devices closed and does not come back by itself, but does when told to", async (desk) => {
    const { anna, box, boxId, roomUrl } = await desk.call({ devices: sources });
    await anna.act("kickParticipant", boxId);
    await box.waitState("room", (room) => room.connectionStatus === "kicked");
    await anna.until("roomd is gone", (state) => state.remoteParticipants.length === 0);
    await box.waitState("local_media", ({ microphone, camera }) => !microphone.proof.open && !camera.proof.open, 2000);
    await box.waitState("remote_participants", ({ remoteParticipants }) => remoteParticipants.every(({ stream }) => stream === null));
    await staysOut(box, anna, "kicked");
    assert.equal((await box.command("send_chat_message", { text: "?" })).error.code, "not_in_room");
    await box.carryOut("join_room", { roomUrl });
    await anna.untilStream();
    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
    assertTone(await anna.sound(), TONE);
});

test("as the host, roomd locks the room, turns a knocker away, lets it in, mutes it and sends it out", async (desk) => {
    const { anna, box, meeting } = await desk.call({ devices: sources, boxIsHost: true });
    await box.carryOut("lock_room", { locked: true });
    await box.waitState("room", (room) => room.isLocked);
    await anna.until("locked", (state) => state.isLocked === true);
    const ben = await desk.open("ben");
    assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: devices({ shift: 6, hz: 550, width: 320, height: 180, fps: 15 }) }), "room_locked");
    const knock = async () => {
        await ben.act("knock");
        const { waitingParticipants } = await box.waitState("waiting_participants", ({ waitingParticipants: list }) => list.length === 1);
        assert.equal(waitingParticipants[0].displayName, "ben");
        return { participantId: waitingParticipants[0].id };
    };
    await box.carryOut("reject_waiting_participant", { ...(await knock()), response: "later" });
    assert.equal((await ben.untilStatus("knock_rejected")).knockResponse.message, "later");
    assert.equal(await ben.call("rejoin"), "room_locked");
    const { participantId } = await knock();
    await box.carryOut("accept_waiting_participant", { participantId });
    await ben.untilStatus("connected");
    const inside = await box.waitState("remote_participants", ({ remoteParticipants }) => remoteParticipants.length === 2 && remoteParticipants.every(({ stream }) => stream?.receiving));
    const benId = inside.remoteParticipants.find(({ displayName }) => displayName === "ben").id;
    await box.carryOut("mute_participants", { participantIds: [benId] });
    await ben.until("muted", (state) => !state.isMicrophoneEnabled);
    await box.carryOut("kick_participant", { participantId: benId });
    await ben.untilStatus("kicked");
    assert.equal(box.state("remote_participants").remoteParticipants.length, 1);
});
