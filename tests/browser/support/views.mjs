//! Two views of one room, the SDK's state and what roomd publishes, brought to the same form and compared field by field.
//!
//! The SDK and roomd stand in for each other: whoever looks is called `me`, and the other one `other`. When both do everything alike,
//! the two views are the same.

/** What may differ between two clocks and two reactions, in ms. */
const NEAR_MS = 5000;

/**
 * The types with their fields, in the SDK's words. `null`: a plain value; a name: another type; in brackets: a list; "time": by a clock of
 * one's own.
 */
const TYPES = {
    RoomConnectionState: {
        connectionStatus: null, connectionError: null, knockResponse: "KnockResponse", chatMessages: ["ChatMessage"],
        cloudRecording: "CloudRecordingState", breakout: "BreakoutState", isCameraEnabled: null, isMicrophoneEnabled: null, liveStream: null,
        liveCaptions: "LiveCaptionsState", liveTranscription: "LiveTranscriptionState", localParticipant: "LocalParticipantState",
        remoteParticipants: ["RemoteParticipantState"], screenshares: ["ScreenshareState"], waitingParticipants: ["WaitingParticipantState"],
        spotlightedParticipants: ["ClientView"],
    },
    GridState: { allClientViews: ["ClientView"], spotlightedParticipants: ["ClientView"], numParticipants: null },
    LocalParticipantState: {
        displayName: null, id: null, roleName: null, stream: "Stream", isAudioEnabled: null, isVideoEnabled: null, isLocalParticipant: null,
        isScreenSharing: null, breakoutGroupAssigned: null, breakoutGroup: "group", stickyReaction: "StickyReaction", isDialIn: null,
        isAudioRecorder: null,
    },
    RemoteParticipantState: {
        displayName: null, id: null, roleName: null, stream: "Stream", isAudioEnabled: null, isVideoEnabled: null, isLocalParticipant: null,
        presentationStream: "Stream", externalId: null, stickyReaction: "StickyReaction", isDialIn: null, deviceId: null,
        breakoutGroup: null, breakoutGroupAssigned: null, isAudioRecorder: null,
    },
    WaitingParticipantState: { id: null, displayName: null },
    ChatMessage: { senderId: null, text: null, timestamp: null, id: null, parentId: null, sig: null, removed: null },
    CloudRecordingState: { status: null, startedAt: null, error: null },
    ClientView: {
        id: null, clientId: null, displayName: null, stream: "Stream", isLocalClient: "flag", isAudioEnabled: null, isVideoEnabled: null,
        isPresentation: "flag", hasActivePresentation: "flag", breakoutGroup: "group", breakoutGroupAssigned: null,
    },
    // A tile of that moment in an event: what comes and goes with the media itself is compared in the state.
    SpotlitView: { id: null, clientId: null, displayName: null, isLocalClient: "flag", isPresentation: "flag", hasActivePresentation: "flag", breakoutGroup: "group" },
    ScreenshareState: { participantId: null, id: null, hasAudioTrack: null, stream: "Stream", isLocal: null, breakoutGroup: "group" },
    BreakoutState: {
        isActive: null, currentGroup: "BreakoutGroup", groupedParticipants: ["GroupedParticipants"], participantsInCurrentGroup: ["ClientView"],
        isAvailable: null, error: null, groups: "map", enforceAssignment: null, autoMoveToGroup: null, moveToGroupGracePeriod: null,
        autoMoveToMain: null, moveToMainGracePeriod: null, breakoutTimerSetting: null, breakoutTimerDuration: null, startedAt: null,
        endTime: null, moveToGroupAt: null, moveToMainAt: null, broadcastingParticipants: ["ClientView"],
    },
    BreakoutGroup: { id: null, name: null },
    GroupedParticipants: { clients: ["ClientView"], group: "BreakoutGroup" },
    LiveCaptionsState: { status: null, startedAt: "time", error: null, captionLog: ["LiveCaption"] },
    LiveCaption: { resultId: null, participantId: null, text: null, timestamp: "time" },
    LiveTranscriptionState: { status: null, startedAt: "time", error: null },
    KnockResponse: { message: null, sender: "KnockResponseSender" },
    KnockResponseSender: { displayName: null },
    StickyReaction: { reaction: null, timestamp: "time" },
    RoomJoinedEvent: { isLocked: null, selfId: null },
}; // prettier-ignore

