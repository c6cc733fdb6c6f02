//! A call through a TURN server alone: nothing else gets through, as behind many a company's firewall.
import assert from "node:assert/strict";
import { assertPicture, assertTone, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { run } from "./support/processes.mjs";
import { startRelay, turnToml } from "./support/relay.mjs";

const { test, CAMERA, FPS, TONE } = applianceBench({ server: { toml: turnToml } });
const sources = devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 });

/** Why packets cannot be filtered here, if they cannot: a kernel may come without nf_tables. */
const hindrance = await run("nft", ["list", "ruleset"]).then(() => null, (error) => error.message);

const relayed = hindrance
    ? (name) => console.log(`\n*** SKIPPED ${name}: ${hindrance} ***\n`)
    : test;
relayed("picture and sound go both ways through the room's TURN server", async (desk) => {
    const relay = await startRelay();
    desk.watch({ programs: [relay.program] });
    try {
        const { anna, box, annaId } = await desk.call({ devices: sources });
        assertPicture(await anna.picture(), { expected: CAMERA, sentFps: FPS });
        assertTone(await anna.sound(), TONE);
        await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.id === annaId && one.stream?.receiving && one.stream.fps > 5);
        assert.ok((await relay.dropped()) > 0, "the filter had nothing to drop: the direct way was not tried");
    } finally {
        await relay.stop();
    }
});
