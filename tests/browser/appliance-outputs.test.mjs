//! What roomd shows of others, on an X server's screen.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { coloursOf, devices, farthest, withoutColourSpace } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { picturesOf, startScreen } from "./support/outputs.mjs";
import { until } from "./support/waiting.mjs";

const { test, PRESENTATION } = applianceBench();
const ANNA = { shift: 3, hz: 880, dbfs: -15 };
const BEN = { shift: 6, hz: 550, dbfs: -15 };
const sources = (who) => devices({ ...who, width: 320, height: 180, fps: 15 });
/** In the cell at the lower left stands the name. */
const shown = (shift) => withoutColourSpace(coloursOf(shift)).map((colour, index) => (index === 12 ? null : colour));
const isNear = (picture, expected) => farthest(picture.cells, expected) <= 20;

/** Waits until the pictures on the screen are these, left to right. */
async function untilShown(screen, what, wanted, ms = 15_000) {
    let seen;
    return until(
        what,
        async () => {
            seen = picturesOf(await screen.look());
            return seen.length === wanted.length && seen.every((picture, index) => isNear(picture, wanted[index])) && seen;
        },
        ms,
    ).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
}

test("roomd's display shows who is there and what is shared, with the right content", async (desk) => {
    const screen = await startScreen();
    try {
        desk.watch({ texts: { "screen.png": () => screen.png() } });
        const { anna, box, meeting } = await desk.call({ devices: sources(ANNA), display: '"x11"', env: screen.env });
        await box.waitState("local_media", ({ display }) => display.state === "on");
        const [alone] = await untilShown(screen, "anna alone", [shown(ANNA.shift)]);
        assert.ok(alone.width > 800 && Math.abs(alone.width / alone.height - 16 / 9) < 0.05, JSON.stringify(alone));
        const { remoteParticipants } = await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one.stream.width === 320 && one.stream.fps >= 7);
        assert.equal(remoteParticipants[0].stream.height, 180);
        if (process.env.ROOMD_TEST_SCREENSHOTS) {
            await mkdir(process.env.ROOMD_TEST_SCREENSHOTS, { recursive: true });
            await writeFile(`${process.env.ROOMD_TEST_SCREENSHOTS}/display.png`, await screen.png());
        }

        const ben = await desk.open("ben");
        assert.equal(await ben.join({ roomUrl: meeting.sdkUrl, devices: sources(BEN) }), "joined");
        await untilShown(screen, "anna and ben", [shown(ANNA.shift), shown(BEN.shift)]);
        await ben.act("leaveRoom");
        await untilShown(screen, "anna alone again", [shown(ANNA.shift)]);

        await anna.act("startScreenshare");
        const [presentation, camera] = await untilShown(screen, "anna's screen beside anna", [shown(ANNA.shift + 8), shown(ANNA.shift)]);
        assert.ok(presentation.width > 2 * camera.width);
        await anna.act("stopScreenshare");
        await untilShown(screen, "anna alone after her share", [shown(ANNA.shift)]);

        await anna.act("toggleCamera", false);
        await until("anna's camera is off", async () => picturesOf(await screen.look()).every((picture) => !isNear(picture, shown(ANNA.shift))));
        await anna.act("toggleCamera", true);
        await untilShown(screen, "anna's camera is back", [shown(ANNA.shift)]);
        // Its own share is not shown to itself.
        await box.carryOut("start_screenshare");
        await anna.untilStream("presentation");
        assert.ok(!picturesOf(await screen.look()).some((picture) => isNear(picture, PRESENTATION)));
    } finally {
        await screen.stop();
    }
});
