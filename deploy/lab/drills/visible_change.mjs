// A change of one line that shoppers see, carried from its commit to them by the scripts of the pipeline and nobody's hand, while others shop; and looked at in a browser.
// usage: deploy/lab/lab test visible_change
// VISIBLE_CHANGE_STAGES says which stages there are before push and promote: `image scan` of `build test image scan` if nothing is said.
// VISIBLE_CHANGE_CLONE names a clone of the lab's repository in which much may be compiled already; otherwise one is made and kept.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { at, authority, clone, home, registry, repository } from "../src/lab.mjs";
import { shopIsSynced } from "../src/gitops.mjs";
import { builtImage } from "../src/images.mjs";
import { list } from "../src/kubectl.mjs";
import { run as execute, sleep, until } from "../src/run.mjs";

const shop = `http://${authority("shop")}`;
const file = "web/storefront/messages/en.ftl";
// What the footer may say: each run changes something, also after one that did not come to its end.
const words = ["Runs on Tradewind", "Runs on Tradewind, under full sail", "Runs on Tradewind, with a fair wind"];
const stages = (process.env.VISIBLE_CHANGE_STAGES || "image scan").split(" ");
const evidence = join(clone, "docs/evidence");
const transcript = join(evidence, "visible_change.txt");
const author = { GIT_AUTHOR_NAME: "A developer", GIT_AUTHOR_EMAIL: "developer@tradewind.example", GIT_COMMITTER_NAME: "A developer", GIT_COMMITTER_EMAIL: "developer@tradewind.example" };

export const title = "A change of one line, from its commit to a shopper's browser";
export const seconds = 5400;

export async function run(drill) {
    mkdirSync(evidence, { recursive: true });
    writeFileSync(transcript, "");
    const begun = Date.now();
    const folder = await aClone();
    const browser = await aBrowser();
    let visitors;
    try {
        const before = await browser.footer();
        say(`In a browser, ${shop} ends with "${before}".`);
        const change = await makeChange(folder, before);
        const image = await build(folder);
        visitors = visit();
        await told(folder, "deploy/pipeline/promote", "lab", image, { TRADEWIND_LAB: home });
        say(`\nNobody does anything from here on. Seen from outside:`);
        const seen = await seenIn(browser, change.to);
        await settled(image);
        say(`${clock()} all of the shop runs it: ${await shopIsSynced()}`);
        const others = visitors.end();
        await browser.picture(join(evidence, "visible_change.png"));
        say(`\n${others.requests} requests of other shoppers meanwhile, ${others.failed.length} failed; ${browser.pages()} pages in the browser, ${browser.failed().length} requests of it failed.`);
        for (const failure of [...others.failed, ...browser.failed()].slice(0, 10)) say(`  ${failure}`);
        drill.figure("from the promotion to a browser", seen, "s");
        drill.figure("from the commit to all pods", since(begun), "s");
        drill.figure("requests meanwhile", others.requests);
        drill.holds("somebody was there", others.requests > 500);
        drill.holds("no request failed", others.failed.length + browser.failed().length === 0, [...others.failed, ...browser.failed()].slice(0, 5).join("; "));
    } finally {
        visitors?.end();
        await browser.close();
    }
}

// A developer's clone of the repository that Argo CD watches. It is kept: what did not change need not be compiled again.
async function aClone() {
    const folder = process.env.VISIBLE_CHANGE_CLONE || at("work", "visible_change");
    if (!existsSync(folder)) await execute("git", ["clone", "--quiet", repository, folder]);
    await execute("git", ["-C", folder, "fetch", "--quiet", "origin"]);
    await execute("git", ["-C", folder, "reset", "--quiet", "--hard", "origin/main"]);
    return folder;
}

// One line of one file, committed and pushed as a developer would.
async function makeChange(folder, shown) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    const from = /^runs-on = (.*)$/m.exec(text)[1];
    const to = words.find((text) => text !== from && text !== shown);
    writeFileSync(path, text.replace(`runs-on = ${from}`, `runs-on = ${to}`));
    await told(folder, "git", "diff", "--unified=0", "--no-color");
    await told(folder, "git", "commit", "--quiet", "--all", "--message", `Storefront: the footer says "${to}"`);
    await told(folder, "git", "push", "--quiet", "origin", "HEAD:main");
    return { to };
}

// The stages of the pipeline, as a build server calls them. What is compiled is kept where the clone keeps it.
async function build(folder) {
    const built = join(folder, "target-image");
    const target = dirname(builtImage);
    const variables = { CARGO_TARGET_DIR: target, SCAN_REPORTS: join(folder, "target-scan") };
    // What the stages write is none of the commit.
    appendFileSync(join(folder, ".git/info/exclude"), "target-*\n");
    const stage = (name, ...args) => stages.includes(name) && told(folder, `deploy/pipeline/${name}`, ...args, variables);
    await stage("build");
    await stage("test");
    await stage("image", built);
    await stage("scan", "secrets", "dependencies", "configuration", "image", { IMAGE: built });
    return (await told(folder, "deploy/pipeline/push", `${registry}/tradewind`, built, variables)).trim().split("\n").pop();
}

