//! Runs a flow with an SDK and with roomd in the same place, compares step by step, and holds what differs against the reviewed list.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { devices } from "../support/content.mjs";
import { compareFlows, normalise } from "./compare.mjs";
import { recordRequests } from "./requests.mjs";
import { asRow, explanation, reviewedDifferences } from "./reviewed.mjs";
import { NotSupported, PATIENCE, roomdSubject, sdkSubject, untilTold } from "./subjects.mjs";

const small = (shift, hz) => devices({ shift, hz, width: 320, height: 180, fps: 15 });
const SOURCES = { anna: small(3, 880), ben: small(6, 550), carla: small(9, 440), dora: small(12, 330) };

/** One run of a flow with one subject: `step` cuts the recording, the other methods drive and watch the others. */
function stageOf({ flow, subject, meeting, people, take }) {
    const steps = new Map();
    const names = new Map([[meeting.roomName, "room"]]);
    for (const person of Object.values(people)) if (person.id) names.set(person.id, person.name);
    const stage = {
        subject,
        meeting,
        steps,
        ...people,
        /** Lets a person into the room, the first time or again; gives what the SDK says. */
        async enter(person, options = {}) {
            const roomUrl = meeting.sdkUrl;
            const outcome = person.isKnown ? await person.call("rejoin") : await person.join({ roomUrl, devices: SOURCES[person.name], ...options });
            person.isKnown = true;
            const { localParticipant } = await person.state();
            person.id = localParticipant.id;
            names.set(person.id, person.name);
            return outcome;
        },
        /** Carries out a part of the flow; what the subject sends until its end belongs to it. */
        async step(name, body) {
            try {
                await body();
                await subject.settle();
            } catch (error) {
                if (!(error instanceof NotSupported)) {
                    error.message = `${flow} · ${name}, ${subject.kind}: ${error.message}`;
                    throw error;
                }
                steps.set(name, null);
                await take();
                return;
            }
            if (subject.id) names.set(subject.id, "me");
            steps.set(name, normalise(await take(), names));
        },
        /** The subject joins. */
        async join(options = {}) {
            assert.equal(await subject.join({ meeting, ...options }), "joined");
            await subject.recording.untilSent("ice_candidate");
        },
        /** Waits until a person's state fulfils a condition in which `one` is the subject as that person sees it. */
        sees: (person, what, condition) =>
            person.until(what, `(state, id) => { const one = state.remoteParticipants.find((other) => other.id === id); return ${condition}; }`, { args: [subject.id], ms: PATIENCE }),
        /** Carries `body` out and waits until the subject was told of it. */
        async tells(type, body) {
            const before = await subject.told(type);
            await body();
            await untilTold(subject, type, before);
        },
        /** Remembers a device id under a name. */
        name: (value, name) => names.set(value, name),
    };
    return stage;
}

/** What the flows of one file have found so far. */
export function comparison(test) {
    const used = new Set();
    let flows = 0;
    let complete = 0;
    /**
     * Declares a flow as a test. `body(stage)` is carried out by the SDK first, then by roomd, in the same room; `people` are opened
     * for it. `without`: what both do not have. `isOfRequests`: not the frames are compared but the HTTP requests.
     */
    const flow = (name, { people = ["anna"], meeting: meetingOptions, without, isOfRequests = false, timeout = 180_000 } = {}, body) => {
        flows += 1;
        test(
            name,
            async (desk) => {
                const folder = await mkdtemp(join(tmpdir(), "wire-"));
                const subjects = [];
                try {
                    const meeting = await desk.meeting(meetingOptions);
                    const opened = {};
                    for (const person of people) opened[person] = await desk.open(person);
                    const runs = {};
                    for (const start of [sdkSubject, roomdSubject]) {
                        const subject = await start(desk, { devices: SOURCES.carla, without, folder });
                        subjects.push(subject);
                        const take = isOfRequests ? recordRequests(desk.witness).take : () => subject.recording.take();
                        const stage = stageOf({ flow: name, subject, meeting, people: opened, take });
                        runs[subject.kind] = stage.steps;
                        desk.watch({ texts: { [`${subject.kind}-steps.json`]: () => JSON.stringify([...stage.steps], null, 1) } });
                        await body(stage);
                    }
                    const rows = await reviewedDifferences();
                    assert.deepEqual([...runs.roomd.keys()], [...runs.SDK.keys()]);
                    const found = compareFlows(name, runs.roomd, runs.SDK);
                    const unknown = [];
                    for (const difference of found) {
                        const row = explanation(rows, difference);
                        if (row) used.add(row.row);
                        else unknown.push(asRow(difference));
                    }
                    complete += 1;
                    const frames = [...runs.SDK.values()].flat().length;
                    console.log(`${name}: ${runs.SDK.size} steps, ${frames} frames of the SDK, ${found.length} differences, ${unknown.length} of them not in the list`);
                    assert.equal(unknown.length, 0, `not in docs/wire-differences.md:\n${unknown.join("\n")}`);
                } catch (error) {
                    for (const { kind, recording } of subjects) desk.watch({ texts: { [`${kind}-frames.txt`]: await recording.text() } });
                    throw error;
                } finally {
                    for (const subject of subjects) await subject.close();
                    await rm(folder, { recursive: true });
                }
            },
            { timeout },
        );
    };
    /** The last test: each row of the list explains something that is still so. */
    const finish = () =>
        test("every difference in the list is still there", async () => {
            assert.equal(complete, flows, "not every flow came to its end");
            const gone = (await reviewedDifferences()).filter(({ row }) => !used.has(row)).map(({ row }) => row);
            assert.equal(gone.length, 0, `gone, to be taken out of docs/wire-differences.md:\n${gone.join("\n")}`);
        });
    return { flow, finish };
}
