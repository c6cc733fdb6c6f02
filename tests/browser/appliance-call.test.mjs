//! roomd in a room with an unmodified SDK: each sees and hears the other with the right content. Everything goes through MQTT.
import assert from "node:assert/strict";
import { assertPicture, assertSilence, assertTone, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test, CAMERA, FPS, PRESENTATION, TONE } = applianceBench();
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 });

for (const boxFirst of [false, true]) {
    test(`roomd and an SDK see and hear each other with the right content, ${boxFirst ? "roomd" : "the SDK"} being there first`, async (desk) => {
        const { anna, box } = await desk.call({ devices: sources, boxFirst });
        assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
        assertTone(await anna.sound(), { hz: TONE.hz, dbfs: TONE.dbfs });
        const { remoteParticipants } = await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one?.stream?.receiving);
        const [remote] = remoteParticipants;
        assert.equal(remote.displayName, "anna");
        console.log(JSON.stringify(remote));
    });
}
