// Running programs to their end.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { Refusal, clone } from "./lab.mjs";

// Runs a program to its end and gives what it printed. `input` goes to its standard input. It fails with the last lines the program
// complained with, unless `fails` is set: then `{code, output, errors}` is given whatever happened.
export function run(command, args = [], { input, env, cwd, fails = false, binary = false, seconds = 600, signal } = {}) {
    return new Promise((done, failed) => {
        const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"], timeout: seconds * 1000, signal });
        const output = [];
        const errors = [];
        child.stdout.on("data", (chunk) => output.push(chunk));
        child.stderr.on("data", (chunk) => errors.push(chunk));
        if (input !== undefined) {
            child.stdin.on("error", () => {}); // it ended before it read all; its exit code says why
            child.stdin.end(input);
        }
        child.on("error", (error) => failed(error.code === "ENOENT" ? new Refusal(`${command} is missing; \`.ci/tools lab\` says what to install`) : error));
        child.on("close", (code, ended) => {
            const printed = binary ? Buffer.concat(output) : Buffer.concat(output).toString();
            const complaint = Buffer.concat(errors).toString();
            if (fails) done({ code: code ?? 128, output: printed, errors: complaint });
            else if (code === 0) done(printed);
            else failed(new Error(`${[command, ...args].join(" ").slice(0, 300)} ended with ${code ?? ended}:\n${lastLines(complaint || String(printed), 12)}`));
        });
    });
}

// The path of a pinned program, built now if this machine has not built it before. What is being built is said on standard error.
export async function tool(name, program = name) {
    const child = spawn(join(clone, "deploy/tools/get"), [name, program], { stdio: ["ignore", "pipe", "inherit"] });
    let path = "";
    child.stdout.on("data", (chunk) => (path += chunk));
    const code = await new Promise((ended) => child.on("close", ended));
    if (code !== 0) throw new Refusal(`${name} is not to be had: the lines above say why. deploy/tools/README.md says how programs are built from their modules.`);
    return path.trim();
}

export const lastLines = (text, count) => text.trimEnd().split("\n").slice(-count).join("\n");

export const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Asks until the answer is truthy, and gives it. An error of `ask` counts as "not yet"; after `seconds` it fails with the last one.
export async function until(what, ask, { seconds = 60, every = 0.25 } = {}) {
    const deadline = Date.now() + seconds * 1000;
    let last = "no answer yet";
    while (Date.now() < deadline) {
        try {
            const answer = await ask();
            if (answer) return answer;
        } catch (error) {
            if (error instanceof Refusal) throw error;
            last = error.message;
        }
        await sleep(every);
    }
    throw new Error(`${what}: not within ${seconds} s (${lastLines(last, 4)})`);
}
