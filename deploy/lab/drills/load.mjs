// The shoppers: bench/, in a process of its own, at the gateway on the loopback.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { at, authority, clone } from "../src/lab.mjs";
import { lastLines, run, sleep } from "../src/run.mjs";
import { step } from "../src/progress.mjs";

const target = process.env.CARGO_TARGET_DIR || join(clone, "target");
const program = join(target, "release", "bench");
const folder = at("drills");

// The load tool, compiled now if it never was.
async function bench() {
    if (!existsSync(program)) await step("Load tool", async () => void (await run("cargo", ["build", "--release", "--package", "bench"], { cwd: clone, seconds: 3600 })));
    mkdirSync(folder, { recursive: true });
    return program;
}

let measured = null;

// The most requests per second that the shop answers on this machine, measured once per call of the tool.
export async function capacity({ seconds = 20 } = {}) {
    measured ??= (await visitAsMuchAsCanBe(seconds)).per_second;
    return measured;
}

// Shoppers who ask again as soon as they are answered; gives their report.
export async function visitAsMuchAsCanBe(seconds) {
    const into = join(folder, "capacity.json");
    await step(`Capacity, ${seconds} s`, async () => {
        await run(await bench(), ["capacity", authority("shop"), "--seconds", String(seconds), "--into", into], { seconds: seconds + 60 });
        return `${JSON.parse(readFileSync(into, "utf8")).per_second} requests per second`;
    });
    const told = JSON.parse(readFileSync(into, "utf8"));
    measured = told.per_second;
    return told;
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
