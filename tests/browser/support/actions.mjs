//! The actions of a room connection under both names: the SDK's method with its arguments, roomd's command with its fields.

/** SDK's action → the fields of roomd's command, in the order of the method's arguments; `null`: the one argument is the payload. */
const FIELDS = {
    leaveRoom: [],
    knock: [],
    cancelKnock: [],
    setDisplayName: ["displayName"],
    toggleMicrophone: ["enabled"],
    toggleCamera: ["enabled"],
    toggleRaiseHand: ["enabled"],
    toggleHdMode: ["enabled"],
    toggleLowDataMode: ["enabled"],
    toggleWidescreenMode: ["enabled"],
    startScreenshare: [],
    stopScreenshare: [],
    sendChatMessage: ["text", "parentId", "isBroadcast"],
    // The SDK wants the message's signature too, which roomd keeps itself.
    removeChatMessage: ["messageId"],
    acceptWaitingParticipant: ["participantId"],
    holdWaitingParticipant: ["participantId", "response"],
    rejectWaitingParticipant: ["participantId", "response"],
    lockRoom: ["locked"],
    askToSpeak: ["participantId"],
    askToTurnOnCamera: ["participantId"],
    muteParticipants: ["participantIds"],
    turnOffParticipantCameras: ["participantIds"],
    spotlightParticipant: ["participantId"],
    removeSpotlight: ["participantId"],
    kickParticipant: ["participantId"],
    endMeeting: ["stayBehind"],
    startCloudRecording: [],
    stopCloudRecording: [],
    startLiveTranscription: [],
    stopLiveTranscription: [],
    startLiveCaptions: [],
    stopLiveCaptions: [],
    joinBreakoutGroup: ["group"],
    joinBreakoutMainRoom: [],
    startBreakoutSession: null,
    updateBreakoutSession: null,
    stopBreakoutSession: [],
    assignBreakoutParticipants: ["assignments"],
    assignAllBreakoutParticipants: [],
    unassignAllBreakoutParticipants: [],
    shuffleBreakoutParticipants: [],
    extendBreakoutTimer: ["seconds"],
    stopBreakoutTimer: [],
    broadcastToGroups: ["participantId"],
    stopBroadcastToGroups: ["participantId"],
};

/** The SDK's actions, except for joining. */
export const ACTIONS = Object.keys(FIELDS);

/** roomd's command for an action of the SDK, as `[name, payload]`. */
export function commandOf(action, args) {
    if (!(action in FIELDS)) throw new Error(`no command is known for ${action}`);
    const name = action.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const fields = FIELDS[action];
    if (fields === null) return [name, args[0]];
    const given = fields.map((field, index) => [field, args[index]]).filter(([, value]) => value !== undefined);
    return [name, Object.fromEntries(given)];
}
