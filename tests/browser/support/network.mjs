//! The private network of a test run. `tests/browser/run` makes it: loopback, and one veth pair whose address
//! both Chromium and libnice offer (libnice does not gather loopback). Nothing leads out of it.
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { once } from "node:events";

/** The address of the veth pair (from the range for documentation). */
export const ADDRESS = "192.0.2.2";

/** Fails with the remedy when the process is not in the private network. */
export function requirePrivateNetwork() {
    const interfaces = networkInterfaces();
    const foreign = Object.keys(interfaces).filter((name) => !["lo", "v0", "v1"].includes(name));
    const addresses = Object.values(interfaces).flat().map(({ address }) => address);
    if (foreign.length > 0 || !addresses.includes(ADDRESS)) {
        throw new Error(`these tests run in a private network only: start them with tests/browser/run (found ${addresses.join(", ")})`);
    }
}

/** A TCP port of loopback that is free now. */
export async function freePort() {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    await once(server, "close");
    return port;
}
