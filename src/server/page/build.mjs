// Builds the room page into dist/ ("npm run build"), or compares dist/ with two fresh builds ("npm run check").
// The same sources and lock file give the same bytes, on Node 18 as on newer ones.
import { build } from "esbuild";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

async function bundle() {
    const result = await build({
        absWorkingDir: here,
        entryPoints: ["src/hosts.js", "src/room.css", { in: "src/main.js", out: "room" }].map((entry) =>
            typeof entry === "string" ? { in: entry, out: entry.replace(/^src\/|\.\w+$/g, "") } : entry,
        ),
        outdir: "dist",
        bundle: true,
        minify: true,
        format: "esm",
        platform: "browser",
        target: ["es2022", "chrome105", "firefox104", "safari15.4"],
        charset: "utf8",
        legalComments: "none", // dist/licenses.txt has the licences of everything bundled
        // Optional parts of the SDK that it loads on demand; this page never asks for them.
        external: ["@whereby.com/camera-effects", "@whereby.com/audio-denoiser"],
        metafile: true,
        write: false,
        logLevel: "warning",
    });
    const files = new Map(result.outputFiles.map(({ path, contents }) => [path.slice(dist.length + 1), Buffer.from(contents)]));
    for (const name of ["index.html", "icon.svg"]) files.set(name, await readFile(join(here, "src", name)));
    files.set("licenses.txt", Buffer.from(await licenses(Object.keys(result.metafile.inputs))));
    return files;
}

/** The licence texts of the bundled packages. */
async function licenses(inputs) {
    const folders = new Set(inputs.map((path) => /^(node_modules\/.*node_modules\/|node_modules\/)(@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
    const parts = ["The room page contains the following packages.\n"];
    for (const folder of [...folders].sort()) {
        const { name, version, license } = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
        const text = (await readdir(join(here, folder))).sort().find((file) => /^licen[cs]e(\.|$)/i.test(file));
        const terms = text ? (await readFile(join(here, folder, text), "utf8")).trim().replace(/\r\n/g, "\n") : "(no licence text in the package)";
        parts.push(`---- ${name} ${version} (${license})\n\n${terms}\n`);
    }
    return parts.join("\n");
}

const same = (a, b) => a.size === b.size && [...a].every(([name, bytes]) => b.get(name)?.equals(bytes));

const files = await bundle();
if (process.argv.includes("--check")) {
    const committed = new Map();
    for (const name of await readdir(dist)) committed.set(name, await readFile(join(dist, name)));
    if (!same(files, await bundle())) {
        console.error("two builds in a row differ");
        process.exit(1);
    }
    if (!same(files, committed)) {
        const differing = [...new Set([...files.keys(), ...committed.keys()])].filter((name) => !files.get(name)?.equals(committed.get(name) ?? Buffer.alloc(0)));
        console.error(`dist/ is not what the sources give (${differing.join(", ")}): run "npm ci && npm run build" and commit dist/`);
        process.exit(1);
    }
    console.log(`dist/ is up to date: ${[...files.keys()].sort().join(", ")}`);
} else {
    await rm(dist, { recursive: true, force: true });
    await mkdir(dist);
    for (const [name, bytes] of files) {
        await writeFile(join(dist, name), bytes);
        console.log(`${name} ${bytes.length}`);
    }
}
