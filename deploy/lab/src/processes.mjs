// The lab's programs: started, found again and stopped by what was recorded of them, also by another run of the tool than the one that started them.
//
// Of each program there are three files below `processes/` in the lab's home: `NAME.json` (what to run), `NAME.pid` (pid and start time, written by the process itself before it
// becomes the program, so that no program is ever without its record) and `NAME.log`. A pid that belongs to another process now has another start time and is left alone.
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { Refusal, at, found, home, writeWhole } from "./lab.mjs";
import { lastLines, sleep, until } from "./run.mjs";

const folder = at("processes");
const file = (name, kind) => `${folder}/${name}.${kind}`;
const mark = "TRADEWIND_LAB_PROCESS";

// Becomes the program, after it wrote down who it is. Limits are raised as far as they may be.
const become = `ulimit -n "$(ulimit -Hn)"
echo "$$ $(cut -d ' ' -f 22 "/proc/$$/stat")" >"$0.new" && mv "$0.new" "$0" && exec "$@"`;

// Starts a program in a session of its own, unless it runs already with the same command and the same configuration; if those differ it is started anew.
// `user`: who it runs as. `reads`: files whose change is a reason to start it anew. `stops`: the signal that asks it to end. `outlived`: what it starts itself lives on without it.
export async function start(name, command, args = [], { user, env = {}, cwd = home, reads = [], stops = "SIGTERM", outlived = false } = {}) {
    const fresh = { command, args, user, env, cwd, reads, stops, outlived };
    fresh.mark = fingerprint(fresh);
    if (isRunning(name)) {
        if (recorded(name).mark === fresh.mark) return pidOf(name);
        await stop(name);
    }
    writeWhole(file(name, "json"), JSON.stringify(fresh, null, 4));
    return launch(name, fresh);
}

// Starts it again as it was started last; stops it first if it runs.
export async function restart(name) {
    await stop(name);
    return launch(name, recorded(name));
}

// Asks it to end, and makes it end after `seconds`. What it started itself and left behind ends, too, unless it is to be outlived. True if there was something to stop.
export async function stop(name, { seconds = 15 } = {}) {
    const ran = isRunning(name);
    if (ran) {
        kill(name, recorded(name)?.stops);
        const ended = await until("", () => !isRunning(name), { seconds }).catch(() => false);
        if (!ended) kill(name, "SIGKILL");
        await until(`${name} ends`, () => !isRunning(name), { seconds: 5 });
    }
    if (!recorded(name)?.outlived) for (const pid of marked(name)) signal(pid, "SIGKILL");
    rmSync(file(name, "pid"), { force: true });
    return ran;
}

// Sends a signal to it, and to nobody else. False if it does not run.
export function kill(name, which = "SIGTERM") {
    return isRunning(name) && signal(pidOf(name), which);
}

// Whether the very process that was recorded still runs.
export function isRunning(name) {
    const [pid, started] = (found(file(name, "pid")) ?? "").trim().split(" ").map(Number);
    return Boolean(pid) && startOf(pid) === started;
}

// Its pid, or null if it does not run.
export const pidOf = (name) => (isRunning(name) ? Number(readFileSync(file(name, "pid"), "utf8").split(" ")[0]) : null);

// The path of what it prints.
export const logOf = (name) => file(name, "log");

// Every program that was ever started and not forgotten, in the order of their start.
export function listProcesses() {
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((entry) => entry.endsWith(".json")).map((entry) => entry.slice(0, -".json".length));
    const started = (name) => Number((found(file(name, "pid")) ?? "0 0").split(" ")[1]);
    return names.sort((one, other) => started(one) - started(other));
}

// Forgets a stopped program.
export function forgetProcess(name) {
    for (const kind of ["json", "pid"]) rmSync(file(name, kind), { force: true });
}

// Pids of processes that descend from `name` (or from any of the lab's programs) and have not given themselves another environment.
export function marked(name = "") {
    const wanted = `${mark}=${home}:${name}`;
    const isOurs = (pid) => {
        const variables = (found(`/proc/${pid}/environ`) ?? "").split("\0");
        return variables.some((variable) => (name ? variable === wanted : variable.startsWith(wanted)));
    };
    return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).map(Number).filter(isOurs);
}

// When a process started, in ticks since the machine did: with the pid it names a process for good. Null if there is none, or only its remains.
export function startOf(pid) {
    const stat = found(`/proc/${pid}/stat`);
    if (!stat) return null;
    // The name in parentheses may hold anything, so count from its end: state is the first field after it, start time the twentieth.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : Number(fields[19]);
}

// Does work while nobody else of the tool does such work: two `up` at once would start everything twice.
export async function alone(work) {
    const lock = at("lock");
    const [pid, started] = (found(lock) ?? "").split(" ").map(Number);
    if (pid && pid !== process.pid && startOf(pid) === started) throw new Refusal(`Another run of the tool is at work (pid ${pid}). Wait for it, or end it: kill ${pid}`);
    writeWhole(lock, `${process.pid} ${startOf(process.pid)}`);
    try {
        return await work();
    } finally {
        rmSync(lock, { force: true });
    }
}

async function launch(name, { command, args, user, env, cwd }) {
    mkdirSync(folder, { recursive: true });
    rmSync(file(name, "pid"), { force: true });
    const as = user ? ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", command] : [command];
    const log = openSync(file(name, "log"), "a", 0o600);
    const child = spawn("/bin/sh", ["-c", become, file(name, "pid"), ...as, ...args], {
        detached: true,
        cwd,
        env: { ...process.env, ...env, [mark]: `${home}:${name}` },
        stdio: ["ignore", log, log],
    });
    closeSync(log);
    child.unref();
    child.on("error", () => {});
    await until(`${name} starts`, () => existsSync(file(name, "pid")), { seconds: 10, every: 0.02 });
    await sleep(0.2);
    if (!isRunning(name)) throw new Error(`${name} ended at once:\n${lastLines(found(logOf(name)) ?? "", 12)}`);
    return pidOf(name);
}

function fingerprint({ command, args, user, env, cwd, reads, stops }) {
    const hash = createHash("sha256").update(JSON.stringify([command, args, user, env, cwd, stops]));
    for (const path of reads) hash.update(found(path) ?? "");
    return hash.digest("hex");
}

const recorded = (name) => JSON.parse(found(file(name, "json")) ?? "null");

function signal(pid, which) {
    try {
        process.kill(pid, which);
        return true;
    } catch (error) {
        if (error.code === "ESRCH") return false;
        throw error;
    }
}
