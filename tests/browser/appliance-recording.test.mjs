//! Recordings by the room server's own recorder, of roomd and an SDK: who is told, and what is in the files.
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { applianceBench } from "./support/appliance.mjs";
import { assertTone, coloursOf, devices, farthest, withoutColourSpace } from "./support/content.mjs";
import { picturesOf, recordersOf, recordingsIn, soundOf } from "./support/recording.mjs";
import { until } from "./support/waiting.mjs";

const folder = mkdtempSync(join(tmpdir(), "roomd-recordings-"));
const directory = join(folder, "recordings");
after(() => rm(folder, { recursive: true }));
const { test, CAMERA, PRESENTATION, TONE } = applianceBench({
    server: { toml: `[recording]\ndirectory = ${JSON.stringify(directory)}\nquota_megabytes = 100\nkeep_free_megabytes = 0\n[log]\nlevel = "info"` },
});
const SHIFT = 3;
const HZ = 880;
const sources = devices({ shift: SHIFT, hz: HZ, width: 320, height: 180, fps: 15 });
const MS = 20_000;
/** How far a colour may be off: twice through a codec, and once through another program's conversion. */
const TOLERANCE = 35;

const isRecording = ({ cloudRecording }) => cloudRecording?.status === "recording";

/** Both sides, and the room, say that it records. */
async function untilRecording({ anna, box }) {
    const { cloudRecording } = await box.waitState("cloud_recording", isRecording, MS);
    const state = await anna.until("a recording", ({ cloudRecording: one }) => one?.status === "recording", { ms: MS });
    assert.equal(cloudRecording.startedAt, state.cloudRecording.startedAt);
    assert.ok(Math.abs(Date.now() - cloudRecording.startedAt) < MS);
    return cloudRecording;
}

async function untilNone({ anna, box }) {
    await box.waitState("cloud_recording", (part) => part.cloudRecording === null, MS);
    await anna.until("no recording", ({ cloudRecording }) => !cloudRecording, { ms: MS });
}

/** The recordings that were not there before. */
async function newRecording(before, isIt = ({ index }) => index.state !== "recording") {
    const known = before.map(({ name }) => name);
    return until("a recording that is complete", async () => (await recordingsIn(directory)).find((one) => !known.includes(one.name) && isIt(one)), MS);
}

/** So many files have begun: media arrives a moment after the recording was announced. */
async function untilFiles(before, count) {
    const known = before.map(({ name }) => name);
    await until(`${count} files`, async () => (await recordingsIn(directory)).find(({ name, index }) => !known.includes(name) && index.files.length >= count), MS);
}

/** The pictures that are in the file of a participant's camera by now. */
async function framesOf(before, id) {
    const known = before.map(({ name }) => name);
    const { folder, index } = (await recordingsIn(directory)).find(({ name }) => !known.includes(name));
    return (await picturesOf(join(folder, index.files.find(({ participantId }) => participantId === id).file))).frames;
}

/** A file shows these colours, moves, and lasts about so many seconds at that rate. */
async function assertPictures(file, { expected, fps, seconds }) {
    const seen = await picturesOf(file);
    const what = JSON.stringify({ ...seen, seconds });
    assert.ok(seen.frames >= (fps * seconds) / 2 && seen.frames <= fps * seconds * 1.3 + 5, `${fps} fps for ${seconds} s: ${what}`);
    assert.ok(seen.distinctFrames >= seen.frames / 3, `it stands still: ${what}`);
    const error = farthest(seen.cells, expected);
    assert.ok(error <= TOLERANCE, `a cell is off by ${error}, expected ${JSON.stringify(expected)}: ${what}`);
}

const camera = withoutColourSpace(coloursOf(SHIFT));

