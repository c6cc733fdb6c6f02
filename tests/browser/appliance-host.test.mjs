//! Everything that a host may do, with roomd as the host and SDKs as the others, and the other way round: what one does over MQTT or in
//! a page, the other one's state follows. One call each, as the steps of a meeting.
import assert from "node:assert/strict";
import { devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test } = applianceBench();
const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: 15 });
const MS = 20_000;
/** The one of that id in a part of roomd's state. */
const find = (list, id) => list.find((one) => one.id === id);
const notified = (person, type, count = 1) =>
    person.until(`${count} × ${type}`, `() => window.lab.notifications().filter((one) => one.type === "${type}").length === ${count}`, { ms: MS });

/** Carries the steps out in their order and says which one failed. */
async function inOrder(steps) {
    for (const [name, body] of Object.entries(steps)) {
        try {
            await body();
        } catch (error) {
            error.message = `${name}: ${error.message}`;
            throw error;
        }
    }
    console.log(`${Object.keys(steps).length} steps`);
}

// conformance: action.lockRoom action.acceptWaitingParticipant action.holdWaitingParticipant [mqtt, sdk]
// conformance: action.rejectWaitingParticipant action.askToSpeak action.muteParticipants [mqtt, sdk]
// conformance: action.askToTurnOnCamera action.turnOffParticipantCameras action.spotlightParticipant [mqtt, sdk]
// conformance: action.removeSpotlight action.sendChatMessage action.removeChatMessage action.kickParticipant [mqtt, sdk]
// conformance: action.endMeeting rule.lockRoom rule.kickParticipant rule.endMeeting rule.requestAudioAndVideo [mqtt, sdk]
// conformance: rule.spotlights rule.waitingRoom rule.chat rule.removeChatMessage [mqtt, sdk]
// conformance: event.waiting-participant:joined event.waiting-participant:left event.chat:new-message [mqtt, sdk]
// conformance: notification.remoteHandRaised notification.remoteHandLowered [mqtt, sdk]
// conformance: field.WaitingParticipantState.id field.WaitingParticipantState.displayName [mqtt, sdk]
// conformance: field.RemoteParticipantState.id field.RemoteParticipantState.displayName [mqtt, sdk]
// conformance: field.RemoteParticipantState.roleName field.RemoteParticipantState.externalId [mqtt, sdk]
// conformance: field.RemoteParticipantState.isAudioEnabled field.RemoteParticipantState.isVideoEnabled [mqtt, sdk]
// conformance: field.KnockResponse.message field.KnockResponse.sender field.ClientView.isAudioEnabled [mqtt, sdk]
test("what roomd does as the host is what the SDKs see", async (desk) => {
    const { anna, box, boxId, annaId, meeting } = await desk.call({ devices: small(3, 880), boxIsHost: true });
    const ben = await desk.open("ben");
    const benComes = { roomUrl: meeting.sdkUrl, devices: small(6, 550), externalId: "ben-of-accounting" };
    const waiting = (count) => box.waitState("waiting_participants", ({ waitingParticipants }) => waitingParticipants.length === count, MS);
    const remote = (id, predicate) => box.waitState("remote_participants", ({ remoteParticipants }) => predicate(find(remoteParticipants, id)), MS);
    const views = (id, predicate) => box.waitState("client_views", ({ clientViews }) => predicate(find(clientViews, id)), MS);
    const spotlit = async (...ids) => {
        const { spotlights } = await box.waitState("spotlights", ({ spotlights: list }) => list.length === ids.length, MS);
        assert.deepEqual(spotlights.map(({ clientId }) => clientId), ids);
        const isSame = (state, wanted) => JSON.stringify(state.spotlightedParticipants.map(({ clientId }) => clientId)) === JSON.stringify(wanted);
        for (const person of [anna, ben]) await person.until(`spotlights ${ids}`, isSame, { args: [ids], ms: MS });
    };
    let benId;
    let messageId;
    const knock = async () => {
        await ben.act("knock");
        const { waitingParticipants } = await waiting(1);
        assert.equal(waitingParticipants[0].displayName, "ben");
        benId = waitingParticipants[0].id;
    };

    await inOrder({
        async "the room is locked"() {
            assert.deepEqual(await box.carryOut("lock_room", { locked: true }), { locked: true });
            await box.waitState("room", (room) => room.isLocked, MS);
            await anna.until("locked", (state) => state.isLocked === true, { ms: MS });
            assert.equal(await ben.join(benComes), "room_locked");
        },
        async "somebody knocks and takes it back"() {
            await knock();
            await box.waitEvent("waiting_participant_joined", ({ id }) => id === benId);
            await ben.act("cancelKnock");
            await waiting(0);
            await box.waitEvent("waiting_participant_left", ({ id }) => id === benId);
            await ben.untilStatus("room_locked", MS);
        },
        async "a knocker is asked to wait"() {
            await knock();
            await box.carryOut("hold_waiting_participant", { participantId: benId, response: " two minutes " });
            const { knockResponse } = await ben.untilStatus("knock_on_hold", MS);
            assert.deepEqual(knockResponse, { message: "two minutes", sender: { displayName: "Room desk" } });
            assert.equal((await waiting(1)).waitingParticipants[0].id, benId);
        },
        async "and let in"() {
            await box.carryOut("accept_waiting_participant", { participantId: benId });
            await ben.untilStatus("connected", MS);
            const { localParticipant } = await ben.state();
            assert.equal(localParticipant.id, benId);
            const { remoteParticipants } = await remote(benId, (one) => one?.stream?.receiving);
            const { displayName, roleName, externalId } = find(remoteParticipants, benId);
            assert.deepEqual({ displayName, roleName, externalId }, { displayName: "ben", roleName: localParticipant.roleName, externalId: "ben-of-accounting" });
            await waiting(0);
        },
        async "somebody is asked to speak"() {
            await ben.act("toggleMicrophone", false);
            await remote(benId, (one) => !one.isAudioEnabled);
            await box.carryOut("ask_to_speak", { participantId: benId });
            await notified(ben, "requestAudioEnable");
            assert.equal((await ben.state()).isMicrophoneEnabled, false, "asking is not unmuting");
            await ben.act("toggleMicrophone", true);
            await remote(benId, (one) => one.isAudioEnabled);
        },
        async "all are muted"() {
            await box.carryOut("mute_participants", { participantIds: [annaId, benId] });
            for (const [person, id] of [[anna, annaId], [ben, benId]]) {
                await person.until("muted", (state) => !state.isMicrophoneEnabled && !state.localParticipant.isAudioEnabled, { ms: MS });
                await notified(person, "requestAudioDisable");
                await remote(id, (one) => !one.isAudioEnabled);
                await views(id, (one) => !one.isAudioEnabled);
            }
        },
        async "a camera is turned off, and asked for"() {
            await box.carryOut("turn_off_participant_cameras", { participantIds: [benId] });
            await ben.until("no camera", (state) => !state.isCameraEnabled, { ms: MS });
            await notified(ben, "requestVideoDisable");
            await remote(benId, (one) => !one.isVideoEnabled);
            await box.carryOut("ask_to_turn_on_camera", { participantId: benId });
            await notified(ben, "requestVideoEnable");
            assert.equal((await ben.state()).isCameraEnabled, false, "asking is not turning on");
        },
        async "spotlights come and go in their order"() {
            await box.carryOut("spotlight_participant", { participantId: benId });
            await spotlit(benId);
            await box.carryOut("spotlight_participant", { participantId: boxId });
            await spotlit(benId, boxId);
            await box.carryOut("remove_spotlight", { participantId: benId });
            await spotlit(boxId);
            await box.carryOut("remove_spotlight", { participantId: boxId });
            await spotlit();
        },
        async "a message to all groups, and one of somebody else taken away"() {
            ({ messageId } = await box.carryOut("send_chat_message", { text: "to everybody", isBroadcast: true }));
            await ben.until("the message", (state, id) => state.chatMessages.some((one) => one.id === id), { args: [messageId], ms: MS });
            await ben.act("sendChatMessage", "not so nice");
            const { id } = await box.waitEvent("chat_new_message", ({ text }) => text === "not so nice", MS);
            await box.carryOut("remove_chat_message", { messageId: id });
            for (const person of [anna, ben]) await person.until("it is removed", (state, gone) => state.chatMessages.find((one) => one.id === gone)?.removed, { args: [id], ms: MS });
        },
        async "a hand goes up and the host is told"() {
            await ben.act("toggleRaiseHand", true);
            await box.waitEvent("remote_hand_raised", ({ client }) => client.id === benId, MS);
            await views(benId, (one) => one);
            await ben.act("toggleMicrophone", true);
            await box.waitEvent("remote_hand_lowered", ({ client }) => client.id === benId, MS);
        },
        async "a recording that this server does not offer"() {
            const { error } = await box.command("start_cloud_recording");
            assert.equal(error.code, "rejected_by_room");
            await box.waitState("cloud_recording", ({ cloudRecording }) => cloudRecording?.status === "error" && cloudRecording.error === error.message);
            assert.equal((await anna.state()).cloudRecording, undefined, "nobody else is told");
        },
        async "somebody is sent out"() {
            await box.carryOut("kick_participant", { participantId: benId });
            await ben.untilStatus("kicked", MS);
            await remote(benId, (one) => one === undefined);
        },
        async "and turned away at the door"() {
            assert.equal(await ben.call("rejoin"), "room_locked");
            await knock();
            await box.carryOut("reject_waiting_participant", { participantId: benId, response: "not today" });
            assert.equal((await ben.untilStatus("knock_rejected", MS)).knockResponse.message, "not today");
            await waiting(0);
        },
        async "the room is opened"() {
            await box.carryOut("lock_room", { locked: false });
            await anna.until("open", (state) => state.isLocked === false, { ms: MS });
            assert.equal(await ben.call("rejoin"), "joined");
        },
        async "the meeting ends, and roomd stays"() {
            await box.waitState("remote_participants", ({ remoteParticipants }) => remoteParticipants.length === 2, MS);
            await box.carryOut("end_meeting", { stayBehind: true });
            await Promise.all([anna.untilStatus("kicked", MS), ben.untilStatus("kicked", MS)]);
            await box.waitState("remote_participants", ({ remoteParticipants }) => remoteParticipants.length === 0, MS);
            assert.equal(box.state("room").connectionStatus, "connected");
        },
        async "the meeting ends, and roomd goes too"() {
            assert.equal(await anna.call("rejoin"), "joined");
            await box.waitState("remote_participants", ({ remoteParticipants }) => remoteParticipants.length === 1, MS);
            await box.carryOut("end_meeting");
            await anna.untilStatus("kicked", MS);
            await box.waitState("room", (room) => room.connectionStatus === "left", MS);
            await box.waitState("local_media", ({ microphone, camera }) => !microphone.proof.open && !camera.proof.open, MS);
        },
    });
});

