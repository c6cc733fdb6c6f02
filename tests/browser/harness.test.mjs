//! The judges judged: meters and controller must also say no.
import assert from "node:assert/strict";
import { test } from "node:test";
import mqtt from "mqtt";
import { bench } from "./support/bench.mjs";
import { assertPicture, assertSilence, assertTone, coloursOf, devices, farthest } from "./support/content.mjs";
import { connectController, startBroker } from "./support/roomd.mjs";
import { start } from "./support/processes.mjs";
import { until } from "./support/waiting.mjs";

const around = bench();

around.test("a meter refuses another picture, a standing one, another tone, and finds silence only in silence", async ({ open, meeting }) => {
    const { sdkUrl } = await meeting();
    const [anna, ben] = [await open("anna"), await open("ben")];
    await anna.join({ roomUrl: sdkUrl, devices: devices({ shift: 0, hz: 440, width: 320, height: 180, fps: 15 }) });
    await ben.join({ roomUrl: sdkUrl, devices: devices({ shift: 5, hz: 880, width: 320, height: 180, fps: 15 }) });
    await anna.untilStream();
    const [picture, sound] = [await anna.picture(), await anna.sound()];
    assertPicture(picture, { expected: coloursOf(5), sentFps: 15 });
    assert.throws(() => assertPicture(picture, { expected: coloursOf(0), sentFps: 15 }), /a cell is off by/);
    assert.throws(() => assertPicture(picture, { expected: coloursOf(5), sentFps: 60 }), /frames per second decoded/);
    assertTone(sound, { hz: 880, dbfs: -15 });
    assert.throws(() => assertTone(sound, { hz: 440 }), /expected 440/);
    assert.throws(() => assertTone(sound, { hz: 880, dbfs: -25 }), /expected -25/);
    assert.throws(() => assertSilence(sound), /audible/);
    const counted = picture.counters.filter((counter, index) => index === 0 || counter > picture.counters[index - 1]);
    assert.ok(counted.length >= 5, `the frame counter goes up: ${picture.counters}`);
    await ben.act("toggleCamera", false);
    await anna.until("camera off", "(state) => state.remoteParticipants[0].isVideoEnabled === false");
    await anna.picture("camera", null, 500);
    assert.throws(() => assertPicture({ ...picture, distinctFrames: 1 }, { expected: coloursOf(5), sentFps: 15 }), /stands still/);
    const off = await anna.picture("camera", null, 1000);
    assert.equal(off.distinctFrames, 1, "the last picture stays");
    assert.throws(() => assertPicture(off, { expected: coloursOf(5), sentFps: 15 }), /frames per second decoded/);
});

test("all sources are further apart than the tolerance", () => {
    for (let shift = 1; shift < 16; shift += 1) {
        assert.ok(farthest(coloursOf(0), coloursOf(shift)) > 100, `shift ${shift}`);
    }
});

test("the controller gets replies, states and events from a device behind mosquitto, and fails in time without", async () => {
    const broker = await startBroker();
    const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    const controller = await connectController({ port: broker.port, base: "roomd/desk" });
    try {
        device.on("message", (topic, payload) => {
            const { id, enabled } = JSON.parse(payload.toString());
            if (!topic.endsWith("/toggle_microphone")) return;
            device.publish("roomd/desk/state/local_participant", JSON.stringify({ isAudioEnabled: enabled }), { retain: true, qos: 1 });
            device.publish("roomd/desk/event/microphone", JSON.stringify({ enabled }), { qos: 1 });
            device.publish("roomd/desk/reply", JSON.stringify({ id, command: "toggle_microphone", ok: enabled, ...(enabled ? { result: { enabled } } : { error: { code: "wrong_state" } }) }), { qos: 1 });
        });
        await device.subscribeAsync("roomd/desk/cmd/#", { qos: 1 });
        assert.deepEqual(await controller.carryOut("toggle_microphone", { enabled: true }), { enabled: true });
        await controller.waitState("local_participant", ({ isAudioEnabled }) => isAudioEnabled);
        await controller.waitEvent("microphone", ({ enabled }) => enabled);
        await assert.rejects(controller.carryOut("toggle_microphone", { enabled: false }), /wrong_state/);
        await assert.rejects(controller.command("nobody_answers", {}, { ms: 200 }), /not within 200 ms: reply to nobody_answers/);
        await assert.rejects(controller.waitState("room", () => true, 200), /not within 200 ms: state\/room/);
    } finally {
        await controller.close();
        await device.endAsync();
        await broker.stop();
    }
});

test("a program is ended with everything it started", async () => {
    const program = start("shell", "sh", ["-c", "sleep 1000 & echo child $!; wait"]);
    const [, child] = await program.line(/child (\d+)/);
    await program.stop();
    const isGone = () => {
        try {
            process.kill(Number(child), 0);
            return false;
        } catch (error) {
            return error.code === "ESRCH";
        }
    };
    await until("the child is gone", isGone, 2000);
});
