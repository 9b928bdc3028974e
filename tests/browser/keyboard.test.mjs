// By keyboard alone: a purchase, and a capture. No step uses a mouse, and the focus is in sight at every stop.
import assert from "node:assert/strict";

import { open, someone } from "./browser.mjs";
import { arrowTo, tabTo, type } from "./keyboard.mjs";
import { buy, expectQuantity, expectThanks, tumbler } from "./shopper.mjs";
import { join } from "./staff.mjs";

someone("a shopper buys by keyboard alone", {}, async (page) => {
  await page.goto("/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content", "the first stop leads past the menu");
  await tabTo(page, "link", "Ceramics");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Ceramics" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await tabTo(page, "link", tumbler.title);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: tumbler.title }).waitFor();
  await arrowTo(page, "Glaze", "Ink");
  await arrowTo(page, "Set", "Set of 4");
  await tabTo(page, "button", /^Add to cart/);
  await page.keyboard.press("Enter");
  await page.getByText(`${tumbler.title} is in your cart.`).waitFor();
  if (new URL(page.url()).pathname !== "/cart") {
    await tabTo(page, "link", /cart/i);
    await page.keyboard.press("Enter");
  }
  await page.getByRole("heading", { level: 1, name: "Your cart" }).waitFor();
  await tabTo(page, "button", `One more of ${tumbler.title}`);
  await page.keyboard.press("Space");
  await expectQuantity(page, tumbler.title, 2);
  await tabTo(page, "link", "Go to checkout");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Checkout" }).waitFor();
  await type(page, "E-mail", "ines.moreau@example.com");
  await tabTo(page, "combobox", "Country");
  await page.keyboard.type("Austria");
  await type(page, "First and last name", "Ines Moreau");
  await type(page, "Street and number", "Lindengasse 14/3");
  await type(page, "Postcode", "1070");
  await type(page, "City", "Vienna");
  await arrowTo(page, "Payment", "sandbox");
  await tabTo(page, "combobox", "Test card");
  await page.keyboard.press("Home");
  await tabTo(page, "button", /^Order and pay €120\.90/);
  await page.keyboard.press("Enter");
  await expectThanks(page);
});

someone("staff capture by keyboard alone", {}, async (page) => {
  const shopper = await open({});
  const number = await buy(shopper.page).finally(() => shopper.context.close());
  await join(page, { email: "keys@example.com", name: "Tomas Berg" });
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await page.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(number);
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=/);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: number }).waitFor();
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog", { name: /^Capture money for/ });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.keyboard.press("c");
  await dialog.waitFor();
  await tabTo(page, "button", /^Capture/);
  await page.keyboard.press("Enter");
  await page.getByRole("main").getByText("Captured", { exact: true }).first().waitFor();
});

someone("staff find anything by Ctrl-K", {}, async (page) => {
  await join(page, { email: "palette@example.com", name: "Tomas Berg" });
  await page.goto("/backoffice/jobs");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Search or go to" }).waitFor();
  await page.keyboard.type("CER-115-RUS");
  await page.getByRole("option", { name: /^Everyday Tumbler/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Everyday Tumbler" }).waitFor();
  // Whoever does not wait for the list is led to the page of the search.
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("Harbour");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Search" }).waitFor();
  await tabTo(page, "link", "Harbour Pitcher");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Harbour Pitcher" }).waitFor();
});
