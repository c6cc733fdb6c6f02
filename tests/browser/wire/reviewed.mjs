//! The reviewed list of differences, docs/wire-differences.md: rows of its table, and which of them explains a difference.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FILE = join(dirname(fileURLToPath(import.meta.url)), "../../../docs/wire-differences.md");

/** A cell as text; in a cell `*` stands for anything. */
const matcher = (cell) => new RegExp(`^${cell.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`, "s");

/** The rows: `{ row, where, what, roomd, sdk, reason }`. */
export async function reviewedDifferences() {
    const text = await readFile(FILE, "utf8");
    return text
        .split("\n")
        .filter((line) => line.startsWith("| `"))
        .map((row) => {
            const cells = row.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim());
            const plain = (cell) => cell.replace(/^`|`$/g, "");
            const [where, what, roomd, sdk] = cells.slice(0, 4).map(plain);
            const reason = cells[4];
            if (cells.length !== 5 || !reason) throw new Error(`docs/wire-differences.md: a row needs five cells and a reason: ${row}`);
            return { row, where, what, roomd, sdk, reason };
        });
}

/** The row that explains a difference, or undefined. */
export const explanation = (rows, found) =>
    rows.find((row) => ["where", "what", "roomd", "sdk"].every((cell) => matcher(row[cell]).test(found[cell])));

/** A difference as a row without its reason, to be reviewed. */
export const asRow = ({ where, what, roomd, sdk }) => `| \`${where}\` | \`${what}\` | \`${roomd}\` | \`${sdk}\` | … |`;
