// The browser: Debian's Chromium, driven by playwright-core; what people hold in their hands, and what a failed test leaves behind.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

import { chromium } from "playwright-core";

export const shop = process.env.SHOP_URL;
export const output = process.env.OUTPUT;

export const devices = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1360, height: 900 } },
};

const flags = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const patienceMs = 10_000;

let browser;

before(async () => {
  const isRoot = process.getuid?.() === 0;
  browser = await chromium.launch({ executablePath: executable(), args: isRoot ? [...flags, "--no-sandbox"] : flags });
});
after(() => browser?.close());

export function executable() {
  const names = "chromium chromium-browser google-chrome";
  return process.env.CHROMIUM ?? execFileSync("sh", ["-c", `for name in ${names}; do command -v $name && exit; done`], { encoding: "utf8" }).trim();
}

/**
 * A test in which somebody uses the shop in a browser of their own: an empty cookie jar, this device, this theme, scripts on or off.
 *
 * It fails if the browser complains: of the content policy, a broken script, a missing file, a stranger who is called. When it fails,
 * what was on the screen is kept.
 */
export function someone(name, { device = "desktop", javascript = true, theme = "light", at = () => shop }, steps) {
  test(name, async () => {
    const person = await open({ device, javascript, theme, at: at() });
    try {
      await steps(person.page, person);
      if (person.trouble.length) throw new Error(`the browser complained:\n${person.trouble.join("\n")}`);
    } catch (error) {
      const picture = join(output, "failed", `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.png`);
      await person.page.screenshot({ path: picture, fullPage: true }).catch(() => {});
      // Only the words: the driver's own log of every attempt is long.
      const [what, ...attempts] = stripVTControlCharacters(error.message).split("\n");
      const where = error.stack.split("\n").filter((line) => line.includes("tests/browser/"));
      throw new Error([what, ...attempts.slice(0, 4), `on ${person.page.url()}, see ${picture}`, ...where].join("\n"));
    } finally {
      await person.context.close();
    }
  });
}

/** A browser of somebody's own, in the shop or in one `at` another address. Who opens it closes its context. */
export async function open({ device = "desktop", javascript = true, theme = "light", at = shop }) {
  const context = await browser.newContext({ baseURL: at, ...devices[device], javaScriptEnabled: javascript, colorScheme: theme });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  return { page, context, device, javascript, theme, trouble: watch(page, at) };
}

// Collects what a browser complains of, in a shop at this address.
function watch(page, at) {
  const trouble = [];
  page.on("console", (message) => {
    // The browser's own note about a page that is meant to be an error page is no trouble.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) trouble.push(message.text());
  });
  page.on("pageerror", (error) => trouble.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== at) trouble.push(`a stranger is called: ${url}`);
  });
  page.on("response", (response) => {
    const isPage = response.request().resourceType() === "document";
    if (response.status() >= (isPage ? 500 : 400)) trouble.push(`${response.status()}: ${response.url()}`);
  });
  return trouble;
}

/** Waits until a check passes; its last complaint is the test's. */
export async function soon(check) {
  for (const begun = Date.now(); ; await sleep(50)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() - begun > patienceMs) throw error;
    }
  }
}
