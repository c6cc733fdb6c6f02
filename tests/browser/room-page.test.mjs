//! The room page in a browser whose names lead nowhere: joins, shows the others, is usable by keyboard and screen reader,
//! and contacts its own origin alone.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { bench } from "./support/bench.mjs";
import { launchBrowser } from "./support/browser.mjs";
import { assertPicture, coloursOf, devices } from "./support/content.mjs";
import { openRoomPage } from "./support/room_page.mjs";

const around = bench();
const { test } = around;
const BEN = { shift: 5, hz: 880 };
const sources = devices({ ...BEN, width: 320, height: 180, fps: 15 });

// No name can be resolved in these browsers: what does not go to the page's own address goes nowhere, and is counted.
const browsers = {};
before(async () => {
    browsers.withCamera = await launchBrowser();
    browsers.withoutPermission = await launchBrowser({ grantMedia: false, flags: ["--deny-permission-prompts"] });
});
after(async () => {
    for (const browser of Object.values(browsers)) await browser.close();
});

async function opened(desk, path, { browser = browsers.withCamera, name = "page", ...options } = {}) {
    const page = await openRoomPage(browser, desk.server.origin, path, { name, ...options });
    desk.watch({ pages: [page], texts: { [`${name}-requests.txt`]: () => page.requests.join("\n"), [`${name}-console.txt`]: () => page.console.join("\n") } });
    return page;
}

/** The page as host and ben with the bare SDK. */
async function hostAndBen(desk, options) {
    const made = await desk.meeting(options);
    const page = await opened(desk, `${made.roomName}?roomKey=${encodeURIComponent(made.hostKey)}`);
    await page.join("Paula");
    const ben = await desk.open("ben");
    return { ...made, page, ben };
}

test("the page joins, shows a remote picture with the right content, and contacts its own origin alone", async (desk) => {
    const { page, ben, sdkUrl } = await hostAndBen(desk);
    await ben.join({ roomUrl: sdkUrl, devices: sources });
    await page.untilTile("ben");
    await ben.untilStream();
    await page.untilPlaying("ben");
    assertPicture(await page.picture("ben"), { expected: coloursOf(BEN.shift), sentFps: 15 });
    const own = new URL(desk.server.origin).host;
    // The SDK's REST, signal and statistics addresses all came by the script before it.
    for (const path of ["/devices", "/organization-subdomains/", "/protocol/socket.io/v4/"]) assert.ok(page.requests.some((url) => new URL(url).pathname.startsWith(path)), `${path} in ${page.requests}`);
    assert.deepEqual(page.requests.filter((url) => !url.startsWith("data:") && new URL(url).host !== own), []);
    assert.deepEqual(page.problems(), []);
    await page.close();
});

test("the keyboard works microphone, camera, hand, screenshare and leaving, but not while typing", async (desk) => {
    const { page, ben, sdkUrl } = await hostAndBen(desk);
    await ben.join({ roomUrl: sdkUrl, devices: sources });
    await page.untilTile("ben");
    const paula = (predicate) => `(state) => { const paula = state.remoteParticipants[0]; return ${predicate}; }`;

    await page.press("m");
    await ben.until("paula muted", paula("paula.isAudioEnabled === false"));
    await page.untilPressed("Microphone", false);
    await page.press("c");
    await ben.until("paula's camera off", paula("paula.isVideoEnabled === false"));
    await page.press("h");
    await ben.until("paula's hand", paula("Boolean(paula.stickyReaction)"));
    await page.untilPressed("Raise hand", true);
    await page.press("h");
    await ben.until("no hand", paula("!paula.stickyReaction"));
    await page.press("m");
    await ben.until("paula unmuted", paula("paula.isAudioEnabled === true"));
    await page.press("c");
    await ben.until("paula's camera on", paula("paula.isVideoEnabled === true"));
    await page.press("s");
    await ben.untilStream("presentation");
    await page.press("s");
    await ben.until("no presentation", paula("paula.presentationStream === null"));

    await page.click("Chat");
    await page.type("hm, much slower");
    await page.press("Enter");
    const { chatMessages, remoteParticipants } = await ben.until("the message", "(state) => state.chatMessages.length === 1");
    assert.equal(chatMessages[0].text, "hm, much slower");
    assert.deepEqual([remoteParticipants[0].isAudioEnabled, Boolean(remoteParticipants[0].stickyReaction)], [true, false]);
    await page.press("Escape");
    await page.press("l");
    await page.untilText("You left the room.");
    await ben.until("paula left", "(state) => state.remoteParticipants.length === 0");
    await page.click("Join again");
    await ben.until("paula is back", "(state) => state.remoteParticipants.length === 1");
    await page.close();
});

