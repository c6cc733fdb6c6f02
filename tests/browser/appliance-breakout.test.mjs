//! Breakout groups in both directions: roomd as the host whose groups SDKs follow, and an SDK as the host whose groups roomd follows.
//! Who is in another group is not seen, not heard and not read.
import assert from "node:assert/strict";
import { assertPicture, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test, CAMERA, FPS } = applianceBench();
const MS = 20_000;
const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: FPS });
const GROUPS = { a: "Group A", b: "Group B" };

/** A call in a room with groups, with a second SDK "ben", and ways to wait for what each of them sees. */
async function callOfThree(desk, { boxIsHost }) {
    const call = await desk.call({ devices: small(3, 880), boxIsHost, meetingOptions: { roomMode: "group" } });
    const ben = await desk.open("ben");
    assert.equal(await ben.join({ roomUrl: call.meeting.sdkUrl, devices: small(6, 550) }), "joined");
    const benId = (await ben.state()).localParticipant.id;
    const { box } = call;
    const remote = (id, predicate) => box.waitState("remote_participants", ({ remoteParticipants }) => predicate(remoteParticipants.find((one) => one.id === id)), MS);
    const breakout = (predicate) => box.waitState("breakout", predicate, MS);
    await remote(benId, (one) => one?.stream?.receiving);
    await ben.untilStream("camera", call.boxId, MS);
    return { ...call, ben, benId, remote, breakout };
}

const groupIs = (person, id, group) =>
    person.until(`${id} in ${group || "the main room"}`, (state, whom, wanted) => (state.remoteParticipants.find((one) => one.id === whom)?.breakoutGroup ?? "") === wanted, { args: [id, group], ms: MS });

test("roomd starts groups, moves, chats in its group and ends them, and the SDKs follow", async (desk) => {
    const { anna, ben, box, boxId, annaId, benId, remote, breakout } = await callOfThree(desk, { boxIsHost: true });
    await box.carryOut("start_breakout_session", { groups: GROUPS, assignments: { [annaId]: "a", [benId]: "b", [boxId]: "a" } });
    for (const [person, group] of [[anna, "a"], [ben, "b"]]) {
        const state = await person.until("assigned", ({ breakout: { isActive }, localParticipant }, wanted) => isActive && localParticipant.breakoutGroupAssigned === wanted, { args: [group], ms: MS });
        assert.deepEqual(state.breakout.groups, GROUPS);
    }
    const started = await breakout((state) => state.isActive && state.currentGroup === null);
    assert.deepEqual(started.groups, GROUPS);

    await box.carryOut("join_breakout_group", { group: "a" });
    await groupIs(anna, boxId, "a");
    await breakout(({ currentGroup }) => currentGroup?.id === "a" && currentGroup.name === "Group A");
    await anna.act("joinBreakoutGroup", "a");
    await ben.act("joinBreakoutGroup", "b");
    await remote(annaId, (one) => one.breakoutGroup === "a" && one.stream?.receiving);
    await remote(benId, (one) => one.breakoutGroup === "b" && !one.stream?.receiving);
    assertPicture(await anna.picture("camera", boxId), { expected: CAMERA, sentFps: FPS });
    assert.equal((await ben.picture("camera", boxId, 1000)).framesDecoded, 0, "another group is not seen");

    await box.carryOut("send_chat_message", { text: "for group a" });
    await anna.until("the message", (state) => state.chatMessages.some(({ text }) => text === "for group a"), { ms: MS });
    await box.carryOut("send_chat_message", { text: "for everybody", isBroadcast: true });
    const { chatMessages } = await ben.until("the broadcast", (state) => state.chatMessages.length > 0, { ms: MS });
    assert.deepEqual(chatMessages.map(({ text }) => text), ["for everybody"]);

    await box.carryOut("extend_breakout_timer", { seconds: 60 });
    await anna.until("a longer timer", (state) => state.breakout.breakoutTimerDuration === 1860, { ms: MS });
    await box.carryOut("stop_breakout_session");
    for (const person of [anna, ben]) await person.until("the end", (state) => !state.breakout.isActive && !state.localParticipant.isAudioEnabled && !state.localParticipant.breakoutGroup, { ms: MS });
    await breakout((state) => !state.isActive && state.currentGroup === null);
    await box.waitState("local_media", ({ microphone }) => microphone.state === "muted", MS);
    await groupIs(ben, boxId, "");
    await remote(benId, (one) => !one.breakoutGroup && one.stream?.receiving);
    await ben.until("roomd's picture", (state, id) => state.remoteParticipants.find((one) => one.id === id)?.stream?.tracks.some(({ kind, readyState }) => kind === "video" && readyState === "live"), { args: [boxId], ms: MS });
    assertPicture(await ben.picture("camera", boxId), { expected: CAMERA, sentFps: FPS });
});

test("an SDK starts groups that roomd is moved into and out of, and roomd tells all of it", async (desk) => {
    const { anna, ben, box, boxId, annaId, benId, remote, breakout } = await callOfThree(desk, { boxIsHost: false });
    await anna.act("startBreakoutSession", { groups: GROUPS, assignments: { [boxId]: "b", [benId]: "b" }, autoMoveToGroup: true, moveToGroupGracePeriod: 1 });
    await box.waitEvent("breakout_group_assigned", ({ group, groupName }) => group === "b" && groupName === "Group B", MS);
    await box.waitState("local_participant", (one) => one.breakoutGroupAssigned === "b", MS);
    await breakout(({ isActive, currentGroup }) => isActive && currentGroup?.id === "b");
    await groupIs(anna, boxId, "b");
    await groupIs(ben, boxId, "b");
    await remote(benId, (one) => one.breakoutGroup === "b" && one.stream?.receiving);
    await remote(annaId, (one) => !one.breakoutGroup && !one.stream?.receiving);

    await ben.act("sendChatMessage", "among us");
    await box.waitEvent("chat_new_message", ({ text }) => text === "among us", MS);
    await anna.act("extendBreakoutTimer", 30);
    await breakout(({ breakoutTimerDuration }) => breakoutTimerDuration === 1830);
    await anna.act("assignBreakoutParticipants", { [boxId]: "a" });
    await box.waitEvent("breakout_group_assigned", ({ group }) => group === "a", MS);
    await anna.act("stopBreakoutSession");
    await breakout((state) => !state.isActive && state.currentGroup === null);
    await box.waitState("local_media", ({ microphone }) => microphone.state === "muted", MS);
    await groupIs(anna, boxId, "");
    await remote(annaId, (one) => one.stream?.receiving);
});
