//! Every reason why a room refuses a join, told to the SDK and to roomd in the room server's place: both end in the same status with the
//! same error, and only roomd asks again, after the refusals that pass by themselves.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { applianceBench } from "./support/appliance.mjs";
import { until } from "./support/waiting.mjs";

const { test } = applianceBench({ isWitnessed: true, server: { toml: "[server.limits]\nsockets_per_device = 30" } });
const MS = 30_000;
/** The errors of the protocol: the first column of the table in docs/room-connection.md, without what roomd says itself. */
const docs = await readFile(new URL("../../docs/room-connection.md", import.meta.url), "utf8");
const LISTED = [...docs.split("## Why a join is refused")[1].matchAll(/^\| `([a-z_]+)` \| (.*)$/gm)].filter(([, , text]) => !text.includes("Said by roomd")).map(([, error]) => error);
/** Those after which roomd, unlike the SDK, asks again by itself: nobody sits at it who could. */
const PASSING = ["room_full", "room_concurrency_control_error", "host_presence_controls_error", "internal_server_error"];
/** These come last, so that the others have had the time in which roomd asks again after these. */
const ERRORS = [...LISTED.filter((error) => !PASSING.includes(error)), ...PASSING];
const LOCKED = { isLocked: true, isClaimed: true, selfId: "00000000-0000-4000-8000-000000000000" };

// conformance: joinError.room_locked joinError.room_empty joinError.room_full joinError.room_join_permission_denied [mqtt, sdk]
// conformance: joinError.unique_role_already_in_room joinError.room_concurrency_control_error [mqtt, sdk]
// conformance: joinError.room_unclaimed joinError.free_tier_exhausted joinError.room_meeting_time_exhausted [mqtt, sdk]
// conformance: joinError.max_viewer_limit_reached joinError.host_presence_controls_error [mqtt, sdk]
// conformance: joinError.internal_server_error joinError.invalid_assistant_key [mqtt, sdk]
// conformance: joinError.organization_assistant_not_found joinError.organization_assistant_not_enabled [mqtt, sdk]
// conformance: joinError.missing_parameters joinError.invalid_parameters joinError.invalid_room_name [mqtt, sdk]
// conformance: joinError.invalid_key joinError.invalid_avatar event.room:joined:error [mqtt, sdk]
// conformance: event.connection:error-changed field.RoomConnectionState.connectionError [mqtt, sdk]
// conformance: transition.T5 [sdk]
test("each refusal ends at roomd as it does at the SDK, and roomd alone asks again where it may pass", async (desk) => {
    assert.equal(ERRORS.length, 20);
    const { witness } = desk;
    const roomOf = (error) => `/${error.replaceAll("_", "-")}`;
    for (const error of ERRORS) witness.refuse(roomOf(error), { error, ...(error === "room_locked" ? LOCKED : {}) });
    const anna = await desk.open("anna");
    const answers = await anna.call("ask", ERRORS.map((error) => `https://local.whereby.com${roomOf(error)}`));
    const ask = async (error) => {
        const box = await desk.appliance({ device: error.replaceAll("_", "-"), camera: '"none"', microphone: '"none"', room: "auto_knock = false" });
        const reply = await box.command("join_room", { roomUrl: witness.origin + roomOf(error) }, { ms: MS });
        assert.deepEqual([reply.ok, reply.error?.code], [false, "rejected_by_room"], error);
        assert.ok(reply.error.remedy, error);
        await box.waitEvent("room_joined_error", (told) => told.error === error, MS);
        const { connectionStatus, connectionError } = await box.waitState("room", (room) => ["disconnected", "room_locked"].includes(room.connectionStatus), MS);
        if (connectionError) await box.waitEvent("connection_error_changed", () => true, MS);
        const changes = box.events.filter(({ name }) => name === "connection_error_changed").map(({ connectionError: one }) => one);
        assert.deepEqual(changes, connectionError ? [connectionError] : []);
        return { outcome: reply.error.message, connectionStatus, connectionError };
    };
    // A few at a time: each is a program.
    const ours = [];
    for (let first = 0; first < ERRORS.length; first += 5) ours.push(...(await Promise.all(ERRORS.slice(first, first + 5).map(ask))));
    ERRORS.forEach((error, index) => {
        assert.deepEqual(ours[index], answers[index], error);
        const isLocked = error === "room_locked";
        assert.deepEqual(answers[index], { outcome: error, connectionStatus: isLocked ? "room_locked" : "disconnected", connectionError: isLocked ? null : error });
    });

    const joinsOf = (who) => ERRORS.map((error) => [error, witness.joins.filter(({ roomName, userAgent }) => roomName === roomOf(error) && userAgent.startsWith(who)).length]);
    const again = (list) => list.filter(([, count]) => count > 1).map(([error]) => error).sort();
    await until("roomd asks again", () => again(joinsOf("roomd")).length >= PASSING.length, MS);
    assert.deepEqual(again(joinsOf("roomd")), [...PASSING].sort());
    assert.deepEqual(again(joinsOf("core")), []);
}, { timeout: 180_000 });
