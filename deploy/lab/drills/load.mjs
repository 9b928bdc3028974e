// The shoppers: bench/, in a process of its own, at the gateway on the loopback.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { at, authority, clone } from "../src/lab.mjs";
import { lastLines, run, sleep } from "../src/run.mjs";
import { step } from "../src/progress.mjs";

const folder = at("drills");
let program = process.env.TRADEWIND_BENCH;

// The load tool, compiled if it was not or is not as its source is. TRADEWIND_BENCH names one that is there.
async function bench() {
    mkdirSync(folder, { recursive: true });
    if (program) return program;
    await step("Load tool", async () => void (await run("cargo", ["build", "--quiet", "--release", "--package", "bench"], { cwd: clone, seconds: 3600 })));
    program = join(process.env.CARGO_TARGET_DIR || join(clone, "target"), "release", "bench");
    return program;
}

let measured = null;

// The most requests per second that the shop answers on this machine, measured once per call of the tool.
export async function capacity() {
    const measure = async () => `${(measured = (await visitAsMuchAsCanBe({ seconds: 20 })).per_second)} requests per second`;
    if (measured === null) await step("Capacity, 20 s", measure);
    return measured;
}

// Shoppers who ask again as soon as they are answered, so many at once; gives their report.
export async function visitAsMuchAsCanBe({ seconds, atOnce = 16 }) {
    const into = join(folder, "capacity.json");
    await run(await bench(), ["capacity", authority("shop"), "--seconds", String(seconds), "--at-once", String(atOnce), "--into", into], { seconds: seconds + 60 });
    return JSON.parse(readFileSync(into, "utf8"));
}

// A constant stream of shoppers.
export class Load {
    static async begin({ name, rate, seconds, address = authority("shop") }) {
        const load = new Load();
        load.into = join(folder, `${name}.json`);
        const command = await bench();
        rmSync(load.into, { force: true });
        const args = ["shop", address, "--rate", String(rate), "--seconds", String(seconds), "--into", load.into];
        // In a group of its own: Ctrl-C is for the drill, which ends it in order.
        load.child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
        load.complaint = "";
        load.child.stderr.on("data", (chunk) => (load.complaint += chunk));
        load.ended = new Promise((done) => load.child.on("close", done));
        await sleep(3);
        if (load.child.exitCode !== null) throw new Error(`the shoppers do not come: ${lastLines(load.complaint, 3)}`);
        return load;
    }

    // Ends it in order, if it has not ended, and gives its report.
    async stop() {
        if (this.report) return this.report;
        if (this.child.exitCode === null) this.child.kill("SIGTERM");
        await this.ended;
        if (!existsSync(this.into)) throw new Error(`the shoppers wrote no report: ${lastLines(this.complaint, 3)}`);
        this.report = JSON.parse(readFileSync(this.into, "utf8"));
        return this.report;
    }
}