test("every control has a name, every switch says its state, landmarks and a live region are there", async (desk) => {
    const { page, ben, sdkUrl } = await hostAndBen(desk);
    await ben.join({ roomUrl: sdkUrl, devices: sources });
    await page.untilTile("ben");
    await page.untilText("ben joined");
    await page.click("Host actions for ben");
    await page.click("Chat");
    const nodes = await page.accessibilityTree();
    const of = (role) => nodes.filter((node) => node.role === role);
    const buttons = of("button");
    assert.ok(buttons.length >= 9, `${buttons.length} buttons`);
    assert.deepEqual(buttons.filter(({ name }) => !name), []);
    for (const name of ["Microphone", "Camera", "Raise hand", "Share screen", "Chat", "Lock room"]) {
        const found = buttons.filter((button) => button.name.startsWith(name));
        assert.equal(found.length, 1, name);
        assert.ok(["true", "false"].includes(found[0].pressed), `${name} says whether it is on: ${JSON.stringify(found[0])}`);
    }
    assert.ok(buttons.some(({ name }) => name === "Host actions for ben"));
    for (const [role, name] of [["main", null], ["banner", null], ["navigation", "Controls"], ["status", "Events"], ["list", "Participants"]]) {
        assert.ok(of(role).some((node) => name === null || node.name === name), `${role} ${name ?? ""}`);
    }
    // Tab reaches every button that is shown, and focus can be seen.
    const reached = await page.tabThrough(40);
    for (const name of ["Microphone", "Camera", "Raise hand", "Leave", "Host actions for ben"]) assert.ok(reached.some((stop) => stop.name.startsWith(name)), `${name} in ${JSON.stringify(reached)}`);
    assert.deepEqual(reached.filter(({ outlined }) => !outlined), []);
    await page.close();
});

test("a host lets people in, asks, mutes, locks and ends from the page", async (desk) => {
    const { page, ben, sdkUrl } = await hostAndBen(desk, { isLocked: true });
    await ben.join({ roomUrl: sdkUrl, devices: sources });
    await ben.act("knock");
    await page.untilText("ben knocks");
    await page.click("Ask to wait");
    await ben.untilStatus("knock_on_hold");
    await page.click("Let in");
    await ben.untilStatus("connected");
    await page.untilTile("ben");
    await page.click("Host actions for ben");
    await page.click("Mute");
    await ben.until("muted", "(state) => !state.isMicrophoneEnabled");
    await page.click("Lock room");
    await ben.until("open", "(state) => state.isLocked === false");
    await page.click("Host actions for ben");
    await page.click("Remove from the room");
    await ben.untilStatus("kicked");
    assert.equal(await ben.call("rejoin"), "joined");
    await page.untilTile("ben");
    await page.click("End meeting");
    await page.click("End meeting", "dialog");
    await ben.untilStatus("kicked");
    await page.untilText("You left the room.");
    await page.close();
});

test("a guest knocks, waits, is rejected, comes in, is asked to speak and is removed, all told in words", async (desk) => {
    const { sdkUrl, hostKey, roomName } = await desk.meeting({ isLocked: true });
    const ben = await desk.open("ben");
    await ben.join({ roomUrl: sdkUrl, roomKey: hostKey, devices: sources });
    const page = await opened(desk, roomName);
    await page.enter("Paula");
    await page.untilText("The room is locked.");
    await page.click("Knock");
    await page.untilText("Waiting for a host");
    const waits = async () => (await ben.until("paula waits", "(state) => state.waitingParticipants.length === 1")).waitingParticipants[0].id;
    await ben.act("holdWaitingParticipant", await waits(), "two minutes");
    await page.untilText("“two minutes”");
    await ben.act("rejectWaitingParticipant", await waits());
    await page.untilText("did not let you in");
    await page.click("Join again");
    await page.untilText("The room is locked.");
    await page.click("Knock");
    await ben.act("acceptWaitingParticipant", await waits());
    await page.untilTile("ben");
    const { remoteParticipants } = await ben.until("paula is in", "(state) => state.remoteParticipants.length === 1");
    const paula = remoteParticipants[0].id;
    await ben.act("muteParticipants", [paula]);
    await page.untilPressed("Microphone", false);
    await ben.act("askToSpeak", paula);
    await page.untilText("ben asks you to speak.");
    await page.click("Turn microphone on");
    await ben.until("paula speaks", "(state) => state.remoteParticipants[0].isAudioEnabled");
    await ben.act("kickParticipant", paula);
    await page.untilText("A host removed you from the room");
    await page.close();
});

test("without camera permission the page joins all the same and shows the others", async (desk) => {
    const { sdkUrl, roomName } = await desk.meeting();
    const ben = await desk.open("ben");
    await ben.join({ roomUrl: sdkUrl, devices: sources });
    const page = await opened(desk, roomName, { browser: browsers.withoutPermission });
    await page.untilText("The browser has not allowed camera and microphone.");
    await page.join("Paula");
    await page.untilTile("ben");
    const { remoteParticipants } = await ben.until("paula is in", "(state) => state.remoteParticipants.length === 1");
    assert.deepEqual([remoteParticipants[0].isAudioEnabled, remoteParticipants[0].isVideoEnabled], [false, false]);
    await page.untilPlaying("ben");
    await page.close();
});

test("a lost room server is told in words and the page comes back by itself", async (desk) => {
    const { page, ben, sdkUrl } = await hostAndBen(desk);
    await ben.join({ roomUrl: sdkUrl, devices: sources });
    await page.untilPlaying("ben");
    await page.offline(true);
    await page.untilText("The connection to the room server is lost.");
    await page.untilTile("ben");
    await page.offline(false);
    await page.untilNoText("The connection to the room server is lost.", 15_000);
    await page.untilPlaying("ben");
    await page.close();
});

test("the address without a room asks for its name", async (desk) => {
    const page = await opened(desk, "/");
    await page.untilText("Join a room");
    await page.type("stand-up");
    await Promise.all([page.page.waitForNavigation(), page.press("Enter")]);
    await page.untilText("stand-up");
    assert.equal(new URL(page.page.url()).pathname, "/stand-up");
    await page.close();
});
