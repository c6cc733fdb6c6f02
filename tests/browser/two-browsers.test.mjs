//! Two unmodified SDKs on roomd's room server, reached under the SDK's own host names: nothing in the pages is touched.
import assert from "node:assert/strict";
import { bench } from "./support/bench.mjs";
import { assertPicture, assertSilence, assertTone, coloursOf, devices } from "./support/content.mjs";

// 60 ms from server to client: states that live for one round trip can be seen.
const { test } = bench({ front: { delayMs: 60 } });

const FPS = 15;
const ANNA = { shift: 0, hz: 440 };
const BEN = { shift: 5, hz: 880 };
const sources = (who) => devices({ ...who, width: 320, height: 180, fps: FPS });

/** Two who are connected and get each other's stream. */
async function two({ open, meeting }, options) {
    const { sdkUrl, hostKey } = await meeting(options);
    const [anna, ben] = [await open("anna"), await open("ben")];
    assert.equal(await anna.join({ roomUrl: sdkUrl, roomKey: hostKey, devices: sources(ANNA) }), "joined");
    assert.equal(await ben.join({ roomUrl: sdkUrl, devices: sources(BEN) }), "joined");
    await Promise.all([anna.untilStream(), ben.untilStream()]);
    const benId = (await ben.state()).localParticipant.id;
    return { anna, ben, benId, roomUrl: sdkUrl };
}

test("two SDKs see and hear each other with the right content", async (desk) => {
    const { anna, ben } = await two(desk);
    for (const [viewer, sender] of [
        [anna, BEN],
        [ben, ANNA],
    ]) {
        assertPicture(await viewer.picture(), { expected: coloursOf(sender.shift), sentFps: FPS });
        assertTone(await viewer.sound(), { hz: sender.hz, dbfs: -15 });
        const paths = await viewer.paths();
        console.log(`${viewer.name}: ${JSON.stringify(paths)}`);
        assert.equal(paths.length, 1);
        assert.equal(paths[0].local.protocol, "udp");
    }
    assert.deepEqual((await anna.state()).remoteParticipants.map(({ displayName, roleName }) => [displayName, roleName]), [["ben", "visitor"]]);
    assert.deepEqual((await ben.state()).remoteParticipants.map(({ displayName, roleName }) => [displayName, roleName]), [["anna", "host"]]);
});

test("mute is silence, camera off is no frames, and both come back", async (desk) => {
    const { anna, ben } = await two(desk);
    await ben.act("toggleMicrophone", false);
    await anna.until("ben muted", (state) => state.remoteParticipants[0].isAudioEnabled === false);
    // What was on its way is heard a moment longer: silence comes within two seconds and stays.
    await anna.sound("camera", null, 1000);
    assertSilence(await anna.sound());
    await ben.act("toggleMicrophone", true);
    await anna.until("ben unmuted", (state) => state.remoteParticipants[0].isAudioEnabled === true);
    assertTone(await anna.sound(), { hz: BEN.hz });

    await ben.act("toggleCamera", false);
    await anna.until("ben's camera off", (state) => state.remoteParticipants[0].isVideoEnabled === false);
    await anna.picture("camera", null, 500);
    const off = await anna.picture("camera", null, 1000);
    assert.equal(off.framesDecoded, 0, JSON.stringify(off));
    await ben.act("toggleCamera", true);
    await anna.until("ben's camera on", (state) => state.remoteParticipants[0].isVideoEnabled === true);
    await anna.picture("camera", null, 1000);
    assertPicture(await anna.picture(), { expected: coloursOf(BEN.shift), sentFps: FPS });
});

