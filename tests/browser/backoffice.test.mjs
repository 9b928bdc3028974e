// What staff find and keep: views of orders, files, anything by a few letters, failed captures, pictures and who changed what.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { open, soon, someone } from "./browser.mjs";
import { buy, buyWith, cards } from "./shopper.mjs";
import { capture, join, openOrder } from "./staff.mjs";

someone("staff narrow the orders, keep the view by a name, and forget it again", {}, async (page) => {
  await buyAs({});
  await join(page, { email: "views@example.com", name: "Aylin Demir" });
  await page.goto("/backoffice/orders");
  const views = page.getByRole("navigation", { name: "Views" });
  await views.getByRole("link", { name: /^To capture/ }).click();
  await page.waitForURL(/payment=held/);
  assert.equal(await views.locator("[aria-current]").innerText().then((text) => text.split("\n")[0].replace(/ ?\d.*/, "")), "To capture");
  await page.locator("summary", { hasText: "Filter" }).click();
  await page.getByLabel("Sort").selectOption("oldest");
  await page.getByRole("button", { name: "Show orders" }).click();
  await page.getByText("oldest first").first().waitFor({ state: "attached" });
  await page.locator("summary", { hasText: "Save view" }).click();
  await page.getByLabel("Name of the view").fill("Capture next");
  await page.getByRole("button", { name: "Save view" }).click();
  await page.getByRole("status").filter({ hasText: "The view is saved." }).waitFor();
  await page.goto("/backoffice/orders");
  await views.getByRole("link", { name: "Capture next" }).click();
  await page.waitForURL(/sort=oldest/);
  await page.getByRole("button", { name: "Delete view" }).click();
  await page.getByRole("status").filter({ hasText: "The view is deleted." }).waitFor();
  assert.equal(await views.getByRole("link", { name: "Capture next" }).count(), 0);
});

someone("staff narrow the orders and keep the view without JavaScript", { device: "phone", javascript: false }, async (page) => {
  await join(page, { email: "views-plain@example.com", name: "Aylin Demir" });
  await page.goto("/backoffice/orders");
  await page.locator("summary", { hasText: "Filter" }).click();
  await page.getByLabel("Channel").selectOption("*test");
  await page.getByLabel("State").selectOption("canceled");
  await page.getByRole("button", { name: "Show orders" }).click();
  await page.getByText("No order fits this filter.").waitFor();
  await page.locator("summary", { hasText: "Save view" }).click();
  await page.getByLabel("Name of the view").fill("Canceled trials");
  await page.getByRole("button", { name: "Save view" }).click();
  await page.getByRole("status").filter({ hasText: "The view is saved." }).waitFor();
  await page.getByRole("link", { name: "Without: State is Canceled" }).or(page.getByRole("link", { name: "Canceled trials" })).first().waitFor();
});

someone("the orders that are shown are to be had as a file", {}, async (page) => {
  const number = await buyAs({});
  await join(page, { email: "files@example.com", name: "Aylin Demir" });
  await page.goto("/backoffice/orders?state=placed");
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export CSV" }).click();
  const file = await coming;
  assert.equal(file.suggestedFilename(), "orders.csv");
  const lines = readFileSync(await file.path(), "utf8").trim().split("\r\n");
  const shown = lines.find((line) => line.startsWith(`${number},`));
  assert.match(shown ?? "", /,default,live,placed,authorized,no,Ines Moreau,ines\.moreau@example\.com,1,62\.90,EUR,ord_/, lines.slice(0, 3).join("\n"));
});

