//! Screenshares of roomd and of the SDK, one after the other: the right content beside a camera that goes on.
import assert from "node:assert/strict";
import { assertPicture, assertTone, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test, CAMERA, FPS, PRESENTATION, TONE } = applianceBench();
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 });
const SHARE_FPS = 10;

/** roomd shares, the SDK sees it beside the camera, roomd ends it, the SDK sees it gone. */
async function roomdShares({ anna, box, boxId }) {
    await box.carryOut("start_screenshare", {});
    await anna.untilStream("presentation");
    const { screenshares } = await box.waitState("screenshares", ({ screenshares: [one] }) => one?.isLocal);
    assert.equal(screenshares[0].participantId, "local");
    await box.waitState("local_participant", (one) => one.isScreenSharing);
    await box.waitState("local_media", ({ screenshareInput }) => screenshareInput.state === "on");
    const seen = await anna.until("the share in the list", (state) => state.screenshares.length === 1);
    assert.equal(seen.screenshares[0].participantId, boxId);
    const [presentation, camera] = await Promise.all([anna.picture("presentation"), anna.picture()]);
    assertPicture(presentation, { expected: PRESENTATION, sentFps: SHARE_FPS });
    assertPicture(camera, { expected: CAMERA, sentFps: FPS });
    await box.carryOut("stop_screenshare");
    await anna.until("presentation gone", (state) => state.remoteParticipants[0].presentationStream === null && state.screenshares.length === 0);
    await box.waitState("screenshares", ({ screenshares: list }) => list.length === 0);
    await box.waitState("local_media", ({ screenshareInput }) => screenshareInput.state === "off");
    await box.waitState("local_participant", (one) => !one.isScreenSharing);
}

/** The SDK shares, roomd receives it, the SDK ends it, roomd has it no more. */
async function sdkShares({ anna, box, annaId }) {
    const shares = () => box.events.filter(({ name }) => name === "screenshare_stopped").length;
    const before = shares();
    await anna.act("startScreenshare");
    const { screenshares } = await box.waitState("screenshares", ({ screenshares: [one] }) => one && !one.isLocal);
    assert.equal(screenshares[0].participantId, annaId);
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream?.receiving && one.stream?.receiving);
    await box.waitEvent("screenshare_started", ({ participantId, id }) => participantId === annaId && id === screenshares[0].id);
    await anna.act("stopScreenshare");
    await box.waitState("screenshares", ({ screenshares: list }) => list.length === 0);
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream === null && one.stream?.receiving);
    await box.waitEvent("screenshare_stopped", () => shares() > before);
}

// conformance: action.startScreenshare action.stopScreenshare rule.screenshare [mqtt, sdk]
test("roomd shares three times in a row while its camera and its tone go on", async (desk) => {
    const call = await desk.call({ devices: sources });
    for (let round = 1; round <= 3; round += 1) await roomdShares(call);
    assertPicture(await call.anna.picture(), { expected: CAMERA, sentFps: FPS });
    assertTone(await call.anna.sound(), TONE);
});

test("roomd and the SDK share in turn", async (desk) => {
    const call = await desk.call({ devices: sources });
    await sdkShares(call);
    await roomdShares(call);
    await sdkShares(call);
    await roomdShares(call);
    assertTone(await call.anna.sound(), TONE);
});

test("the SDK shares and ends it twice over a connection that roomd offered", async (desk) => {
    const call = await desk.call({ devices: sources, boxFirst: true });
    for (let round = 1; round <= 2; round += 1) {
        await sdkShares(call);
        // Every answer of roomd has to be one that the browser takes, or its next offer waits for ever.
        await call.anna.until("a settled connection", () => window.lab.settledConnections() === 1);
    }
    assert.deepEqual(await call.anna.call("refusedDescriptions"), []);
    await roomdShares(call);
    assertTone(await call.anna.sound(), TONE);
});