/**
 * A stream by what comes or goes in it. A track that is disabled sends nothing: roomd closes the device instead. A track that has ended is
 * what the SDK keeps of somebody in another group.
 */
function streamOf(stream) {
    const isUsed = ({ enabled, readyState }) => stream.active && enabled && readyState === "live";
    const has = (kind) => (stream.tracks ? stream.tracks.some((track) => track.kind === kind && isUsed(track)) : stream[kind]);
    const seen = { video: Boolean(has("video")), audio: Boolean(has("audio")) };
    return seen.video || seen.audio ? seen : null;
}

/** A value of a type with nothing but the fields of the table; what is absent is null. */
function canonical(value, type) {
    if (Array.isArray(type)) return (value ?? []).map((item) => canonical(item, type[0]));
    if (type === "flag") return value ?? false;
    // One's own group in the main room is "" after a move and null before.
    if (type === "group") return value || null;
    if (value === undefined || value === null) return null;
    if (type === null || type === "time" || type === "map") return value;
    if (type === "Stream") return streamOf(value);
    // The SDK shows the error of an earlier try beside one that goes on.
    if (["LiveTranscriptionState", "LiveCaptionsState"].includes(type) && value.status !== "error") value = { ...value, error: null };
    return Object.fromEntries(Object.entries(TYPES[type]).map(([field, inner]) => [field, canonical(value[field], inner)]));
}

/** Puts names for ids, wherever they stand. `names`: pairs of id and name. */
const renamed = (value, names) =>
    value === undefined ? null : JSON.parse(names.reduce((text, [id, name]) => (id ? text.replaceAll(id, `<${name}>`) : text), JSON.stringify(value)));

/** What the SDK shows, from `window.lab.view()`. */
export const viewOfSdk = ({ grid, ...state }) => ({ RoomConnectionState: state, GridState: grid });

/** What roomd has published, in the SDK's form. */
export function viewOfRoomd(box) {
    const part = (name, field) => box.state(name)?.[field];
    const { camera, microphone } = box.state("local_media");
    const { isAudioEnabled, isVideoEnabled } = box.state("local_participant");
    // Outside of a room the devices are closed, whatever is wished.
    const isInside = box.state("room").connectionStatus === "connected";
    const spotlights = part("spotlights", "spotlights");
    return {
        RoomConnectionState: {
            ...box.state("room"),
            chatMessages: part("chat", "chat"),
            cloudRecording: part("cloud_recording", "cloudRecording"),
            breakout: box.state("breakout"),
            isCameraEnabled: isInside ? camera.state === "on" : isVideoEnabled,
            isMicrophoneEnabled: isInside ? microphone.state === "on" : isAudioEnabled,
            liveStream: part("live_stream", "liveStream"),
            liveCaptions: part("live_captions", "liveCaptions"),
            liveTranscription: part("live_transcription", "liveTranscription"),
            localParticipant: {
                ...box.state("local_participant"),
                stream: { video: isInside ? camera.proof.open : isVideoEnabled, audio: isInside ? microphone.proof.open : isAudioEnabled },
            },
            remoteParticipants: part("remote_participants", "remoteParticipants"),
            screenshares: part("screenshares", "screenshares"),
            waitingParticipants: part("waiting_participants", "waitingParticipants"),
            spotlightedParticipants: spotlights,
        },
        GridState: { allClientViews: part("client_views", "clientViews"), spotlightedParticipants: spotlights, numParticipants: part("room", "numParticipants") },
    };
}

const isFilled = (value) => ![undefined, null, false, ""].includes(value) && !(typeof value === "object" && Object.keys(value).length === 0);
const timeOf = (value) => (typeof value === "number" ? value : Date.parse(value));

