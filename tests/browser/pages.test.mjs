// Every page of both faces, on a phone and on a desktop, in light and in dark: pictures of all of them lie in target/e2e/screens
// afterwards, and axe finds nothing on any.
import assert from "node:assert/strict";

import { open, someone } from "./browser.mjs";
import { walk } from "./look.mjs";
import { addToCart, buy, cards, choose, expectThanks, field, fillCheckout, pay, seeOrder, takeCard, tumbler } from "./shopper.mjs";
import { breakJob, capture, invite, join, openOrder, withoutViews } from "./staff.mjs";

for (const device of ["phone", "desktop"]) {
  someone(`axe finds nothing on any page of the shop on a ${device}`, { device }, async (page, person) => {
    const { look, findings } = walk("storefront", person);
    const visit = async (path, name) => {
      await page.goto(path);
      await look(name);
    };
    await visit("/", "home");
    if (device === "phone") {
      await page.getByLabel("Menu", { exact: true }).first().click();
      await look("home-menu");
    }
    await visit("/categories/ceramics", "category");
    await visit("/products", "listing");
    await visit("/products?sort=price_ascending&reduced=1", "listing-reduced");
    await visit("/categories/ceramics?in_stock=1&option.Glaze=Sea&option.Glaze=Ink&max=90", "category-filtered");
    if (device === "phone") {
      await page.locator("summary", { hasText: /^\s*Filter/ }).filter({ visible: true }).click();
      await look("category-filters");
    }
    await visit("/categories/ceramics?option.Glaze=Sea&max=1", "category-nothing-fits");
    await visit("/products?sort=title", "listing-first");
    await page.goto(await page.getByRole("link", { name: "More pieces" }).getAttribute("href"));
    await look("listing-second");
    await visit("/products/low-tide-hills", "product");
    await visit("/products/harbour-pitcher", "product-sold-out-values");
    await visit("/products/pocket-trio", "product-one-variant");
    await visit("/cart", "cart-empty");
    await visit("/products/no-such-thing", "not-found");

    await page.goto("/products/everyday-tumbler");
    await choose(page, tumbler);
    await addToCart(page, tumbler, () => look("cart-drawer"));
    await look("cart");
    await page.goto("/cart");
    await look("cart-reloaded");
    await fillCheckout(page, { "E-mail": "ines.moreau", City: "" });
    await look("checkout");
    await takeCard(page, cards.declined);
    await pay(page);
    await page.getByRole("alert").filter({ hasText: "2 things need a look" }).waitFor();
    await look("checkout-errors");
    await field(page, "E-mail").fill("ines.moreau@example.com");
    await field(page, "City").fill("Vienna");
    await pay(page);
    await page.getByRole("alert").filter({ hasText: /charged/ }).waitFor();
    await look("checkout-declined");
    await takeCard(page, cards.secondStep);
    await pay(page);
    await page.getByRole("heading", { name: "Confirm your payment" }).waitFor();
    await look("bank");
    await page.getByRole("button", { name: "Approve" }).click();
    const number = await expectThanks(page);
    await look("thanks");
    await page.getByRole("link", { name: "See your order" }).click();
    await page.getByRole("heading", { level: 1, name: `Order ${number}` }).waitFor();
    await look("order");
    assert.deepEqual(findings, []);
  });

  someone(`axe finds nothing on any page of the back office on a ${device}`, { device }, async (page, person) => {
    const { look, findings } = walk("backoffice", person);
    const number = await somebodyBuys();
    const visit = async (path, name) => {
      await page.goto(path);
      await look(name);
    };
    await visit("/backoffice/sign-in", "sign-in");
    await page.getByLabel("E-mail").fill("nobody@example.com");
    await page.getByLabel("Password").fill("not my password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await look("sign-in-refused");
    await visit(invite(`looking-${device}@example.com`), "invitation");
    await join(page, { email: `looking-${device}@example.com`, name: "Aylin Demir" });
    await visit("/backoffice", "today");
    await visit("/backoffice/orders", "orders");
    await visit("/backoffice/orders?q=nothing", "orders-none");
    await page.goto("/backoffice/orders?state=placed&payment=held&channel=default&from=2026-01-01&sort=oldest");
    await page.locator("summary", { hasText: "Filter" }).click();
    await look("orders-filtered");
    await page.goto("/backoffice/orders?state=placed&payment=held&channel=default&from=2026-01-01");
    await page.locator("summary", { hasText: "Save view" }).click();
    await look("orders-save-view");
    await openOrder(page, number);
    await look("order");
    await page.getByRole("link", { name: /^Capture/ }).filter({ visible: true }).last().click();
    await look("order-capture");
    await page.goto(page.url().split("#")[0]);
    await page.getByRole("link", { name: "Cancel order" }).click();
    await look("order-cancel");
    await page.goto(page.url().split("#")[0]);
    await capture(page, "€62.90");
    await look("order-captured");
    await visit("/backoffice/products", "products");
    await page.getByRole("searchbox").first().fill("Harbour");
    await page.getByRole("searchbox").first().press("Enter");
    await page.getByRole("link", { name: "Harbour Pitcher" }).click();
    await page.getByRole("heading", { level: 1, name: "Harbour Pitcher" }).waitFor();
    await look("product");
    await page.getByLabel("Title", { exact: true }).fill("Harbour Pitcher, anew");
    await page.getByRole("region", { name: "Changes not saved" }).waitFor();
    await look("product-unsaved");
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("link", { name: "Changes", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Changes" }).waitFor({ state: "attached" });
    await look("product-audit");
    await page.getByRole("navigation", { name: "Product" }).getByRole("link", { name: "Product" }).click();
    await page.getByRole("heading", { level: 1, name: "Harbour Pitcher" }).waitFor({ state: "attached" });
    const other = await person.context.newPage();
    for (const tab of [page, other]) await tab.goto(page.url());
    for (const [tab, summary] of [[other, `Theirs, ${device}`], [page, `Yours, ${device}`]]) {
      await tab.getByLabel(/^Summary/).fill(summary);
      await tab.getByRole("button", { name: "Save product" }).click();
      await tab.waitForLoadState();
    }
    await page.getByRole("row", { name: /^Summary/ }).waitFor();
    await look("product-conflict");
    await other.close();
    await visit("/backoffice/inventory", "inventory");
    await page.getByRole("table").getByRole("link").first().click();
    await page.waitForURL(/\/backoffice\/inventory\/./);
    await look("movements");
    await breakJob();
    await page.goto("/backoffice/jobs");
    await page.locator("summary", { hasText: "orders.note_capture" }).first().click();
    await look("jobs-dead");
    await visit("/backoffice/jobs?state=done", "jobs-done");
    await visit("/backoffice/search?q=Harbour", "search");
    if (device === "desktop") await page.keyboard.press("Control+k");
    else await page.getByRole("banner").getByRole("link", { name: "Search" }).click();
    await page.getByRole("dialog", { name: "Search or go to" }).waitFor();
    await look("palette");
    await page.getByRole("combobox").fill("harbour pit");
    await page.getByRole("option", { name: /^Harbour Pitcher/ }).waitFor();
    await look("palette-hits");
    await visit("/backoffice/no-such-page", "not-found");
    await withoutViews(() => visit("/backoffice/orders", "failed"));
    await page.getByRole("heading", { level: 1, name: "Something failed on our side" }).waitFor({ state: "attached" });
    // That page was meant to fail.
    person.trouble.splice(0, person.trouble.length, ...person.trouble.filter((told) => !told.startsWith("500: ")));
    assert.deepEqual(findings, []);
  });
}

async function somebodyBuys() {
  const shopper = await open({});
  try {
    return await buy(shopper.page);
  } finally {
    await shopper.context.close();
  }
}
