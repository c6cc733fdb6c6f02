//! What roomd sends in a room, frame by frame against what the unmodified SDK sends when it does the same. What differs stands in
//! docs/wire-differences.md with its reason, and nothing else may.
import assert from "node:assert/strict";
import { applianceBench } from "./support/appliance.mjs";
import { breakoutFlow } from "./wire/breakout_flow.mjs";
import { describeSdp } from "./wire/compare.mjs";
import { comparison } from "./wire/stage.mjs";

const GRACE_SECONDS = 3;
const PLACES = 3;
const ASSISTANT_KEY = "a key for assistants";
const toml = `grace_seconds = ${GRACE_SECONDS}\n[server.limits]\nclients_per_room = ${PLACES}`;
const { test } = applianceBench({ isWitnessed: true, server: { assistantKey: ASSISTANT_KEY, toml } });
const { flow, finish } = comparison(test);

const microphone = (on) => `one && one.isAudioEnabled === ${on}`;
const camera = (on) => `one && one.isVideoEnabled === ${on}`;
const SCREEN = `one?.presentationStream?.tracks.some(({ readyState, muted }) => readyState === "live" && !muted)`;
/** An offer in which the screen is no longer sent. */
const withoutScreen = ({ message }) => describeSdp(message.sdp).endsWith("video recvonly>");
const hand = (up) => `one && Boolean(one.stickyReaction) === ${up}`;

// conformance: action.startCloudRecording action.stopCloudRecording action.startLiveTranscription [sdk]
// conformance: action.stopLiveTranscription action.startLiveCaptions action.stopLiveCaptions [sdk]
// conformance: notification.requestAudioEnable notification.requestAudioDisable [sdk]
// conformance: notification.requestVideoEnable notification.requestVideoDisable transition.T2 transition.T3 [sdk]
// conformance: transition.T12 transition.T13 field.WherebyClientOptions.userAgent [sdk]
flow("visitor", { people: ["anna", "ben"] }, async (stage) => {
    const { subject, anna, ben, meeting, step, sees, tells } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    await step("join", async () => {
        await stage.join();
        await sees(anna, "somebody's stream", "one?.stream");
    });
    for (const on of [false, true]) {
        await step(`microphone ${on ? "on" : "off"}`, async () => {
            await subject.act("toggleMicrophone", on);
            await sees(anna, "the microphone", microphone(on));
        });
    }
    await step("microphone on once more", async () => {
        await subject.act("toggleMicrophone", true);
        await subject.recording.untilSent("enable_audio");
    });
    for (const on of [false, true]) {
        await step(`camera ${on ? "on" : "off"}`, async () => {
            await subject.act("toggleCamera", on);
            await sees(anna, "the camera", camera(on));
        });
    }
    await step("hand up", async () => {
        await subject.act("toggleRaiseHand", true);
        await sees(anna, "the hand", hand(true));
    });
    await step("hand up once more, then down", async () => {
        await subject.act("toggleRaiseHand", true);
        await subject.act("toggleRaiseHand", false);
        await sees(anna, "no hand", hand(false));
    });
    await step("speaking lowers the hand", async () => {
        await subject.act("toggleMicrophone", false);
        await subject.act("toggleRaiseHand", true);
        await sees(anna, "the hand", hand(true));
        await subject.act("toggleMicrophone", true);
        await sees(anna, "no hand", `${hand(false)} && one.isAudioEnabled`);
    });
    await step("display name", async () => {
        await subject.act("setDisplayName", "Carla the second");
        await sees(anna, "the name", `one?.displayName === "Carla the second"`);
        await subject.act("setDisplayName", "carla");
        await sees(anna, "the name of before", `one?.displayName === "carla"`);
    });
    await step("chat", async () => {
        await subject.act("sendChatMessage", "hello");
        const id = await subject.untilMessage("hello");
        await subject.act("sendChatMessage", "a reply", id);
        await subject.act("sendChatMessage", "to everybody", undefined, true);
        await subject.untilMessage("to everybody");
        await subject.act("removeChatMessage", id);
        await anna.until("the message is removed", (state, known) => state.chatMessages.find((message) => message.id === known)?.removed, { args: [id] });
    });
    await step("screenshare", async () => {
        await subject.act("startScreenshare");
        await sees(anna, "the screen", SCREEN);
        await subject.recording.untilSent("sdp_offer");
    });
    await step("screenshare ends", async () => {
        await subject.act("stopScreenshare");
        await sees(anna, "no presentation", "one && one.presentationStream === null");
        await subject.recording.untilSent("sdp_offer", withoutScreen);
    });
    await step("muted by a host", () => tells("requestAudioDisable", () => anna.act("muteParticipants", [subject.id])));
    await step("asked to speak", () => tells("requestAudioEnable", () => anna.act("askToSpeak", subject.id)));
    await step("camera turned off by a host", async () => {
        await tells("requestVideoDisable", () => anna.act("turnOffParticipantCameras", [subject.id]));
        await sees(anna, "no camera", camera(false));
    });
    await step("asked for the camera", () => tells("requestVideoEnable", () => anna.act("askToTurnOnCamera", subject.id)));
    await step("a third one comes", async () => {
        assert.equal(await stage.enter(ben), "joined");
        await sees(ben, "the stream", "one?.stream");
        await subject.recording.untilSent("sdp_offer");
    });
    await step("the third one goes", async () => {
        await ben.act("leaveRoom");
        await anna.until("ben is gone", (state) => state.remoteParticipants.length === 1);
    });
    await step("leave", async () => {
        await subject.act("leaveRoom");
        await subject.untilStatus("left");
        await anna.until("nobody there", (state) => state.remoteParticipants.length === 0);
    });
});

