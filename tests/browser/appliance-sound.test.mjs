//! What roomd plays of others and what it records, through ALSA without a sound card, judged by the SDK at the other end.
import assert from "node:assert/strict";
import { assertSilence, assertTone, devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { startSoundCard } from "./support/sound_card.mjs";

const { test } = applianceBench();
const ANNA = { shift: 3, hz: 880, dbfs: -15 };
const BEN = { shift: 6, hz: 550, dbfs: -15 };
const MICROPHONE = { hz: 1100, dbfs: -18 };
const sources = (who) => devices({ ...who, width: 320, height: 180, fps: 15 });

test("roomd plays what the SDK says and sends what its ALSA microphone hears", async (desk) => {
    const card = await startSoundCard(MICROPHONE);
    try {
        const alsa = { speaker: '{ alsa = "speaker" }', microphone: '{ alsa = "microphone" }', media: "volume = 100", env: card.env };
        const { anna, box, boxId, meeting } = await desk.call({ devices: sources(ANNA), ...alsa });
        await box.waitState("local_media", ({ microphone, speaker }) => microphone.device === "microphone" && microphone.state === "on" && speaker.state === "on");
        assertTone(await anna.sound(), MICROPHONE);
        const isTone = (level, { hz, dbfs }) => Math.abs(level(hz) - dbfs) < 2;
        await card.untilHeard("anna's tone alone", (level) => isTone(level, ANNA) && level() - level(ANNA.hz) < 0.5);

        const ben = await desk.open("ben");
        assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: sources(BEN) }), "joined");
        await card.untilHeard("anna and ben mixed", (level) => isTone(level, ANNA) && isTone(level, BEN));
        await ben.act("toggleMicrophone", false);
        await card.untilHeard("anna without ben", (level) => isTone(level, ANNA) && level(BEN.hz) < -35);

        await box.carryOut("mute_speaker", { muted: true });
        await box.waitState("local_media", ({ speaker, speakerMuted }) => speaker.state === "muted" && speakerMuted);
        await card.untilHeard("nothing", (level) => level() < -80);
        await box.carryOut("mute_speaker", { muted: false });
        await box.carryOut("set_volume", { level: 30 });
        await box.waitState("local_media", ({ volume }) => volume === 30);
        await card.untilHeard("anna, quieter", (level) => level(ANNA.hz) < ANNA.dbfs - 10 && level(ANNA.hz) > ANNA.dbfs - 45);
        await box.carryOut("set_volume", { level: 100 });
        await card.untilHeard("anna as before", (level) => isTone(level, ANNA));

        await box.carryOut("toggle_microphone", { enabled: false });
        await box.waitState("local_media", ({ microphone }) => microphone.state === "muted" && !microphone.proof.open, 2000);
        await anna.sound("camera", boxId, 1000);
        assertSilence(await anna.sound("camera", boxId, 1000));
        await box.carryOut("toggle_microphone", { enabled: true });
        await anna.sound("camera", boxId, 500);
        assertTone(await anna.sound("camera", boxId), MICROPHONE);
    } finally {
        await card.stop();
    }
});