// conformance: event.cloud-recording:status-changed [mqtt, sdk]
// conformance: action.startCloudRecording action.stopCloudRecording role.recorder [sdk]
// conformance: field.CloudRecordingState.status field.CloudRecordingState.startedAt field.RoomConnectionState.cloudRecording [mqtt, sdk]
test("a host's recording is a playable file of each participant, and everybody sees that it runs", async (desk) => {
    const before = await recordingsIn(directory);
    const { anna, box, meeting, boxId, annaId } = await desk.call({ devices: sources });
    const began = performance.now();
    await anna.act("startCloudRecording");
    await untilRecording({ anna, box });
    await box.waitEvent("cloud_recording_status_changed", isRecording);
    const [recorder] = await recordersOf(desk.server.program);
    assert.ok(!recorder.line.some((text) => text.includes(meeting.hostKey) || text.includes("roomKey")), "a key in its arguments");
    const state = await anna.state();
    assert.deepEqual([state.remoteParticipants.length, box.state("remote_participants").remoteParticipants.length], [1, 1], "the recorder is nobody");

    await untilFiles(before, 2);
    // Two seconds with everything, two without roomd's microphone, two with a screen.
    await anna.sound("camera", null, 2000);
    await box.carryOut("toggle_microphone", { enabled: false });
    await anna.sound("camera", null, 2000);
    await box.carryOut("toggle_microphone", { enabled: true });
    await box.carryOut("start_screenshare", { source: "laptop" });
    await anna.until("roomd's screen", ({ screenshares }) => screenshares.length === 1);
    await anna.picture("screenshare", null, 2500);
    await box.carryOut("stop_screenshare");
    await anna.sound("camera", null, 1000);
    await anna.act("stopCloudRecording");
    await untilNone({ anna, box });
    const most = (performance.now() - began) / 1000;

    const one = await newRecording(before);
    assert.equal(one.index.state, "finished", JSON.stringify(one.index));
    assert.equal(one.mode, "700");
    assert.deepEqual([...new Set(Object.values(one.modes))], ["600"]);
    assert.equal(`/${one.index.room}`, meeting.roomName.startsWith("/") ? meeting.roomName : `/${meeting.roomName}`);
    assert.deepEqual(one.index.participants.map(({ participantId }) => participantId).sort(), [annaId, boxId].sort());
    assert.equal(one.index.files.length, 3, JSON.stringify(one.index.files));
    const of = (id, kind) => one.index.files.find((file) => file.participantId === id && file.kind === kind);
    const seconds = (file) => file.durationMs / 1000;
    const [hers, its, shared] = [of(annaId, "camera"), of(boxId, "camera"), of(boxId, "screenshare")];
    for (const file of [hers, its]) {
        assert.deepEqual([...file.codecs].sort(), ["opus", "vp8"]);
        assert.ok(seconds(file) > 7 && seconds(file) < most + 1, `${seconds(file)} s of at most ${most} s`);
    }
    await assertPictures(join(one.folder, hers.file), { expected: camera, fps: 15, seconds: seconds(hers) });
    await assertPictures(join(one.folder, its.file), { expected: CAMERA, fps: 15, seconds: seconds(its) });
    await assertPictures(join(one.folder, shared.file), { expected: PRESENTATION, fps: 10, seconds: seconds(shared) });
    assert.ok(seconds(shared) > 1.5 && seconds(shared) < 6, `${seconds(shared)} s of the screen`);
    assert.ok(shared.offsetMs > its.offsetMs + 3500, "the screen came later");
    const sound = await soundOf(join(one.folder, hers.file));
    assertTone(sound, { hz: HZ, dbfs: -15 });
    assert.ok(Math.abs(sound.seconds - seconds(hers)) < 0.5, `${sound.seconds} s of sound in ${seconds(hers)} s`);
    // The mute is in the file, and what came after it at its time.
    const muted = await soundOf(join(one.folder, its.file));
    const levels = JSON.stringify(muted.each);
    assert.ok(muted.each.some(({ dbfs }) => dbfs === null || dbfs < -60), `nowhere silent: ${levels}`);
    assertTone({ ...muted.each[0], hasTrack: true }, { hz: TONE.hz });
    assertTone({ ...muted.each.at(-1), hasTrack: true }, { hz: TONE.hz });
    assert.ok(Math.abs(muted.seconds - seconds(its)) < 0.5, `${muted.seconds} s of sound in ${seconds(its)} s`);
    await until("the recorder has ended", async () => (await recordersOf(desk.server.program)).length === 0);
    assert.ok(!desk.server.program.lines.some((line) => line.includes("roomKey=") || line.includes(meeting.hostKey)), "a key in the log");
});

