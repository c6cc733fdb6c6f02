//! Takes down the HTTP requests that reach the room server, as events like the frames: the method and path as the name, header fields and the
//! body's members as the payload.

/** What belongs to one connection or one message and to no program. */
const OF_THE_CONNECTION = ["host", "connection", "content-length"];

/** A header's value where it says something of the protocol; elsewhere it is enough that the field is there. */
function valueOf(name, value) {
    if (name === "authorization") return `${value.split(" ")[0]} <secret>`;
    return ["content-type", "x-appearin-device-platform"].includes(name) ? value : "<value>";
}

/** A request as an event. The room's host is another one for the SDK and for roomd, and so is the organization's name in it. */
function eventOf({ method, path, headers, body }) {
    const name = `${method} ${path.replace(/(organization-subdomains\/)[^/?]*/, "$1<subdomain>")}`;
    const fields = Object.entries(headers).filter(([field]) => !OF_THE_CONNECTION.includes(field)).map(([field, value]) => [field, valueOf(field, value)]);
    return [name, { headers: Object.fromEntries(fields), body: body && JSON.parse(body) }];
}

/** Records from now on. */
export function recordRequests({ requests }) {
    let taken = requests.length;
    return {
        /** The requests since the last `take`, by name: those that need nothing of each other are made at the same time. */
        async take() {
            const since = requests.slice(taken).map(eventOf);
            taken = requests.length;
            return since.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
        },
    };
}
