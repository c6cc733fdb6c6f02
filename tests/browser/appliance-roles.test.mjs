//! Each role, held by an SDK and then by roomd in the same place: what it may do and what it may not, as an SDK who is the host sees it.
import assert from "node:assert/strict";
import { commandOf } from "./support/actions.mjs";
import { applianceBench } from "./support/appliance.mjs";
import { devices } from "./support/content.mjs";

const ASSISTANT_KEY = "a key for assistants";
const { test } = applianceBench({ server: { assistantKey: ASSISTANT_KEY } });
const MS = 20_000;
const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: 10 });
const NAME = "guest";

/** What who shares nothing and moderates nothing may do all the same. */
const TALKS = ["chat", "hand", "group"];
const SHOWS = ["microphone", "camera", "screen"];
const MODERATES = ["lock", "mute", "spotlight"];
/** What a host sees of each role that tries everything. Programs are no participants: of theirs only messages are seen. */
const SEEN = {
    visitor: [...TALKS, ...SHOWS],
    granted_visitor: [...TALKS, ...SHOWS],
    viewer: TALKS,
    granted_viewer: TALKS,
    host: [...TALKS, ...SHOWS, ...MODERATES],
    assistant: ["chat"],
    recorder: [],
    streamer: [],
    captioner: [],
};
const PROGRAMS = ["assistant", "recorder", "streamer", "captioner"];

/** An SDK and a roomd that come with the same keys and try the same things. */
function guests(desk, { meeting, sdk, box }) {
    const kinds = { audio: true, video: true };
    const muted = { camera: true, microphone: true };
    return {
        SDK: {
            join: (keys) => sdk.join({ roomUrl: meeting.sdkUrl, displayName: NAME, devices: small(6, 550), kinds, initialMuteStates: muted, ...keys }),
            attempt: async (...call) => void (await sdk.act(...call)),
            status: (wanted) => sdk.untilStatus(wanted, MS),
            role: async () => (await sdk.state()).localParticipant.roleName,
            tiles: async () => (await sdk.call("view")).grid.allClientViews.length,
            id: async () => (await sdk.state()).localParticipant.id,
            /** The groups that it was told of when it came, and its own. */
            async groups() {
                const { breakout, breakoutGroup } = await sdk.call("welcome");
                return { groups: breakout.groups, startedAt: breakout.startedAt, own: breakoutGroup || null };
            },
            settle: async () => {},
        },
        roomd: {
            async join(keys) {
                const reply = await box.command("join_room", { roomUrl: desk.server.origin + meeting.roomName, displayName: NAME, initialMuteStates: muted, ...keys }, { ms: MS });
                return reply.ok ? "joined" : reply.error.message;
            },
            /** Gives the code of the error, when it is refused at once. */
            async attempt(action, ...args) {
                const [name, payload] = commandOf(action, args);
                // What the server does not hear is answered only when its time is over.
                const reply = box.command(name, payload, { ms: 2 * MS }).catch(() => ({ ok: false, error: { code: "none" } }));
                return MODERATES_BY.includes(action) ? (await reply).error?.code : undefined;
            },
            status: (wanted) => box.waitState("room", (room) => room.connectionStatus === wanted, MS),
            role: async () => (await box.waitState("local_participant", ({ roleName }) => roleName !== "none", MS)).roleName,
            tiles: async () => box.state("client_views").clientViews.length,
            id: async () => box.state("local_participant").id,
            async groups() {
                const { groups, startedAt } = await box.waitState("breakout", ({ isActive }) => isActive, MS);
                return { groups, startedAt, own: box.state("local_participant").breakoutGroup || null };
            },
            // Commands are carried out in their order.
            settle: () => box.carryOut("set_volume", { level: 50 }),
        },
    };
}
const MODERATES_BY = ["lockRoom", "muteParticipants", "spotlightParticipant"];

/** What a host has seen since `mark` of somebody with that id who tried everything, in the order of `SEEN.host`. */
async function seen(anna, id, since) {
    const [state, events, notifications] = [await anna.state(), (await anna.call("events")).slice(since.events), (await anna.call("notifications")).slice(since.notifications)];
    const ever = (predicate) => events.some(({ name, payload }) => name === "remote-participants:changed" && payload.some((one) => one.id === id && predicate(one)));
    const came = (name, predicate) => events.some((event) => event.name === name && predicate(event.payload));
    const all = {
        chat: state.chatMessages.some(({ senderId }) => senderId === id),
        hand: notifications.some(({ type, props }) => type === "remoteHandRaised" && props.client.id === id),
        group: ever(({ breakoutGroup }) => breakoutGroup === "a"),
        microphone: ever(({ isAudioEnabled }) => isAudioEnabled),
        camera: ever(({ isVideoEnabled }) => isVideoEnabled),
        // Its stream is announced; in another group it does not arrive.
        screen: ever(({ streams }) => streams.length > 1),
        lock: state.isLocked,
        mute: notifications.some(({ type }) => type === "requestAudioDisable"),
        spotlight: came("spotlight:participant-added", () => true),
    };
    return Object.keys(all).filter((what) => all[what]);
}

