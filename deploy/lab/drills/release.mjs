// Releases as they are seen from outside: what Argo CD and Argo Rollouts say of themselves, second by second.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal, clone, registry, writeWhole } from "../src/lab.mjs";
import { commit, git, head, revert, workingCopy } from "../src/git.mjs";
import { application, argocd, promote } from "../src/gitops.mjs";
import { builtImage, pushVariant } from "../src/images.mjs";
import { get, list } from "../src/kubectl.mjs";
import { shopAnswers } from "../src/shop.mjs";
import { sleep, until } from "../src/run.mjs";

const parts = ["api", "storefront", "backoffice"];
const environment = "deploy/argocd/environments/lab";

// The layout of the image with faults that are armed by a variable.
const faulty = join(process.env.CARGO_TARGET_DIR || join(clone, "target"), "image-faults");

// One look at everything.
export async function look() {
    const [rollouts, app] = await Promise.all([list("rollout"), get("application", application, { from: argocd })]);
    const seen = {};
    for (const { metadata, spec, status = {} } of rollouts) {
        const part = parts.find((name) => metadata.name.endsWith(`-${name}`));
        if (!part) continue;
        seen[part] = {
            phase: status.phase,
            aborted: Boolean(status.abort),
            current: status.currentPodHash,
            stable: status.stableRS,
            active: status.blueGreen?.activeSelector,
            image: spec.template.spec.containers[0].image,
            observed: String(metadata.generation) === status.observedGeneration,
            message: status.message ?? "",
        };
    }
    const { sync = {}, health = {}, operationState: operation = {} } = app?.status ?? {};
    return { parts: seen, sync: sync.status, health: health.status, revision: sync.revision, operation: { phase: operation.phase, revision: operation.operation?.sync?.revision ?? operation.syncResult?.revision, message: operation.message ?? "", retries: operation.retryCount ?? 0 } };
}

const isSettledPart = (part) => part && part.observed && part.phase === "Healthy" && part.active === part.current && part.stable === part.current && !part.aborted;

// Whether everything is as a commit says (or as any does), and nothing is under way.
export function isSettled(seen, revision = null) {
    const isThere = seen.sync === "Synced" && seen.health === "Healthy" && (revision === null || seen.revision === revision);
    return isThere && seen.operation.phase === "Succeeded" && parts.every((part) => isSettledPart(seen.parts[part]));
}

// Waits until the lab is well: nothing is under way, shoppers are served.
export async function isWell({ seconds = 300 } = {}) {
    let seen;
    await until("the lab is well", async () => isSettled((seen = await look())), { seconds, every: 2 }).catch(() => {
        throw new Refusal(`The lab is not well, and no drill says anything then: ${words(seen)}. \`deploy/lab/lab status\` and docs/runbooks say more.`);
    });
    await until("the shop answers", shopAnswers, { seconds: 30, every: 1 });
}

const words = (seen) => (seen ? `${seen.sync}, ${seen.health}; ${parts.map((part) => `${part} ${seen.parts[part]?.phase} ${seen.parts[part]?.message ?? ""}`.trim()).join("; ")}` : "nobody answers");

// Watches releases from now on, and notes their moments in the drill.
export class Watch {
    last = null;
    events = [];
    #isOver = false;

    static async begin(drill) {
        const watch = new Watch();
        watch.drill = drill;
        watch.first = await look();
        watch.last = watch.first;
        watch.done = watch.#go();
        drill.restore("the watch", () => watch.end());
        return watch;
    }

