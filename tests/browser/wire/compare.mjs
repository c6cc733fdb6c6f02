//! Compares two recordings of the same flow: which events, in which order, with which fields, types and values.

/** Events whose moment depends on the network: their order counts per peer, not among the others. */
const NEGOTIATION = ["ready_to_receive_offer", "sdp_offer", "sdp_answer"];
/** Of these even the number and the step depend on the network: the first of each in a flow counts. */
const CANDIDATES = ["ice_candidate", "ice_endofcandidates"];
/** The place of what belongs to no step. */
export const THROUGHOUT = "throughout";

/** Fields whose values are of one moment, device or key; that they are there, and of which type, is compared. */
const PLACEHOLDERS = {
    hmac: "<secret>",
    roomKey: "<secret>",
    assistantKey: "<secret>",
    clientClaim: "<secret>",
    sig: "<secret>",
    uuid: "<device>",
    candidate: "<candidate>",
    usernameFragment: "<ufrag>",
    sdpMid: "<mid>",
    userAgent: null,
};

const isTime = (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
const isId = (text) => /^[\w-]{16,}$/.test(text) && /\d/.test(text);

/** What of a session description is the same in every run: its media in their order, with their directions. */
export function describeSdp(sdp) {
    const media = sdp.split(/^m=/m).slice(1);
    const about = (section) => `${/^\w+/.exec(section)[0]} ${/^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(section)?.[1] ?? "?"}`;
    return `<sdp: ${media.map(about).join(", ")}>`;
}

/** A payload with names for the ids of the flow and placeholders for what differs in every run. `names`: Map of value → name. */
export function normalise(value, names, key) {
    if (typeof value === "string") {
        if (names.has(value)) return `<${names.get(value)}>`;
        if (PLACEHOLDERS[key] && value !== "") return PLACEHOLDERS[key];
        if (key === "sdp" || key === "sdpU") return describeSdp(value);
        if (isTime(value)) return "<time>";
        if (key === "streamId" && value !== "0") return "<stream>";
        return isId(value) ? "<id>" : value;
    }
    if (Array.isArray(value)) return value.map((item) => normalise(item, names, key));
    if (value && typeof value === "object") {
        const entries = Object.entries(value).map(([name, inner]) => [names.has(name) ? `<${names.get(name)}>` : name, normalise(inner, names, name)]);
        return Object.fromEntries(entries);
    }
    return value;
}

/** Path → value of everything in a payload that is no object, and of every empty one. */
function leavesOf(value, path, leaves = new Map()) {
    const entries = value && typeof value === "object" ? Object.entries(value) : [];
    if (entries.length === 0) return leaves.set(path, value === undefined ? "(none)" : JSON.stringify(value));
    for (const [name, inner] of entries) leavesOf(inner, `${path}.${name}`, leaves);
    return leaves;
}

/** The differences between two payloads of an event. */
function payloadDifferences(name, ours, theirs) {
    const [our, their] = [leavesOf(ours, name), leavesOf(theirs, name)];
    return [...new Set([...our.keys(), ...their.keys()])]
        .map((what) => ({ what, roomd: our.get(what) ?? "(absent)", sdk: their.get(what) ?? "(absent)" }))
        .filter(({ roomd, sdk }) => roomd !== sdk);
}

/** The list without the events that the other one lacks, the k-th of a name going with the k-th. */
function paired(events, others) {
    const turns = new Map();
    return events.filter(([name]) => {
        const turn = (turns.get(name) ?? 0) + 1;
        turns.set(name, turn);
        return others.filter(([other]) => other === name).length >= turn;
    });
}

/** Differences of two lists of events whose order counts. */
function sequenceDifferences(ours, theirs) {
    const found = [];
    const [our, their] = [paired(ours, theirs), paired(theirs, ours)];
    for (const [name] of ours.filter((event) => !our.includes(event))) found.push({ what: name, roomd: "sent", sdk: "not sent" });
    for (const [name] of theirs.filter((event) => !their.includes(event))) found.push({ what: name, roomd: "not sent", sdk: "sent" });
    const order = (events) => events.map(([name]) => name).join(" ");
    if (order(our) !== order(their)) found.push({ what: "(order)", roomd: order(our), sdk: order(their) });
    const turns = new Map();
    for (const [name, payload] of our) {
        const turn = turns.get(name) ?? 0;
        turns.set(name, turn + 1);
        found.push(...payloadDifferences(name, payload, their.filter(([other]) => other === name)[turn][1]));
    }
    return found;
}

/** The negotiation with each peer. */
function negotiationsOf(events) {
    const peers = new Map();
    for (const event of events.filter(([name]) => NEGOTIATION.includes(name))) {
        const { receiverId } = event[1];
        peers.set(receiverId, [...(peers.get(receiverId) ?? []), event]);
    }
    return peers;
}

/**
 * The steps without offers that repeat the one before to the same peer: after a share has begun or ended the SDK offers once or twice,
 * as it happens.
 */
function withoutRepeatedOffers(steps) {
    const last = new Map();
    const isNews = ([name, payload]) => {
        if (name === "ready_to_receive_offer") last.delete(payload.receiverId);
        if (name !== "sdp_offer") return true;
        const before = last.get(payload.receiverId);
        last.set(payload.receiverId, JSON.stringify(payload));
        return before !== JSON.stringify(payload);
    };
    return new Map([...steps].map(([step, events]) => [step, events?.filter(isNews) ?? null]));
}

/** The first of each kind of message about candidates, whoever it is for. */
const candidatesOf = (events) =>
    CANDIDATES.map((wanted) => events.find(([name]) => name === wanted))
        .filter(Boolean)
        .map(([name, payload]) => [name, { ...payload, receiverId: "<peer>" }]);

/** Every difference of two recordings of one step, as `{ what, roomd, sdk }`, each once. */
function compareSteps(ours, theirs) {
    const plain = (events) => events.filter(([name]) => !NEGOTIATION.includes(name) && !CANDIDATES.includes(name));
    const found = sequenceDifferences(plain(ours), plain(theirs));
    const [our, their] = [negotiationsOf(ours), negotiationsOf(theirs)];
    for (const peer of new Set([...our.keys(), ...their.keys()])) found.push(...sequenceDifferences(our.get(peer) ?? [], their.get(peer) ?? []));
    const seen = new Set();
    return found.filter((one) => !seen.has(JSON.stringify(one)) && seen.add(JSON.stringify(one)));
}

/** Every difference of two runs of a flow, Maps of step → events or null where roomd cannot do it, as `{ where, what, roomd, sdk }`. */
export function compareFlows(flow, roomd, sdk) {
    const [ours, theirs] = [withoutRepeatedOffers(roomd), withoutRepeatedOffers(sdk)];
    const all = (steps) => [...steps.values()].flatMap((events) => events ?? []);
    const found = sequenceDifferences(candidatesOf(all(ours)), candidatesOf(all(theirs))).map((one) => ({ where: `${flow} · ${THROUGHOUT}`, ...one }));
    for (const [step, events] of ours) {
        const differences = events === null ? [{ what: "(roomd)", roomd: "not supported", sdk: "possible" }] : compareSteps(events, theirs.get(step));
        found.push(...differences.map((one) => ({ where: `${flow} · ${step}`, ...one })));
    }
    return found;
}