// Runs a command as somebody would, and writes down what was typed and what came back; gives what it printed.
function told(cwd, command, ...rest) {
    const variables = Object.assign({}, ...rest.filter((part) => typeof part === "object"));
    const args = rest.filter((part) => typeof part === "string");
    const begun = Date.now();
    say(`\n$ ${[command, ...args].map((part) => (/[\s"]/.test(part) ? `'${part}'` : part)).join(" ").replaceAll(join(cwd, "/"), "")}`);
    return new Promise((done, failed) => {
        const inside = existsSync(join(cwd, command)) ? join(cwd, command) : command;
        const child = spawn(inside, args, { cwd, env: { ...process.env, ...author, ...variables }, stdio: ["ignore", "pipe", "pipe"] });
        let printed = "";
        let all = "";
        child.stdout.on("data", (chunk) => ((printed += chunk), (all += chunk)));
        child.stderr.on("data", (chunk) => (all += chunk));
        child.on("error", failed);
        child.on("close", (code) => {
            const lines = all.trimEnd().split("\n").filter((line) => line && !/^\s*(Compiling|Downloaded|Downloading|Fresh|Updating|Locking|Blocking)\b/.test(line));
            for (const line of lines.slice(-12)) say(line.replaceAll(join(cwd, "/"), "").slice(0, 200));
            if (since(begun) >= 2) say(`(${since(begun)} s)`);
            if (code === 0) done(printed);
            else failed(new Error(`${command} ended with ${code}:\n${lines.slice(-30).join("\n")}`));
        });
    });
}

// Others who look around meanwhile: twenty a second, whatever the answers take.
function visit() {
    const pages = ["/", "/products", "/products?sort=newest", "/store/v1/products?limit=24", "/cart"];
    const failed = [];
    let requests = 0;
    const timer = setInterval(async () => {
        const path = pages[requests++ % pages.length];
        try {
            const answer = await fetch(`${shop}${path}`, { signal: AbortSignal.timeout(10_000) });
            await answer.arrayBuffer();
            if (!answer.ok) failed.push(`${clock()} ${path}: ${answer.status}`);
        } catch (error) {
            failed.push(`${clock()} ${path}: ${error.cause?.code ?? error.message}`);
        }
    }, 50);
    return { end: () => (clearInterval(timer), { requests, failed }) };
}

// Chromium as the browser tests drive it, which notes every answer that is an error and every request without one.
async function aBrowser() {
    const require = createRequire(join(clone, "tests/browser/package.json"));
    const { chromium } = require("playwright-core");
    const names = "chromium chromium-browser google-chrome";
    const executablePath = process.env.CHROMIUM ?? (await execute("sh", ["-c", `for name in ${names}; do command -v $name && exit; done`])).trim();
    const running = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    const page = await running.newPage({ viewport: { width: 1360, height: 900 } });
    const failed = [];
    let pages = 0;
    page.on("response", (answer) => answer.status() >= 400 && failed.push(`browser ${clock()} ${answer.url()}: ${answer.status()}`));
    page.on("requestfailed", (request) => failed.push(`browser ${clock()} ${request.url()}: ${request.failure()?.errorText}`));
    return {
        async footer() {
            pages += 1;
            await page.goto(shop, { waitUntil: "networkidle" });
            return (await page.locator(".legal span").first().innerText()).trim();
        },
        async picture(path) {
            await this.footer();
            await page.locator(".foot").screenshot({ path });
        },
        pages: () => pages,
        failed: () => failed,
        close: () => running.close(),
    };
}

// Reloads until the footer says the new words, and tells how the Rollouts go meanwhile. Gives the seconds.
async function seenIn(browser, wanted) {
    const begun = Date.now();
    let last = "";
    await until(`the footer says "${wanted}"`, async () => {
        const state = (await list("rollout")).map(({ metadata, status }) => `${metadata.name.replace("tradewind-", "")} ${status.phase}${status.message ? ` (${status.message})` : ""}`).join(", ");
        if (state !== last) say(`${clock()} ${state}`);
        last = state;
        if (/Degraded/.test(state)) await sleep(1);
        return (await browser.footer()) === wanted;
    }, { seconds: 1200, every: 1 });
    say(`${clock()} the browser shows "${wanted}", ${since(begun)} s after the promotion`);
    return since(begun);
}

async function settled(image) {
    await until("all of the shop runs the release", async () => {
        const rollouts = await list("rollout");
        const workers = await list("deployment", { labels: "app.kubernetes.io/component=worker" });
        return [...rollouts, ...workers].every(({ spec }) => spec.template.spec.containers[0].image === image) && rollouts.every(({ status }) => status.phase === "Healthy");
    }, { seconds: 900, every: 1 });
    await shopIsSynced({ seconds: 300 });
}

const since = (begun) => Math.round((Date.now() - begun) / 1000);
const clock = () => new Date().toISOString().slice(11, 19);

function say(line) {
    process.stdout.write(`${line}\n`);
    appendFileSync(transcript, `${line}\n`);
}
