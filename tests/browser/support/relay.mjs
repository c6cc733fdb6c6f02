//! A TURN server, and a network in which nothing but relayed media gets through.
import { start, run } from "./processes.mjs";
import { ADDRESS } from "./network.mjs";

const PORT = 3478;
const RELAYED = "49160-49200";
const USER = { username: "room", credential: "a secret of the room: +/%" };

/** Lines of the room server's configuration that lead everybody to the TURN server. */
export const turnToml = `ice_servers = [{ urls = "turn:${ADDRESS}:${PORT}?transport=udp", username = "${USER.username}", credential = "${USER.credential}" }]`;

/** Starts coturn, and a filter that drops every UDP packet between other ports than its own. */
export async function startRelay() {
    const [low, high] = RELAYED.split("-");
    const program = start("turnserver", "turnserver", [
        ...["-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--realm=roomd", "--simple-log", "--log-file=stdout", "--verbose"],
        ...[`--listening-ip=${ADDRESS}`, `--listening-port=${PORT}`, `--relay-ip=${ADDRESS}`, `--min-port=${low}`, `--max-port=${high}`],
        `--user=${USER.username}:${USER.credential}`,
        "--pidfile=/dev/null",
    ]);
    await program.line(/IPv4\. UDP listener opened on/);
    const own = `{ ${PORT}, ${RELAYED} }`;
    await run("nft", ["add table inet relay; add chain inet relay out { type filter hook output priority 0; }; " +
        `add rule inet relay out udp dport != ${own} udp sport != ${own} counter drop`]);
    return {
        program,
        /** How many packets the filter has dropped. */
        dropped: async () => Number(/counter packets (\d+)/.exec(await run("nft", ["list", "table", "inet", "relay"]))[1]),
        async stop() {
            await run("nft", ["delete", "table", "inet", "relay"]);
            await program.stop({ force: true });
        },
    };
}
