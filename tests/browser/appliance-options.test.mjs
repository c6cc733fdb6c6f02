//! How one comes into a room and with which picture: options and modes, by an SDK and by roomd, as the other one sees them. And files, which
//! this room server does not offer.
import assert from "node:assert/strict";
import { commandOf } from "./support/actions.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { devices } from "./support/content.mjs";
import { until } from "./support/waiting.mjs";

const { test } = applianceBench({ isWitnessed: true });
const MS = 20_000;
const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: 10 });

/** Cameras with more lines than the modes leave. */
const SIZE = { width: 768, height: 432 };
/** The mode that is switched, and what is seen then. */
const MODES = [
    ["toggleHdMode", false, [640, 360]],
    ["toggleLowDataMode", true, [480, 270]],
    ["toggleWidescreenMode", false, [360, 270]],
    ["toggleHdMode", true, [480, 360]],
];

// conformance: action.toggleHdMode action.toggleLowDataMode action.toggleWidescreenMode [mqtt, sdk]
// conformance: field.MediaStreamConstraints.video [mqtt, sdk]
test("HD, low data and widescreen change what the others see alike", async (desk) => {
    const sources = devices({ shift: 3, hz: 880, ...SIZE, fps: 10 });
    const { box, boxId, annaId, anna, meeting } = await desk.call({ devices: { ...sources, camera: { ...sources.camera, obeys: true } }, size: SIZE });
    const ben = await desk.open("ben");
    assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: small(6, 550), localMediaOptions: { audio: false, video: false } }), "joined");
    const shown = { hd: true, lowData: false, widescreen: true };
    for (const id of [annaId, boxId]) await ben.untilStream("camera", id, MS);
    for (const [action, enabled, [width, height]] of MODES) {
        await anna.act(action, enabled);
        await box.carryOut(...commandOf(action, [enabled]));
        shown[{ toggleHdMode: "hd", toggleLowDataMode: "lowData", toggleWidescreenMode: "widescreen" }[action]] = enabled;
        const mode = shown.lowData ? "low_data" : shown.hd ? "hd" : "sd";
        await box.waitState("local_media", (media) => media.mode === mode && media.widescreen === shown.widescreen, MS);
        for (const [who, id] of [["the SDK", annaId], ["roomd", boxId]]) {
            let seen;
            const isIt = async () => {
                seen = await ben.picture("camera", id, 200);
                return seen.width === width && seen.height === height;
            };
            await until(`${action} ${enabled}`, isIt, MS).catch((error) => Promise.reject(new Error(`${who}, ${action} ${enabled}: ${seen.width} × ${seen.height}, expected ${width} × ${height}`, { cause: error })));
        }
    }
});