// conformance: status.disconnected transition.T15 transition.T16 [sdk]
// conformance: field.LocalParticipantState.clientClaim field.RoomJoinedSuccess.clientClaim [sdk]
flow("reconnect", {}, async (stage) => {
    const { subject, anna, meeting, step, sees } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    await step("join", async () => {
        await stage.join();
        await sees(anna, "somebody's stream", "one?.stream");
    });
    await step("muted, with a hand, sharing", async () => {
        await subject.act("toggleMicrophone", false);
        await subject.act("toggleRaiseHand", true);
        await subject.act("startScreenshare");
        await sees(anna, "the screen", SCREEN);
        await sees(anna, "the hand", hand(true));
        await subject.recording.untilSent("sdp_offer");
    });
    await step("back within the grace period", async () => {
        await subject.cut();
        await subject.untilStatus("disconnected");
        await subject.restore();
        await subject.untilStatus("connected");
        // Once connected again the share is told and offered anew.
        await subject.recording.untilSent("start_screenshare");
        await subject.recording.untilSent("sdp_offer");
        await sees(anna, "the screen", SCREEN);
    });
    await step("the screenshare ends", async () => {
        await subject.act("stopScreenshare");
        await sees(anna, "no presentation", "one && one.presentationStream === null");
        await subject.recording.untilSent("sdp_offer", withoutScreen);
    });
    await step("back after the grace period", async () => {
        await subject.cut();
        await anna.until("nobody there", (state) => state.remoteParticipants.length === 0, { ms: (GRACE_SECONDS + 20) * 1000 });
        await subject.restore();
        await subject.untilStatus("connected");
        await subject.recording.untilSent("send_client_metadata");
        await sees(anna, "the stream", `one?.stream && ${hand(true)} && ${microphone(false)}`);
    });
    await step("leave", async () => {
        await subject.act("leaveRoom");
        await subject.untilStatus("left");
    });
});