// conformance: action.startCloudRecording action.stopCloudRecording [mqtt]
// conformance: field.CloudRecordingState.error [mqtt, sdk]
test("everybody is told when the recorder is killed, and its files can be played so far", async (desk) => {
    const before = await recordingsIn(directory);
    const { anna, box, boxId, annaId } = await desk.call({ devices: sources, boxIsHost: true });
    await box.carryOut("start_cloud_recording");
    await untilRecording({ anna, box });
    await untilFiles(before, 2);
    await anna.sound("camera", null, 5000);
    const [{ pid }] = await recordersOf(desk.server.program);
    process.kill(pid, "SIGKILL");
    const { cloudRecording } = await box.waitState("cloud_recording", (part) => part.cloudRecording?.status === "error", MS);
    assert.equal(cloudRecording.error, "recorder_ended");
    await anna.until("the error", ({ cloudRecording: one }) => one?.status === "error" && one.error === "recorder_ended", { ms: MS });

    const broken = await newRecording(before, () => true);
    assert.equal(broken.index.state, "recording", "nobody could say more");
    for (const [id, expected, hz] of [[annaId, camera, HZ], [boxId, CAMERA, TONE.hz]]) {
        const { file } = broken.index.files.find(({ participantId }) => participantId === id);
        const sound = await soundOf(join(broken.folder, file));
        assert.ok(sound.seconds > 3 && sound.seconds < 15, `${sound.seconds} s of sound`);
        assertTone(sound, { hz });
        await assertPictures(join(broken.folder, file), { expected, fps: 15, seconds: sound.seconds });
    }

    // It can be started again, by either host, which says of the broken one what it is. The last ends with the last person.
    const earlier = [...before, broken];
    for (const stop of [
        () => box.carryOut("stop_cloud_recording").then(() => untilNone({ anna, box })),
        () => box.carryOut("leave_room").then(() => anna.act("leaveRoom")),
    ]) {
        await anna.act("startCloudRecording");
        await untilRecording({ anna, box });
        await untilFiles(earlier, 2);
        await anna.sound("camera", null, 2000);
        await stop();
        const next = await newRecording(earlier);
        assert.equal(next.index.state, "finished");
        assert.equal(next.index.files.length, 2);
        assert.ok(next.index.files.every(({ durationMs }) => durationMs > 500), JSON.stringify(next.index.files));
        earlier.push(next);
    }
    const { index } = (await recordingsIn(directory)).find(({ name }) => name === broken.name);
    assert.equal(index.state, "interrupted");
    await until("the recorder has ended", async () => (await recordersOf(desk.server.program)).length === 0);
});

test("what comes in H.264, without a camera for a while and after coming back is in files of its own, which SIGTERM completes", async (desk) => {
    const before = await recordingsIn(directory);
    const { anna, box, roomUrl, boxId } = await desk.call({ devices: sources, media: `video_codecs = ["h264"]` });
    await anna.act("startCloudRecording");
    await untilRecording({ anna, box });
    await untilFiles(before, 2);
    await anna.sound("camera", null, 3000);
    await box.carryOut("toggle_camera", { enabled: false });
    await anna.sound("camera", null, 2500);
    await box.carryOut("toggle_camera", { enabled: true });
    await anna.sound("camera", null, 2500);
    await box.carryOut("leave_room");
    await anna.until("roomd is gone", ({ remoteParticipants }) => remoteParticipants.length === 0);
    await box.carryOut("join_room", { roomUrl, initialMuteStates: { camera: false, microphone: false } });
    await untilFiles(before, 3);
    await anna.sound("camera", null, 3000);
    const [{ pid }] = await recordersOf(desk.server.program);
    process.kill(pid, "SIGTERM");
    await untilNone({ anna, box });

    const one = await newRecording(before);
    assert.equal(one.index.state, "finished", JSON.stringify(one.index));
    const its = one.index.files.filter(({ displayName }) => displayName === "Room desk");
    assert.equal(its.length, 2, JSON.stringify(one.index.files));
    assert.equal(its[0].participantId, boxId);
    assert.equal(one.index.participants.filter(({ displayName }) => displayName === "Room desk").length, 2);
    assert.ok(its[1].offsetMs > its[0].offsetMs + its[0].durationMs, JSON.stringify(its));
    for (const file of its) {
        assert.deepEqual([...file.codecs].sort(), ["h264", "opus"]);
        const seen = await picturesOf(join(one.folder, file.file));
        assert.ok(seen.distinctFrames >= seen.frames / 3, `it stands still: ${JSON.stringify(seen)}`);
        const error = farthest(seen.cells, CAMERA);
        assert.ok(error <= TOLERANCE, `a cell is off by ${error}, expected ${JSON.stringify(CAMERA)}: ${JSON.stringify(seen)}`);
        const sound = await soundOf(join(one.folder, file.file));
        assertTone(sound, { hz: TONE.hz });
        // The sound goes on while the camera is off.
        const without = file === its[0] ? 2 : 0;
        const most = 15 * (file.durationMs / 1000 - without);
        assert.ok(seen.frames >= most / 2 && seen.frames <= most * 1.15 + 5, `${seen.frames} pictures of at most ${most}`);
        assert.ok(Math.abs(sound.seconds - file.durationMs / 1000) < 0.5, `${sound.seconds} s of sound in ${file.durationMs} ms`);
    }
});

