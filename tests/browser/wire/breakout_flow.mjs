//! The flow of breakout groups, with the subject as the host: each action of a session from its start to its end.
import assert from "node:assert/strict";

/** Declares the flow. */
export function breakoutFlow(flow) {
    // conformance: action.startBreakoutSession action.joinBreakoutGroup action.joinBreakoutMainRoom [mqtt, sdk]
    // conformance: action.assignBreakoutParticipants action.unassignAllBreakoutParticipants [mqtt, sdk]
    // conformance: action.extendBreakoutTimer action.stopBreakoutTimer action.updateBreakoutSession [mqtt, sdk]
    // conformance: action.broadcastToGroups action.stopBroadcastToGroups action.stopBreakoutSession [mqtt, sdk]
    // conformance: field.BreakoutSessionSettings.enforceAssignment field.BreakoutSessionSettings.autoMoveToGroup [mqtt, sdk]
    // conformance: field.BreakoutSessionSettings.autoMoveToMain field.BreakoutSessionSettings.moveToGroupGracePeriod [mqtt, sdk]
    // conformance: field.BreakoutSessionSettings.moveToMainGracePeriod [mqtt, sdk]
    // conformance: field.BreakoutSessionSettings.breakoutTimerSetting [mqtt, sdk]
    // conformance: field.BreakoutSessionSettings.breakoutTimerDuration [mqtt, sdk]
    // conformance: field.StartBreakoutSessionOptions.groups field.StartBreakoutSessionOptions.assignments [mqtt, sdk]
    // conformance: field.UpdateBreakoutSessionOptions.groups field.UpdateBreakoutSessionOptions.assignments [mqtt, sdk]
    // conformance: field.RemoteParticipantState.breakoutGroup field.RemoteParticipantState.breakoutGroupAssigned [sdk]
    // conformance: field.BreakoutState.isActive field.BreakoutState.groups [sdk]
    // conformance: field.BreakoutState.breakoutTimerDuration field.BreakoutState.breakoutTimerSetting [sdk]
    flow("breakout", { people: ["anna"], meeting: { roomMode: "group" } }, async (stage) => {
        const { subject, anna, meeting, step, sees } = stage;
        if (!anna.isKnown) assert.equal(await stage.enter(anna), "joined");
        await step("join", async () => {
            await stage.join({ roomKey: meeting.hostKey });
            await sees(anna, "the stream", "one?.stream");
        });
        const { remoteParticipants } = await anna.state();
        stage.name(remoteParticipants[0].deviceId, "my device");
        const is = (what, condition) => anna.until(what, `({ breakout }) => ${condition}`);
        await step("start", async () => {
            await subject.act("startBreakoutSession", { groups: { a: "Group A", b: "Group B" }, assignments: { [subject.id]: "a" }, breakoutTimerSetting: true, breakoutTimerDuration: 600 });
            await is("a session", "breakout.isActive && Object.keys(breakout.groups).length === 2");
        });
        await step("into a group and its chat", async () => {
            await subject.act("joinBreakoutGroup", "a");
            await sees(anna, "the group", `one?.breakoutGroup === "a"`);
            await subject.act("sendChatMessage", "in the group");
            await subject.untilMessage("in the group");
        });
        await step("back to the main room", async () => {
            await subject.act("joinBreakoutMainRoom");
            await sees(anna, "no group", "one && !one.breakoutGroup");
            // Both are in one group again and connect anew.
            await subject.recording.untilSent("sdp_answer");
        });
        await step("assignments", async () => {
            await subject.act("assignBreakoutParticipants", { [subject.id]: "b" });
            await sees(anna, "group b", `one?.breakoutGroupAssigned === "b"`);
            await subject.act("unassignAllBreakoutParticipants");
            await sees(anna, "no group", `one?.breakoutGroupAssigned === ""`);
        });
        await step("timer", async () => {
            await subject.act("extendBreakoutTimer", 60);
            await is("a longer timer", "breakout.breakoutTimerDuration === 660");
            await subject.act("stopBreakoutTimer");
            await is("no timer", "!breakout.breakoutTimerSetting");
        });
        await step("settings", async () => {
            await subject.act("updateBreakoutSession", { groups: { a: "First" }, autoMoveToMain: true });
            await is("the group's name", `breakout.groups.a === "First"`);
            const grace = { moveToGroupGracePeriod: 20, moveToMainGracePeriod: 30 };
            const timer = { breakoutTimerSetting: true, breakoutTimerDuration: 900 };
            await subject.act("updateBreakoutSession", { groups: { a: "Second" }, assignments: { [subject.id]: "a" }, enforceAssignment: true, autoMoveToGroup: false, autoMoveToMain: false, ...grace, ...timer });
            await is("all settings", `breakout.groups.a === "Second" && breakout.enforceAssignment && breakout.breakoutTimerDuration === 900`);
        });
        await step("broadcast", async () => {
            await subject.act("broadcastToGroups", subject.id);
            await anna.until("a spotlight", (state) => state.spotlightedParticipants.length === 1);
            await subject.act("stopBroadcastToGroups", subject.id);
            await anna.until("no spotlight", (state) => state.spotlightedParticipants.length === 0);
        });
        await step("end", async () => {
            await subject.act("stopBreakoutSession");
            await is("no session", "!breakout.isActive");
            await sees(anna, "muted by the end", "one && !one.isAudioEnabled");
        });
        await step("leave", async () => {
            await subject.act("leaveRoom");
            await subject.untilStatus("left");
        });
    });
}
