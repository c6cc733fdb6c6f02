//! A room with too few places: the hosts inside are told, who is outside comes in when there is a place.
import assert from "node:assert/strict";
import { devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test } = applianceBench({ server: { toml: "[server.limits]\nclients_per_room = 2" } });
const MS = 20_000;
const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: 15 });

test("in a full room roomd and the SDK as hosts are told of who could not come in", async (desk) => {
    const { anna, box, meeting } = await desk.call({ devices: small(3, 880), boxIsHost: true });
    const ben = await desk.open("ben");
    assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: small(6, 550) }), "room_full");
    await box.waitEvent("client_unable_to_join_full_room", () => true, MS);
    await anna.until("the notification", () => window.lab.notifications().some(({ type }) => type === "clientUnableToJoinFullRoom"), { ms: MS });
    assert.equal(box.state("remote_participants").remoteParticipants.length, 1);
});

test("before a full room roomd says so, and comes in by itself when there is a place", async (desk) => {
    const meeting = await desk.meeting();
    const [anna, ben] = [await desk.open("anna"), await desk.open("ben")];
    for (const [person, shift] of [[anna, 3], [ben, 6]]) assert.equal(await person.join({ roomUrl: meeting.sdkUrl, roomKey: person === anna ? meeting.hostKey : undefined, devices: small(shift, 110 * shift) }), "joined");
    const box = await desk.appliance();
    const reply = await box.command("join_room", { roomUrl: desk.server.origin + meeting.roomName }, { ms: MS });
    assert.deepEqual([reply.ok, reply.error.code, reply.error.message], [false, "rejected_by_room", "room_full"]);
    await box.waitEvent("room_joined_error", ({ error }) => error === "room_full", MS);
    await box.waitState("room", (room) => room.connectionStatus === "disconnected" && room.connectionError === "room_full", MS);
    await box.waitState("problems", ({ problems }) => problems.some(({ code }) => code === "join_refused"), MS);
    await anna.until("the notification", () => window.lab.notifications().some(({ type }) => type === "clientUnableToJoinFullRoom"), { ms: MS });
    await ben.act("leaveRoom");
    await box.waitState("room", (room) => room.connectionStatus === "connected" && room.connectionError === null, 2 * MS);
    await box.waitState("problems", ({ problems }) => problems.every(({ code }) => code !== "join_refused"), MS);
    await anna.until("roomd", (state) => state.remoteParticipants.some(({ displayName }) => displayName === "Room desk"), { ms: MS });
});
