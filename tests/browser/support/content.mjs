//! Says whether a measured picture or sound is the one that was sent.
import assert from "node:assert/strict";
import { loadavg } from "node:os";

/** Sources for `participant.join`: `shift` turns the colours, `hz` is the tone; different ones for every participant. */
export const devices = ({ shift, hz, width = 640, height = 360, fps = 24, dbfs = -15 }) => ({
    camera: { width, height, fps, shift },
    microphone: { hz, dbfs },
    screen: { width: 960, height: 540, fps: 15, shift: shift + 8 },
});

// prettier-ignore
const COLOURS = [
    [220, 30, 30], [30, 200, 30], [40, 60, 230], [230, 220, 40],
    [30, 210, 210], [220, 40, 220], [240, 130, 20], [130, 20, 200],
    [20, 120, 70], [150, 80, 30], [250, 130, 170], [120, 200, 250],
    [110, 110, 20], [20, 30, 110], [180, 250, 130], [120, 20, 60],
];
/** The cells of a source with that shift, row by row. */
export const coloursOf = (shift) => COLOURS.map((_, index) => COLOURS[(index + shift) % COLOURS.length]);

/**
 * What a receiver sees of the page's canvas that decodes VP8 as RFC 7741 leaves it, without Chromium's header extension
 * for colour spaces: Chromium encodes canvases as BT.709 in full range, and VP8 without further words is BT.601 in
 * studio range. (Chromium itself shows the same where the extension is not negotiated.)
 */
export const withoutColourSpace = (colours) =>
    colours.map(([red, green, blue]) => {
        const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        const [y, u, v] = [(luma - 16) * 1.164, (blue - luma) / 1.8556, (red - luma) / 1.5748];
        return [y + 1.596 * v, y - 0.391 * u - 0.813 * v, y + 2.018 * u].map((value) => Math.round(Math.min(255, Math.max(0, value))));
    });

const load = () => `load average ${loadavg().map((value) => value.toFixed(1)).join(" ")}`;

/** The largest difference of a channel between measured cells and expected ones. */
export const farthest = (cells, expected) =>
    // A cell in which something moves has no expected colour.
    Math.max(...cells.flatMap((cell, index) => (expected[index] ? cell.map((value, channel) => Math.abs(value - expected[index][channel])) : [0])));

/** A measured picture shows `expected` cells, moves, and at least half of `sentFps` is decoded. */
export function assertPicture(measured, { expected, sentFps, tolerance = 30 }) {
    const seen = `${JSON.stringify(measured)}; ${load()}`;
    assert.ok(measured.hasTrack, `no picture: ${seen}`);
    assert.ok(measured.fps >= sentFps / 2, `${measured.fps.toFixed(1)} of ${sentFps} frames per second decoded: ${seen}`);
    assert.ok(measured.distinctFrames >= 3, `the picture stands still: ${seen}`);
    const error = farthest(measured.cells, expected);
    assert.ok(error <= tolerance, `a cell is off by ${error}, expected ${JSON.stringify(expected)}: ${seen}`);
}

/** A measured sound has this pitch and level. */
export function assertTone(measured, { hz, dbfs, toleranceHz = 3, toleranceDb = 2 }) {
    const seen = `${JSON.stringify(measured)}; ${load()}`;
    assert.ok(measured.hasTrack && measured.dbfs !== null, `no sound: ${seen}`);
    assert.ok(Math.abs(measured.hz - hz) <= toleranceHz, `${measured.hz} Hz, expected ${hz}: ${seen}`);
    if (dbfs !== undefined) assert.ok(Math.abs(measured.dbfs - dbfs) <= toleranceDb, `${measured.dbfs} dBFS, expected ${dbfs}: ${seen}`);
}

/** Nothing audible: no track, exact silence, or below `dbfs` all the time. */
export function assertSilence(measured, { dbfs = -70 } = {}) {
    assert.ok(!measured.hasTrack || measured.maxDbfs === null || measured.maxDbfs < dbfs, `audible: ${JSON.stringify(measured)}`);
}
