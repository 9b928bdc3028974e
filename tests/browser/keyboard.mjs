// Somebody without a mouse: Tab, arrows, Enter, Space and letters.
import assert from "node:assert/strict";

import { soon } from "./browser.mjs";

const mostStops = 120;

/** Tabs on until the focus is on something with this role and name; every stop on the way has to be in sight. */
export async function tabTo(page, role, name, keys = "Tab") {
  const target = page.getByRole(role, { name, exact: typeof name === "string" });
  for (let stop = 0; stop < mostStops; stop++) {
    if (await isFocused(target)) return;
    await page.keyboard.press(keys);
    await expectFocusInSight(page);
  }
  assert.fail(`Tab does not lead to ${role} ${name} on ${page.url()}`);
}

async function isFocused(target) {
  for (const element of await target.all()) if (await element.evaluate((node) => node === document.activeElement)) return true;
  return false;
}

// WCAG 2.4.7 and 2.4.11: one sees where one is, and nothing lies over it.
async function expectFocusInSight(page) {
  // The page may scroll there smoothly.
  await soon(async () => assert.equal(await whatHidesFocus(page), "", `the focus is in sight on ${page.url()}`));
}

function whatHidesFocus(page) {
  return page.evaluate(() => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return "";
    const shown = focused.matches("input[type=radio], input[type=checkbox]") ? (focused.closest("label") ?? focused) : focused;
    const box = shown.getBoundingClientRect();
    const name = focused.outerHTML.slice(0, 120);
    if (box.width < 2 || box.height < 2) return `too small to see: ${name}`;
    const points = [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map((y) => [box.left + box.width * x, box.top + box.height * y]));
    const isSeen = points.some(([x, y]) => {
      const top = document.elementFromPoint(x, y);
      return top && (shown.contains(top) || top.contains(shown));
    });
    if (!isSeen) return `out of sight: ${name}`;
    // The ring may lie around what the focused thing belongs to: a label, the picture of a card.
    const around = focused.closest("label, article, li, fieldset") ?? focused;
    const marks = [focused, around, ...around.querySelectorAll("*")];
    const isMarked = marks.some((node) => {
      const style = getComputedStyle(node);
      return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    });
    return isMarked ? "" : `without a mark: ${name}`;
  });}

/** Moves a radio group to a value with the arrow keys. */
export async function arrowTo(page, group, value) {
  const radios = page.getByRole("group", { name: group }).or(page.getByRole("radiogroup", { name: group })).getByRole("radio");
  const focusedIn = async () => {
    for (const radio of await radios.all()) if (await radio.evaluate((node) => node === document.activeElement)) return radio;
    return null;
  };
  for (let stop = 0; stop < mostStops && !(await focusedIn()); stop++) {
    await page.keyboard.press("Tab");
    await expectFocusInSight(page);
  }
  for (let stop = 0; stop < 12; stop++) {
    const radio = await focusedIn();
    assert.ok(radio, `the focus stays in ${group}`);
    if ((await radio.inputValue()) === value && (await radio.isChecked())) return;
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(150);
  }
  assert.fail(`the arrows do not lead to ${value} of ${group}`);
}

/** Tabs to a field and types. */
export async function type(page, label, text) {
  await tabTo(page, "textbox", label);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}