flow("host", { people: ["anna", "ben"] }, async (stage) => {
    const { subject, anna, ben, meeting, step, sees } = stage;
    assert.equal(await stage.enter(anna), "joined");
    await step("join with a key, muted", async () => {
        await stage.join({ roomKey: meeting.hostKey, muted: true });
        await sees(anna, "somebody's stream", "one?.stream");
    });
    for (const [what, start, started, stop, stopped] of [
        ["recording", "startCloudRecording", "start_recording", "stopCloudRecording", "stop_recording"],
        ["transcription", "startLiveTranscription", "start_live_transcription", "stopLiveTranscription", "stop_live_transcription"],
        ["captions", "startLiveCaptions", "live_captions_enabled", "stopLiveCaptions", "live_captions_disabled"],
    ]) {
        await step(what, async () => {
            await subject.act(start);
            await subject.recording.untilSent(started);
            await subject.act(stop);
            await subject.recording.untilSent(stopped);
        });
    }
    const lock = (locked) =>
        step(locked ? "lock" : "unlock", async () => {
            await subject.act("lockRoom", locked);
            await anna.until("the lock", (state, wanted) => state.isLocked === wanted, { args: [locked] });
        });
    await lock(true);
    let waiting;
    const knock = () =>
        step("somebody knocks", async () => {
            assert.equal(await stage.enter(ben), "room_locked");
            await ben.act("knock");
            waiting = await subject.untilSomebodyWaits();
        });
    await knock();
    await step("hold, without and with a message", async () => {
        await subject.act("holdWaitingParticipant", waiting);
        await ben.untilStatus("knock_on_hold");
        await subject.act("holdWaitingParticipant", waiting, " one moment ");
        await ben.until("the message", (state) => state.knockResponse?.message === "one moment");
    });
    await step("accept", async () => {
        await subject.act("acceptWaitingParticipant", waiting);
        await ben.untilStatus("connected");
        await sees(ben, "the stream", "one?.stream");
        await subject.recording.untilSent("sdp_offer");
    });
    const { id: benId } = (await ben.state()).localParticipant;
    const asked = async (type, act) => {
        await act();
        await ben.until(type, `() => window.lab.notifications().some((one) => one.type === "${type}")`);
    };
    await step("ask to speak, mute", async () => {
        await subject.act("askToSpeak", benId);
        await subject.recording.untilSent("request_audio_enable");
        await subject.act("muteParticipants", [benId, anna.id]);
        await ben.until("muted", (state) => !state.isMicrophoneEnabled);
        await anna.until("muted", (state) => !state.isMicrophoneEnabled);
    });
    await step("ask for the camera, turn cameras off", async () => {
        await asked("requestVideoEnable", () => subject.act("askToTurnOnCamera", benId));
        await subject.act("turnOffParticipantCameras", [benId]);
        await ben.until("no camera", (state) => !state.isCameraEnabled);
    });
    await step("spotlights", async () => {
        const spotlights = (count) => anna.until(`${count} spotlights`, (state, wanted) => state.spotlightedParticipants.length === wanted, { args: [count] });
        await subject.act("spotlightParticipant", benId);
        await subject.act("spotlightParticipant", subject.id);
        await spotlights(2);
        await subject.act("removeSpotlight", benId);
        await subject.act("removeSpotlight", subject.id);
        await spotlights(0);
    });
    await step("somebody's message removed", async () => {
        await anna.act("sendChatMessage", `by anna for ${subject.kind}`);
        const id = await subject.untilMessage(`by anna for ${subject.kind}`);
        await subject.act("removeChatMessage", id);
        await anna.until("the message is removed", (state, known) => state.chatMessages.find((message) => message.id === known)?.removed, { args: [id] });
    });
    await step("kick", async () => {
        await subject.act("kickParticipant", benId);
        await ben.untilStatus("kicked");
    });
    await knock();
    await step("reject", async () => {
        await subject.act("rejectWaitingParticipant", waiting, "not today");
        await ben.untilStatus("knock_rejected");
    });
    await lock(false);
    await step("end the meeting and stay", async () => {
        await subject.act("endMeeting", true);
        await anna.untilStatus("kicked");
    });
    await step("somebody comes back", async () => {
        assert.equal(await stage.enter(anna), "joined");
        await sees(anna, "the stream", "one?.stream");
        await subject.recording.untilSent("sdp_offer");
    });
    await step("end the meeting", async () => {
        await subject.act("endMeeting", false);
        await anna.untilStatus("kicked");
        await subject.untilStatus("left");
    });
});

// conformance: action.knock action.cancelKnock status.room_locked transition.T4 transition.T7 [sdk]
flow("door", { meeting: { isLocked: true } }, async (stage) => {
    const { subject, anna, meeting, step, sees } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    const waiting = async (count) => (await anna.until(`${count} wait`, (state, wanted) => state.waitingParticipants.length === wanted, { args: [count] })).waitingParticipants[0]?.id;
    const arrive = () =>
        step("join", async () => {
            assert.equal(await subject.join({ meeting }), "room_locked");
            await subject.untilStatus("room_locked");
        });
    const knock = async () => {
        await step("knock", async () => {
            await subject.act("knock");
            subject.id = await waiting(1);
            await subject.untilStatus("knocking");
        });
        return subject.id;
    };
    await arrive();
    await knock();
    await step("cancel", async () => {
        await subject.act("cancelKnock");
        await waiting(0);
        await subject.untilStatus("room_locked");
    });
    await step("held, accepted", async () => {
        await subject.act("knock");
        subject.id = await waiting(1);
        await anna.act("holdWaitingParticipant", subject.id, "one moment");
        await subject.untilStatus("knock_on_hold");
        await anna.act("acceptWaitingParticipant", subject.id);
        await subject.untilStatus("connected");
        await sees(anna, "the stream", "one?.stream");
    });
    await step("kicked", async () => {
        await anna.act("kickParticipant", subject.id);
        await subject.untilStatus("kicked");
    });
    await arrive();
    await step("rejected", async () => {
        await subject.act("knock");
        await anna.act("rejectWaitingParticipant", await waiting(1), "not today");
        await subject.untilStatus("knock_rejected");
    });
    await arrive();
    await step("leave while knocking", async () => {
        await subject.act("knock");
        await waiting(1);
        await subject.act("leaveRoom");
    });
    for (const { id } of (await anna.state()).waitingParticipants) await anna.act("rejectWaitingParticipant", id);
    await waiting(0);
});