/** What only a host may do, as a visitor would ask for it. */
const HOSTS_ALONE = ({ annaId }) => ({
    lock_room: { locked: true },
    kick_participant: { participantId: annaId },
    end_meeting: { stayBehind: true },
    ask_to_speak: { participantId: annaId },
    mute_participants: { participantIds: [annaId] },
    ask_to_turn_on_camera: { participantId: annaId },
    turn_off_participant_cameras: { participantIds: [annaId] },
    spotlight_participant: { participantId: annaId },
    remove_spotlight: { participantId: annaId },
});

// conformance: rule.lockRoom rule.kickParticipant rule.endMeeting rule.requestAudioAndVideo rule.spotlights [mqtt, sdk]
// conformance: action.leaveRoom action.joinRoom status.connected status.kicked status.left [mqtt, sdk]
// conformance: notification.chatMessageReceived field.WherebyClientOptions.externalId [mqtt, sdk]
// conformance: field.WherebyClientOptions.displayName field.WherebyClientOptions.roomUrl [mqtt, sdk]
// conformance: field.WherebyClientOptions.initialMuteStates field.InitialMuteStates.camera [mqtt, sdk]
// conformance: field.InitialMuteStates.microphone field.ChatMessage.text field.ChatMessage.removed [mqtt, sdk]
// conformance: field.ChatMessage.parentId field.ChatMessage.id field.LocalParticipantState.roleName [mqtt, sdk]
// conformance: role.visitor role.host transition.T11 transition.T12 [sdk]
test("what an SDK does as the host is what roomd tells, and roomd as a visitor may do none of it", async (desk) => {
    const { anna, box, boxId, annaId, roomUrl } = await desk.call({ devices: small(3, 880), room: `external_id = "building-2/room-4"` });
    const spotlights = async (...ids) => {
        const { spotlights: list } = await box.waitState("spotlights", (part) => part.spotlights.length === ids.length, MS);
        assert.deepEqual(list.map(({ clientId }) => clientId), ids);
    };
    await inOrder({
        async "its external id is seen"() {
            const { remoteParticipants } = await anna.state();
            assert.equal(remoteParticipants[0].externalId, "building-2/room-4");
            assert.equal(remoteParticipants[0].roleName, "visitor");
            assert.equal(box.state("local_participant").roleName, "visitor");
        },
        async "a visitor is refused before anything is sent"() {
            for (const [command, payload] of Object.entries(HOSTS_ALONE({ annaId }))) {
                const { ok, error } = await box.command(command, payload);
                assert.deepEqual([ok, error?.code], [false, "not_permitted"], command);
                assert.match(error.remedy, /key/, command);
            }
            const state = await anna.state();
            assert.deepEqual([state.connectionStatus, state.isMicrophoneEnabled, state.isCameraEnabled, state.isLocked], ["connected", true, true, false]);
            assert.deepEqual(state.spotlightedParticipants, []);
            const told = (await anna.call("notifications")).map(({ type }) => type);
            assert.deepEqual(told.filter((type) => type.startsWith("request")), []);
        },
        async "spotlights"() {
            await anna.act("spotlightParticipant", boxId);
            await spotlights(boxId);
            await anna.act("spotlightParticipant", annaId);
            await spotlights(boxId, annaId);
            await anna.act("removeSpotlight", boxId);
            await spotlights(annaId);
            await anna.act("removeSpotlight", annaId);
            await spotlights();
        },
        async "the lock"() {
            for (const locked of [true, false]) {
                await anna.act("lockRoom", locked);
                await box.waitState("room", (room) => room.isLocked === locked && room.changedBy.source === "room", MS);
            }
        },
        async "chat: an answer, one to all groups, and removals"() {
            const { messageId } = await box.carryOut("send_chat_message", { text: "by roomd" });
            await anna.until("the message", (state) => state.chatMessages.length === 1, { ms: MS });
            await anna.act("sendChatMessage", "an answer", messageId);
            await anna.act("sendChatMessage", "to everybody", null, true);
            const answer = await box.waitEvent("chat_message_received", ({ chatMessage }) => chatMessage.text === "an answer", MS);
            assert.deepEqual([answer.chatMessage.parentId, answer.client.id], [messageId, annaId]);
            const { chat } = await box.waitState("chat", (part) => part.chat.length === 3, MS);
            assert.deepEqual(chat.map(({ text, removed }) => [text, removed]), [["by roomd", false], ["an answer", false], ["to everybody", false]]);
            const { chatMessages } = await anna.until("three messages", (state) => state.chatMessages.length === 3, { ms: MS });
            for (const { id, sig } of chatMessages.slice(0, 2)) await anna.act("removeChatMessage", id, sig);
            const after = await box.waitState("chat", (part) => part.chat.filter(({ removed }) => removed).length === 2, MS);
            assert.deepEqual(after.chat.map(({ removed }) => removed), [true, true, false]);
        },
        async "leaving and coming back under another name and id"() {
            await box.carryOut("leave_room");
            await box.waitState("room", (room) => room.connectionStatus === "left", MS);
            await anna.until("nobody", (state) => state.remoteParticipants.length === 0, { ms: MS });
            await box.carryOut("join_room", { roomUrl, displayName: "Small room", externalId: "other", initialMuteStates: { camera: true, microphone: true } });
            const { remoteParticipants } = await anna.until("roomd is back", (state) => state.remoteParticipants.length === 1, { ms: MS });
            const [{ displayName, externalId, isAudioEnabled, isVideoEnabled }] = remoteParticipants;
            assert.deepEqual([displayName, externalId, isAudioEnabled, isVideoEnabled], ["Small room", "other", false, false]);
        },
        async "the meeting ends"() {
            await anna.act("endMeeting", false);
            await box.waitState("room", (room) => room.connectionStatus === "kicked", MS);
            await anna.untilStatus("left", MS);
            assert.equal((await box.command("send_chat_message", { text: "?" })).error.code, "not_in_room");
        },
    });
});

test("a recorder in the room is told by roomd as by the SDK, and is nobody", async (desk) => {
    const { anna, box, meeting } = await desk.call({ devices: small(3, 880) });
    for (let round = 1; round <= 2; round += 1) {
        const recorder = await desk.open("recorder");
        assert.equal(await recorder.join({ roomUrl: meeting.sdkUrl, roomKey: meeting.recorderKey, devices: small(6, 550), kinds: { audio: false, video: false } }), "joined");
        const { cloudRecording } = await box.waitState("cloud_recording", (part) => part.cloudRecording?.status === "recording", MS);
        const state = await anna.until("a recording", ({ cloudRecording: one }) => one?.status === "recording", { ms: MS });
        assert.equal(cloudRecording.startedAt, state.cloudRecording.startedAt);
        assert.deepEqual([state.remoteParticipants.length, box.state("remote_participants").remoteParticipants.length], [1, 1]);
        assert.equal(box.state("client_views").clientViews.length, 2);
        await recorder.act("leaveRoom");
        await box.waitState("cloud_recording", (part) => part.cloudRecording === null, MS);
        await anna.until("no recording", ({ cloudRecording: one }) => !one, { ms: MS });
    }
});
