//! An SDK and a roomd in the same place of the same room that do everything alike: what the one shows and is told, the other one shows
//! and is told, field by field, after each step of a meeting.
import assert from "node:assert/strict";
import { commandOf } from "./support/actions.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { devices } from "./support/content.mjs";
import { startDistance } from "./support/front.mjs";
import { differences, EVENTS, eventDifferences, NOTIFICATIONS, notificationDifferences, unseen, viewOfRoomd, viewOfSdk } from "./support/views.mjs";
import { until } from "./support/waiting.mjs";

const { test } = applianceBench();
const MS = 20_000;
const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: 10 });
/** With a screen that sounds. */
const withTone = ({ screen, ...rest }) => ({ ...rest, screen: { ...screen, tone: { hz: 300, dbfs: -20 } } });
const GROUPS = { a: "Group A", b: "Group B" };
const NOTHING = { audio: false, video: false };

/** Fields that nothing in the meeting below fills, each with the reason. */
const EMPTY = {
    "BreakoutState.error": "filled below in a room that has no groups",
    "KnockResponse.message": "filled below at the door",
    "KnockResponse.sender": "likewise",
    "KnockResponseSender.displayName": "likewise",
    "LocalParticipantState.isAudioRecorder": "the SDK never sets it",
    "LocalParticipantState.isDialIn": "the SDK never sets it",
    "RemoteParticipantState.isLocalParticipant": "always false",
    "RoomConnectionState.connectionError": "that of a refused join: joins.test.mjs",
    "RoomConnectionState.knockResponse": "filled below at the door",
    "RoomConnectionState.liveStream": "no event of the protocol begins one",
    "RoomJoinedEvent.isLocked": "compared as an event",
    "RoomJoinedEvent.selfId": "compared as an event",
};
/** Events of the SDK that never come in it. */
const NO_EVENTS = ["connection:error-changed", "streaming:started", "streaming:stopped", "room:joined:error"];
/** Notifications that never come in it. */
const NO_NOTIFICATIONS = ["clientUnableToJoinFullRoom"];

