// The drills, one after the other: what a release, a fault or a wave of shoppers does to those who browse and buy meanwhile.
import { join } from "node:path";
import { Refusal, clone } from "../src/lab.mjs";
import { alone, isRunning } from "../src/processes.mjs";
import { say, total } from "../src/progress.mjs";
import { Drill } from "./drill.mjs";
import { writeEvidence } from "./evidence.mjs";
import { guardsOff, imageInGit, isWell } from "./release.mjs";

// In this order: the first needs a shop that nobody has visited for a while.
export const names = [
    "scale",
    "pod_taken_out",
    "pod_killed",
    "kubelet_restarted",
    "redis_gone",
    "replica_gone",
    "api_server_gone",
    "manual_change",
    "good_releases",
    "bad_errors",
    "bad_slow",
    "bad_after_switch",
    "bad_migration",
    "revert",
    "bad_crash",
    "projects",
    "runbooks",
    "visible_change",
];

const guards = ["drain", "analysis", "gateway", "projects"];

const usage = `usage: deploy/lab/lab test [DRILL...] [--without GUARD,...] [--times N] [--rate N] [--into FOLDER]
  --without   runs the drills with guards off (${guards.join(", ")}): each has to fail then, which is what counts
  --times     how many good releases in a row (5)
  --rate      requests per second (a quarter of the capacity, measured before)
drills: ${names.join(" ")}`;

// Runs the drills named, or all; 0 if all were as they have to be.
export async function test(args) {
    const { wanted, options } = parse(args);
    return alone(() => runAll(wanted, options));
}

async function runAll(wanted, options) {
    if (!isRunning("argocd-application-controller")) throw new Refusal("The lab is not up: make lab");
    const interruption = new Interruption();
    const failed = [];
    for (const name of wanted) {
        const { title, seconds = 900, run } = await import(`./${name}.mjs`);
        const drill = new Drill({ name, title, ...options });
        say(`\n${title}${options.without.length > 0 ? ` (without ${options.without.join(", ")})` : ""}`);
        try {
            await interruption.race(isWell({ seconds: 300 }), 310);
            drill.image = await imageInGit();
            await interruption.race(guardsOff(drill), 600);
            await interruption.race(run(drill), seconds);
        } catch (error) {
            drill.broke(error);
            if (!(error instanceof Refusal)) say(`  ${error.stack}`);
        }
        await drill.end();
        await writeEvidence(drill, options.into);
        // Without its guard something that had to hold did not; a drill that broke has seen nothing.
        const isOff = options.without.length > 0;
        const isRight = isOff ? drill.failures.length > 0 && !drill.broken : drill.failures.length === 0;
        if (isOff) say(isRight ? "  The drill failed, as it has to without its guard." : "  The drill did not fail by what its guard is for: it shows nothing.");
        if (!isRight) failed.push(name);
        if (interruption.isAsked) return 1;
    }
    say(`\n${wanted.length - failed.length} of ${wanted.length} drills as they have to be, after ${total()}.${failed.length > 0 ? ` Not so: ${failed.join(", ")}.` : ""}`);
    return failed.length > 0 ? 1 : 0;
}

export function parse(args) {
    const options = { times: 5, into: join(clone, "docs/evidence") };
    const wanted = [];
    for (let place = 0; place < args.length; place += 1) {
        const option = /^--(without|times|rate|into)$/.exec(args[place])?.[1];
        if (option) options[option] = ["times", "rate"].includes(option) ? Number(args[++place]) : args[++place];
        else if (names.includes(args[place])) wanted.push(args[place]);
        else throw new Refusal(`What is ${args[place]}?\n${usage}`);
    }
    options.without = options.without?.split(",") ?? [];
    if (!options.without.every((guard) => guards.includes(guard))) throw new Refusal(usage);
    return { wanted: wanted.length > 0 ? wanted : names, options };
}

// Ctrl-C ends the drill that runs, and what it broke is mended; a second one ends at once.
class Interruption {
    isAsked = false;
    #refuse = () => {};

    constructor() {
        for (const signal of ["SIGINT", "SIGTERM"]) {
            process.on(signal, () => {
                if (this.isAsked) process.exit(130);
                this.isAsked = true;
                this.#refuse(new Refusal("interrupted; mending what was broken"));
            });
        }
    }

    // Waits for `work`, so many seconds and not longer.
    async race(work, seconds) {
        let timer;
        const other = new Promise((_, refuse) => {
            this.#refuse = refuse;
            timer = setTimeout(() => refuse(new Error(`not done within ${seconds} s`)), seconds * 1000);
        });
        try {
            return await Promise.race([work, other]);
        } finally {
            clearTimeout(timer);
        }
    }
}