// conformance: role.visitor role.granted_visitor role.viewer role.granted_viewer role.host role.recorder [sdk]
// conformance: role.streamer role.captioner role.assistant [sdk]
// conformance: field.RoomJoinedSuccess.breakout field.RoomJoinedSuccess.breakoutGroup [sdk]
// conformance: rule.lockRoom rule.requestAudioAndVideo [mqtt, sdk]
// conformance: rule.spotlights rule.chat rule.screenshare rule.breakoutMoves rule.ownMediaNameAndHand [mqtt, sdk]
// conformance: field.WherebyClientOptions.assistantKey field.WherebyClientOptions.isAssistant [mqtt, sdk]
// conformance: field.LocalParticipantState.roleName [mqtt, sdk]
test("each role may do the same as an SDK and as roomd, and no more", async (desk) => {
    const meeting = await desk.meeting({ roomMode: "group" });
    const [anna, sdk] = [await desk.open("anna"), await desk.open("sdk")];
    const box = await desk.appliance({ room: "auto_knock = false" });
    assert.equal(await anna.join({ roomUrl: meeting.sdkUrl, roomKey: meeting.hostKey, devices: small(3, 880) }), "joined");
    const annaId = (await anna.state()).localParticipant.id;
    await anna.act("startBreakoutSession", { groups: { a: "Group A" } });
    const { breakout } = await anna.until("a session", (state) => state.breakout.isActive, { ms: MS });
    const told = { groups: { a: "Group A" }, startedAt: breakout.startedAt, own: null };
    const keysOf = { visitor: {}, viewer: { roomKey: meeting.viewerKey }, granted_visitor: {}, granted_viewer: { roomKey: meeting.viewerKey }, assistant: { assistantKey: ASSISTANT_KEY } };
    const both = guests(desk, { meeting, sdk, box });

    for (const [role, expected] of Object.entries(SEEN)) {
        const isProgram = PROGRAMS.includes(role);
        for (const [kind, guest] of Object.entries(both)) {
            const where = `${role}, ${kind}`;
            const since = { events: (await anna.call("events")).length, notifications: (await anna.call("notifications")).length };
            const keys = keysOf[role] ?? { roomKey: meeting[`${role}Key`] };
            if (role.startsWith("granted")) {
                await anna.act("lockRoom", true);
                await anna.until("locked", (state) => state.isLocked, { ms: MS });
                assert.equal(await guest.join(keys), "room_locked", where);
                await guest.attempt("knock");
                const { waitingParticipants } = await anna.until("a knock", (state) => state.waitingParticipants.length === 1, { ms: MS });
                await anna.act("acceptWaitingParticipant", waitingParticipants[0].id);
                await guest.status("connected");
                await anna.act("lockRoom", false);
                await anna.until("open", (state) => !state.isLocked, { ms: MS });
            } else {
                assert.equal(await guest.join(keys), "joined", where);
                assert.deepEqual(await guest.groups(), told, where);
            }
            assert.equal(await guest.role(), role, where);
            const id = await guest.id();
            // Programs are no participants and have no tile of their own.
            if (!isProgram) {
                const { remoteParticipants } = await anna.until(where, (state) => state.remoteParticipants.length === 1, { ms: MS });
                assert.equal(remoteParticipants[0].roleName, role);
            }
            assert.equal(await guest.tiles(), isProgram ? 1 : 2, where);

            await guest.attempt("sendChatMessage", `by a ${role}`);
            await guest.attempt("toggleRaiseHand", true);
            await guest.attempt("joinBreakoutGroup", "a");
            await guest.attempt("toggleMicrophone", true);
            await guest.attempt("toggleCamera", true);
            await guest.attempt("startScreenshare");
            const codes = [];
            codes.push(await guest.attempt("lockRoom", true));
            codes.push(await guest.attempt("muteParticipants", [annaId]));
            codes.push(await guest.attempt("spotlightParticipant", annaId));
            if (kind === "roomd") assert.deepEqual(codes, role === "host" ? [undefined, undefined, undefined] : codes.map(() => "not_permitted"), where);
            await guest.settle();
            // What is seen late is waited for; what must not be seen would come before the leaving that is seen below.
            if (expected.includes("screen")) await anna.until(`${where}: screen`, (state) => state.remoteParticipants[0].streams.length > 1, { ms: MS });
            if (expected.includes("spotlight")) await anna.until(`${where}: spotlight`, (state) => state.spotlightedParticipants.length === 1, { ms: MS });
            if (role === "host") await anna.until("locked", (state) => state.isLocked, { ms: MS });
            await guest.attempt("leaveRoom");
            await guest.status("left");
            await anna.until(`${where} is gone`, (state) => state.remoteParticipants.length === 0, { ms: MS });
            assert.deepEqual((await seen(anna, id, since)).sort(), [...expected].sort(), where);
            if (role === "host") {
                await anna.act("lockRoom", false);
                await anna.act("removeSpotlight", annaId);
                await anna.act("toggleMicrophone", true);
                await anna.until("as before", (state) => !state.isLocked && state.isMicrophoneEnabled && state.spotlightedParticipants.length === 0, { ms: MS });
            }
        }
    }
}, { timeout: 180_000 });
