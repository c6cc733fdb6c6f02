//! Stands before the room server, as plain as the server: takes down every request, and answers joins of chosen rooms in its place.
//!
//! `ROOMD_RECORDED_TRAFFIC=<file>` appends everything that passes to a file, from which `wire/corpora.mjs` makes inputs for tests/fuzz.
import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const JOIN = '42["join_room",';

/** The parts of a message, one after the other in a buffer. */
async function bodyOf(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
}

/** Starts it before the room server at `port`. */
export async function startWitness({ port: serverPort }) {
    const requests = [];
    const joins = [];
    const refusals = new Map();
    const sockets = new Set();
    const clients = new Set();
    const traffic = process.env.ROOMD_RECORDED_TRAFFIC ? [] : null;
    let connections = 0;

    const server = createServer(async (incoming, outgoing) => {
        try {
            const body = await bodyOf(incoming);
            requests.push({ method: incoming.method, path: incoming.url, headers: incoming.headers, body: body.toString() });
            const upstream = request({ host: "127.0.0.1", port: serverPort, method: incoming.method, path: incoming.url, headers: incoming.headers });
            upstream.end(body);
            const [answer] = await once(upstream, "response");
            const answered = await bodyOf(answer);
            traffic?.push({ request: body.toString(), answer: answered.toString() });
            outgoing.writeHead(answer.statusCode, answer.rawHeaders);
            outgoing.end(answered);
        } catch {
            outgoing.destroy(); // the room server is not there: so it looks to whoever asked
        }
    });
    const front = new WebSocketServer({ server, perMessageDeflate: false });
    front.on("connection", (client, { url, headers }) => {
        requests.push({ method: "GET", path: url, headers, body: "" });
        const upstream = new WebSocket(`ws://127.0.0.1:${serverPort}${url}`, { perMessageDeflate: false });
        const waiting = [];
        const connection = (connections += 1);
        traffic?.push({ connection, origin: headers.origin });
        clients.add(client);
        client.on("close", () => clients.delete(client));
        const pass = (text) => (upstream.readyState === WebSocket.OPEN ? upstream.send(text) : waiting.push(text));
        upstream.on("open", () => waiting.splice(0).forEach(pass));
        upstream.on("message", (data) => {
            traffic?.push({ connection, server: data.toString() });
            client.send(data.toString());
        });
        client.on("message", (data) => {
            const text = data.toString();
            traffic?.push({ connection, client: text });
            if (!text.startsWith(JOIN)) return pass(text);
            const [, wish] = JSON.parse(text.slice(2));
            joins.push({ roomName: wish.roomName, userAgent: wish.userAgent });
            const refusal = refusals.get(wish.roomName);
            if (refusal) client.send(`42${JSON.stringify(["room_joined", refusal])}`);
            else pass(text);
        });
        for (const [one, other] of [[client, upstream], [upstream, client]]) {
            sockets.add(one);
            one.on("error", () => other.terminate());
            one.on("close", (code) => {
                sockets.delete(one);
                // 1005 and 1006 say that there was no code.
                if (code === 1005 || code === 1006) other.terminate();
                else other.close(code);
            });
        }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        port: server.address().port,
        origin: `http://127.0.0.1:${server.address().port}`,
        /** The requests so far, those that become WebSockets too: `{ method, path, headers, body }`. */
        requests,
        /** The `join_room` so far: `{ roomName, userAgent }`. */
        joins,
        /** From now on joins of that room are answered with `refusal`, the payload of a `room_joined`. */
        refuse: (roomName, refusal) => refusals.set(roomName, refusal),
        /** From now on joins of that room reach the room server. */
        admit: (roomName) => refusals.delete(roomName),
        /** Says something to everybody in the room server's place. */
        tell(name, payload) {
            for (const client of clients) client.send(`42${JSON.stringify([name, payload])}`);
        },
        async close() {
            for (const socket of sockets) socket.terminate();
            front.close();
            server.closeAllConnections();
            server.close();
            await once(server, "close");
            if (traffic) await appendFile(process.env.ROOMD_RECORDED_TRAFFIC, traffic.map((one) => `${JSON.stringify(one)}\n`).join(""));
        },
    };
}
