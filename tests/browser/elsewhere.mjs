// A storefront of its own, as it stands on another machine than the API. Between the two somebody stands who can make the API speak German,
// fail, or be away: what shoppers see then is seen here without breaking the shop that all other tests use.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { output, shop } from "./browser.mjs";

const patience = 30_000;

/** Opens it; `close` ends it. `api.does` is `speak`, `fail` or `hang up`; `api.locale` is the language it says the shop has. */
export async function elsewhere() {
  const folder = mkdtempSync(join(tmpdir(), "tradewind-elsewhere-"));
  const file = join(folder, "maintenance");
  const api = { does: "speak", locale: "en" };
  const between = createServer((asked, answer) => passOn(api, asked, answer));
  await new Promise((resolve) => between.listen(0, "127.0.0.1", resolve));

  // Pictures lie with the shop.
  mkdirSync(join(folder, "data"));
  symlinkSync(join(JSON.parse(process.env.SHOP_ENVIRONMENT).TRADEWIND__DATA_DIR, "objects"), join(folder, "data", "objects"));

  const printed = join(folder, "printed");
  const environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TRADEWIND__DATA_DIR: join(folder, "data"),
    TRADEWIND__HTTP__PUBLIC_ADDRESS: "127.0.0.1:0",
    TRADEWIND__HTTP__OPERATIONS_ADDRESS: "127.0.0.1:0",
    TRADEWIND__WEB__API_URL: `http://127.0.0.1:${between.address().port}`,
    TRADEWIND__WEB__INTERNAL_CREDENTIAL: "only the pages and the one between them and the API know this",
    TRADEWIND__WEB__MAINTENANCE_FILE: file,
    // What was read is not kept: each page asks the API anew.
    TRADEWIND__CACHE__TTL_MS: "0",
    TRADEWIND__CACHE__STALE_MS: "0",
  };
  const stdio = ["ignore", openSync(printed, "w"), openSync(join(output, "elsewhere.log"), "w")];
  const server = spawn(process.env.TRADEWIND, ["serve", "--target", "storefront"], { cwd: folder, env: environment, stdio });
  const ended = new Promise((resolve) => server.once("exit", resolve));

  const close = async () => {
    server.kill("SIGTERM");
    await ended;
    between.closeAllConnections();
    between.close();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const begun = Date.now(); Date.now() - begun < patience && server.exitCode === null; await sleep(20)) {
    const found = /^ +Shop +(http:\/\/\S+?)\/$/m.exec(readFileSync(printed, "utf8"));
    if (found) return { address: found[1], api, close, shut: () => writeFileSync(file, ""), open: () => rmSync(file, { force: true }) };
  }
  await close();
  throw new Error(`the storefront elsewhere did not become ready; see ${join(output, "elsewhere.log")}`);
}

function passOn(api, asked, answer) {
  if (api.does === "hang up") return void asked.socket.destroy();
  if (api.does === "fail") {
    answer.writeHead(500, { "content-type": "application/problem+json" });
    return void answer.end(JSON.stringify({ type: "about:blank", title: "Internal", status: 500, code: "internal" }));
  }
  // The shop's API does not know these pages: it answers as it would anybody.
  const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => !name.startsWith("x-internal") && !name.startsWith("x-forwarded") && !name.startsWith("x-client")));
  const onward = request(shop + asked.url, { method: asked.method, headers: { ...headers, "accept-encoding": "identity" } }, (answered) => {
    if (!asked.url.startsWith("/store/v1/channel")) {
      answer.writeHead(answered.statusCode, answered.headers);
      return void answered.pipe(answer);
    }
    let text = "";
    answered.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => {
      const body = JSON.stringify({ ...JSON.parse(text), locale: api.locale });
      answer.writeHead(answered.statusCode, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
      answer.end(body);
    });
  });
  onward.on("error", () => asked.socket.destroy());
  asked.pipe(onward);
}
