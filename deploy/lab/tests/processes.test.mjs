// Programs are found again and stopped by what was recorded of them, whoever started them and whatever became of the tool.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";

const home = mkdtempSync(join(tmpdir(), "tradewind-lab-"));
process.env.TRADEWIND_LAB = home;
const processes = await import("../src/processes.mjs");
const { forget, remember, state } = await import("../src/lab.mjs");
const { sleep, until } = await import("../src/run.mjs");

const record = (name) => join(home, "processes", `${name}.pid`);

afterEach(async () => {
    for (const name of processes.listProcesses()) {
        await processes.stop(name, { seconds: 1 });
        processes.forgetProcess(name);
    }
});
after(() => rmSync(home, { recursive: true }));

test("a program runs until it is stopped, and a second start changes nothing", async () => {
    const pid = await processes.start("one", "sleep", ["600"]);
    assert.equal(await processes.start("one", "sleep", ["600"]), pid);
    assert.ok(processes.isRunning("one"));
    assert.ok(await processes.stop("one"));
    assert.ok(!processes.isRunning("one"));
    assert.equal(processes.startOf(pid), null);
    assert.ok(!(await processes.stop("one")));
});

test("another command or another configuration is a reason to start it anew", async () => {
    const settings = join(home, "settings");
    writeFileSync(settings, "1");
    const first = await processes.start("one", "sleep", ["600"], { reads: [settings] });
    writeFileSync(settings, "2");
    const second = await processes.start("one", "sleep", ["600"], { reads: [settings] });
    const third = await processes.start("one", "sleep", ["601"], { reads: [settings] });
    assert.equal(new Set([first, second, third]).size, 3);
    assert.equal(processes.startOf(first), null);
});

test("what a killed tool started is found, is not started twice, and is stopped by the next", async () => {
    const script = `import { start } from ${JSON.stringify(join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../src/processes.mjs"))};
        await start("one", "sleep", ["600"]); console.log("started"); setInterval(() => {}, 1000);`;
    const tool = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((done) => tool.stdout.once("data", done));
    tool.kill("SIGKILL");
    await new Promise((done) => tool.once("close", done));
    const pid = processes.pidOf("one");
    assert.ok(pid);
    assert.equal(await processes.start("one", "sleep", ["600"]), pid);
    await processes.stop("one");
    assert.equal(processes.startOf(pid), null);
});

test("a recorded pid that is another process now is left alone", async () => {
    await processes.start("one", "sleep", ["600"]);
    const neighbour = spawn("sleep", ["600"], { stdio: "ignore" });
    const [pid, started] = readFileSync(record("one"), "utf8").trim().split(" ");
    writeFileSync(record("one"), `${neighbour.pid} ${started - 1}`);
    assert.ok(!processes.isRunning("one"));
    assert.ok(!processes.kill("one", "SIGKILL"));
    await processes.stop("one");
    assert.notEqual(processes.startOf(neighbour.pid), null);
    // The one that was recorded is found by its mark.
    await until("the marked one ends", () => processes.startOf(Number(pid)) === null, { seconds: 2 });
    neighbour.kill("SIGKILL");
});

test("a program that does not listen is made to end, with what it started itself", async () => {
    const pid = await processes.start("deaf", "sh", ["-c", "trap '' TERM; sleep 600 & while :; do sleep 1; done"]);
    await sleep(0.2);
    assert.ok(processes.marked("deaf").length >= 2);
    await processes.stop("deaf", { seconds: 0.5 });
    await until("all end", () => processes.marked("deaf").length === 0, { seconds: 2 });
    assert.equal(processes.startOf(pid), null);
});

test("what is meant to outlive a program does, and is found by its mark", async () => {
    await processes.start("parent", "sh", ["-c", "sleep 600 & exec sleep 600"], { outlived: true });
    await processes.stop("parent");
    const [left, ...others] = processes.marked("parent");
    assert.ok(left);
    assert.deepEqual(others, []);
    process.kill(left, "SIGKILL");
});

test("one that ends at once is told with its last words", async () => {
    await assert.rejects(processes.start("short", "sh", ["-c", "echo the port is taken >&2; exit 1"]), /short ended at once:\nthe port is taken/);
});

test("what ran is started again as it was", async () => {
    const pid = await processes.start("one", "sh", ["-c", 'echo "$COLOUR" >>"$0"; exec sleep 600', join(home, "colour")], { env: { COLOUR: "blue" } });
    const again = await processes.restart("one");
    assert.notEqual(again, pid);
    await until("it wrote twice", () => readFileSync(join(home, "colour"), "utf8") === "blue\nblue\n", { seconds: 2 });
});

test("notes are kept until they are forgotten, and no file is left of none", () => {
    remember({ bridge: "b" });
    remember({ chains: true });
    assert.deepEqual(state(), { bridge: "b", chains: true });
    forget("bridge");
    assert.deepEqual(state(), { chains: true });
    forget("chains");
    assert.deepEqual(state(), {});
    assert.ok(!existsSync(join(home, "state.json")));
});
