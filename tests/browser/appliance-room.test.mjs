//! What people do in a room besides seeing and hearing each other: hands, chat, names, and what a host may do with roomd.
import assert from "node:assert/strict";
import { assertPicture, assertSilence, assertTone, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test, CAMERA, FPS, TONE } = applianceBench();
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 });

// conformance: action.toggleRaiseHand field.RemoteParticipantState.stickyReaction [mqtt, sdk]
test("hands go up and down on both sides", async (desk) => {
    // Hosts alone get an event when a hand goes up.
    const { anna, box, annaId } = await desk.call({ devices: sources, boxIsHost: true });
    assert.equal(box.state("local_participant").roleName, "host");
    await box.carryOut("toggle_raise_hand", { enabled: true });
    await box.waitState("local_participant", (one) => one.stickyReaction?.reaction === "✋");
    await anna.until("roomd's hand", (state) => state.remoteParticipants[0].stickyReaction?.reaction === "✋");
    await box.carryOut("toggle_raise_hand", { enabled: false });
    await box.waitState("local_participant", (one) => !one.stickyReaction);
    await anna.until("no hand", (state) => !state.remoteParticipants[0].stickyReaction);
    const types = (await anna.call("notifications")).map(({ type }) => type).filter((type) => type.startsWith("remoteHand"));
    assert.deepEqual(types, ["remoteHandRaised", "remoteHandLowered"]);

    await anna.act("toggleRaiseHand", true);
    await box.waitEvent("remote_hand_raised", ({ client }) => client.id === annaId);
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.stickyReaction?.reaction === "✋");
    await anna.act("toggleRaiseHand", false);
    await box.waitEvent("remote_hand_lowered", ({ client }) => client.id === annaId);
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => !one.stickyReaction);
});

test("chat goes both ways, with answers and removal", async (desk) => {
    const { anna, box, annaId, boxId } = await desk.call({ devices: sources });
    const { messageId } = await box.carryOut("send_chat_message", { text: "hello ✋ <b>" });
    assert.ok(messageId);
    const { chatMessages } = await anna.until("roomd's message", (state) => state.chatMessages.length === 1);
    assert.equal(chatMessages[0].text, "hello ✋ <b>");
    assert.equal(chatMessages[0].senderId, boxId);
    assert.equal(chatMessages[0].id, messageId);

    await anna.act("sendChatMessage", "hello too");
    const heard = await box.waitEvent("chat_new_message", ({ text }) => text === "hello too");
    assert.equal(heard.senderId, annaId);
    const { chat } = await box.waitState("chat", ({ chat: messages }) => messages.length === 2);
    assert.deepEqual(chat.map(({ senderId, text }) => [senderId, text]), [[boxId, "hello ✋ <b>"], [annaId, "hello too"]]);

    await box.carryOut("send_chat_message", { text: "an answer", parentId: heard.id });
    await anna.until("the answer", (state, id) => state.chatMessages.some(({ parentId, text }) => parentId === id && text === "an answer"), { args: [heard.id] });
    await box.carryOut("remove_chat_message", { messageId });
    const { chat: after } = await box.waitState("chat", ({ chat: messages }) => messages.some(({ id, removed }) => id === messageId && removed));
    assert.equal(after.length, 3);
    await anna.until("the message is removed", (state, id) => state.chatMessages.find((message) => message.id === id)?.removed === true, { args: [messageId] });
});

// conformance: action.setDisplayName [mqtt, sdk]
test("names change on both sides", async (desk) => {
    const { anna, box } = await desk.call({ devices: sources });
    assert.equal((await anna.state()).remoteParticipants[0].displayName, "Room desk");
    await box.carryOut("set_display_name", { displayName: "Großer Saal" });
    await box.waitState("local_participant", (one) => one.displayName === "Großer Saal");
    await anna.until("roomd's new name", (state) => state.remoteParticipants[0].displayName === "Großer Saal");
    await anna.act("setDisplayName", "Anna the second");
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.displayName === "Anna the second");
});

// conformance: notification.requestAudioEnable notification.requestAudioDisable [mqtt, sdk]
// conformance: notification.requestVideoEnable notification.requestVideoDisable [mqtt, sdk]
test("a host mutes roomd, asks it to speak, and turns its camera off and on again only when roomd agrees", async (desk) => {
    const { anna, box, annaId, boxId } = await desk.call({ devices: sources });
    await anna.act("muteParticipants", [boxId]);
    const { microphone, changedBy } = await box.waitState("local_media", (media) => media.microphone.state === "muted" && !media.microphone.proof.open);
    assert.equal(microphone.proof.flowing, false);
    assert.deepEqual(changedBy, { source: "room", participantId: annaId });
    const local = await box.waitState("local_participant", (one) => one.isAudioEnabled === false);
    assert.deepEqual(local.changedBy, { source: "room", participantId: annaId });
    await box.waitEvent("request_audio_disable", ({ client }) => client.id === annaId);
    await anna.until("roomd is muted", (state) => state.remoteParticipants[0].isAudioEnabled === false);
    await anna.sound("camera", null, 1000);
    assertSilence(await anna.sound());

    await anna.act("askToSpeak", boxId);
    const first = await box.waitEvent("request_audio_enable", ({ requestId }) => requestId);
    assert.equal(first.client.id, annaId);
    await box.carryOut("answer_request", { requestId: first.requestId, accept: false });
    await anna.act("askToSpeak", boxId);
    const second = await box.waitEvent("request_audio_enable", ({ requestId }) => requestId && requestId !== first.requestId);
    assert.equal(box.state("local_media").microphone.state, "muted", "asking must not open the microphone");
    assertSilence(await anna.sound("camera", null, 1000));
    assert.equal((await box.command("answer_request", { requestId: first.requestId, accept: true })).error?.code, "not_found", "an answer counts once");
    await box.carryOut("answer_request", { requestId: second.requestId, accept: true });
    const opened = await box.waitState("local_media", (media) => media.microphone.state === "on");
    assert.equal(opened.changedBy.source, "mqtt");
    await anna.until("roomd is not muted", (state) => state.remoteParticipants[0].isAudioEnabled === true);
    await anna.sound("camera", null, 500);
    assertTone(await anna.sound(), TONE);

    await anna.act("turnOffParticipantCameras", [boxId]);
    const dark = await box.waitState("local_media", ({ camera }) => camera.state === "off" && !camera.proof.open);
    assert.deepEqual(dark.changedBy, { source: "room", participantId: annaId });
    await box.waitEvent("request_video_disable", ({ client }) => client.id === annaId);
    await anna.until("roomd's camera is off", (state) => state.remoteParticipants[0].isVideoEnabled === false);
    await anna.picture("camera", null, 500);
    assert.equal((await anna.picture("camera", null, 1000)).framesDecoded, 0);
    await anna.act("askToTurnOnCamera", boxId);
    const camera = await box.waitEvent("request_video_enable", ({ requestId }) => requestId);
    await box.carryOut("answer_request", { requestId: camera.requestId, accept: true });
    await anna.until("roomd's camera is on", (state) => state.remoteParticipants[0].isVideoEnabled === true);
    await anna.picture("camera", null, 500);
    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
});