test("chat goes both ways, a raised hand is seen and lowered, a name changes", async (desk) => {
    const { anna, ben, benId } = await two(desk);
    await anna.act("sendChatMessage", "hello ✋ <b>");
    await ben.act("sendChatMessage", "hello too");
    for (const person of [anna, ben]) {
        const { chatMessages } = await person.until("both messages", (state) => state.chatMessages.length === 2);
        assert.deepEqual(new Set(chatMessages.map(({ text }) => text)), new Set(["hello ✋ <b>", "hello too"]));
    }
    await ben.act("toggleRaiseHand", true);
    await anna.until("ben's hand", (state) => state.remoteParticipants[0].stickyReaction?.reaction === "✋");
    await ben.act("toggleRaiseHand", false);
    await anna.until("no hand", (state) => !state.remoteParticipants[0].stickyReaction);
    assert.deepEqual(
        (await anna.call("notifications")).map(({ type }) => type).filter((type) => type.startsWith("remoteHand")),
        ["remoteHandRaised", "remoteHandLowered"],
    );
    await ben.act("setDisplayName", "Ben the second");
    await anna.until("new name", (state, id) => state.remoteParticipants.find((person) => person.id === id).displayName === "Ben the second", { args: [benId] });
});

test("a screenshare arrives beside the camera three times in a row", async (desk) => {
    const { anna, ben } = await two(desk);
    for (let round = 1; round <= 3; round += 1) {
        await ben.act("startScreenshare");
        await anna.untilStream("presentation");
        await anna.picture("presentation", null, 1000); // the size ramps up first
        assertPicture(await anna.picture("presentation"), { expected: coloursOf(BEN.shift + 8), sentFps: 15 });
        assertPicture(await anna.picture(), { expected: coloursOf(BEN.shift), sentFps: FPS });
        if (round < 3) await ben.act("stopScreenshare");
        else await ben.call("stopScreenFromBrowserBar");
        await anna.until("presentation gone", (state) => state.remoteParticipants[0].presentationStream === null && state.screenshares.length === 0);
    }
    assertPicture(await anna.picture(), { expected: coloursOf(BEN.shift), sentFps: FPS });
});

test("a host mutes, asks to speak, turns a camera off and spotlights", async (desk) => {
    const { anna, ben, benId } = await two(desk);
    await anna.act("muteParticipants", [benId]);
    await ben.until("muted", (state) => !state.isMicrophoneEnabled && !state.localParticipant.isAudioEnabled);
    await anna.act("askToSpeak", benId);
    await anna.act("turnOffParticipantCameras", [benId]);
    await ben.until("camera off", (state) => !state.isCameraEnabled);
    await anna.act("spotlightParticipant", benId);
    await ben.until("spotlight", (state, id) => state.spotlightedParticipants.some(({ clientId }) => clientId === id), { args: [benId] });
    await anna.act("removeSpotlight", benId);
    await ben.until("no spotlight", (state) => state.spotlightedParticipants.length === 0);
    assert.equal((await ben.state()).isMicrophoneEnabled, false, "asking to speak must not open the microphone");
    const types = (await ben.call("notifications")).map(({ type }) => type);
    for (const type of ["requestAudioDisable", "requestAudioEnable", "requestVideoDisable"]) assert.ok(types.includes(type), `${type} in ${types}`);
});

test("a locked room: knock, hold, accept", async ({ open, meeting }) => {
    const { sdkUrl, hostKey } = await meeting({ isLocked: true });
    const [anna, ben] = [await open("anna"), await open("ben")];
    assert.equal(await anna.join({ roomUrl: sdkUrl, roomKey: hostKey, devices: sources(ANNA) }), "joined");
    assert.equal(await ben.join({ roomUrl: sdkUrl, devices: sources(BEN) }), "room_locked");
    await ben.act("knock");
    const { waitingParticipants } = await anna.until("ben waits", (state) => state.waitingParticipants.length === 1);
    assert.equal(waitingParticipants[0].displayName, "ben");
    await anna.act("holdWaitingParticipant", waitingParticipants[0].id, "one moment");
    const held = await ben.untilStatus("knock_on_hold");
    assert.equal(held.knockResponse.message, "one moment");
    await anna.act("acceptWaitingParticipant", waitingParticipants[0].id);
    await ben.untilStatus("connected");
    await anna.until("nobody waits", (state) => state.waitingParticipants.length === 0);
    await Promise.all([anna.untilStream(), ben.untilStream()]);
    assertPicture(await anna.picture(), { expected: coloursOf(BEN.shift), sentFps: FPS });
    assert.equal((await ben.state()).localParticipant.roleName, "granted_visitor");
});

