//! Remembers every peer connection of the unmodified SDK; imported before it.
export const peerConnections = [];
/** Descriptions that the browser refused, with its reason: the SDK tells nobody. */
export const refusedDescriptions = [];

const Native = window.RTCPeerConnection;
window.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor(...options) {
        super(...options);
        peerConnections.push(this);
    }

    async setRemoteDescription(description) {
        await this.#noting(description, () => super.setRemoteDescription(description));
    }

    async setLocalDescription(description) {
        await this.#noting(description, () => super.setLocalDescription(description));
    }

    async #noting(given, set) {
        try {
            await set();
        } catch (error) {
            refusedDescriptions.push({ error: String(error), given: given?.sdp, local: this.localDescription?.sdp, remote: this.remoteDescription?.sdp });
            throw error;
        }
    }
};

/** How many connections stand with nothing left to be negotiated; NaN while one does not. */
export function settledConnections() {
    const open = peerConnections.filter(({ connectionState }) => connectionState !== "closed");
    const isSettled = ({ connectionState, signalingState }) => connectionState === "connected" && signalingState === "stable";
    return open.every(isSettled) ? open.length : NaN;
}

/** The statistics of all open connections, one list per connection. */
export const allStats = () =>
    Promise.all(peerConnections.filter((connection) => connection.connectionState !== "closed").map(async (connection) => [...(await connection.getStats()).values()]));

/** The inbound statistics of one track with its codec, or undefined. */
export async function inboundStats(track) {
    for (const stats of await allStats()) {
        const inbound = stats.find((entry) => entry.type === "inbound-rtp" && entry.trackIdentifier === track.id);
        if (inbound) return { ...inbound, codec: stats.find(({ id }) => id === inbound.codecId)?.mimeType };
    }
    return undefined;
}

/** The selected candidate pairs: type, protocol and address of both ends. */
export async function selectedPaths() {
    const end = ({ candidateType, protocol, address, port }) => ({ candidateType, protocol, address, port });
    return (await allStats()).flatMap((stats) => {
        const byId = new Map(stats.map((entry) => [entry.id, entry]));
        return stats
            .filter(({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId)
            .map(({ selectedCandidatePairId }) => byId.get(selectedCandidatePairId))
            .map((pair) => ({ local: end(byId.get(pair.localCandidateId)), remote: end(byId.get(pair.remoteCandidateId)), roundTripSeconds: pair.currentRoundTripTime }));
    });
}