/** A share in a section that so far only roomd sent must not cost the connection: the camera would stand still meanwhile. */
const assertNoneMadeAnew = async ({ anna, box }) => {
    assert.equal((await anna.call("descriptions")).length, 1, "a connection was made anew");
    assert.deepEqual(box.program.lines.filter((line) => line.includes("a peer connection failed")), []);
    assert.deepEqual(await anna.call("refusedDescriptions"), []);
};

for (const boxFirst of [false, true]) {
    const offerer = boxFirst ? "roomd" : "the browser";
    test(`a browser without camera shares its screen and turns its camera on, over the connection that ${offerer} offered`, async (desk) => {
        const call = await desk.call({ devices: sources, kinds: { audio: true, video: false }, boxFirst });
        await sdkShares(call);
        await call.anna.act("toggleCamera", true);
        await call.box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.isVideoEnabled && one.stream?.fps > 0);
        await sdkShares(call);
        await roomdShares(call);
        await assertNoneMadeAnew(call);
    });
}

test("both share at once and in every order, over the connection that is there", async (desk) => {
    const call = await desk.call({ devices: sources });
    const { anna, box } = call;
    const both = async () => {
        await box.waitState("screenshares", ({ screenshares }) => screenshares.length === 2);
        await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream?.receiving && one.stream?.receiving);
        await anna.untilStream("presentation");
        assertPicture(await anna.picture("presentation"), { expected: PRESENTATION, sentFps: SHARE_FPS });
    };
    await box.carryOut("start_screenshare", {});
    await anna.untilStream("presentation");
    await anna.act("startScreenshare");
    await both();
    await box.carryOut("stop_screenshare");
    await anna.until("roomd's share gone", (state) => state.remoteParticipants[0].presentationStream === null);
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream?.receiving);
    await box.carryOut("start_screenshare", {});
    await both();
    await anna.act("stopScreenshare");
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream === null);
    assertPicture(await anna.picture("presentation"), { expected: PRESENTATION, sentFps: SHARE_FPS });
    await anna.act("startScreenshare");
    await both();
    await anna.act("stopScreenshare");
    // Offers that cross would end the connection: there is no rollback in this protocol.
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream === null);
    await anna.until("a settled connection", () => window.lab.settledConnections() === 1);
    await box.carryOut("stop_screenshare");
    await box.waitState("screenshares", ({ screenshares }) => screenshares.length === 0);
    await anna.until("roomd's share gone", (state) => state.remoteParticipants[0].presentationStream === null);
    assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
    await assertNoneMadeAnew(call);
});

test("both share at once, and who comes later sees both", async (desk) => {
    const call = await desk.call({ devices: sources });
    await call.box.carryOut("start_screenshare", { source: "laptop" });
    await call.anna.untilStream("presentation");
    await call.anna.act("startScreenshare");
    await call.box.waitState("screenshares", ({ screenshares }) => screenshares.length === 2);
    await call.box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.presentationStream?.receiving);
    assertPicture(await call.anna.picture("presentation"), { expected: PRESENTATION, sentFps: SHARE_FPS });

    const ben = await desk.open("ben");
    assert.equal(await ben.join({ roomUrl: call.meeting.sdkUrl, devices: devices({ shift: 6, hz: 550, width: 320, height: 180, fps: 15 }) }), "joined");
    await ben.untilStream("presentation", call.boxId);
    assertPicture(await ben.picture("presentation", call.boxId), { expected: PRESENTATION, sentFps: SHARE_FPS });
    assertPicture(await ben.picture("camera", call.boxId), { expected: CAMERA, sentFps: FPS });
    await call.box.carryOut("stop_screenshare");
    for (const person of [call.anna, ben]) await person.until("roomd's share is gone", (state) => state.screenshares.every(({ participantId }) => participantId !== "x") && state.remoteParticipants.every((one) => one.displayName !== "Room desk" || one.presentationStream === null));
    const refused = await call.box.command("start_screenshare", { source: "nothing" });
    assert.equal(refused.ok, false, JSON.stringify(refused));
});