/** Collects in `found` what differs between two values of a type, and in `seen` which fields were more than empty in both. */
function compare(sdk, roomd, type, path, found, seen) {
    const differs = () => found.push(`${path}: SDK ${JSON.stringify(sdk)}, roomd ${JSON.stringify(roomd)}`);
    if (Array.isArray(type)) {
        if (sdk.length !== roomd.length) return differs();
        return sdk.forEach((item, index) => compare(item, roomd[index], type[0], `${path}[${index}]`, found, seen));
    }
    if (type === "time" && sdk && roomd) return Math.abs(timeOf(sdk) - timeOf(roomd)) > NEAR_MS && differs();
    if (!TYPES[type] || !sdk || !roomd) return JSON.stringify(sdk) !== JSON.stringify(roomd) && differs();
    for (const [field, inner] of Object.entries(TYPES[type])) {
        if (isFilled(sdk[field]) && isFilled(roomd[field])) seen.add(`${type}.${field}`);
        compare(sdk[field], roomd[field], inner, `${path}.${field}`, found, seen);
    }
}

/** A canonical value after its own JSON, names in place of ids. */
const plain = (value, type, names) => renamed(canonical(value, type), names);

/** Everything that differs between two views; `names` are those of each. */
export function differences(sdk, roomd, names, seen = new Set()) {
    const found = [];
    const shares = (view, whose) => (view.RoomConnectionState.screenshares ?? []).filter(({ isLocal }) => isLocal).map(({ id }) => [id, `${whose} screen`]);
    const all = {
        sdk: [...names.sdk, ...shares(sdk, "my"), ...shares(roomd, "other")],
        roomd: [...names.roomd, ...shares(roomd, "my"), ...shares(sdk, "other")],
    };
    for (const type of ["RoomConnectionState", "GridState"]) compare(plain(sdk[type], type, all.sdk), plain(roomd[type], type, all.roomd), type, type, found, seen);
    return found;
}

/** SDK's event → roomd's event as the SDK's payload, and its type. */
const PAYLOADS = {
    "cloud-recording:status-changed": [({ cloudRecording }) => cloudRecording, "CloudRecordingState"],
    "live-captions:status-changed": [({ liveCaptions }) => liveCaptions, "LiveCaptionsState"],
    "live-transcription:status-changed": [({ liveTranscription }) => liveTranscription, "LiveTranscriptionState"],
    "connection:status-changed": [({ connectionStatus }) => connectionStatus, null],
    "connection:error-changed": [({ connectionError }) => connectionError, null],
    "camera:state-changed": [({ enabled }) => enabled, null],
    "microphone:state-changed": [({ enabled }) => enabled, null],
    "streaming:started": [(event) => event, null],
    "streaming:stopped": [() => null, null],
    "local-screenshare:status-changed": [({ status }) => status, null],
    "screenshare:started": [(event) => event, "ScreenshareState"],
    "screenshare:stopped": [({ id }) => id, null],
    "waiting-participant:joined": [(event) => event, "WaitingParticipantState"],
    "waiting-participant:left": [({ id }) => id, null],
    "spotlight:participant-added": [(event) => event, "SpotlitView"],
    "spotlight:participant-removed": [({ id }) => id, null],
    "room:joined": [(event) => event, "RoomJoinedEvent"],
    "room:joined:error": [({ error }) => error, null],
    "chat:new-message": [(event) => event, "ChatMessage"],
};
/** Events that carry everything about somebody or something: how each of its plain fields went on. */
const FIELDWISE = {
    "breakout:config-changed": [(event) => [event], "BreakoutState", () => "breakout"],
    "local-participant:changed": [(event) => [event], "LocalParticipantState", () => "local"],
    "remote-participants:changed": [(event) => event.remoteParticipants ?? event, "RemoteParticipantState", ({ id }) => id],
};
/** The SDK's events, all of them. */
export const EVENTS = [...Object.keys(PAYLOADS), ...Object.keys(FIELDWISE)];
/** Its notifications. */
export const NOTIFICATIONS = [
    "requestAudioEnable", "requestAudioDisable", "requestVideoEnable", "requestVideoDisable", "chatMessageReceived", "remoteHandRaised",
    "remoteHandLowered", "signalTrouble", "signalOk", "clientUnableToJoinFullRoom", "breakoutTimerEnding", "breakoutTimerEnded",
    "breakoutTimerExtended", "breakoutGroupAssigned",
]; // prettier-ignore
/** Events of a moment, not of a state: two equal ones are two. */
const MOMENTS = ["room:joined", "room:joined:error", "chat:new-message", "streaming:started", "streaming:stopped"];
/** Events about one of several: one's own share ends for oneself before the room says so. */
const OF_ONE = { "screenshare:started": ({ id }) => ` ${id}`, "screenshare:stopped": (id) => ` ${id}` };

