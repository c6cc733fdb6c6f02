//! A camera, a microphone and a screen made by the page, with known content. Every request gets fresh tracks, because
//! the SDK stops the camera track when the camera is switched off and asks again.

/** Sixteen colours, further apart than any tolerance used; `shift` turns them so that sources differ. */
const COLOURS = [
    [220, 30, 30], [30, 200, 30], [40, 60, 230], [230, 220, 40],
    [30, 210, 210], [220, 40, 220], [240, 130, 20], [130, 20, 200],
    [20, 120, 70], [150, 80, 30], [250, 130, 170], [120, 200, 250],
    [110, 110, 20], [20, 30, 110], [180, 250, 130], [120, 20, 60],
]; // prettier-ignore
export const coloursOf = (shift) => COLOURS.map((_, index) => COLOURS[(index + shift) % COLOURS.length]);
/** The number of blocks of the frame counter in the top twentieth of the picture, most significant first. */
export const COUNTER_BITS = 16;

/** A video track: the grid of colours with a counter of frames, `fps` times a second. */
function picture({ width, height, fps, shift }) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d", { alpha: false });
    let frame = 0;
    const draw = () => {
        coloursOf(shift).forEach(([red, green, blue], index) => {
            pen.fillStyle = `rgb(${red} ${green} ${blue})`;
            pen.fillRect(((index % 4) * width) / 4, (Math.floor(index / 4) * height) / 4, width / 4, height / 4);
        });
        for (let bit = 0; bit < COUNTER_BITS; bit += 1) {
            pen.fillStyle = (frame >> (COUNTER_BITS - 1 - bit)) & 1 ? "white" : "black";
            pen.fillRect((bit * width) / COUNTER_BITS, 0, width / COUNTER_BITS, height / 20);
        }
        frame = (frame + 1) % 2 ** COUNTER_BITS;
    };
    draw();
    const [track] = canvas.captureStream().getVideoTracks();
    const timer = setInterval(() => (track.readyState === "live" ? draw() : clearInterval(timer)), 1000 / fps);
    return track;
}

let context = null;
/** The page's one audio context. */
export const audioContext = () => (context ??= new AudioContext());

/** An audio track: a sine of `hz` at `dbfs` (RMS against full scale). */
function tone({ hz, dbfs }) {
    const oscillator = new OscillatorNode(audioContext(), { frequency: hz });
    const level = new GainNode(audioContext(), { gain: 10 ** (dbfs / 20) * Math.SQRT2 });
    const output = new MediaStreamAudioDestinationNode(audioContext(), { channelCount: 1 });
    oscillator.connect(level).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
}

let screenTracks = [];

/** A camera as it is asked for: as many lines as are wished and there, in the shape that is wished. */
function asked(camera, { height, aspectRatio }) {
    const lines = Math.min(camera.height, height?.ideal ?? height?.exact ?? height ?? camera.height);
    const shape = aspectRatio?.ideal ?? aspectRatio?.exact ?? aspectRatio ?? camera.width / camera.height;
    return { ...camera, height: lines, width: Math.round(lines * shape) };
}

/**
 * Makes the page's devices. `camera`: {width, height, fps, shift}, with `obeys` it takes the size that is asked for; `microphone`: {hz, dbfs};
 * `screen`: like camera, with `tone`.
 */
export function replaceDevices({ camera, microphone, screen }) {
    const sized = (video) => (camera.obeys ? asked(camera, video) : camera);
    navigator.mediaDevices.getUserMedia = async ({ audio, video }) => new MediaStream([...(audio ? [tone(microphone)] : []), ...(video ? [picture(sized(video))] : [])]);
    navigator.mediaDevices.getDisplayMedia = async () => {
        screenTracks = [picture(screen), ...(screen.tone ? [tone(screen.tone)] : [])];
        return new MediaStream(screenTracks);
    };
}

/** What "stop sharing" in the browser's own bar does. */
export function stopScreenFromBrowserBar() {
    for (const track of screenTracks) {
        track.stop();
        track.dispatchEvent(new Event("ended"));
    }
}
