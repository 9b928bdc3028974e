// Starts the shop under test on an empty folder, runs the tests against it, and stops what it started.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const repository = resolve(here, "../..");
const output = resolve(repository, process.env.CARGO_TARGET_DIR ?? "target", "e2e");
const tradewind = process.env.TRADEWIND;
const patience = 60_000;

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });

// The private database's own account has to reach the folder.
const folder = mkdtempSync(join(tmpdir(), "tradewind-e2e-"));
chmodSync(folder, 0o755);
const environment = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TRADEWIND__DEMO: "true",
  TRADEWIND__DATA_DIR: join(folder, "data"),
  TRADEWIND__HTTP__PUBLIC_ADDRESS: "127.0.0.1:0",
  TRADEWIND__HTTP__OPERATIONS_ADDRESS: "127.0.0.1:0",
};

const printed = join(output, "server.out");
const log = openSync(join(output, "server.log"), "w");
const out = openSync(printed, "w");
const server = spawn(tradewind, ["serve"], { cwd: folder, env: environment, stdio: ["ignore", out, log] });
const ended = new Promise((resolve) => server.once("exit", (code, signal) => resolve(signal ?? code)));
server.once("error", (error) => fail(`${tradewind}: ${error.message}`));
closeSync(out);
closeSync(log);

let tests;
let result = 1;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => (tests ? tests.kill("SIGTERM") : stop().then(() => process.exit(1))));

try {
  const shop = await address();
  run("seed", "--from", join(repository, "demo"));
  result = await test(shop);
} catch (error) {
  console.error(error.message);
} finally {
  const end = await stop();
  if (end !== 0) {
    console.error(`the shop ended with ${end}; see ${join(output, "server.log")}`);
    result ||= 1;
  }
}
console.log(`Logs and screenshots are in ${output}.`);
process.exit(result);

// Where the shop is, from the block it prints when it is ready.
async function address() {
  for (const begun = Date.now(); Date.now() - begun < patience; await sleep(20)) {
    const found = /^ +Shop +(http:\/\/\S+?)\/$/m.exec(readFileSync(printed, "utf8"));
    if (found) return found[1];
    if (server.exitCode !== null) break;
  }
  throw new Error(`the shop did not become ready; see ${join(output, "server.log")}`);
}

function run(...command) {
  const { status, stderr } = spawnSync(tradewind, command, { cwd: folder, env: environment, encoding: "utf8" });
  if (status !== 0) throw new Error(`tradewind ${command.join(" ")}: ${stderr}`);
}

function test(shop) {
  const asked = process.argv.slice(2).map((name) => (name.endsWith(".mjs") ? name : `${name}.test.mjs`));
  const names = asked.length ? asked : readdirSync(here).filter((name) => name.endsWith(".test.mjs"));
  // A list of the files instead of a folder: Node 20 would take `node_modules` along.
  const reporters = ["--test-reporter=spec", "--test-reporter-destination=stdout"];
  if (process.env.JUNIT_DIR) reporters.push("--test-reporter=junit", `--test-reporter-destination=${join(process.env.JUNIT_DIR, "browser.xml")}`);
  tests = spawn(process.execPath, ["--test", "--test-concurrency=1", ...reporters, ...names], {
    cwd: here,
    env: { ...process.env, SHOP_URL: shop, SHOP_ENVIRONMENT: JSON.stringify(environment), OUTPUT: output },
    stdio: "inherit",
  });
  return new Promise((resolve) => tests.once("exit", (code) => resolve(code ?? 1)));
}

// Drains the shop and removes its data; the database's log is kept.
async function stop() {
  server.kill("SIGTERM");
  const end = await Promise.race([ended, sleep(patience).then(() => server.kill("SIGKILL") && "no end in time")]);
  const databaseLog = join(environment.TRADEWIND__DATA_DIR, "postgres.log");
  if (existsSync(databaseLog)) cpSync(databaseLog, join(output, "postgres.log"));
  rmSync(folder, { recursive: true, force: true });
  return end;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