// conformance: joinError.invalid_key field.WherebyClientOptions.roomKey [sdk]
flow("joins", { people: ["anna", "ben"] }, async (stage) => {
    const { subject, anna, ben, meeting, step, sees } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    if (!ben.isKnown) assert.equal(await stage.enter(ben), "joined");
    await step("muted, as the third, with an external id", async () => {
        await stage.join({ muted: true, externalId: "room-4" });
        await sees(anna, "the stream", `one?.stream && one.externalId === "room-4"`);
        await sees(ben, "the stream", "one?.stream");
    });
    await step("the meeting ends", async () => {
        await anna.act("endMeeting", true);
        await subject.untilStatus("kicked");
        await ben.untilStatus("kicked");
    });
    assert.equal(await stage.enter(ben), "joined");
    await step("with a wrong key", async () => {
        assert.equal(await subject.join({ meeting, roomKey: "wrong" }), "invalid_key");
    });
});

flow("viewer", {}, async (stage) => {
    const { subject, anna, meeting, step, sees } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    await step("join", async () => {
        await stage.join({ roomKey: meeting.viewerKey });
        await sees(anna, "a viewer", `one?.roleName === "viewer" && !one.isAudioEnabled && !one.isVideoEnabled`);
    });
    await step("hand and chat", async () => {
        await subject.act("toggleRaiseHand", true);
        await subject.act("sendChatMessage", "a question");
        await subject.untilMessage("a question");
        await sees(anna, "the hand", hand(true));
    });
    await step("leave", async () => {
        await subject.act("leaveRoom");
        await subject.untilStatus("left");
    });
});

for (const [name, without] of [
    ["without a camera", ["camera"]],
    ["without devices", ["camera", "microphone"]],
]) {
    flow(name, { without }, async (stage) => {
        const { subject, anna, meeting, step, sees } = stage;
        if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
        await step("join", async () => {
            await stage.join();
            await sees(anna, "somebody", `one && one.isAudioEnabled === ${!without.includes("microphone")} && !one.isVideoEnabled`);
            await subject.recording.untilSent("sdp_answer");
        });
        await step("leave", async () => {
            await subject.act("leaveRoom");
            await subject.untilStatus("left");
        });
    });
}

breakoutFlow(flow);

// conformance: role.assistant field.WherebyClientOptions.assistantKey field.WherebyClientOptions.isAssistant [sdk]
flow("assistant", {}, async (stage) => {
    const { subject, anna, meeting, step, sees } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    await step("join", async () => {
        assert.equal(await subject.join({ meeting, assistantKey: ASSISTANT_KEY }), "joined");
        await subject.recording.untilSent("sdp_answer");
    });
    await step("chat, name and microphone", async () => {
        await subject.act("sendChatMessage", "by an assistant");
        await subject.untilMessage("by an assistant");
        await subject.act("setDisplayName", "Clara");
        await subject.act("toggleMicrophone", false);
        await subject.recording.untilSent("enable_audio");
    });
    await step("leave", async () => {
        await subject.act("leaveRoom");
        await subject.untilStatus("left");
    });
    await step("with a wrong key", async () => {
        assert.equal(await subject.join({ meeting, assistantKey: "another key for assistants" }), "invalid_assistant_key");
    });
    assert.equal((await anna.state()).remoteParticipants.length, 0);
});

// conformance: joinError.room_full notification.clientUnableToJoinFullRoom [sdk]
flow("full", { people: ["anna", "ben", "dora"] }, async (stage) => {
    const { subject, anna, ben, dora, meeting, step } = stage;
    if (!anna.isKnown) assert.equal(await stage.enter(anna, { roomKey: meeting.hostKey }), "joined");
    for (const person of [ben, dora]) if (!person.isKnown) assert.equal(await stage.enter(person), "joined");
    await step("turned away", async () => {
        assert.equal(await subject.join({ meeting }), "room_full");
        await subject.untilStatus("disconnected");
        await anna.until("the notification", `() => window.lab.notifications().some(({ type }) => type === "clientUnableToJoinFullRoom")`);
    });
    await step("a place", async () => {
        await ben.act("leaveRoom");
        // The SDK does not ask again, however long one waits.
        if (subject.kind === "roomd") await subject.untilStatus("connected");
    });
    await step("leave", () => subject.act("leaveRoom"));
    await anna.until("two are left", (state) => state.remoteParticipants.length === 1, { ms: 20_000 });
    assert.equal(await stage.enter(ben), "joined");
});

flow("requests", { people: [], isOfRequests: true }, async ({ subject, step, meeting }) => {
    for (const name of ["the first join ever", "a join again"]) {
        await step(name, async () => {
            assert.equal(await subject.join({ meeting }), "joined");
            await subject.act("leaveRoom");
            await subject.untilStatus("left");
        });
    }
});

finish();