const nameOf = (event) => event.replaceAll(/[:-]/g, "_");

/** A value as text without what a clock of one's own says. */
const timeless = (value, type) => JSON.stringify(value, (field, inner) => (TYPES[type]?.[field] === "time" ? undefined : inner));
/** Only who asked for a transcription knows that it was asked for. */
const isOwnWish = (name, value) => name === "live-transcription:status-changed" && value?.status === "requested";

/** Topic → values in their order, each once in a row. */
function sequences(events, names, payloadOf) {
    const found = new Map();
    const add = (topic, value, type, isMoment = false) => {
        const list = found.get(topic) ?? found.set(topic, []).get(topic);
        if (isMoment || list.length === 0 || timeless(list.at(-1).value, type) !== timeless(value, type)) list.push({ value, type });
    };
    // What one is oneself before the first join differs: the box has a name then.
    let isInside = false;
    for (const { name, payload } of events) {
        isInside ||= name === "room:joined";
        if (PAYLOADS[name]) {
            const [from, type] = PAYLOADS[name];
            const value = plain(payloadOf(from, payload), type, names);
            if (!isOwnWish(name, value)) add(name + (OF_ONE[name]?.(value) ?? ""), value, type, MOMENTS.includes(name));
        } else if (FIELDWISE[name] && (isInside || name === "remote-participants:changed")) {
            const [from, type, key] = FIELDWISE[name];
            for (const item of from(payload)) {
                const value = plain(item, type, names);
                for (const [field, inner] of Object.entries(TYPES[type])) {
                    if (inner === null || inner === "map" || inner === "group") add(`${name} ${key(value)}.${field}`, value[field], inner);
                }
            }
        }
    }
    return found;
}

/** The fields of the table that are not in `seen`. */
export const unseen = (seen) => Object.entries(TYPES).filter(([type]) => type !== "SpotlitView").flatMap(([type, fields]) => Object.keys(fields).map((field) => `${type}.${field}`).filter((field) => !seen.has(field)));

/** What differs between the events of the SDK and of roomd, topic by topic, and the topics; `names` as for the views. */
export function eventDifferences(sdk, roomd, names) {
    const their = sequences(sdk, names.sdk, (_, payload) => payload);
    const known = Object.fromEntries(EVENTS.map((name) => [nameOf(name), name]));
    const ourEvents = roomd.filter(({ name }) => known[name]).map(({ name, ...payload }) => ({ name: known[name], payload }));
    const our = sequences(ourEvents, names.roomd, (from, payload) => from(payload));
    const found = [];
    for (const topic of new Set([...their.keys(), ...our.keys()])) {
        const [a, b] = [their.get(topic) ?? [], our.get(topic) ?? []];
        const values = (list) => JSON.stringify(list.map(({ value }) => value));
        if (a.length !== b.length) found.push(`${topic}: SDK ${values(a)}, roomd ${values(b)}`);
        else a.forEach(({ value, type }, index) => compare(value, b[index].value, type, `${topic}[${index}]`, found, new Set()));
    }
    return { found, topics: new Set([...their.keys()].filter((topic) => our.has(topic)).map((topic) => topic.split(" ")[0])) };
}

/** What differs between the notifications of the SDK and the events of roomd that are the same, type by type. */
export function notificationDifferences(sdk, roomd, names) {
    const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const of = (list) => JSON.stringify(list);
    const found = [];
    const types = new Set(sdk.map(({ type }) => type));
    for (const type of types) {
        const about = ({ client, chatMessage, enable, group, groupName }) => ({ client: client?.id, text: chatMessage?.text, enable, group, groupName });
        const their = sdk.filter((one) => one.type === type).map(({ message, props }) => renamed({ message, ...about(props) }, names.sdk));
        const our = roomd.filter(({ name }) => name === snakeCase(type)).map((one) => renamed({ message: one.message, ...about(one) }, names.roomd));
        if (of(their) !== of(our)) found.push(`${type}: SDK ${of(their)}, roomd ${of(our)}`);
    }
    return { found, types };
}
