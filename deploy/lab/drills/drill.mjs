// One drill: its figures, what had to hold, its moments, and what has to be mended after it.
import { cpus, release, totalmem } from "node:os";
import { say } from "../src/progress.mjs";
import { startBalancer } from "./balancer.mjs";
import { Load, capacity } from "./load.mjs";

export class Drill {
    figures = [];
    checks = [];
    marks = [];
    failures = [];
    report = null;
    #mending = [];
    #loads = [];

    constructor({ name, title, without = [], times, rate }) {
        Object.assign(this, { name, title, times, fixedRate: rate, began: new Date() });
        this.without = new Set(without);
        this.machine = { processors: cpus().length, memoryMiB: Math.round(totalmem() / 2 ** 20), kernel: release() };
    }

    say(text) {
        say(`  ${text}`);
    }

    // A figure that was measured: printed and kept.
    figure(name, value, unit = "") {
        const rounded = typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value;
        this.figures.push({ name, value: rounded, unit });
        say(`  ${name.padEnd(52)} ${rounded}${unit ? ` ${unit}` : ""}`);
    }

    // What has to be so: printed and kept; if it is not, the drill has failed.
    holds(what, isSo, detail = "") {
        this.checks.push({ what, holds: Boolean(isSo), detail: String(detail) });
        if (!isSo) this.failures.push(what);
        say(`  ${isSo ? "holds " : "FAILS "} ${what}${detail !== "" ? `: ${detail}` : ""}`);
        return Boolean(isSo);
    }

    // A moment of the graph.
    mark(label, at = Date.now()) {
        this.marks.push({ at, label });
        say(`  ${new Date(at).toISOString().slice(11, 19)}  ${label}`);
    }

    // What is done at the end, the last first, whatever happened.
    restore(what, undo) {
        this.#mending.push({ what, undo });
    }

    broke(error) {
        this.failures.push(error.message.split("\n")[0]);
        this.broken = error.message.split("\n")[0];
        say(`  FAILS  ${error.message}`);
    }

    // Shoppers from now on, at a quarter of the capacity, until `stop()`, which gives their report; `seconds` is the most.
    async load({ seconds = 900, address, rate } = {}) {
        this.capacity ??= this.fixedRate ? null : await capacity();
        this.rate = rate ?? this.fixedRate ?? Math.max(10, Math.floor(this.capacity / 4));
        const load = await Load.begin({ name: this.name, rate: this.rate, seconds, address: address ?? (await this.#entrance()) });
        this.#loads.push(load);
        this.say(`${this.rate} requests per second${this.capacity ? `, a quarter of ${this.capacity}` : ""}`);
        return {
            stop: async () => {
                this.report = await load.stop();
                return this.report;
            },
        };
    }

    // The gateway, or what stands in its place.
    async #entrance() {
        if (!this.without.has("gateway")) return undefined;
        const balancer = await startBalancer();
        this.restore("the plain balancer", balancer.end);
        return balancer.address;
    }

    // Mends what was broken, and stops what still runs.
    async end() {
        for (const load of this.#loads) this.report = (await load.stop().catch(() => null)) ?? this.report;
        for (const { what, undo } of this.#mending.reverse()) {
            try {
                await undo();
            } catch (error) {
                this.broke(new Error(`${what} could not be mended: ${error.message}`));
            }
        }
        this.#mending = [];
        this.ended = new Date();
    }
}
