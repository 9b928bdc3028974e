// What the tool says while it works: one line a step, with its time.

const began = Date.now();
const elapsed = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

// Does a step and says how long it took; what it gives back is said beside it, if that is a text.
export async function step(title, work) {
    const since = Date.now();
    process.stdout.write(`  ${title.padEnd(46)} `);
    try {
        const told = await work();
        process.stdout.write(`${elapsed(since).padStart(8)}${typeof told === "string" && told ? `   ${told}` : ""}\n`);
        return told;
    } catch (error) {
        process.stdout.write(`${elapsed(since).padStart(8)}   failed\n`);
        throw error;
    }
}

export function say(line = "") {
    process.stdout.write(`${line}\n`);
}

// The time since the tool was called.
export const total = () => elapsed(began);
