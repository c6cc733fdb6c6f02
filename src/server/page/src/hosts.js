// Runs before the SDK. The published SDK has its service addresses built in and no option for them;
// this leads them to the origin that served the page, and the call statistics nowhere.
// Host names are compared, never prefixes: the socket library adds the port to the address.
(() => {
    const OWN_ORIGIN = new Set(["api.whereby.dev", "api.appearin.net", "signal.appearin.net"]);
    const NOWHERE = new Set(["rtcstats.srv.whereby.com"]);

    const parse = (given) => {
        try {
            return new URL(given, location.href);
        } catch {
            return null; // the browser's own function reports it
        }
    };
    const leads = (given, hosts) => hosts.has(parse(given)?.hostname);
    const lead = (given) => {
        if (!leads(given, OWN_ORIGIN)) return given;
        const { protocol, pathname, search } = parse(given);
        const secure = location.protocol === "https:";
        const scheme = protocol.startsWith("ws") ? (secure ? "wss:" : "ws:") : location.protocol;
        return `${scheme}//${location.host}${pathname}${search}`;
    };

    /// Stands for the statistics socket: looks open, so that its user has nothing to keep or to repeat, and sends nothing.
    class NowhereSocket extends EventTarget {
        constructor(url) {
            super();
            this.url = String(url);
            this.protocol = "";
            this.extensions = "";
            this.binaryType = "blob";
            this.bufferedAmount = 0;
            this.readyState = NativeWebSocket.OPEN;
            this.onopen = this.onmessage = this.onerror = this.onclose = null;
            queueMicrotask(() => this.tell(new Event("open")));
        }
        tell(event) {
            this[`on${event.type}`]?.(event);
            this.dispatchEvent(event);
        }
        send() {}
        close() {
            if (this.readyState === NativeWebSocket.CLOSED) return;
            this.readyState = NativeWebSocket.CLOSED;
            queueMicrotask(() => this.tell(new CloseEvent("close", { code: 1000, wasClean: true })));
        }
    }

    const NativeWebSocket = window.WebSocket;
    window.WebSocket = new Proxy(NativeWebSocket, {
        construct: (target, [url, ...rest], newTarget) =>
            leads(url, NOWHERE) ? new NowhereSocket(url) : Reflect.construct(target, [lead(url), ...rest], newTarget),
    });

    const open = XMLHttpRequest.prototype.open;
    XMLHttpRequest.prototype.open = function (method, url, ...rest) {
        return open.call(this, method, lead(url), ...rest);
    };

    const nativeFetch = window.fetch;
    window.fetch = (resource, options) => {
        if (resource instanceof Request) {
            const led = lead(resource.url);
            return nativeFetch(led === resource.url ? resource : new Request(led, resource), options);
        }
        return nativeFetch(lead(resource), options);
    };

    const nativeBeacon = navigator.sendBeacon?.bind(navigator);
    if (nativeBeacon) {
        navigator.sendBeacon = (url, data) => leads(url, NOWHERE) || nativeBeacon(lead(url), data);
    }
})();
