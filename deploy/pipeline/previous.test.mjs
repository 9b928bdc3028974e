// The release before ($PREVIOUS) on the schema of this source ($TRADEWIND), in the database of $DATABASE_URL. deploy/pipeline/previous runs this.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const { TRADEWIND: present, PREVIOUS: previous, PREVIOUS_DEMO: demo, DATABASE_URL } = process.env;
const folder = mkdtempSync(join(tmpdir(), "tradewind-previous-"));
const servers = [];
const patience = 120_000;
const environment = { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL, TRADEWIND__DEMO: "true", TRADEWIND__DATA_DIR: join(folder, "data") };
after(async () => {
  for (const server of servers) await server.end();
  rmSync(folder, { recursive: true, force: true });
});

function run(program, ...command) {
  const ended = spawnSync(program, command, { cwd: folder, env: environment, encoding: "utf8", timeout: patience });
  return { status: ended.status, told: ended.stdout + ended.stderr };
}

async function freePort() {
  const port = createServer();
  await new Promise((resolve) => port.listen(0, "127.0.0.1", resolve));
  const number = port.address().port;
  await new Promise((resolve) => port.close(resolve));
  return number;
}

async function serve(program) {
  const [shop, operations] = [await freePort(), await freePort()];
  const addresses = { TRADEWIND__HTTP__PUBLIC_ADDRESS: `127.0.0.1:${shop}`, TRADEWIND__HTTP__OPERATIONS_ADDRESS: `127.0.0.1:${operations}` };
  const child = spawn(program, ["serve"], { cwd: folder, env: { ...environment, ...addresses }, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  for (const begun = Date.now(); !(await fetch(`http://127.0.0.1:${operations}/readyz`).catch(() => null))?.ok; await sleep(100)) {
    if (child.exitCode !== null || Date.now() - begun > patience) {
      child.kill("SIGKILL");
      throw new Error(`${program} did not become ready:\n${log}`);
    }
  }
  const server = {
    url: `http://127.0.0.1:${shop}`,
    async end() {
      if (child.exitCode === null) child.kill("SIGTERM");
      return Promise.race([ended, sleep(patience, undefined, { ref: false }).then(() => child.kill("SIGKILL") && "no end in time")]);
    },
  };
  servers.push(server);
  return server;
}

async function ask(url, method = "GET", body, headers = {}) {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(patience),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

// Looks for something in stock, puts it into a cart at one server and buys it at another, which may be the same.
async function buy(shop, till = shop) {
  const { items } = await ask(`${shop}/store/v1/products`);
  const { slug } = items.find((product) => product.stock === "in");
  const { variants } = await ask(`${shop}/store/v1/products/${slug}`);
  const created = await ask(`${shop}/store/v1/carts`, "POST");
  const cart = `store/v1/carts/${created.cart.id}`;
  const headers = { "x-cart-token": created.token };
  const variant_id = variants.find((variant) => variant.stock === "in").id;
  const { totals } = await ask(`${shop}/${cart}/lines`, "POST", { variant_id, quantity: 1 }, { ...headers, "idempotency-key": "line" });
  const address = { name: "Ada Lovelace", street: "Hafengasse 3", postcode: "1030", city: "Wien", country: "AT" };
  const purchase = { email: "ada@example.com", shipping_address: address, payment: { provider: "manual" }, expected_total: totals.total, return_url: "/checkout/return" };
  const bought = await ask(`${till}/${cart}/complete`, "POST", purchase, { ...headers, "idempotency-key": "buy" });
  assert.equal(bought.order?.state, "placed", JSON.stringify(bought));
  return bought.order;
}

test("its migrate job comes to a database that is newer, and leaves it as it is", () => {
  const migrated = run(present, "migrate");
  assert.equal(migrated.status, 0, migrated.told);
  for (const [program, command] of [[previous, ["migrate"]], [previous, ["seed", "--from", demo]], [present, ["migrate"]]]) {
    const ended = run(program, ...command);
    assert.equal(ended.status, 0, `${command.join(" ")}: ${ended.told}`);
  }
});

test("its server sells on the new schema, alone and beside this one, and carts wander between the two", async () => {
  const old = await serve(previous);
  await buy(old.url);
  const fresh = await serve(present);
  await buy(fresh.url);
  await buy(old.url, fresh.url);
  await buy(fresh.url, old.url);
  for (const path of ["/", "/products", "/backoffice/sign-in"]) {
    const answer = await fetch(`${old.url}${path}`, { signal: AbortSignal.timeout(patience) });
    assert.equal(answer.status, 200, path);
  }
  assert.equal(await old.end(), 0);
  assert.equal(await fresh.end(), 0);
});

test("both find every invariant kept", () => {
  for (const program of [previous, present]) {
    const checked = run(program, "check");
    assert.equal(checked.status, 0, checked.told);
  }
});