test("a rejected knock ends, a cancelled one leaves no trace", async ({ open, meeting }) => {
    const { sdkUrl, hostKey } = await meeting({ isLocked: true });
    const [anna, ben] = [await open("anna"), await open("ben")];
    await anna.join({ roomUrl: sdkUrl, roomKey: hostKey, devices: sources(ANNA) });
    await ben.join({ roomUrl: sdkUrl, devices: sources(BEN) });
    await ben.act("knock");
    await anna.until("ben waits", (state) => state.waitingParticipants.length === 1);
    await ben.act("cancelKnock");
    await anna.until("nobody waits", (state) => state.waitingParticipants.length === 0);
    await ben.untilStatus("room_locked");
    await ben.act("knock");
    const { waitingParticipants } = await anna.until("ben waits again", (state) => state.waitingParticipants.length === 1);
    await anna.act("rejectWaitingParticipant", waitingParticipants[0].id, "not today");
    const rejected = await ben.untilStatus("knock_rejected");
    assert.equal(rejected.knockResponse.message, "not today");
    await anna.until("nobody waits", (state) => state.waitingParticipants.length === 0);
});

test("a host locks the room while people are in it, and opens it", async (desk) => {
    const { anna, ben, roomUrl } = await two(desk);
    await anna.act("lockRoom", true);
    await ben.until("locked", (state) => state.isLocked === true);
    const carl = await desk.open("carl");
    assert.equal(await carl.join({ roomUrl, devices: sources(ANNA) }), "room_locked");
    await anna.act("lockRoom", false);
    await ben.until("open", (state) => state.isLocked === false);
    assert.equal(await carl.call("rejoin"), "joined");
    await anna.until("three", (state) => state.remoteParticipants.length === 2);
});

test("who is kicked is out and may come back, and the end of the meeting puts everybody out", async (desk) => {
    const { sdkUrl, hostKey } = await desk.meeting();
    const [anna, ben] = [await desk.open("anna"), await desk.open("ben")];
    await anna.join({ roomUrl: sdkUrl, roomKey: hostKey, devices: sources(ANNA) });
    await ben.join({ roomUrl: sdkUrl, devices: sources(BEN) });
    const first = await anna.until("ben is there", (state) => state.remoteParticipants.length === 1);
    await anna.act("kickParticipant", first.remoteParticipants[0].id);
    await ben.untilStatus("kicked");
    await anna.until("ben is gone", (state) => state.remoteParticipants.length === 0);
    assert.equal(await ben.call("rejoin"), "joined");
    await anna.untilStream();
    await anna.act("endMeeting");
    await ben.untilStatus("kicked");
    await anna.untilStatus("left");
    assert.deepEqual(await anna.call("statuses"), ["connecting", "connected", "leaving", "left"]);
});

test("after a cut of the signal connection the call goes on and everybody has the same id", async (desk) => {
    const { anna, ben, benId } = await two(desk);
    await ben.act("toggleRaiseHand", true);
    await anna.until("hand", (state) => Boolean(state.remoteParticipants[0].stickyReaction));
    desk.front.cutSignal();
    await Promise.all([anna.untilStatus("disconnected"), ben.untilStatus("disconnected")]);
    assertPicture(await anna.picture(), { expected: coloursOf(BEN.shift), sentFps: FPS });
    desk.front.restoreSignal();
    await Promise.all([anna.untilStatus("connected", 15_000), ben.untilStatus("connected", 15_000)]);
    assert.equal((await ben.state()).localParticipant.id, benId);
    const { remoteParticipants } = await anna.until("ben is back with his hand", (state) => state.remoteParticipants.length === 1 && Boolean(state.remoteParticipants[0].stickyReaction));
    assert.equal(remoteParticipants[0].id, benId);
    await anna.untilStream();
    assertPicture(await anna.picture(), { expected: coloursOf(BEN.shift), sentFps: FPS });
});

test("all of this went to the host names that are built into the SDK", async ({ front }) => {
    for (const host of ["api.whereby.dev", "signal.appearin.net"]) assert.ok(front.contacts.get(host) > 0, `${host} in ${[...front.contacts.keys()]}`);
});