/** anna (host), an SDK "twin" and a roomd (hosts too), ben (visitor); and how to see whether the twin and roomd agree. */
async function company(desk) {
    const meeting = await desk.meeting({ roomMode: "group" });
    const [anna, twin, ben] = [await desk.open("anna"), await desk.open("twin"), await desk.open("ben")];
    const distance = await startDistance({ port: desk.server.port });
    const box = await desk.appliance();
    const network = await twin.page.createCDPSession();
    await network.send("Network.enable");
    const entered = async (person, options) => assert.equal(await person.join({ roomUrl: meeting.sdkUrl, ...options }), "joined");
    const pair = { displayName: "Pair", externalId: "pair", roomKey: meeting.hostKey, isDialIn: true, isAudioRecorder: true };
    await entered(anna, { devices: small(3, 880), roomKey: meeting.hostKey });
    await entered(twin, { devices: small(6, 550), ...pair });
    const { participantId: boxId } = await box.carryOut("join_room", { roomUrl: distance.origin + meeting.roomName, ...pair, initialMuteStates: { camera: false, microphone: false } });
    await entered(ben, { devices: withTone(small(9, 440)), externalId: "ben-of-accounting", isDialIn: true, isAudioRecorder: true });
    const idOf = async (person) => (await person.state()).localParticipant.id;
    const [annaId, twinId, benId] = [await idOf(anna), await idOf(twin), await idOf(ben)];
    const seenBy = async (person, id) => (await person.until(`${id} is there`, (state, wanted) => state.remoteParticipants.some((one) => one.id === wanted), { args: [id] })).remoteParticipants.find((one) => one.id === id);
    const [twinDevice, boxDevice] = [(await seenBy(anna, twinId)).deviceId, (await seenBy(anna, boxId)).deviceId];
    const names = {
        sdk: [[twinId, "me"], [boxId, "other"], [twinDevice, "my device"], [boxDevice, "other device"]],
        roomd: [[boxId, "me"], [twinId, "other"], [boxDevice, "my device"], [twinDevice, "other device"]],
    };
    const seen = new Set();
    let moments = 0;
    return {
        meeting, anna, twin, ben, box, annaId, twinId, benId, boxId, names, seen,
        moments: () => moments,
        /** Both do the same; gives roomd's reply. */
        async both(action, ...args) {
            await twin.act(action, ...args);
            return box.command(...commandOf(action, args), { ms: MS });
        },
        /** Waits until the two views are the same, `condition` (of roomd's view) included. */
        async agree(what, condition = () => true) {
            let found;
            try {
                await until(what, async () => {
                    const [sdk, roomd] = [viewOfSdk(await twin.call("view")), viewOfRoomd(box)];
                    found = differences(sdk, roomd, names);
                    if (!condition(roomd.RoomConnectionState)) found.push("not so yet at roomd");
                    if (found.length > 0) return false;
                    return differences(sdk, roomd, names, seen) && true;
                }, MS);
            } catch (error) {
                throw new Error(`${what}:\n${found?.join("\n")}`, { cause: error });
            }
            moments += 1;
        },
        async offline(isOffline) {
            if (isOffline) distance.cut();
            else distance.restore();
            await network.send("Network.emulateNetworkConditions", { offline: isOffline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
        },
        close: () => distance.close(),
    }; // prettier-ignore
}

const one = (state, id) => state.remoteParticipants.find((participant) => participant.id === id);

// conformance: action.toggleMicrophone action.toggleCamera action.toggleRaiseHand action.setDisplayName [mqtt, sdk]
// conformance: action.startCloudRecording action.stopCloudRecording action.startLiveTranscription [mqtt, sdk]
// conformance: action.stopLiveTranscription action.startLiveCaptions action.stopLiveCaptions [mqtt, sdk]
// conformance: action.assignAllBreakoutParticipants action.shuffleBreakoutParticipants action.leaveRoom [mqtt, sdk]
// conformance: rule.breakoutSession rule.cloudRecording rule.liveTranscription rule.liveCaptions [mqtt, sdk]
// conformance: event.cloud-recording:status-changed event.live-captions:status-changed [mqtt, sdk]
// conformance: event.live-transcription:status-changed event.breakout:config-changed [mqtt, sdk]
// conformance: event.connection:status-changed event.camera:state-changed event.microphone:state-changed [mqtt, sdk]
// conformance: event.local-screenshare:status-changed event.local-participant:changed [mqtt, sdk]
// conformance: event.remote-participants:changed event.screenshare:started event.screenshare:stopped [mqtt, sdk]
// conformance: event.waiting-participant:joined event.waiting-participant:left event.chat:new-message [mqtt, sdk]
// conformance: event.spotlight:participant-added event.spotlight:participant-removed event.room:joined [mqtt, sdk]
// conformance: notification.requestAudioEnable notification.requestAudioDisable [mqtt, sdk]
// conformance: notification.requestVideoEnable notification.requestVideoDisable [mqtt, sdk]
// conformance: notification.chatMessageReceived notification.remoteHandRaised notification.remoteHandLowered [mqtt, sdk]
// conformance: notification.signalTrouble notification.signalOk notification.breakoutTimerEnding [mqtt, sdk]
// conformance: notification.breakoutTimerEnded notification.breakoutTimerExtended [mqtt, sdk]
// conformance: notification.breakoutGroupAssigned [mqtt, sdk]
// conformance: status.connecting status.connected status.disconnected status.reconnecting [mqtt, sdk]
// conformance: status.leaving status.left [mqtt, sdk]
// conformance: field.RemoteParticipantState.displayName field.RemoteParticipantState.id field.RemoteParticipantState.roleName [mqtt, sdk]
// conformance: field.RemoteParticipantState.stream field.RemoteParticipantState.isAudioEnabled [mqtt, sdk]
// conformance: field.RemoteParticipantState.isVideoEnabled field.RemoteParticipantState.isLocalParticipant [mqtt, sdk]
// conformance: field.RemoteParticipantState.presentationStream field.RemoteParticipantState.externalId [mqtt, sdk]
// conformance: field.RemoteParticipantState.stickyReaction field.RemoteParticipantState.isDialIn [mqtt, sdk]
// conformance: field.RemoteParticipantState.deviceId field.RemoteParticipantState.breakoutGroup [mqtt, sdk]
// conformance: field.RemoteParticipantState.breakoutGroupAssigned field.RemoteParticipantState.isAudioRecorder [mqtt, sdk]
// conformance: field.WaitingParticipantState.id field.WaitingParticipantState.displayName field.ChatMessage.senderId [mqtt, sdk]
// conformance: field.ChatMessage.text field.ChatMessage.timestamp field.ChatMessage.id field.ChatMessage.parentId [mqtt, sdk]
// conformance: field.ChatMessage.sig field.ChatMessage.removed field.LocalScreenshareStatus.starting [mqtt, sdk]
// conformance: field.LocalScreenshareStatus.active field.CloudRecordingState.status field.CloudRecordingState.startedAt [mqtt, sdk]
// conformance: field.CloudRecordingState.error field.ClientView.id field.ClientView.clientId field.ClientView.displayName [mqtt, sdk]
// conformance: field.ClientView.stream field.ClientView.isLocalClient field.ClientView.isAudioEnabled [mqtt, sdk]
// conformance: field.ClientView.isVideoEnabled field.ClientView.isPresentation field.ClientView.hasActivePresentation [mqtt, sdk]
// conformance: field.ClientView.breakoutGroup field.ClientView.breakoutGroupAssigned field.ScreenshareState.participantId [mqtt, sdk]
// conformance: field.ScreenshareState.id field.ScreenshareState.hasAudioTrack field.ScreenshareState.stream [mqtt, sdk]
// conformance: field.ScreenshareState.isLocal field.ScreenshareState.breakoutGroup field.BreakoutState.isActive [mqtt, sdk]
// conformance: field.BreakoutState.currentGroup field.BreakoutState.groupedParticipants [mqtt, sdk]
// conformance: field.BreakoutState.participantsInCurrentGroup field.BreakoutState.isAvailable field.BreakoutState.groups [mqtt, sdk]
// conformance: field.BreakoutState.enforceAssignment field.BreakoutState.autoMoveToGroup [mqtt, sdk]
// conformance: field.BreakoutState.moveToGroupGracePeriod field.BreakoutState.autoMoveToMain [mqtt, sdk]
// conformance: field.BreakoutState.moveToMainGracePeriod field.BreakoutState.breakoutTimerSetting [mqtt, sdk]
// conformance: field.BreakoutState.breakoutTimerDuration field.BreakoutState.startedAt field.BreakoutState.endTime [mqtt, sdk]
// conformance: field.BreakoutState.moveToGroupAt field.BreakoutState.moveToMainAt field.BreakoutState.broadcastingParticipants [mqtt, sdk]
// conformance: field.LocalParticipantState.displayName field.LocalParticipantState.id field.LocalParticipantState.roleName [mqtt, sdk]
// conformance: field.LocalParticipantState.isAudioEnabled field.LocalParticipantState.isVideoEnabled [mqtt, sdk]
// conformance: field.LocalParticipantState.isLocalParticipant field.LocalParticipantState.isScreensharing [mqtt, sdk]
// conformance: field.LocalParticipantState.breakoutGroupAssigned field.LocalParticipantState.breakoutGroup [mqtt, sdk]
// conformance: field.LocalParticipantState.stickyReaction field.LocalParticipantState.isDialIn [mqtt, sdk]
// conformance: field.LocalParticipantState.isAudioRecorder field.RoomJoinedEvent.isLocked field.RoomJoinedEvent.selfId [mqtt, sdk]
// conformance: field.LiveCaptionsState.status field.LiveCaptionsState.startedAt field.LiveCaptionsState.error [mqtt, sdk]
// conformance: field.LiveCaptionsState.captionLog field.LiveCaption.resultId field.LiveCaption.participantId [mqtt, sdk]
// conformance: field.LiveCaption.text field.LiveCaption.timestamp field.LiveTranscriptionState.status [mqtt, sdk]
// conformance: field.LiveTranscriptionState.startedAt field.LiveTranscriptionState.error field.WherebyClientOptions.displayName [mqtt, sdk]
// conformance: field.WherebyClientOptions.roomUrl field.WherebyClientOptions.roomKey field.WherebyClientOptions.externalId [mqtt, sdk]
// conformance: field.WherebyClientOptions.isDialIn field.WherebyClientOptions.isAudioRecorder field.GridState.allClientViews [mqtt, sdk]
// conformance: field.GridState.spotlightedParticipants field.RoomConnectionState.connectionStatus [mqtt, sdk]
// conformance: field.RoomConnectionState.chatMessages field.RoomConnectionState.cloudRecording [mqtt, sdk]
// conformance: field.RoomConnectionState.breakout field.RoomConnectionState.isCameraEnabled [mqtt, sdk]
// conformance: field.RoomConnectionState.isMicrophoneEnabled field.RoomConnectionState.liveStream [mqtt, sdk]
// conformance: field.RoomConnectionState.liveCaptions field.RoomConnectionState.liveTranscription [mqtt, sdk]
// conformance: field.RoomConnectionState.localScreenshareStatus field.RoomConnectionState.localParticipant [mqtt, sdk]
// conformance: field.RoomConnectionState.remoteParticipants field.RoomConnectionState.screenshares [mqtt, sdk]
// conformance: field.RoomConnectionState.waitingParticipants field.RoomConnectionState.spotlightedParticipants [mqtt, sdk]
// conformance: field.RoomConnectionState.events field.MediaStream.id field.MediaStream.active [sdk]
// conformance: field.LocalParticipantState.stream field.GridState.numParticipants [sdk]
test("an SDK and roomd that do everything alike see and are told the same, field by field", async (desk) => {
    const all = await company(desk);
    const { anna, twin, ben, box, annaId, twinId, benId, boxId, both, agree, meeting } = all;
    try {
        await agree("all are there", (state) => state.remoteParticipants.length === 3 && state.remoteParticipants.every(({ stream }) => stream?.receiving));

        await ben.act("toggleMicrophone", false);
        await agree("ben is muted", (state) => !one(state, benId).isAudioEnabled);
        await ben.act("toggleCamera", false);
        await agree("ben's camera is off", (state) => !one(state, benId).isVideoEnabled);
        await ben.act("toggleCamera", true);
        await ben.act("toggleRaiseHand", true);
        await ben.act("setDisplayName", "Benjamin");
        await agree("ben's hand and name", (state) => one(state, benId).stickyReaction && one(state, benId).displayName === "Benjamin");
        await ben.act("toggleMicrophone", true);
        await agree("ben speaks", (state) => one(state, benId).isAudioEnabled && !one(state, benId).stickyReaction);

        for (const enabled of [false, true]) {
            await both("toggleMicrophone", enabled);
            await agree(`the own microphones ${enabled}`, (state) => state.isMicrophoneEnabled === enabled);
            await both("toggleCamera", enabled);
            await agree(`the own cameras ${enabled}`, (state) => state.isCameraEnabled === enabled);
        }
        await both("toggleRaiseHand", true);
        await agree("the own hands", (state) => state.localParticipant.stickyReaction);
        await both("toggleRaiseHand", false);
        await both("setDisplayName", "The pair");
        await agree("the own names", (state) => state.localParticipant.displayName === "The pair");

        await ben.act("sendChatMessage", "hello");
        await agree("a message", (state) => state.chatMessages.length === 1);
        const [{ id, sig }] = (await anna.state()).chatMessages;
        await anna.act("sendChatMessage", "an answer", id);
        await anna.act("removeChatMessage", id, sig);
        await agree("an answer and a removal", (state) => state.chatMessages[1]?.parentId === id && state.chatMessages[0].removed);

        await ben.act("startScreenshare");
        await agree("ben's screen", (state) => state.screenshares.length === 1 && one(state, benId).presentationStream?.receiving);
        await both("startScreenshare");
        await agree("three screens", (state) => state.screenshares.length === 3 && state.localParticipant.isScreenSharing);
        // roomd's stream comes to the SDK under the id by which roomd tells of it.
        const shares = (await twin.state()).screenshares.filter(({ isLocal }) => !isLocal);
        assert.deepEqual(shares.map(({ id, stream }) => [id, stream.id, stream.active]), shares.map(({ id }) => [id, id, true]));
        assert.ok(shares.some(({ id }) => box.state("screenshares").screenshares.find(({ isLocal }) => isLocal).id === id));
        await both("stopScreenshare");
        await ben.act("stopScreenshare");
        await agree("no screens", (state) => state.screenshares.length === 0);

        for (const whom of [benId, annaId]) await anna.act("spotlightParticipant", whom);
        await agree("spotlights", (state) => state.spotlightedParticipants.length === 2);
        for (const whom of [benId, annaId]) await anna.act("removeSpotlight", whom);
        await agree("no spotlights", (state) => state.spotlightedParticipants.length === 0);

        await anna.act("muteParticipants", [twinId, boxId]);
        await agree("muted by anna", (state) => !state.isMicrophoneEnabled);
        await anna.act("turnOffParticipantCameras", [twinId, boxId]);
        await agree("cameras off by anna", (state) => !state.isCameraEnabled);
        for (const whom of [twinId, boxId]) {
            await anna.act("askToSpeak", whom);
            await anna.act("askToTurnOnCamera", whom);
        }
        await both("toggleMicrophone", true);
        await both("toggleCamera", true);
        await agree("on again", (state) => state.isCameraEnabled && state.isMicrophoneEnabled && one(state, twinId).stream?.video);

        await services(desk, all);
        await groups(all);

        await anna.act("lockRoom", true);
        await anna.act("kickParticipant", benId);
        await agree("ben is sent out", (state) => !one(state, benId));
        await ben.untilStatus("kicked", MS);
        assert.equal(await ben.call("rejoin"), "room_locked");
        await ben.act("knock");
        await agree("ben knocks", (state) => state.waitingParticipants.length === 1);
        await ben.act("cancelKnock");
        await agree("ben knocks no more", (state) => state.waitingParticipants.length === 0);

        await all.offline(true);
        await agree("the connection is lost", (state) => state.connectionStatus === "disconnected");
        await all.offline(false);
        await agree("the connection is back", (state) => state.connectionStatus === "connected" && state.remoteParticipants.every(({ stream }) => stream?.receiving));

        await both("leaveRoom");
        await twin.untilStatus("left", MS);
        await box.waitState("room", (room) => room.connectionStatus === "left", MS);
        const statuses = box.events.filter(({ name }) => name === "connection_status_changed").map(({ connectionStatus }) => connectionStatus);
        assert.deepEqual(statuses, await twin.call("statuses"));
        assert.deepEqual(statuses, ["connecting", "connected", "disconnected", "reconnecting", "connecting", "connected", "leaving", "left"]);

        // The groups were dealt to one and not to the other.
        const { topics, types } = await told(all, (text) => /breakoutGroupAssigned/.test(text));
        assert.deepEqual(EVENTS.filter((name) => !topics.has(name)), NO_EVENTS);
        assert.deepEqual(NOTIFICATIONS.filter((type) => !types.has(type)), NO_NOTIFICATIONS);
        assert.deepEqual(unseen(all.seen).sort(), Object.keys(EMPTY));
        console.log(`${all.moments()} moments`);
    } finally {
        await all.close();
    }
}, { timeout: 240_000 });

/** Recorder, streamer and captioner come and go. */
async function services(desk, { meeting, anna, benId, both, agree }) {
    const service = async (role) => {
        const program = await desk.open(role);
        assert.equal(await program.join({ roomUrl: meeting.sdkUrl, roomKey: meeting[`${role}Key`], devices: small(1, 330), kinds: NOTHING }), "joined");
        return program;
    };
    for (const action of ["startCloudRecording", "startLiveTranscription", "startLiveCaptions"]) {
        assert.equal((await both(action)).error.code, "rejected_by_room");
    }
    await agree("nothing of it is offered", (state) => [state.cloudRecording, state.liveTranscription, state.liveCaptions].every((part) => part.status === "error"));
    const recorder = await service("recorder");
    await agree("a recording", (state) => state.cloudRecording.status === "recording");
    await both("stopCloudRecording");
    await agree("no recording", (state) => !state.cloudRecording);
    await recorder.untilStatus("kicked", MS);
    const streamer = await service("streamer");
    await streamer.act("leaveRoom");

    const captioner = await service("captioner");
    await both("startLiveTranscription");
    await agree("a transcription", (state) => state.liveTranscription?.status === "transcribing");
    await both("stopLiveTranscription");
    await agree("no transcription", (state) => !state.liveTranscription);
    await anna.until("no transcription", (state) => !state.liveTranscription);
    await anna.act("startLiveTranscription");
    await agree("a transcription of anna's", (state) => state.liveTranscription?.status === "transcribing");
    await both("startLiveCaptions");
    await agree("captions", (state) => state.liveCaptions?.status === "captioning");
    await captioner.call("emit", "live_caption", { senderId: benId, resultId: "1", text: "what ben" });
    await captioner.call("emit", "live_caption", { senderId: benId, resultId: "1", text: "what ben says" });
    await agree("what ben says", (state) => state.liveCaptions.captionLog[0]?.text === "what ben says");
    await both("stopLiveCaptions");
    await agree("no captions", (state) => !state.liveCaptions);
    await both("startLiveCaptions");
    await agree("captions again", (state) => state.liveCaptions?.status === "captioning");
    await captioner.act("leaveRoom");
    await agree("no captioner, no captions", (state) => !state.liveCaptions && !state.liveTranscription);
}

/** Breakout groups begin, are moved into, changed, and end. */
async function groups({ anna, twin, ben, box, annaId, benId, twinId, boxId, names, both, agree }) {
    const settings = { autoMoveToGroup: true, moveToGroupGracePeriod: 1, enforceAssignment: true, breakoutTimerSetting: true, breakoutTimerDuration: 600 };
    await anna.act("startBreakoutSession", { groups: GROUPS, assignments: { [twinId]: "a", [boxId]: "a", [annaId]: "b" }, ...settings });
    await agree("in a group", (state) => state.breakout.currentGroup?.id === "a");
    // Two SDKs that move at the same moment may end without media between them.
    await anna.act("assignBreakoutParticipants", { [benId]: "a" });
    await ben.until("assigned", (state) => state.localParticipant.breakoutGroupAssigned === "a", { ms: MS });
    await ben.act("joinBreakoutGroup", "a");
    await agree("ben comes too", (state) => one(state, benId).breakoutGroup === "a" && one(state, benId).stream?.receiving);
    await ben.act("startScreenshare");
    await agree("a screen in the group", (state) => state.screenshares[0]?.breakoutGroup === "a");
    await ben.act("stopScreenshare");
    await anna.act("joinBreakoutMainRoom");
    await anna.act("spotlightParticipant", annaId);
    await agree("anna speaks to all groups", (state) => state.breakout.broadcastingParticipants.length === 1);
    await anna.act("removeSpotlight", annaId);
    await anna.act("extendBreakoutTimer", 60);
    await agree("a longer timer", (state) => state.breakout.breakoutTimerDuration === 660);
    await anna.act("updateBreakoutSession", { groups: { a: "First", b: "Second" }, assignments: { [benId]: "b" }, enforceAssignment: false });
    await agree("other names", (state) => state.breakout.groups.a === "First");
    await both("joinBreakoutMainRoom");
    await agree("in the main room", (state) => !state.breakout.currentGroup);
    await anna.act("updateBreakoutSession", { autoMoveToGroup: false, autoMoveToMain: true, moveToMainGracePeriod: 1, breakoutTimerDuration: 1 });
    await agree("to be called back", (state) => state.breakout.autoMoveToMain);
    for (const type of ["breakoutTimerEnding", "breakoutTimerEnded"]) {
        await twin.until(type, `() => window.lab.notifications().some((one) => one.type === "${type}")`, { ms: MS });
    }

    await told({ twin, box, names });
    // Who deals is not dealt, so here the two are not alike: what both see of everybody is compared.
    const acts = { [twinId]: (action) => twin.act(action), [boxId]: (action) => box.carryOut(...commandOf(action, [])) };
    const groupsIn = ({ localParticipant, remoteParticipants }) =>
        Object.fromEntries([localParticipant, ...remoteParticipants].map(({ id, breakoutGroupAssigned }) => [id, breakoutGroupAssigned]).sort());
    for (const [dealer, act] of Object.entries(acts)) {
        const isNobody = (dealt) => Object.values(dealt).every((group) => group === "");
        const isDealt = ({ [dealer]: own, ...others }) => own === "" && ["aab", "abb"].includes(Object.values(others).sort().join(""));
        for (const [action, isSo] of [["unassignAllBreakoutParticipants", isNobody], ["assignAllBreakoutParticipants", isDealt], ["shuffleBreakoutParticipants", isDealt]]) {
            await act(action);
            await until(`${action} by ${dealer}`, async () => {
                const [sdk, roomd] = [groupsIn(await twin.state()), groupsIn(viewOfRoomd(box).RoomConnectionState)];
                return JSON.stringify(sdk) === JSON.stringify(roomd) && isSo(sdk);
            }, MS);
        }
    }
    await anna.act("assignBreakoutParticipants", { [annaId]: "", [benId]: "", [twinId]: "", [boxId]: "" });
    await agree("nobody is assigned", (state) => state.localParticipant.breakoutGroupAssigned === "");
    await anna.act("stopBreakoutSession");
    await agree("no groups", (state) => !state.breakout.isActive && !state.isMicrophoneEnabled && !one(state, benId)?.breakoutGroup);
    await ben.until("back", (state) => !state.localParticipant.breakoutGroup, { ms: MS });
}

/** Nothing differs between the events and notifications of both, aside from `without`; gives their names. */
async function told({ twin, box, names }, without = () => false) {
    const sdkEvents = await twin.call("events");
    const own = (shares) => shares.filter(({ isLocal }) => isLocal).map(({ id }) => id);
    const twinShares = own(sdkEvents.filter(({ name }) => name === "screenshare:started").map(({ payload }) => payload));
    const boxShares = own(box.events.filter(({ name }) => name === "screenshare_started"));
    const withShares = {
        sdk: [...names.sdk, ...twinShares.map((id) => [id, "my screen"]), ...boxShares.map((id) => [id, "other screen"])],
        roomd: [...names.roomd, ...boxShares.map((id) => [id, "my screen"]), ...twinShares.map((id) => [id, "other screen"])],
    };
    const { found, topics } = eventDifferences(sdkEvents, box.events, withShares);
    const notified = notificationDifferences(await twin.call("notifications"), box.events, withShares);
    assert.deepEqual([...found, ...notified.found].filter((text) => !without(text)), []);
    return { topics, types: notified.types };
}

// conformance: action.knock action.cancelKnock action.joinRoom rule.knock [mqtt, sdk]
// conformance: event.room:joined:error event.room:joined event.connection:status-changed [mqtt, sdk]
// conformance: status.ready status.connecting status.connected status.room_locked status.knocking [mqtt, sdk]
// conformance: status.knock_on_hold status.knock_rejected status.kicked [mqtt, sdk]
// conformance: transition.T1 transition.T14 role.none role.granted_visitor [sdk]
// conformance: field.RoomConnectionState.knockResponse field.KnockResponse.message field.KnockResponse.sender [mqtt, sdk]
test("before a locked door, sent away and sent out, an SDK and roomd show and are told the same", async (desk) => {
    const meeting = await desk.meeting({ isLocked: true });
    const [anna, twin] = [await desk.open("anna"), await desk.open("twin")];
    const box = await desk.appliance({ room: "auto_knock = false" });
    assert.equal(await anna.join({ roomUrl: meeting.sdkUrl, devices: small(3, 880), roomKey: meeting.hostKey }), "joined");
    let names = { sdk: [], roomd: [] };
    const seen = new Set();
    const both = async (action, ...args) => {
        await twin.act(action, ...args);
        return box.command(...commandOf(action, args), { ms: MS });
    };
    const reached = async (wanted) => {
        await twin.untilStatus(wanted, MS);
        await box.waitState("room", (room) => room.connectionStatus === wanted, MS);
    };
    const status = async (wanted) => {
        await reached(wanted);
        const [mine, ours] = [(await twin.state()).localParticipant.id, box.state("local_participant").id];
        const known = (await anna.state()).remoteParticipants.map(({ id, deviceId }) => [id, deviceId]);
        const of = (id, whose, device) => [[id, whose], ...known.filter(([one]) => one === id).map(([, deviceId]) => [deviceId, device])];
        names = { sdk: [...of(mine, "me", "mine"), ...of(ours, "other", "theirs")], roomd: [...of(ours, "me", "mine"), ...of(mine, "other", "theirs")] };
        let found;
        const isSame = async () => (found = differences(viewOfSdk(await twin.call("view")), viewOfRoomd(box), names, seen)).length === 0;
        await until(wanted, isSame, MS).catch((error) => Promise.reject(new Error(`${wanted}:\n${found.join("\n")}`, { cause: error })));
    };
    const join = async (first) => {
        const joined = first ? twin.join({ roomUrl: meeting.sdkUrl, devices: small(6, 550), displayName: "Pair" }) : twin.call("rejoin");
        assert.equal(await joined, "room_locked");
        const roomUrl = desk.server.origin + meeting.roomName;
        const { error } = await box.command("join_room", { roomUrl, displayName: "Pair", initialMuteStates: { camera: false, microphone: false } }, { ms: MS });
        assert.equal(error.message, "room_locked");
        await status("room_locked");
    };
    /** Both knock; gives their ids as anna sees them. */
    const knock = async () => {
        await both("knock");
        await status("knocking");
        const { waitingParticipants } = await anna.until("both wait", (state) => state.waitingParticipants.length === 2, { ms: MS });
        return waitingParticipants.map(({ id }) => id);
    };

    await join(true);
    for (const id of await knock()) await anna.act("holdWaitingParticipant", id, "one moment");
    await status("knock_on_hold");
    for (const { id } of (await anna.state()).waitingParticipants) await anna.act("rejectWaitingParticipant", id, "not today");
    await status("knock_rejected");
    await join(false);
    await knock();
    await both("cancelKnock");
    await anna.until("nobody waits", (state) => state.waitingParticipants.length === 0, { ms: MS });
    await status("room_locked");
    for (const id of await knock()) await anna.act("acceptWaitingParticipant", id);
    await anna.until("both are in", (state) => state.remoteParticipants.length === 2, { ms: MS });
    await status("connected");
    assert.equal(box.state("local_participant").roleName, "granted_visitor");
    // The one who is sent out last sees the other one go.
    await anna.act("endMeeting", true);
    await reached("kicked");
    await both("leaveRoom");
    await reached("kicked");

    const statuses = box.events.filter(({ name }) => name === "connection_status_changed").map(({ connectionStatus }) => connectionStatus);
    assert.deepEqual(statuses, await twin.call("statuses"));
    const knocks = ["connecting", "room_locked", "knocking"];
    assert.deepEqual(statuses, [...knocks, "knock_on_hold", "knock_rejected", "ready", ...knocks, "ready", ...knocks, "connecting", "connected", "kicked"]);
    const { found, topics } = eventDifferences(await twin.call("events"), box.events, names);
    assert.deepEqual(found, []);
    assert.ok(topics.has("room:joined:error") && topics.has("room:joined"));
    for (const field of ["RoomConnectionState.knockResponse", "KnockResponse.message", "KnockResponse.sender", "KnockResponseSender.displayName"]) assert.ok(seen.has(field), field);
});
