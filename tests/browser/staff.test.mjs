// Staff come in by invitation, find the order that a shopper has just made, and capture its money: on a phone and on a desktop, with
// JavaScript and without it.
import assert from "node:assert/strict";

import { open, soon, someone } from "./browser.mjs";
import { buy, tumbler } from "./shopper.mjs";
import { capture, invite, join, openOrder, signIn, take } from "./staff.mjs";

for (const device of ["phone", "desktop"]) {
  for (const javascript of [true, false]) {
    const how = { device, javascript };
    const where = `on a ${device} ${javascript ? "with" : "without"} JavaScript`;

    someone(`staff take an invitation, find the new order and capture it ${where}`, how, async (page) => {
      const number = await somebodyBuys();
      await join(page, { email: `staff-${device}-${javascript}@example.com`, name: "Tomas Berg" });
      await openOrder(page, number);
      const told = await page.getByRole("main").innerText();
      for (const text of [tumbler.title, "Ines Moreau", "ines.moreau@example.com", "62.90"]) assert.ok(told.includes(text), `the order tells ${text}: ${told}`);
      await capture(page, "€62.90");
      await soon(async () => assert.match(await page.locator(".log").innerText(), /Tomas Berg/));
      assert.equal(await page.getByRole("link", { name: /^Capture/ }).filter({ visible: true }).count(), 0, "there is nothing left to capture");
    });
  }
}

someone("an invitation works once, and who has joined comes back with the password and goes out again", {}, async (page) => {
  const email = "staff-again@example.com";
  const first = invite(email);
  await join(page, { email, name: "Aylin Demir" });
  await take(page, first, "Somebody Else");
  await page.getByRole("alert").filter({ hasText: /invitation/i }).waitFor();
  await page.goto("/backoffice/products");
  await page.getByRole("button", { name: "Aylin Demir" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto("/backoffice/orders");
  await page.getByRole("heading", { name: "Sign in to the back office" }).waitFor();
  await signIn(page, { email });
  await page.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
});

someone("nobody sees an order of the back office without signing in", {}, async (page) => {
  await page.goto("/backoffice/orders");
  await page.getByRole("heading", { name: "Sign in to the back office" }).waitFor();
  assert.ok(!(await page.content()).includes("ines.moreau@example.com"));
});

async function somebodyBuys() {
  const shopper = await open({});
  try {
    return await buy(shopper.page);
  } finally {
    await shopper.context.close();
  }
}