    async #go() {
        while (!this.#isOver) {
            await sleep(1);
            try {
                this.#note(await look());
            } catch {
                // Nobody may be there to ask just now.
            }
        }
    }

    #note(seen) {
        const at = Date.now();
        for (const part of parts) {
            const [now, before] = [seen.parts[part] ?? {}, this.last.parts[part] ?? {}];
            const tell = (event) => {
                this.events.push({ at, part, event, hash: now.active });
                this.drill.mark(`${part}: ${event}`, at);
            };
            if (now.current !== before.current && now.current !== now.active) tell("preview");
            if (now.aborted && !before.aborted) tell("abort");
            if (now.active !== before.active) tell(now.active === this.first.parts[part]?.active ? "return" : "switch");
        }
        this.last = seen;
    }

    // The first event of a kind since a moment, if there was one.
    find(event, { since = 0, part } = {}) {
        return this.events.find((one) => one.event === event && one.at >= since && (!part || one.part === part));
    }

    // Waits until what is seen is as `isSo` wants it.
    async until(what, isSo, seconds) {
        return until(what, () => isSo(this.last) && this.last, { seconds, every: 0.5 }).catch((error) => {
            throw new Error(`${error.message}; ${words(this.last)}; ${this.last.operation.phase} ${this.last.operation.message}`);
        });
    }

    // Waits until everything is as a commit says; fails at once if a part is given up that was not before.
    async settled(revision, seconds = 900) {
        const given = ({ parts: seen }) => parts.filter((part) => seen[part]?.aborted).map((part) => `${part} ${seen[part].current}`);
        const before = given(this.last);
        return this.until(`released ${revision.slice(0, 7)}`, (seen) => {
            const fresh = given(seen).filter((one) => !before.includes(one));
            if (fresh.length > 0) throw new Refusal(`given up: ${fresh.map((one) => seen.parts[one.split(" ")[0]].message).join("; ")}`);
            return isSettled(seen, revision);
        }, seconds);
    }

    async end() {
        this.#isOver = true;
        await this.done;
    }
}

// Pushes an image that differs from the others by a label, and promotes it by the pipeline's script; gives the commit and when it was made.
export async function release(drill, name, { fault } = {}) {
    const environment = fault ? { TRADEWIND_FAULT: fault } : {};
    const digest = await pushVariant(name, { environment, labels: { "tradewind.lab.run": String(drill.began.getTime()) } }, fault ? faulty : builtImage);
    const revision = await promote(`${registry}/tradewind@${digest}`);
    const at = Date.now();
    drill.mark(`promote ${name}`, at);
    return { revision, digest, at };
}

// Takes back a commit by another, and no later one; gives that, and when it was made.
export async function takeBack(drill, which) {
    await git("fetch", "--quiet", "origin");
    await git("reset", "--quiet", "--hard", "origin/main");
    const revision = await revert(which);
    const at = Date.now();
    drill.mark("revert", at);
    return { revision, at };
}

// After a drill that was cut short: if Git names this image and it does not run, the commit is taken back.
export async function takeBackIfGivenUp(drill, { digest, revision: released }) {
    if ((await imageInGit()) !== digest || isSettled(await look())) return;
    const { revision } = await takeBack(drill, released);
    await until("it is taken back", async () => isSettled(await look(), revision), { seconds: 600, every: 2 });
}

// The image that Git says runs.
export async function imageInGit() {
    await git("fetch", "--quiet", "origin");
    return /digest: (\S+)/.exec(await git("show", `origin/main:${environment}/image.yaml`))?.[1];
}

// Lays values over the lab's own by a commit, until the drill is over.
export async function override(drill, what, values) {
    const file = join(workingCopy, environment, "machine.yaml");
    const before = readFileSync(file, "utf8");
    writeWhole(file, `${before}${values}`, 0o644);
    await commit(`Drill: ${what}`);
    drill.mark(what);
    drill.restore(what, async () => {
        await git("fetch", "--quiet", "origin");
        await git("reset", "--quiet", "--hard", "origin/main");
        writeWhole(file, before, 0o644);
        const revision = await commit(`Drill over: not ${what}`);
        await until("as it was", async () => isSettled(await look(), revision), { seconds: 900, every: 2 });
    });
    return head();
}

const noAnalysis = `analysis: {${parts.map((part) => `${part}: {before: [], after: []}`).join(", ")}}\n`;
const noDrain = "drain: {delaySeconds: 0, timeoutSeconds: 1}\n";

// Takes the guards away that the drill is to do without, and waits until that is so. Without the gateway it is the shoppers who come another way.
export async function guardsOff(drill) {
    const values = { analysis: noAnalysis, drain: `${noDrain}${noAnalysis}` };
    for (const guard of drill.without) {
        if (!values[guard]) continue;
        const revision = await override(drill, `without ${guard}`, values[guard]);
        await until(`released without ${guard}`, async () => isSettled(await look(), revision), { seconds: 580, every: 2 });
    }
}
