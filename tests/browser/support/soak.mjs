//! A room in which everybody does something at random: two SDKs and two roomd. After each action all four have to see the same room.
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { commandOf } from "./actions.mjs";
import { devices } from "./content.mjs";
import { until } from "./waiting.mjs";

/** How long the four views may differ after an action, on a machine that is not overloaded. */
const AGREEMENT_MS = 2000;
/** The same on this machine as busy as it is: where more programs want to run than there are cores, all take longer. */
const agreementMs = () => AGREEMENT_MS * Math.max(1, loadavg()[0] / cpus().length);
/** How long a join may take, media included. */
const JOIN_MS = 20_000;
/** Messages that roomd publishes. */
const SHOWN_MESSAGES = 50;

/** Numbers from 0 to below 1 that a seed decides (mulberry32). */
function randomOf(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

const byId = (left, right) => (left.id < right.id ? -1 : 1);

/** What everybody has to see alike; `own` is the id of whose view it is. */
function viewOf({ own, local, remotes, screenshares, chat, isLocked, spotlights }) {
    const person = ({ id, displayName, roleName, isAudioEnabled, isVideoEnabled, stickyReaction }) => ({
        id,
        displayName,
        roleName,
        isAudioEnabled,
        isVideoEnabled,
        hand: stickyReaction?.timestamp ?? null,
    });
    return {
        participants: [local, ...remotes].map(person).sort(byId),
        screenshares: screenshares.map(({ participantId }) => (participantId === "local" ? own : participantId)).sort(),
        chat: chat.map(({ id, senderId, text, parentId, removed }) => ({ id, senderId, text, parentId: parentId ?? null, removed })),
        isLocked,
        // A page that shares puts its own screen in front for itself alone.
        spotlights: spotlights.filter(({ isPresentation }) => !isPresentation).map(({ clientId }) => clientId),
    };
}

/** A participant that is an SDK in a page. */
function sdkPerson({ name, person, isHost }) {
    return {
        name,
        isHost,
        isSdk: true,
        isIn: true,
        async view() {
            const { connectionStatus, localParticipant, remoteParticipants, screenshares, chatMessages, isLocked, spotlightedParticipants } = await person.state();
            if (connectionStatus !== "connected") return { connectionStatus };
            return viewOf({ own: localParticipant.id, local: localParticipant, remotes: remoteParticipants, screenshares, chat: chatMessages, isLocked, spotlights: spotlightedParticipants });
        },
        id: async () => (await person.state()).localParticipant.id,
        async act(action, ...args) {
            if (action !== "removeChatMessage") return person.act(action, ...args);
            const { chatMessages } = await person.state();
            await person.act(action, args[0], chatMessages.find(({ id }) => id === args[0]).sig);
        },
        untilStatus: (status) => person.untilStatus(status, JOIN_MS),
        /**
         * Its connections with `others` stand, and no offer is under way. Before that the SDK puts new offers into a queue, which it may
         * forget: one entry is taken out each time an answer comes, and an entry that changes the bandwidth uses that up.
         */
        untilSettled: (others) => person.until("settled connections", `(state, count) => window.lab.settledConnections() === count`, { args: [others], ms: JOIN_MS }),
        refusedDescriptions: () => person.call("refusedDescriptions"),
        async join() {
            assert.equal(await person.call("rejoin"), "joined");
        },
    };
}

/** A participant that is a roomd, driven over MQTT. */
function roomdPerson({ name, box, order, isHost }) {
    return {
        name,
        isHost,
        isIn: true,
        async view() {
            const { connectionStatus, isLocked } = box.state("room");
            if (connectionStatus !== "connected") return { connectionStatus };
            const local = box.state("local_participant");
            const [{ remoteParticipants: remotes }, { screenshares }, { chat }, { spotlights }] = ["remote_participants", "screenshares", "chat", "spotlights"].map(box.state);
            return viewOf({ own: local.id, local, remotes, screenshares, chat, isLocked, spotlights });
        },
        id: async () => box.state("local_participant").id,
        act: (action, ...args) => box.carryOut(...commandOf(action, args), { ms: JOIN_MS }),
        untilStatus: (status) => box.waitState("room", (room) => room.connectionStatus === status, JOIN_MS),
        untilSettled: (others) =>
            box.waitState("remote_participants", ({ remoteParticipants: list }) => list.length === others && list.every(({ stream }) => stream), JOIN_MS),
        refusedDescriptions: async () => [],
        join: () => box.carryOut("join_room", order, { ms: JOIN_MS }),
    };
}

/** The last messages that all have: who came later has fewer, and roomd shows no more than so many. */
function withCommonChat(views) {
    const count = Math.min(SHOWN_MESSAGES, ...views.map(({ chat }) => chat?.length ?? 0));
    return views.map((view) => ({ ...view, chat: view.chat?.slice(view.chat.length - count) }));
}

/** What of the views is not the same for all, a line for each participant. */
function differing(names, views) {
    const fields = Object.keys(views[0]).filter((field) => new Set(views.map((view) => JSON.stringify(view[field]))).size > 1);
    if (fields.length === 0) return [`all see ${JSON.stringify(views[0])}`];
    return names.flatMap((name, index) => fields.map((field) => `${name}, ${field}: ${JSON.stringify(views[index][field])}`));
}

/** What may be done now: `[weight, line, act, expectation of a view]`. `seen` is the room as it is. */
function possibilities({ people, ids, seen, step, pick }) {
    const there = people.filter(({ isIn }) => isIn);
    const away = people.filter(({ isIn }) => !isIn);
    const one = (view, id) => view.participants.find((person) => person.id === id);
    const can = [];
    const add = (weight, actor, action, args, expect) => can.push({ weight, line: `${actor.name}: ${action}(${JSON.stringify(args).slice(1, -1)})`, act: () => actor.act(action, ...args), expect });
    for (const actor of there) {
        const id = ids.get(actor.name);
        const own = one(seen, id);
        const text = `message ${step}`;
        add(3, actor, "toggleMicrophone", [!own.isAudioEnabled], (view) => one(view, id)?.isAudioEnabled === !own.isAudioEnabled);
        add(3, actor, "toggleCamera", [!own.isVideoEnabled], (view) => one(view, id)?.isVideoEnabled === !own.isVideoEnabled);
        add(3, actor, "toggleRaiseHand", [!own.hand], (view) => one(view, id) && Boolean(one(view, id).hand) === !own.hand);
        add(1, actor, "setDisplayName", [`${actor.name} ${step}`], (view) => one(view, id)?.displayName === `${actor.name} ${step}`);
        add(3, actor, "sendChatMessage", [text], (view) => view.chat.some((message) => message.text === text));
        const answered = pick(seen.chat);
        if (answered) add(1, actor, "sendChatMessage", [text, answered.id], (view) => view.chat.some((message) => message.text === text && message.parentId === answered.id));
        const unwanted = pick(seen.chat.filter(({ senderId, removed }) => !removed && (senderId === id || actor.isHost)));
        if (unwanted) add(1, actor, "removeChatMessage", [unwanted.id], (view) => view.chat.every((message) => message.id !== unwanted.id || message.removed));
        const shares = seen.screenshares.includes(id);
        add(2, actor, shares ? "stopScreenshare" : "startScreenshare", [], (view) => view.screenshares.includes(id) === !shares);
        // What the SDK does with a share when it leaves is its own affair; everybody stops first.
        if (away.length === 0 && !shares && (!seen.isLocked || actor.isHost)) {
            const leave = { weight: 1, line: `${actor.name}: leaveRoom()`, expect: (view) => !one(view, id) };
            leave.act = async () => {
                actor.isIn = false;
                await actor.act("leaveRoom");
                await actor.untilStatus("left");
            };
            can.push(leave);
        }
        if (!actor.isHost) continue;
        add(1, actor, "lockRoom", [!seen.isLocked], (view) => view.isLocked === !seen.isLocked);
        const otherId = pick(seen.participants.filter((person) => person.id !== id)).id;
        const isSpotlit = seen.spotlights.includes(otherId);
        add(2, actor, isSpotlit ? "removeSpotlight" : "spotlightParticipant", [otherId], (view) => view.spotlights.includes(otherId) === !isSpotlit);
        add(1, actor, "muteParticipants", [[otherId]], (view) => one(view, otherId)?.isAudioEnabled === false);
        add(1, actor, "turnOffParticipantCameras", [[otherId]], (view) => one(view, otherId)?.isVideoEnabled === false);
        const victim = there.find((person) => ids.get(person.name) === otherId && !person.isHost);
        if (victim && away.length === 0 && !seen.screenshares.includes(otherId) && !seen.isLocked) {
            const kick = { weight: 3, line: `${actor.name}: kickParticipant(${victim.name})`, expect: (view) => !one(view, otherId) };
            kick.act = async () => {
                victim.isIn = false;
                await actor.act("kickParticipant", otherId);
                await victim.untilStatus("kicked");
            };
            can.push(kick);
        }
    }
    for (const actor of away.filter(({ isHost }) => isHost || !seen.isLocked)) {
        const join = { weight: 20, line: `${actor.name}: join`, expect: (view) => view.participants.length === people.length };
        join.act = async () => {
            await actor.join();
            actor.isIn = true;
        };
        can.push(join);
    }
    return can;
}

/**
 * Two SDKs ("anna", a host, and "ben") and two roomd ("desk", a host, and "wall") do `steps` things that `seed` decides. Fails when the
 * views of the room of those who are in it differ for longer than two seconds (more on an overloaded machine), or do not show what was done.
 */
export async function soak(desk, options) {
    const folder = await mkdtemp(join(tmpdir(), "soak-"));
    try {
        await soakIn(folder, desk, options);
    } catch (error) {
        for (const file of await readdir(folder)) desk.watch({ texts: { [file]: await readFile(join(folder, file), "utf8") } });
        throw error;
    } finally {
        await rm(folder, { recursive: true });
    }
}

async function soakIn(folder, desk, { steps, seed }) {
    const small = (shift, hz) => ({ ...devices({ shift, hz, width: 320, height: 180, fps: 15 }), screen: { width: 320, height: 180, fps: 5, shift: shift + 8 } });
    const random = randomOf(seed);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const meeting = await desk.meeting();
    const roomUrl = desk.server.origin + meeting.roomName;
    const people = [];
    for (const [name, shift, roomKey] of [["anna", 3, meeting.hostKey], ["ben", 6, undefined]]) {
        const person = await desk.open(name);
        assert.equal(await person.join({ roomUrl: meeting.sdkUrl, roomKey, devices: small(shift, 440 + 110 * shift) }), "joined");
        people.push(sdkPerson({ name, person, isHost: Boolean(roomKey) }));
    }
    for (const [name, roomKey] of [["desk", meeting.hostKey], ["wall", undefined]]) {
        const box = await desk.appliance({ device: name, args: ["--trace-signal", join(folder, `${name}-signal.jsonl`)] });
        const order = { roomUrl, displayName: name, ...(roomKey ? { roomKey } : {}) };
        await box.carryOut("join_room", { ...order, initialMuteStates: { camera: false, microphone: false } }, { ms: JOIN_MS });
        people.push(roomdPerson({ name, box, order, isHost: Boolean(roomKey) }));
    }

    const transcript = [`seed ${seed}`];
    desk.watch({ texts: { "transcript.txt": () => transcript.join("\n") } });
    const took = [];
    /** Waits until all who are in the room see the same, and what is expected; gives it. */
    const agreement = async (expect, ms) => {
        let last;
        const began = performance.now();
        const found = await until(
            "all agree",
            async () => {
                const views = withCommonChat(await Promise.all(people.filter(({ isIn }) => isIn).map((person) => person.view())));
                last = views;
                const isThere = views.every(({ participants }) => participants);
                const [first, ...others] = views.map((view) => JSON.stringify(view));
                return isThere && others.every((view) => view === first) && expect(views[0]) && views[0];
            },
            ms,
        ).catch((error) => {
            const names = people.filter(({ isIn }) => isIn).map(({ name }) => name);
            const what = `${error.message}; load average ${loadavg()[0].toFixed(1)}`;
            throw new Error([what, ...differing(names, last), ...transcript].join("\n"), { cause: error });
        });
        took.push(performance.now() - began);
        return found;
    };

    const settle = async () => {
        const there = people.filter(({ isIn }) => isIn);
        for (const person of there) await person.untilSettled(there.length - 1);
    };
    let seen = await agreement((view) => view.participants.length === people.length, JOIN_MS);
    await settle();
    took.length = 0;
    for (let step = 1; step <= steps; step += 1) {
        const ids = new Map();
        for (const person of people) ids.set(person.name, await person.id());
        const can = possibilities({ people, ids, seen, step, pick });
        let rest = random() * can.reduce((sum, { weight }) => sum + weight, 0);
        const chosen = can.find(({ weight }) => (rest -= weight) < 0);
        transcript.push(`${step}. ${chosen.line}`);
        try {
            await chosen.act();
        } catch (error) {
            error.message = `${error.message}\n${transcript.join("\n")}`;
            throw error;
        }
        seen = await agreement(chosen.expect, agreementMs());
        await settle();
    }
    for (const person of people) assert.deepEqual(await person.refusedDescriptions(), [], `${person.name}: descriptions that the browser refused`);
    const kinds = new Map();
    for (const [, kind] of transcript.join("\n").matchAll(/^\d+\. \w+: (\w+)/gm)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    console.log([...kinds].map(([kind, count]) => `${count} ${kind}`).join(", "));
    took.sort((left, right) => left - right);
    const at = (part) => took[Math.min(took.length - 1, Math.floor(took.length * part))].toFixed(0);
    console.log(`seed ${seed}: ${steps} actions; all agreed after ${at(0.5)} ms (median), ${at(1)} ms (longest), ${took.filter((ms) => ms > AGREEMENT_MS).length} times after more than ${AGREEMENT_MS} ms; load average ${loadavg()[0].toFixed(1)}`);
}

/** The seed of this run: ROOMD_SOAK_SEED, or a new one. */
export const soakSeed = () => Number(process.env.ROOMD_SOAK_SEED ?? Math.floor(Math.random() * 2 ** 32));
