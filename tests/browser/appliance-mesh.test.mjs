//! Three in a room, roomd among them: everybody sees and hears the right content of everybody.
import assert from "node:assert/strict";
import { assertPicture, assertTone, coloursOf, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test, CAMERA, FPS, TONE } = applianceBench();
const ANNA = { shift: 3, hz: 880 };
const BEN = { shift: 6, hz: 550 };
const sources = (who) => devices({ ...who, width: 320, height: 180, fps: FPS });

test("two SDKs and roomd see and hear each other, and who stays goes on when one leaves", async (desk) => {
    const { anna, box, meeting, boxId, annaId } = await desk.call({ devices: sources(ANNA) });
    const ben = await desk.open("ben");
    assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: sources(BEN) }), "joined");
    const benId = (await ben.state()).localParticipant.id;
    await Promise.all([anna.untilStream("camera", benId), anna.untilStream("camera", boxId), ben.untilStream("camera", annaId), ben.untilStream("camera", boxId)]);
    const { remoteParticipants } = await box.waitState("remote_participants", ({ remoteParticipants: all }) => all.length === 2 && all.every(({ stream }) => stream?.receiving && stream.video && stream.audio));
    assert.deepEqual(remoteParticipants.map(({ displayName }) => displayName).sort(), ["anna", "ben"]);
    assert.deepEqual(box.state("client_views").clientViews.map(({ displayName }) => displayName).sort(), ["Room desk", "anna", "ben"]);

    const roomd = { id: boxId, expected: CAMERA, hz: TONE.hz };
    const persons = { anna: { id: annaId, expected: coloursOf(ANNA.shift), hz: ANNA.hz }, ben: { id: benId, expected: coloursOf(BEN.shift), hz: BEN.hz } };
    for (const [viewer, others] of [
        [anna, [roomd, persons.ben]],
        [ben, [roomd, persons.anna]],
    ]) {
        for (const { id, expected, hz } of others) {
            assertPicture(await viewer.picture("camera", id), { expected, sentFps: FPS });
            assertTone(await viewer.sound("camera", id), { hz, dbfs: -15 });
        }
    }

    await anna.act("leaveRoom");
    await box.waitState("remote_participants", ({ remoteParticipants: all }) => all.length === 1 && all[0].id === benId);
    assertPicture(await ben.picture("camera", boxId), { expected: CAMERA, sentFps: FPS });
    assertTone(await ben.sound("camera", boxId), TONE);
});

test("one encoder serves two viewers: who comes later has a picture at once, who was there misses nothing", async (desk) => {
    const { anna, box, meeting, boxId } = await desk.call({ devices: sources(ANNA) });
    assertPicture(await anna.picture("camera", boxId), { expected: CAMERA, sentFps: FPS });
    const ben = await desk.open("ben");
    const before = await anna.picture("camera", boxId, 200);
    assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: sources(BEN) }), "joined");
    await ben.untilStream("camera", boxId);
    const [seen, after] = await Promise.all([ben.picture("camera", boxId, 3000), anna.picture("camera", boxId, 3000)]);
    assertPicture(seen, { expected: CAMERA, sentFps: FPS });
    assertPicture(after, { expected: CAMERA, sentFps: FPS });
    assert.equal(after.freezeCount - before.freezeCount, 0, "the picture stood still for who was there");
    assert.equal(box.state("local_media").camera.state, "on");
});
