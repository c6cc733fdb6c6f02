//! Debian's Chromium, headless, with a fresh profile, reaching nothing but what the test allows; always ended as a group.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { start } from "./processes.mjs";
import { until } from "./waiting.mjs";

/** Resolver rules under which only loopback addresses can be reached. */
export const ONLY_LOOPBACK = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost";

/**
 * Starts a browser. `resolverRules`: from `startFront`, or `ONLY_LOOPBACK`; `fakeDevices`: a made camera and microphone;
 * `grantMedia`: camera, microphone and screen are given without a question.
 */
export async function launchBrowser({ resolverRules = ONLY_LOOPBACK, fakeDevices = true, grantMedia = true, flags = [] } = {}) {
    const profile = await mkdtemp(join(tmpdir(), "chromium-"));
    const chromium = start("chromium", process.env.CHROMIUM ?? "chromium", [
        "--headless=new",
        "--disable-gpu",
        "--autoplay-policy=no-user-gesture-required",
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
        "--ignore-certificate-errors",
        `--host-resolver-rules=${resolverRules}`,
        `--user-data-dir=${profile}`,
        "--remote-debugging-port=0",
        ...(fakeDevices ? ["--use-fake-device-for-media-stream"] : []),
        ...(grantMedia ? ["--use-fake-ui-for-media-stream"] : []),
        ...(process.getuid() === 0 ? ["--no-sandbox"] : []), // it refuses to start as root otherwise
        ...flags,
        "about:blank",
    ]);
    const close = async () => {
        await chromium.stop({ ms: 5000, force: true });
        await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    };
    try {
        const [port, path] = await until(
            "Chromium opens its debugging port",
            async () => {
                if (chromium.hasEnded()) throw new Error(`chromium ended:\n${chromium.lines.join("\n")}`);
                const text = await readFile(join(profile, "DevToolsActivePort"), "utf8").catch(() => ""); // not written yet
                return /^\d+\n.+/.test(text) && text.split("\n");
            },
            30_000,
        );
        const browser = await puppeteer.connect({ browserWSEndpoint: `ws://127.0.0.1:${port}${path}`, defaultViewport: null, protocolTimeout: 60_000 });
        return {
            browser,
            version: await browser.version(),
            log: chromium.lines,
            /** The first of its processes. */
            pid: chromium.pid,
            /** A page in a context of its own: its own storage, hence its own device in the room. */
            async newPage() {
                const context = await browser.createBrowserContext();
                return context.newPage();
            },
            async close() {
                await browser.disconnect();
                await close();
            },
        };
    } catch (error) {
        await close();
        throw error;
    }
}
