//! Servers that are no room server, each in another way.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";

const answering = (status, type, body) =>
    createHttpServer((request, response) => {
        request.resume();
        response.writeHead(status, { "content-type": type });
        response.end(body);
    });

/** HTTP as it should be; then `talk` gets the socket of a WebSocket that was accepted. */
function webSocket(talk) {
    const server = createHttpServer((request, response) => {
        request.resume();
        response.writeHead(200, { "content-type": "application/json" });
        const isDevice = request.url === "/devices";
        response.end(JSON.stringify(isDevice ? { credentials: { uuid: "device" }, hmac: "hmac" } : { organizationId: "1", permissions: {}, account: {} }));
    });
    server.on("upgrade", (request, socket) => {
        socket.on("error", () => socket.destroy()); // whoever asked has gone
        const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
        talk(socket);
    });
    return server;
}

/** A WebSocket text frame of a server. */
const frame = (text) => Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)]);
const OPEN = `0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`;

/** What a server says instead of the protocol → the server, and what the error must name. */
export const NONSENSE = {
    "bytes that are no HTTP": [() => createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end("\u0015\u0003\u0001\u0000\u0002"))), /invalid HTTP|HTTP/i],
    "a web page": [() => answering(200, "text/html", "<!doctype html><title>hello</title>"), /does not answer as a room service does|it is no room service/],
    "JSON of another kind": [() => answering(200, "application/json", `{"hello":[1,2,3]}`), /does not answer as a room service does: missing field|it is no room service/],
    "errors of its own": [() => answering(500, "text/plain", "oh no"), /answers with status 500/],
    "a WebSocket of something else": [() => webSocket((socket) => socket.write(frame("hello"))), /does not speak Engine\.IO/],
    "broken frames": [() => webSocket((socket) => socket.write(Buffer.from(Array(64).fill(0xff)))), /WebSocket|reserved|opcode/i],
    "Engine.IO without Socket.IO": [() => webSocket((socket) => socket.write(Buffer.concat([frame(OPEN), frame("4rubbish")]))), /does not speak Socket\.IO/],
    "nothing after the handshake": [() => webSocket((socket) => socket.end(frame(OPEN))), /closed the connection|without closing|reset/i],
};

/** Starts such a server on a port of loopback. */
export async function startNonsense(make) {
    const server = make();
    const open = new Set();
    server.on("connection", (socket) => {
        open.add(socket);
        socket.once("close", () => open.delete(socket));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        origin: `http://127.0.0.1:${server.address().port}`,
        async close() {
            for (const socket of open) socket.destroy();
            server.close();
            await once(server, "close");
        },
    };
}