test("a recording goes on with who is in a breakout group, where it is seen too", async (desk) => {
    const before = await recordingsIn(directory);
    const { anna, box, boxId, annaId } = await desk.call({ devices: sources, boxIsHost: true, meetingOptions: { roomMode: "group" } });
    const began = performance.now();
    await anna.act("startCloudRecording");
    await untilRecording({ anna, box });
    await untilFiles(before, 2);
    await box.carryOut("start_breakout_session", { groups: { a: "Group A" }, assignments: { [boxId]: "a" } });
    await box.carryOut("join_breakout_group", { group: "a" });
    await anna.until("roomd in its group", ({ remoteParticipants }) => remoteParticipants[0]?.breakoutGroup === "a", { ms: MS });
    assert.ok(isRecording(box.state("cloud_recording")), "who is in the group knows that it records");
    // Three more seconds of its pictures are written while it is alone in the group; it ends the recording from there.
    const moved = await framesOf(before, boxId);
    await until("pictures of the group", async () => (await framesOf(before, boxId)) >= moved + 45, MS);
    await box.carryOut("stop_cloud_recording");
    await untilNone({ anna, box });
    const most = (performance.now() - began) / 1000;

    const one = await newRecording(before);
    assert.equal(one.index.state, "finished", JSON.stringify(one.index));
    const of = (id) => one.index.files.filter(({ participantId }) => participantId === id);
    assert.deepEqual([of(annaId).length, of(boxId).length], [1, 1], JSON.stringify(one.index.files));
    const [{ file, durationMs }] = of(boxId);
    assert.ok(durationMs > 3000 && durationMs < (most + 1) * 1000, `${durationMs} ms of at most ${most} s`);
    await assertPictures(join(one.folder, file), { expected: CAMERA, fps: 15, seconds: durationMs / 1000 });
});

test("a recording ends when there is no room for more, and everybody is told why", async (desk) => {
    const before = await recordingsIn(directory);
    const { anna, box } = await desk.call({ devices: sources });
    // Something that is no recording: it is not deleted, and counts.
    const foreign = join(directory, "notes");
    await mkdir(foreign);
    await writeFile(join(foreign, "large"), Buffer.alloc(99_700_000));
    try {
        await anna.act("startCloudRecording");
        await untilRecording({ anna, box });
        const { cloudRecording } = await box.waitState("cloud_recording", (part) => part.cloudRecording?.status === "error", 60_000);
        assert.equal(cloudRecording.error, "recorder_storage_full");
        await anna.until("the error", ({ cloudRecording: one }) => one?.error === "recorder_storage_full", { ms: MS });
        const all = await recordingsIn(directory);
        assert.equal(all.filter(({ name }) => before.some((one) => one.name === name)).length, 0, "finished recordings give way first");
        const one = await newRecording(before);
        assert.equal(one.index.state, "failed");
        assert.match(one.index.error, /recording\.quota_megabytes/);
        const bytes = one.index.files.reduce((sum, file) => sum + file.bytes, 0);
        assert.ok(bytes > 50_000 && bytes < 320_000, `${bytes} bytes`);
        const longest = one.index.files.reduce((a, b) => (a.durationMs > b.durationMs ? a : b));
        assert.ok((await soundOf(join(one.folder, longest.file))).seconds > 0.5);
    } finally {
        await rm(foreign, { recursive: true });
    }
});