// conformance: field.LocalMediaOptions.audio field.LocalMediaOptions.video [mqtt, sdk]
// conformance: field.WherebyClientOptions.localMediaOptions field.WherebyClientOptions.initialMuteStates [mqtt, sdk]
// conformance: field.RoomJoinedSuccess.room field.RoomJoinedSuccess.selfId [mqtt, sdk]
test("with every choice of microphone and camera a guest comes as chosen, SDK and roomd", async (desk) => {
    const meeting = await desk.meeting();
    const [anna, guest] = [await desk.open("anna"), await desk.open("guest")];
    assert.equal(await anna.join({ roomUrl: meeting.sdkUrl, roomKey: meeting.hostKey, devices: small(3, 880) }), "joined");
    const box = await desk.appliance();
    const came = async (who, audio, video) => {
        const { remoteParticipants } = await anna.until(`${who}: audio ${audio}, video ${video}`, (state, ...wanted) => state.remoteParticipants[0]?.isAudioEnabled === wanted[0] && state.remoteParticipants[0].isVideoEnabled === wanted[1], { args: [audio, video], ms: MS });
        assert.equal(remoteParticipants.length, 1);
        return remoteParticipants[0].id;
    };
    const gone = () => anna.until("nobody", (state) => state.remoteParticipants.length === 0, { ms: MS });
    for (const [audio, video] of [[true, true], [true, false], [false, true], [false, false]]) {
        assert.equal(await guest.join({ roomUrl: meeting.sdkUrl, devices: small(6, 550), localMediaOptions: { audio, video } }), "joined");
        const { room, selfId } = await guest.call("welcome");
        assert.equal(selfId, await came("SDK", audio, video));
        const state = await guest.state();
        assert.deepEqual([state.isMicrophoneEnabled, state.isCameraEnabled], [audio, video]);

        await guest.act("leaveRoom");
        await gone();
        const { participantId } = await box.carryOut("join_room", { roomUrl: desk.witness.origin + meeting.roomName, initialMuteStates: { microphone: !audio, camera: !video } });
        assert.equal(participantId, await came("roomd", audio, video));
        const wanted = { microphone: audio ? "on" : "muted", camera: video ? "on" : "off" };
        await box.waitState("local_media", ({ microphone, camera }) => microphone.state === wanted.microphone && camera.state === wanted.camera && microphone.proof.open === audio && camera.proof.open === video, MS);
        // What the room's server told to both.
        const { roomName, roomMode, isLocked, session } = await box.waitState("room", (part) => part.session, MS);
        assert.deepEqual([roomName, roomMode, isLocked], [room.name, room.mode, room.isLocked]);
        assert.deepEqual(Object.keys(session).sort(), Object.keys(room.session).sort());
        await box.carryOut("leave_room");
        await gone();
    }
});

// conformance: action.sendFiles field.FileUpload.id field.FileUpload.name field.FileUpload.size field.FileUpload.type [sdk]
// conformance: field.FileUpload.status field.FileUpload.error field.RoomConnectionState.fileUploads [sdk]
// conformance: field.ChatMessage.file [mqtt, sdk]
test("a file is refused by the room server, and one of another server shows at roomd as at the SDK", async (desk) => {
    const { anna, box, annaId } = await desk.call({ devices: small(3, 880), origin: desk.witness.origin });
    await anna.call("sendFiles", [{ name: "plan.txt", type: "text/plain", text: "a plan" }]);
    const { fileUploads } = await anna.until("the upload is refused", (state) => state.fileUploads[0]?.status === "error", { ms: MS });
    const [{ id, ...upload }] = fileUploads;
    assert.ok(id);
    assert.deepEqual(upload, { name: "plan.txt", size: 6, type: "text/plain", status: "error", error: "file_sharing_not_available" });
    assert.deepEqual(box.state("chat").chat, []);

    const file = { downloadUrl: "https://files.example.org/plan", name: "plan.txt", size: 6, type: "text/plain", key: "of-the-store", id: "the-file" };
    desk.witness.tell("chat_message", { id: "with-file", messageType: "text", senderId: annaId, roomName: "/x", text: "", timestamp: "2026-01-01T00:00:00.000Z", userId: null, file });
    const { chat } = await box.waitState("chat", (part) => part.chat.length === 1, MS);
    const { chatMessages } = await anna.until("the file", (state) => state.chatMessages.length === 1, { ms: MS });
    assert.deepEqual([chat[0].file, chatMessages[0].file], [file, file]);
});

// conformance: field.BreakoutState.error [mqtt, sdk]
test("a room without groups has none for the SDK as for roomd, and both say why", async (desk) => {
    const { anna, box } = await desk.call({ devices: small(3, 880), boxIsHost: true });
    await anna.act("startBreakoutSession", { groups: { a: "Group A" } });
    const { error } = await box.command("start_breakout_session", { groups: { a: "Group A" } });
    assert.ok(error.message && error.remedy, JSON.stringify(error));
    const { breakout } = await anna.until("an error", (state) => state.breakout.error, { ms: MS });
    const ours = await box.waitState("breakout", (state) => state.error, MS);
    assert.deepEqual([ours.error, ours.isAvailable], [breakout.error, breakout.isAvailable]);
});
