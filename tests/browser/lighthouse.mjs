// Lighthouse's judgement of four pages, as the median of three runs each. Not part of `make e2e`: it wants 140 more packages and minutes,
// and an optimised build:  TRADEWIND=target/release/tradewind npm run --prefix tests/browser lighthouse
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { executable, open, shop } from "./browser.mjs";
import { addToCart, choose, tumbler } from "./shopper.mjs";

const version = "12.2.3";
const runs = 3;
const pages = { home: "/", listing: "/categories/ceramics", product: "/products/everyday-tumbler", cart: "/cart" };
const metrics = { "largest-contentful-paint": "LCP ms", "total-blocking-time": "TBT ms", "cumulative-layout-shift": "CLS" };

test(`Lighthouse ${version}, median of ${runs}`, async () => {
  const cookie = await filledCart();
  const flags = `--headless=new --disable-gpu --disable-quic --no-first-run${process.getuid?.() === 0 ? " --no-sandbox" : ""}`;
  const folder = mkdtempSync(join(tmpdir(), "lighthouse-"));
  const rows = {};
  for (const [name, path] of Object.entries(pages)) {
    const reports = [];
    for (let tries = 0; reports.length < runs; tries++) {
      const report = judge(shop + path, cookie, flags, folder);
      // On a busy machine a recording fails now and then; the page has nothing to do with it.
      if (!report.runtimeError) reports.push(report);
      else if (tries > 2 * runs) throw new Error(`${name}: ${report.runtimeError.message}`);
    }
    rows[name] = figures(reports);
    for (const audit of wanting(reports.at(-1))) console.log(`${name}: ${audit}`);
  }
  rmSync(folder, { recursive: true });
  console.table(rows);
});

function judge(address, cookie, flags, folder) {
  const command = ["--yes", `lighthouse@${version}`, address, "--quiet", "--output=json", `--chrome-flags=${flags}`, `--extra-headers=${JSON.stringify({ Cookie: cookie })}`];
  const { stdout } = spawnSync("npx", command, { cwd: folder, env: { ...process.env, CHROME_PATH: executable() }, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "ignore"] });
  return JSON.parse(stdout);
}

async function filledCart() {
  const { page, context } = await open({});
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await addToCart(page, tumbler);
  const cookies = await context.cookies();
  await context.close();
  return cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
}

function figures(reports) {
  const median = (of) => reports.map(of).sort((a, b) => a - b)[Math.floor(reports.length / 2)];
  const scores = Object.keys(reports[0].categories).map((id) => [id, Math.round(100 * median((report) => report.categories[id].score))]);
  const values = Object.entries(metrics).map(([id, title]) => [title, Math.round(1000 * median((report) => report.audits[id].numericValue)) / 1000]);
  return Object.fromEntries([...scores, ...values]);
}

// What costs points, in its own words.
function wanting({ audits, categories }) {
  const weighed = Object.values(categories).flatMap((category) => category.auditRefs.filter((reference) => reference.weight > 0).map((reference) => audits[reference.id]));
  return weighed.filter((audit) => audit.score !== null && audit.score < 0.9).map((audit) => `${audit.title}${audit.displayValue ? ` (${audit.displayValue})` : ""}`);
}
