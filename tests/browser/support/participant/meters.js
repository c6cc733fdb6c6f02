//! Measures what arrives: pictures, sounds, and whether they move.
import { inboundStats } from "./peer_connections.js";
import { audioContext, COUNTER_BITS } from "./sources.js";

const players = new Map();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The element that plays a stream. Remote sound is silent in WebAudio unless an element plays the stream too. */
export function playerOf(stream) {
    if (!players.has(stream.id)) {
        const video = Object.assign(document.createElement("video"), { autoplay: true, playsInline: true, muted: true, srcObject: stream });
        document.body.append(video);
        players.set(stream.id, video);
    }
    const video = players.get(stream.id);
    if (video.srcObject !== stream) video.srcObject = stream;
    return video;
}

const SIZE = 128;
const pen = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE }).getContext("2d", { willReadFrequently: true });

function hashOf(pixels) {
    let hash = 2166136261;
    for (const value of pixels) hash = Math.imul(hash ^ value, 16777619);
    return hash >>> 0;
}

/** The mean colour of a rectangle given in parts of the picture. */
function meanOf(pixels, left, top, right, bottom) {
    const sum = [0, 0, 0];
    let count = 0;
    for (let y = Math.round(top * SIZE); y < Math.round(bottom * SIZE); y += 1) {
        for (let x = Math.round(left * SIZE); x < Math.round(right * SIZE); x += 1) {
            for (let channel = 0; channel < 3; channel += 1) sum[channel] += pixels[(y * SIZE + x) * 4 + channel];
            count += 1;
        }
    }
    return sum.map((value) => value / count);
}

/** The inner halves of the 4 × 4 cells: edges and the counter are left out. */
const cellsOf = (pixels) =>
    Array.from({ length: 16 }, (_, index) => {
        const [x, y] = [(index % 4) / 4, Math.floor(index / 4) / 4];
        return meanOf(pixels, x + 1 / 16, y + 1 / 16, x + 3 / 16, y + 3 / 16).map(Math.round);
    });

const counterOf = (pixels) =>
    Array.from({ length: COUNTER_BITS }, (_, bit) => meanOf(pixels, (bit + 0.3) / COUNTER_BITS, 0.01, (bit + 0.7) / COUNTER_BITS, 0.04)).reduce(
        (counter, [red, green, blue]) => counter * 2 + (red + green + blue > 384 ? 1 : 0),
        0,
    );

const lumaOf = (cells) => cells.reduce((sum, [red, green, blue]) => sum + 0.2126 * red + 0.7152 * green + 0.0722 * blue, 0) / cells.length;

/** Measures the picture of a stream over `ms`: decoded frames, content, movement. */
export async function measurePicture(stream, ms = 2000) {
    const [track] = stream.getVideoTracks();
    if (!track) return { hasTrack: false, framesDecoded: 0, fps: 0 };
    const video = playerOf(stream);
    const before = await inboundStats(track);
    const began = performance.now();
    const hashes = new Set();
    const counters = [];
    let cells = [];
    for (let look = 1; look <= 10; look += 1) {
        await pause(began + (ms * look) / 10 - performance.now());
        pen.drawImage(video, 0, 0, SIZE, SIZE);
        const pixels = pen.getImageData(0, 0, SIZE, SIZE).data;
        hashes.add(hashOf(pixels));
        counters.push(counterOf(pixels));
        cells = cellsOf(pixels);
    }
    const after = await inboundStats(track);
    const seconds = (performance.now() - began) / 1000;
    const framesDecoded = (after?.framesDecoded ?? 0) - (before?.framesDecoded ?? 0);
    return {
        hasTrack: true,
        width: video.videoWidth,
        height: video.videoHeight,
        framesDecoded,
        fps: framesDecoded / seconds,
        distinctFrames: hashes.size,
        counters,
        cells,
        luma: lumaOf(cells),
        codec: after?.codec,
        packetsLost: after?.packetsLost,
        freezeCount: after?.freezeCount,
        keyFramesDecoded: after?.keyFramesDecoded,
    };
}

/** Measures the sound of a stream over `ms`: mean and highest level (dBFS, null for exact silence) and pitch. */
export async function measureSound(stream, ms = 2000) {
    const [track] = stream.getAudioTracks();
    if (!track) return { hasTrack: false };
    playerOf(stream);
    const context = audioContext();
    if (context.state !== "running") await context.resume();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const powers = [];
    const began = performance.now();
    // The first window also holds what was before the analyser was there.
    await pause((analyser.fftSize / context.sampleRate) * 1000);
    while (performance.now() - began < ms) {
        analyser.getFloatTimeDomainData(samples);
        powers.push(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
        await pause(50);
    }
    const hz = pitchOf(analyser, context.sampleRate);
    source.disconnect();
    const decibels = (power) => (power > 0 ? 10 * Math.log10(power) : null);
    const mean = powers.reduce((sum, power) => sum + power, 0) / powers.length;
    return { hasTrack: true, dbfs: decibels(mean), maxDbfs: decibels(Math.max(...powers)), minDbfs: decibels(Math.min(...powers)), hz, codec: (await inboundStats(track))?.codec };
}

/** The strongest frequency, with a parabola through the highest bin and its neighbours. */
function pitchOf(analyser, sampleRate) {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    let top = 1;
    for (let bin = 1; bin < bins.length - 1; bin += 1) if (bins[bin] > bins[top]) top = bin;
    if (!Number.isFinite(bins[top])) return null;
    const [left, middle, right] = [bins[top - 1], bins[top], bins[top + 1]];
    const offset = (left - right) / (2 * (left - 2 * middle + right));
    return ((top + (Number.isFinite(offset) ? offset : 0)) * sampleRate) / analyser.fftSize;
}

/** The picture as it is now, as a PNG data URL; null before the first frame. */
export function snapshotOf(stream) {
    const video = playerOf(stream);
    if (!video.videoWidth) return null;
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    return canvas.toDataURL("image/png");
}
