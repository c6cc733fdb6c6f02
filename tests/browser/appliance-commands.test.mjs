//! Every row of the table of commands in docs/mqtt.md, as it stands there, sent to a roomd in a room with an SDK: what is marked as not
//! supported says so, everything else is answered with what became true or with a word of the contract, and the SDK sees it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { devices } from "./support/content.mjs";
import { applianceBench } from "./support/appliance.mjs";

const { test } = applianceBench();
const docs = await readFile(new URL("../../docs/mqtt.md", import.meta.url), "utf8");
const MS = 20_000;

/** The documented commands: `{ kind, name, example, isSupported }`. */
const COMMANDS = [...docs.matchAll(/^\| `(cmd|admin)\/(\w+)` \| `(.*?)` \| (.*) \|$/gm)].map(([, kind, name, example, text]) => ({
    kind,
    name,
    example: JSON.parse(example),
    isSupported: !text.includes("not_supported"),
}));
/** What administers the box is sent only where it is refused. */
const SENT = COMMANDS.filter(({ kind, isSupported }) => kind === "cmd" || !isSupported);
/** The words for errors. */
const CODES = [...docs.matchAll(/^\| `(\w+)` \| [^|]+ \|$/gm)].map(([, code]) => code);

test("every documented command is answered as documented, in a room and out of one", async (desk) => {
    assert.ok(COMMANDS.length > 60 && CODES.includes("not_in_room"), "the tables of docs/mqtt.md are read");
    const { anna, box, annaId, roomUrl } = await desk.call({ devices: devices({ shift: 3, hz: 880, width: 320, height: 180, fps: 15 }), boxIsHost: true, meetingOptions: { roomMode: "group" } });
    const info = JSON.parse(box.history.map((line) => / roomd\/desk\/info (.*)$/.exec(line)?.[1]).find(Boolean));
    const supported = COMMANDS.filter(({ isSupported }) => isSupported).map(({ name }) => name);
    assert.deepEqual([...info.commands].sort(), [...supported].sort(), "info tells what the table tells");

    const ours = { participantId: annaId, participantIds: [annaId], roomUrl, source: "laptop", assignments: { [annaId]: "a" } };
    const answers = new Map();
    const send = async ({ kind, name, example }, replaced) => {
        const payload = Object.fromEntries(Object.entries(example).map(([field, value]) => [field, replaced[field] ?? value]));
        const reply = await box.command(name, payload, { admin: kind === "admin", ms: MS });
        assert.equal(reply.command, name);
        assert.ok(reply.ok || CODES.includes(reply.error?.code), `${name}: ${JSON.stringify(reply)}`);
        if (!reply.ok) assert.ok(reply.error.message && reply.error.remedy, `${name}: ${JSON.stringify(reply)}`);
        return reply.ok ? "ok" : reply.error.code;
    };
    // Those after which nobody is there any more come last.
    const isEnd = ({ name }) => ["join_room", "leave_room", "kick_participant", "end_meeting"].includes(name);
    const inRoom = [...SENT.filter((command) => !isEnd(command)), ...["kick_participant", "end_meeting"].map((wanted) => COMMANDS.find(({ name }) => name === wanted))];
    for (const command of inRoom) answers.set(command.name, await send(command, ours));
    await anna.untilStatus("kicked", MS);
    console.log(JSON.stringify(Object.fromEntries(answers)));
    for (const { name, isSupported } of inRoom) assert.equal(answers.get(name) === "not_supported", !isSupported, `${name}: ${answers.get(name)}`);
    assert.deepEqual(
        ["toggle_microphone", "toggle_camera", "toggle_raise_hand", "set_display_name", "send_chat_message", "lock_room", "ask_to_speak", "mute_participants", "start_screenshare", "start_breakout_session", "update_breakout_session", "kick_participant", "end_meeting"].map((name) => [name, answers.get(name)]).filter(([, answer]) => answer !== "ok"),
        [],
    );

    await box.waitState("room", (room) => room.connectionStatus === "left", MS);
    const media = ["toggle_microphone", "toggle_camera", "set_display_name", "set_volume", "mute_speaker", "toggle_low_data_mode", "toggle_hd_mode", "toggle_widescreen_mode"];
    for (const command of SENT.filter(({ name }) => name !== "join_room")) {
        const answer = await send(command, ours);
        const wanted = !command.isSupported ? ["not_supported"] : media.includes(command.name) ? ["ok"] : ["not_in_room", "wrong_state", "not_found", "ok"];
        assert.ok(wanted.includes(answer), `${command.name} outside of a room: ${answer}`);
    }
    assert.equal(box.state("room").connectionStatus, "left");
});
