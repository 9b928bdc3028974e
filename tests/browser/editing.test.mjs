// Staff change a product: shoppers see it, two who change the same are asked, and nobody loses what is not saved yet.
import assert from "node:assert/strict";

import { soon, someone } from "./browser.mjs";
import { join } from "./staff.mjs";

for (const javascript of [true, false]) {
  const where = javascript ? "with JavaScript" : "without JavaScript";

  someone(`what staff write, shoppers read a moment later, ${where}`, { javascript }, async (page, person) => {
    await join(page, { email: `editor-${javascript}@example.com`, name: "Aylin Demir" });
    await openProduct(page, "Weekly Planner");
    const summary = `A week on two pages, set anew ${where}.`;
    await page.getByLabel(/^Summary/).fill(summary);
    await page.getByRole("button", { name: "Save product" }).click();
    await page.getByRole("status").first().waitFor();
    const shopper = await person.context.newPage();
    await soon(async () => {
      await shopper.goto("/products/weekly-planner");
      assert.ok((await shopper.getByRole("main").innerText()).includes(summary));
    });
  });

  someone(`who saves second is asked about what both changed, and about nothing else, ${where}`, { javascript }, async (page, person) => {
    await join(page, { email: `second-${javascript}@example.com`, name: "Aylin Demir" });
    await openProduct(page, "Gift Wrap Rolls");
    const other = await person.context.newPage();
    await other.goto(page.url());
    await other.getByLabel(/^Summary/).fill(`Theirs, ${where}`);
    await other.getByRole("button", { name: "Save product" }).click();
    await other.getByRole("status").first().waitFor();
    await page.getByLabel(/^Summary/).fill(`Yours, ${where}`);
    await page.getByRole("button", { name: "Save product" }).click();
    const question = page.getByRole("row", { name: /^Summary/ });
    await question.waitFor();
    assert.equal(await page.getByRole("row", { name: /^Title/ }).count(), 0, "nobody changed the title");
    await question.getByRole("radio", { name: `Theirs, ${where}` }).check();
    await page.getByRole("button", { name: "Save merged" }).click();
    await page.getByRole("heading", { level: 1, name: "Gift Wrap Rolls" }).waitFor();
    assert.equal(await page.getByLabel(/^Summary/).inputValue(), `Theirs, ${where}`);
  });
}

someone("who leaves a product with changes is asked whether they mean it", {}, async (page) => {
  await join(page, { email: "leaving@example.com", name: "Aylin Demir" });
  await openProduct(page, "Pocket Trio");
  await page.getByLabel("Title", { exact: true }).fill("Pocket Quartet");
  const asked = page.waitForEvent("dialog");
  const leaving = page.getByRole("link", { name: "Orders" }).first().click();
  const dialog = await asked;
  assert.equal(dialog.type(), "beforeunload");
  await dialog.dismiss();
  await leaving;
  assert.equal(await page.getByLabel("Title", { exact: true }).inputValue(), "Pocket Quartet", "what was typed is still there");
});

async function openProduct(page, title) {
  await page.goto("/backoffice/products");
  await page.getByRole("searchbox").first().fill(title.slice(0, 8));
  await page.getByRole("searchbox").first().press("Enter");
  await page.getByRole("link", { name: title }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}
