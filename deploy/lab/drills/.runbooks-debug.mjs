// The runbooks of releases, done as they are written: what their pages have for a shell is run from the pages themselves, in states of the lab that call for it.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { clone, home, kubeconfig, registry, repository } from "../src/lab.mjs";
import { application, argocd, promote, shopIsSynced } from "../src/gitops.mjs";
import { commit, git, prepareRepository, workingCopy } from "../src/git.mjs";
import { builtImage, pushVariant } from "../src/images.mjs";
import { get, list } from "../src/kubectl.mjs";
import { run as execute, tool, until } from "../src/run.mjs";

const environment = "lab";
const faulty = join(dirname(builtImage), "image-faults");

// What a page has for a shell, by the name behind ```sh; what has none is "see".
function blocksOf(page) {
    const text = readFileSync(join(clone, "docs/runbooks", `${page}.md`), "utf8");
    return Object.fromEntries([...text.matchAll(/^( *)```sh ?(\w*)\n(.*?)^ *```$/gms)].map(([, indent, name, block]) => [name || "see", block.replaceAll(new RegExp(`^${indent}`, "gm"), "")]));
}

// Runs blocks of a page, in this order and in one shell, as somebody would who pastes them: with kubectl, in a clone of the repository that Argo CD watches.
async function follow(page, ...names) {
    const blocks = blocksOf(page);
    for (const name of names) assert.ok(blocks[name], `${page}.md has no block ${name}`);
    const folder = mkdtempSync(join(home, ".runbook-"));
    try {
        await execute("git", ["clone", "--quiet", repository, folder]);
        const author = { GIT_AUTHOR_NAME: "On call", GIT_AUTHOR_EMAIL: "on-call@tradewind.example", GIT_COMMITTER_NAME: "On call", GIT_COMMITTER_EMAIL: "on-call@tradewind.example" };
        const PATH = `${dirname(await tool("kubernetes", "kubectl"))}:${process.env.PATH}`;
        const script = [`environment=${environment}`, ...names.map((name) => blocks[name])].join("\n");
        return await execute("sh", ["-eu"], { input: script, cwd: folder, env: { ...author, PATH, KUBECONFIG: kubeconfig } });
    } finally {
        rmSync(folder, { recursive: true });
    }
}

const operation = async () => (await get("application", application, { from: argocd })).status?.operationState ?? {};
const imagesOf = async (kind) => (await list(kind)).map(({ spec }) => spec.template.spec.containers[0].image);
const rollout = (name) => get("rollout", `tradewind-${name}`);

// Everything runs this image, and Argo CD is content.
async function runs(image, seconds = 600) {
    await until(`the shop runs ${image}`, async () => (await imagesOf("rollout")).every((name) => name === image) && (await list("rollout")).every(({ status }) => status.phase === "Healthy"), { seconds });
    await shopIsSynced({ seconds: 120 });
}

const imageNow = async () => (await rollout("api")).spec.template.spec.containers[0].image;
const named = (digest) => `${registry}/tradewind@${digest}`;
const variant = async (name, environment, folder) => named(await pushVariant(`runbook-${name}`, { environment }, folder));

export const title = "Runbooks of releases, done from their own text";
export const seconds = 2700;

export async function run(drill) {
    const step = async (what, work) => {
        const begun = Date.now();
        await work();
        drill.holds(what, true);
        drill.figure(what, Math.round((Date.now() - begun) / 1000), "s");
    };
    await prepareRepository();
    const former = await imageNow();
    await step("stuck-migration: seen, taken back", async () => {
        await promote(await variant("migration", { TRADEWIND__NO__SUCH: "1" }, faulty));
        await until("the migration fails", async () => /tradewind-migrate/.test((await follow("release-stuck", "see"))) && (await get("job", "tradewind-migrate"))?.status?.failed, { seconds: 180, every: 3 });
        const told = await follow("stuck-migration", "look");
        assert.match(told, /migrat/i);
        await follow("roll-back", "look", "revert");
        await runs(former);
        const before = (await operation()).startedAt;
        await follow("stuck-migration", "again");
        await until("the same commit is synced again", async () => ((now) => now.phase === "Succeeded" && now.startedAt !== before)(await operation()), { seconds: 180 });
    });
    await step("release-stuck: a commit that cannot be rendered", async () => {
        await git("pull", "--quiet", "--ff-only");
        await execute("sh", ["-c", "echo 'misspelled: true' >>deploy/argocd/environments/lab/values.yaml"], { cwd: workingCopy });
        await commit("A value that there is not");
        await until("the page shows it", async () => /ComparisonError: .*misspelled/s.test(await follow("release-stuck", "see", "refresh")), { seconds: 60, every: 2 });
        await git("revert", "--no-edit", "HEAD");
        await git("push", "--quiet", "origin", "HEAD:main");
        await runs(former);
    });
    const next = await variant("next", { TRADEWIND_RUNBOOK: "next" });
    await step("release-stuck: a sync is ended and begun again", async () => {
        await promote(next);
        await until("the release is being proven", async () => (await operation()).phase === "Running" && (await imageNow()) === next, { seconds: 120 });
        await follow("release-stuck", "terminate");
        await until("the sync is over", async () => (await operation()).phase === "Failed", { seconds: 60 });
        await follow("release-stuck", "again");
        await runs(next, 900);
    });
    await step("roll-back: the former release comes back", async () => {
        const told = await follow("roll-back", "look", "revert", "watch");
        assert.match(told, /Promote tradewind/);
        await runs(former);
    });
    await step("release-aborted: given up by hand", async () => {
        await promote(await variant("given-up", { TRADEWIND_RUNBOOK: "given-up" }));
        await until("the release is being proven", async () => ((api) => api.spec.template.spec.containers[0].image !== former && api.status.phase === "Progressing" && api.status.blueGreen?.previewSelector !== api.status.blueGreen?.activeSelector)(await rollout("api")), { seconds: 120 });
        const active = (await rollout("api")).status.blueGreen.activeSelector;
        await follow("release-aborted", "abort");
        await until("Argo CD gives up, too", async () => /Degraded/.test(JSON.stringify((await get("application", application, { from: argocd })).status.health)), { seconds: 60 });
        assert.match(await follow("release-aborted", "see"), /tradewind-api +Degraded/);
        assert.equal((await rollout("api")).status.blueGreen.activeSelector, active, "traffic left the old pods");
        assert.notEqual((await rollout("storefront")).spec.template.spec.containers[0].image, await imageNow(), "pages of a release whose API was given up");
        await follow("roll-back", "revert");
        await runs(former);
    });
}