someone("anything is found by a few letters, and opened by the keyboard alone", {}, async (page) => {
  const number = await buyAs({});
  await join(page, { email: "letters@example.com", name: "Tomas Berg" });
  await page.goto("/backoffice/jobs");
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: /Order number/ });
  await page.keyboard.type(number);
  const hit = page.getByRole("option", { name: new RegExp(`^${number}`) });
  await hit.waitFor();
  await soon(async () => assert.equal(await hit.getAttribute("aria-selected"), "true", "the best hit is chosen"));
  assert.equal(await field.getAttribute("aria-activedescendant"), await hit.getAttribute("id"));
  await page.keyboard.press("ArrowDown");
  await soon(async () => assert.equal(await page.getByRole("option", { name: "Capture what is held" }).getAttribute("aria-selected"), "true"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: `Capture money for ${number}` }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("harbour pit");
  await page.getByRole("option", { name: /^Harbour Pitcher/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Harbour Pitcher" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type(">dead");
  await page.getByRole("option", { name: "Dead jobs" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
});

someone("a capture that the provider refuses is told on the order, in the list and on Today", {}, async (page) => {
  const number = await buyAs({ card: cards.captureRefused });
  await join(page, { email: "refused@example.com", name: "Aylin Demir" });
  await openOrder(page, number);
  await page.getByRole("link", { name: "Capture €62.90" }).filter({ visible: true }).last().click();
  await page.getByRole("dialog").getByRole("button", { name: /^Capture/ }).click();
  await page.getByRole("alert").filter({ hasText: "The provider refused to capture €62.90." }).waitFor();
  await page.getByRole("main").getByText(/The capture of €62\.90 failed/).waitFor();
  await soon(async () => {
    await page.reload();
    assert.match(await page.locator(".log").innerText(), /The provider refused a capture/);
  });
  await page.goto("/backoffice");
  await page.getByRole("link", { name: /failed captures/ }).click();
  await page.getByRole("row", { name: new RegExp(`${number}.*Capture failed`) }).waitFor();
});

someone("a declined payment is told as declined and not as one that is waited for", {}, async (page) => {
  const shopper = await open({});
  try {
    await buyWith(shopper.page, cards.declined);
    await shopper.page.getByRole("alert").filter({ hasText: /charged/ }).waitFor();
  } finally {
    await shopper.context.close();
  }
  await join(page, { email: "declined@example.com", name: "Aylin Demir" });
  await page.goto("/backoffice/orders?state=canceled");
  await page.getByText("Not paid").first().waitFor();
  await page.getByRole("table").getByRole("link").first().click();
  await page.getByRole("main").getByText("Declined", { exact: true }).first().waitFor();
  await page.getByText(/The provider said no.*No money was taken\./).waitFor();
});

someone("staff put the pictures in order and describe them; shoppers see it, and it is written down who did it", {}, async (page, person) => {
  await join(page, { email: "pictures@example.com", name: "Aylin Demir" });
  await openProduct(page, "Logbook No. 1");
  const last = (await page.getByLabel(/^Text/).count()) - 1;
  assert.ok(last > 0, "it has several pictures");
  await page.getByLabel(/^Text/).nth(last).fill("The last page, in evening light");
  await page.getByLabel(`Place of picture ${last + 1}`).selectOption("1");
  const bar = page.getByRole("region", { name: "Changes not saved" });
  await bar.getByText("2 changes not saved").waitFor();
  await bar.getByRole("button", { name: /^Save/ }).click();
  await page.getByRole("status").filter({ hasText: "The pictures are saved." }).waitFor();
  const shopper = await person.context.newPage();
  await soon(async () => {
    await shopper.goto("/products/logbook-no-1");
    assert.equal(await shopper.getByRole("main").getByAltText("The last page, in evening light").count() > 0, true, "shoppers see it");
  });
  await page.getByRole("link", { name: "Changes", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Changes" }).waitFor();
  assert.match(await page.locator(".log").innerText(), /Aylin Demir changed the product[\s\S]*The last page, in evening light/);
});

someone("a product that moves is still found at its old address", {}, async (page, person) => {
  await join(page, { email: "moves@example.com", name: "Aylin Demir" });
  await openProduct(page, "Shore Wool Throw");
  const old = await page.getByLabel("Address in the shop").inputValue();
  await page.getByLabel("Address in the shop").fill(`${old}-anew`);
  await page.getByRole("button", { name: "Save product" }).click();
  await page.getByRole("status").filter({ hasText: "The product is saved." }).waitFor();
  const shopper = await person.context.newPage();
  await soon(async () => {
    await shopper.goto(`/products/${old}`);
    assert.equal(new URL(shopper.url()).pathname, `/products/${old}-anew`);
  });
  await shopper.getByRole("heading", { level: 1, name: "Shore Wool Throw" }).waitFor();
});

async function buyAs({ card }) {
  const shopper = await open({});
  try {
    return await buy(shopper.page, card);
  } finally {
    await shopper.context.close();
  }
}

async function openProduct(page, title) {
  await page.goto("/backoffice/products");
  await page.getByRole("searchbox").first().fill(title.slice(0, 8));
  await page.getByRole("searchbox").first().press("Enter");
  await page.getByRole("link", { name: title }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}
