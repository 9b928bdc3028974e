// Looking at a page: a picture of it in both themes, and what axe has to say.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { output } from "./browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * A walk past many pages. `look` keeps a picture of the page that is open in light and in dark, lets axe judge both, and finds what makes the
 * page scroll sideways; all findings are told at once at the end of the walk by `findings`.
 */
export function walk(face, { page, device }) {
  const findings = [];

  async function look(name) {
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      await settle(page);
      // What does not depend on colours is judged in light alone.
      const rules = theme === "light" ? [] : ["color-contrast", "link-in-text-block"];
      for (const finding of await judge(page, rules)) findings.push(`${name}, ${device}, ${theme}: ${finding}`);
      for (const finding of theme === "light" ? await sideways(page) : []) findings.push(`${name}, ${device}: ${finding}`);
      await picture(page, join(output, "screens", face, `${name}-${device}-${theme}.png`));
    }
    await page.emulateMedia({ colorScheme: "light" });
  }

  return { look, findings };
}

// Pictures further down are fetched now, so that they are in the picture; then nothing may move any more.
async function settle(page) {
  await page.evaluate(async () => {
    for (const image of document.images) image.loading = "eager";
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    await document.fonts.ready;
    await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
  });
}

// The whole page at once. The window is made as tall as the page, or what sticks to its edge would lie across the middle of the picture.
async function picture(page, path) {
  const window = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: window.width, height: Math.max(window.height, height) });
  await page.screenshot({ path, fullPage: true, animations: "disabled" });
  await page.setViewportSize(window);
}

/** What makes a page wider than its window: nothing may, on any device. */
export function sideways(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const inner = (node) => [...node.children].some((child) => child.getBoundingClientRect().right > clientWidth + 1);
    const wide = [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > clientWidth + 1 && !inner(node));
    return [`scrolls sideways, ${scrollWidth} instead of ${clientWidth}: ${wide.slice(0, 3).map((node) => node.outerHTML.slice(0, 100)).join(" | ")}`];
  });
}

async function judge(page, rules) {
  await page.evaluate(axe);
  return page.evaluate(async (only) => {
    const options = { resultTypes: ["violations"], ...(only.length ? { runOnly: only } : {}) };
    const { violations } = await window.axe.run(document, options);
    return violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary.replaceAll(/\s*\n\s*/g, " ")}`));
  }, rules);
}
