// The few words this page needs to build and update elements. No inline styles or scripts: the server forbids them.

/** Builds an element; `props` are properties, `aria`/`data`/`attributes` go to attributes, `on` to listeners. */
export function h(tag, props = {}, ...children) {
    const element = document.createElement(tag);
    const { aria = {}, data = {}, attributes = {}, on = {}, ...properties } = props;
    Object.assign(element, properties);
    Object.assign(element.dataset, data);
    for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

/** A picture from the symbols of index.html; decoration only, names are given in words. */
export function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#${name}`);
    svg.append(use);
    return svg;
}

/** Changes the picture of an icon. */
export function setIcon(svg, name) {
    const use = svg.firstElementChild;
    if (use.getAttribute("href") !== `#${name}`) use.setAttribute("href", `#${name}`);
}

/** Sets a text only when it differs, so that screen readers are not told twice. */
export function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute only when it differs; null removes it. */
export function setAttribute(element, name, value) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/** A labelled button with an icon. */
export function button({ label, symbol, className = "", onClick, ...props }) {
    return h(
        "button",
        { type: "button", className, on: { click: onClick }, ...props },
        symbol ? icon(symbol) : null,
        h("span", { className: "text" }, label),
    );
}

/**
 * A switch: the name stays, `aria-pressed` says whether it is on. `key` is its shortcut.
 * Returns the element and `update({ on, symbol, disabled, hint })`.
 */
export function toggle({ label, symbol, key, onClick, className = "" }) {
    const title = key ? `${label} (${key.toUpperCase()})` : label;
    const element = button({
        label,
        symbol,
        className: `toggle ${className}`,
        onClick,
        title,
        aria: { pressed: "false", ...(key ? { keyshortcuts: key.toUpperCase() } : {}) },
    });
    const svg = element.querySelector("svg");
    const update = ({ on, symbol: shown = symbol, disabled = false, hint = null }) => {
        setAttribute(element, "aria-pressed", on);
        setIcon(svg, shown);
        if (element.disabled !== disabled) element.disabled = disabled;
        setAttribute(element, "title", hint ? `${title}: ${hint}` : title);
    };
    return { element, update };
}

/** Keeps one row per item: creates, updates and removes by key, never rebuilds what stays (focus and video survive). */
export function keyed(parent, create) {
    const rows = new Map();
    return (items, keyOf, ...extra) => {
        const wanted = new Set(items.map(keyOf));
        for (const [key, row] of rows) {
            if (!wanted.has(key)) {
                row.element.remove();
                row.close?.();
                rows.delete(key);
            }
        }
        items.forEach((item, index) => {
            const key = keyOf(item);
            if (!rows.has(key)) {
                const row = create(item);
                rows.set(key, row);
                parent.append(row.element);
            }
            rows.get(key).update(item, index, ...extra);
        });
        return rows;
    };
}
