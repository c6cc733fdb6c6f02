//! The room page as a person uses it: by names of controls, by keys, by what is written on it. Nothing in the page is touched.
import { until } from "./waiting.mjs";

/** Opens the page at `origin + path` in a context of its own; every address it contacts is recorded. */
export async function openRoomPage(browser, origin, path, { name = "page", viewport = { width: 1200, height: 760 }, scheme = "light" } = {}) {
    const page = await browser.newPage();
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const requests = [];
    const lines = [];
    page.on("console", (message) => lines.push(`${message.type()} ${message.text()}`));
    page.on("pageerror", (error) => lines.push(`pageerror ${error.stack ?? error}`));
    const session = await page.createCDPSession();
    session.on("Network.requestWillBeSent", ({ request }) => requests.push(request.url));
    session.on("Network.webSocketCreated", ({ url }) => requests.push(url));
    session.on("Network.webTransportCreated", ({ url }) => requests.push(url));
    await session.send("Network.enable");
    await page.goto(origin + path);

    const text = () => page.evaluate(() => document.body.innerText);
    const tile = (person) => page.evaluateHandle((wanted) => [...document.querySelectorAll(".tile")].find((one) => one.querySelector(".name").textContent === wanted) ?? null, person);
    /** The shown button with that accessible name. */
    const button = async (label, within = "body") => {
        const found = await page.$$(`${within} ::-p-aria([role="button"][name="${label}"])`);
        for (const one of found) if (await one.isVisible()) return one;
        return null;
    };
    return {
        name,
        page,
        requests,
        console: lines,
        screenshot: (options) => page.screenshot(options),
        /** Errors and refusals (of the content security policy, say) that the page met. */
        problems: () => lines.filter((line) => /^pageerror|Content Security Policy|Refused to/.test(line)),
        press: (key) => page.keyboard.press(key),
        type: (words) => page.keyboard.type(words),
        async click(label, within) {
            const one = await until(`button "${label}"`, async () => (await button(label, within)) ?? false);
            await one.click();
        },
        untilText: (words, ms) => until(`the page says "${words}"`, async () => (await text()).includes(words), ms),
        untilNoText: (words, ms) => until(`the page says no more "${words}"`, async () => !(await text()).includes(words), ms),
        untilPressed: (label, pressed, ms) => until(`${label} is ${pressed ? "on" : "off"}`, async () => (await (await button(label))?.evaluate((one) => one.getAttribute("aria-pressed"))) === String(pressed), ms),
        untilTile: (person, ms) => until(`tile of ${person}`, async () => (await tile(person)).asElement() !== null, ms),
        untilPlaying: (person, ms) =>
            until(
                `picture of ${person} moves`,
                async () => {
                    const seen = (await tile(person)).asElement();
                    return seen && (await seen.$eval("video", (video) => !video.paused && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 5));
                },
                ms,
            ),
        /** Gives a name and presses Join, whatever comes of it. */
        async enter(displayName) {
            await until("the Join button is ready", async () => (await button("Join"))?.evaluate((one) => !one.disabled));
            await page.locator("#display-name").fill(displayName);
            await page.keyboard.press("Enter");
        },
        async join(displayName) {
            await this.enter(displayName);
            await until("in the room", async () => (await page.$(".room")) !== null);
        },
        /** The shown picture of a person, measured over two seconds from the frames that are shown. */
        picture: async (person) => (await tile(person)).asElement().$eval("video", measure),
        /** Role, name and pressed state of everything a screen reader is given. */
        async accessibilityTree() {
            const { nodes } = await session.send("Accessibility.getFullAXTree");
            return nodes
                .filter(({ ignored }) => !ignored)
                .map(({ role, name, properties = [] }) => ({ role: role?.value, name: name?.value ?? "", pressed: properties.find((one) => one.name === "pressed")?.value?.value }));
        },
        /** Presses Tab so often; gives the stops with their names and whether the focus can be seen. */
        async tabThrough(times) {
            const stops = [];
            for (let count = 0; count < times; count += 1) {
                await page.keyboard.press("Tab");
                const stop = await page.evaluate(() => {
                    const at = document.activeElement;
                    return at === document.body ? null : { name: (at.getAttribute("aria-label") ?? at.textContent).trim(), outlined: getComputedStyle(at).outlineStyle !== "none" };
                });
                if (stop) stops.push(stop);
            }
            return stops;
        },
        offline: (offline) => session.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }),
        close: () => page.browserContext().close(),
    };
}

/** Runs in the page: the same look at a picture as the participant's meter, from the frames shown. */
async function measure(video) {
    const SIZE = 128;
    const pen = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE }).getContext("2d", { willReadFrequently: true });
    const frames = () => video.getVideoPlaybackQuality().totalVideoFrames;
    const [began, before] = [performance.now(), frames()];
    const seen = new Set();
    let cells = [];
    for (let look = 0; look < 10; look += 1) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        pen.drawImage(video, 0, 0, SIZE, SIZE);
        const { data } = pen.getImageData(0, 0, SIZE, SIZE);
        seen.add(data.join());
        cells = Array.from({ length: 16 }, (_, index) => {
            const sum = [0, 0, 0];
            for (let y = 8; y < 24; y += 1) {
                for (let x = 8; x < 24; x += 1) {
                    const at = ((Math.floor(index / 4) * 32 + y) * SIZE + (index % 4) * 32 + x) * 4;
                    for (let channel = 0; channel < 3; channel += 1) sum[channel] += data[at + channel];
                }
            }
            return sum.map((value) => Math.round(value / 256));
        });
    }
    return { hasTrack: true, fps: ((frames() - before) * 1000) / (performance.now() - began), distinctFrames: seen.size, cells };
}
