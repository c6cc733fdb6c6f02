//! Leads the unmodified SDK to a room server on this machine without touching the page: a TLS server under the SDK's
//! own host names that pipes bytes by SNI, and a sink for its call statistics.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { createServer } from "node:tls";
import { Transform } from "node:stream";
import { run } from "./processes.mjs";

const API = "api.whereby.dev";
const SIGNAL = "signal.appearin.net";
const STATISTICS = "rtcstats.srv.whereby.com";

async function certificate() {
    const folder = await mkdtemp(join(tmpdir(), "front-"));
    try {
        const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
        const config = join(folder, "openssl.cnf");
        await writeFile(config, "[req]\ndistinguished_name = dn\n[dn]\n"); // the system's would make it an authority
        const names = [API, SIGNAL, STATISTICS].map((host) => `DNS:${host}`).join(",");
        // prettier-ignore
        await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-config", config, "-subj", `/CN=${API}`, "-addext", "basicConstraints=critical,CA:FALSE", "-addext", `subjectAltName=${names}`, "-keyout", key, "-out", cert]);
        return { key: await readFile(key), cert: await readFile(cert) };
    } finally {
        await rm(folder, { recursive: true });
    }
}

/** Accepts a WebSocket and ignores what comes; anything else gets 404. */
function sink(socket) {
    socket.once("data", (data) => {
        const key = /^sec-websocket-key: *(\S+)/im.exec(data.toString("latin1"))?.[1];
        if (!key) return socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        const protocol = /^sec-websocket-protocol: *(\S+)/im.exec(data.toString("latin1"))?.[1];
        const headers = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: upgrade", `sec-websocket-accept: ${accept}`];
        if (protocol) headers.push(`sec-websocket-protocol: ${protocol}`);
        socket.write(`${headers.join("\r\n")}\r\n\r\n`);
        socket.resume();
    });
}

const delayed = (ms) =>
    new Transform({
        transform(chunk, _, done) {
            setTimeout(() => done(null, chunk), ms);
        },
    });

/** A plain way to the room server at `port` that delays what it says, so that each step of a join can be seen, and that can be cut. */
export async function startDistance({ port: serverPort, delayMs = 0 }) {
    const open = new Set();
    let isCut = false;
    const server = createPlainServer((socket) => {
        if (isCut) return socket.destroy();
        const upstream = connect(serverPort, "127.0.0.1");
        open.add(socket);
        socket.on("error", () => socket.destroy()); // whoever asked has gone
        upstream.on("error", () => socket.destroy()); // the room server is not there
        socket.once("close", () => {
            open.delete(socket);
            upstream.destroy();
        });
        upstream.once("close", () => socket.end());
        socket.pipe(upstream);
        (delayMs ? upstream.pipe(delayed(delayMs)) : upstream).pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        origin: `http://127.0.0.1:${server.address().port}`,
        /** Ends the connections and refuses new ones until `restore`. */
        cut() {
            isCut = true;
            for (const socket of open) socket.destroy();
        },
        restore() {
            isCut = false;
        },
        async close() {
            for (const socket of open) socket.destroy();
            server.close();
            await once(server, "close");
        },
    };
}

/**
 * Starts the front before the room server at `port`. `delayMs` delays what the server says, as a distant one would; `listenPort`: 443 for
 * programs that cannot be led to another port. */
export async function startFront({ port: serverPort, delayMs = 0, listenPort = 0 }) {
    const tls = await certificate();
    const contacts = new Map();
    const open = new Map();
    let isSignalCut = false;
    const server = createServer({ ...tls, ALPNProtocols: ["http/1.1"] }, (socket) => {
        const host = socket.servername || "(no name)";
        contacts.set(host, (contacts.get(host) ?? 0) + 1);
        socket.on("error", () => socket.destroy()); // the browser has gone
        open.set(socket, host);
        socket.once("close", () => open.delete(socket));
        if (host === STATISTICS) return sink(socket);
        if (![API, SIGNAL].includes(host) || (host === SIGNAL && isSignalCut)) return socket.destroy();
        const upstream = connect(serverPort, "127.0.0.1");
        upstream.on("error", () => socket.destroy()); // the room server is not there: the browser sees a lost connection
        socket.once("close", () => upstream.destroy());
        upstream.once("close", () => socket.end());
        socket.pipe(upstream);
        (delayMs ? upstream.pipe(delayed(delayMs)) : upstream).pipe(socket);
    });
    server.on("tlsClientError", () => {}); // a connection given up during its handshake
    server.listen(listenPort, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    return {
        port,
        /** The self-made certificate (PEM), for programs that are to trust it. */
        certificate: tls.cert.toString(),
        /** The names of the public service that lead here. */
        hosts: [API, SIGNAL],
        /** How often each host name was contacted. */
        contacts,
        /** For Chromium: every name ends here. */
        resolverRules: `MAP * 127.0.0.1:${port}, EXCLUDE 127.0.0.1, EXCLUDE localhost`,
        /** Ends the signal connections and refuses new ones until `restoreSignal`. */
        cutSignal() {
            isSignalCut = true;
            for (const [socket, host] of open) if (host === SIGNAL) socket.destroy();
        },
        restoreSignal() {
            isSignalCut = false;
        },
        async close() {
            for (const socket of open.keys()) socket.destroy();
            server.close();
            await once(server, "close");
        },
    };
}
