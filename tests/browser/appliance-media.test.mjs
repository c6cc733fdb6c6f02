//! Microphone and camera of roomd, switched over MQTT: what the SDK hears and sees, and the proof that roomd publishes.
import assert from "node:assert/strict";
import { assertPicture, assertSilence, assertTone, devices } from "./support/content.mjs";
import { applianceBench, statesOf } from "./support/appliance.mjs";

const { test, CAMERA, FPS, TONE } = applianceBench();
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 });

// conformance: action.toggleMicrophone rule.ownMediaNameAndHand [mqtt, sdk]
test("muted is silence at the SDK with a closed device, and the tone comes back, twice", async (desk) => {
    const { anna, box } = await desk.call({ devices: sources });
    assertTone(await anna.sound(), TONE);
    for (let round = 1; round <= 2; round += 1) {
        assert.deepEqual(await box.carryOut("toggle_microphone", { enabled: false }), { enabled: false });
        const { microphone } = await box.waitState("local_media", (media) => media.microphone.state === "muted");
        assert.equal(microphone.proof.flowing, false);
        await box.waitState("local_media", (media) => media.microphone.proof.open === false, 2000);
        const local = await box.waitState("local_participant", (one) => one.isAudioEnabled === false);
        assert.equal(local.changedBy.source, "mqtt");
        await anna.until("roomd is muted", (state) => state.remoteParticipants[0].isAudioEnabled === false);
        // What was on its way is heard a moment longer: silence comes within a second and stays.
        await anna.sound("camera", null, 1000);
        assertSilence(await anna.sound());

        assert.deepEqual(await box.carryOut("toggle_microphone"), { enabled: true });
        await box.waitState("local_media", (media) => media.microphone.state === "on" && media.microphone.proof.flowing && media.microphone.proof.open);
        await anna.until("roomd is not muted", (state) => state.remoteParticipants[0].isAudioEnabled === true);
        await anna.sound("camera", null, 500);
        assertTone(await anna.sound(), TONE);
    }
    for (const { microphone } of statesOf(box, "local_media")) {
        if (microphone.state === "muted") assert.equal(microphone.proof.flowing, false, "said to be muted while samples flow");
    }
    assert.ok(statesOf(box, "problems").every(({ problems }) => problems.every(({ code }) => code !== "microphone_open_while_muted")));
});

// conformance: action.toggleCamera [mqtt, sdk]
test("a camera that is off sends no frame and its device is closed, and the picture comes back, twice", async (desk) => {
    const { anna, box } = await desk.call({ devices: sources });
    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
    for (let round = 1; round <= 2; round += 1) {
        assert.deepEqual(await box.carryOut("toggle_camera", { enabled: false }), { enabled: false });
        await box.waitState("local_media", ({ camera }) => camera.state === "off" && !camera.proof.flowing);
        await box.waitState("local_media", ({ camera }) => camera.proof.open === false, 2000);
        await box.waitState("local_participant", (one) => one.isVideoEnabled === false);
        await anna.until("roomd's camera is off", (state) => state.remoteParticipants[0].isVideoEnabled === false);
        await anna.picture("camera", null, 500);
        const off = await anna.picture("camera", null, 1000);
        assert.equal(off.framesDecoded, 0, JSON.stringify(off));
        assertTone(await anna.sound("camera", null, 1000), TONE);

        assert.deepEqual(await box.carryOut("toggle_camera", { enabled: true }), { enabled: true });
        await box.waitState("local_media", ({ camera }) => camera.state === "on" && camera.proof.flowing && camera.proof.open);
        await anna.until("roomd's camera is on", (state) => state.remoteParticipants[0].isVideoEnabled === true);
        await anna.picture("camera", null, 500);
        assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
    }
    for (const { camera } of statesOf(box, "local_media")) {
        if (camera.state === "off") assert.equal(camera.proof.flowing, false, "said to be off while frames flow");
    }
});

test("the SDK's microphone and camera, switched, are told by roomd", async (desk) => {
    const { anna, box } = await desk.call({ devices: sources });
    const one = (predicate) => box.waitState("remote_participants", ({ remoteParticipants }) => remoteParticipants.length === 1 && predicate(remoteParticipants[0]));
    await one(({ isAudioEnabled, isVideoEnabled, stream }) => isAudioEnabled && isVideoEnabled && stream?.receiving);
    await anna.act("toggleMicrophone", false);
    await one(({ isAudioEnabled }) => isAudioEnabled === false);
    await anna.act("toggleCamera", false);
    await one(({ isVideoEnabled }) => isVideoEnabled === false);
    await anna.act("toggleMicrophone", true);
    await anna.act("toggleCamera", true);
    await one(({ isAudioEnabled, isVideoEnabled, stream }) => isAudioEnabled && isVideoEnabled && stream?.receiving);
});
