// Every page of both faces, on a phone and on a desktop, in light and in dark: pictures of all of them lie in target/e2e/screens
// afterwards, and axe finds nothing on any.
import assert from "node:assert/strict";

import { open, someone } from "./browser.mjs";
import { walk } from "./look.mjs";
import { addToCart, buy, cards, choose, expectThanks, field, fillCheckout, pay, seeOrder, takeCard, tumbler } from "./shopper.mjs";
import { capture, invite, join, openOrder } from "./staff.mjs";

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
    await visit("/backoffice/jobs", "jobs");
    await visit("/backoffice/search?q=Harbour", "search");
    if (device === "desktop") {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog", { name: "Search or go to" }).waitFor();
      await look("palette");
    }
    await visit("/backoffice/no-such-page", "not-found");
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
