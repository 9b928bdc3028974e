// The cart's drawer: what is put in is shown without leaving the page, by mouse, by finger and by keyboard.
import assert from "node:assert/strict";

import { someone, soon } from "./browser.mjs";
import { tabTo } from "./keyboard.mjs";
import { choose, expectTotal, tumbler } from "./shopper.mjs";

const drawer = (page) => page.getByRole("dialog", { name: /^Your cart/ });
const add = (page) => page.getByRole("button", { name: /^Add to cart/ }).filter({ visible: true }).last();

async function put(page) {
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await add(page).click();
  await drawer(page).getByText(`${tumbler.title} is in your cart.`).waitFor();
}

for (const device of ["phone", "desktop"]) {
  someone(`the drawer shows what was put in, and leads to cart and checkout, on a ${device}`, { device }, async (page) => {
    await put(page);
    assert.equal(new URL(page.url()).pathname, "/products/everyday-tumbler", "the page was not left");
    await drawer(page).getByText("Rust, Set of 4").waitFor();
    assert.match(await drawer(page).innerText(), /Subtotal\s*€58\.00/);
    await page.getByRole("link", { name: "Cart, 1 item" }).waitFor({ state: "attached" });

    await drawer(page).getByRole("button", { name: `One more of ${tumbler.title}` }).click();
    await soon(async () => assert.match(await drawer(page).innerText(), /Subtotal\s*€116\.00/));
    await drawer(page).getByRole("button", { name: `One fewer of ${tumbler.title}` }).click();
    await soon(async () => assert.match(await drawer(page).innerText(), /Subtotal\s*€58\.00/));
    await drawer(page).getByRole("button", { name: "Close cart" }).click();
    await drawer(page).waitFor({ state: "hidden" });

    await add(page).click();
    await soon(async () => assert.match(await drawer(page).innerText(), /Subtotal\s*€116\.00/));
    await drawer(page).getByRole("button", { name: /^Remove/ }).click();
    await drawer(page).getByText("Your cart is empty.").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Cart, 0 items" }).waitFor();

    await add(page).click();
    await drawer(page).getByRole("link", { name: "Go to checkout" }).click();
    await page.getByRole("heading", { level: 1, name: "Checkout" }).waitFor();
    await page.goBack();
    await page.goto("/cart");
    await expectTotal(page, "€62.90");
  });
}

someone("the drawer keeps the focus, says what it holds, closes with Escape and gives the focus back", {}, async (page) => {
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await page.getByRole("button", { name: `Add to cart · ${tumbler.price}` }).waitFor();
  await add(page).focus();
  await page.keyboard.press("Enter");
  await drawer(page).getByText(`${tumbler.title} is in your cart.`).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  assert.equal(await focused(), `${tumbler.title} is in your cart.`, "the focus is on what happened, so that it is read out");
  for (let stop = 0; stop < 20; stop++) {
    await page.keyboard.press("Tab");
    // From its last stop the focus may pass the browser's own bar; it never reaches the page behind.
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null), `stop ${stop}: ${await focused()}`);
  }
  await tabTo(page, "button", `One more of ${tumbler.title}`);
  await page.keyboard.press("Space");
  await soon(async () => assert.equal(await drawer(page).locator("[data-say]").innerText(), "2 items in your cart, €116.00."));
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), `One more of ${tumbler.title}`, "the focus stays on the button");
  await page.keyboard.press("Escape");
  await drawer(page).waitFor({ state: "hidden" });
  await soon(async () => assert.match(await focused(), /^Add to cart/, "the focus is back on the button"));
});

someone("what cannot be put in is said beside the button, and the drawer stays shut", {}, async (page, person) => {
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await page.getByLabel("Quantity", { exact: true }).fill("9999");
  await add(page).click();
  const refusal = page.getByRole("alert").filter({ hasText: /Only \d+ left/ });
  await refusal.waitFor();
  assert.ok(!(await drawer(page).isVisible()));
  assert.ok(await refusal.evaluate((box) => box === document.activeElement), "the focus is on the reason");
  await page.getByLabel("Quantity", { exact: true }).fill("1");
  await add(page).click();
  await drawer(page).getByText(`${tumbler.title} is in your cart.`).waitFor();
  assert.equal(await page.getByRole("alert").filter({ hasText: /Only \d+ left/ }).count(), 0, "the reason is gone");
  assert.deepEqual(person.trouble.splice(0).filter((trouble) => !trouble.startsWith("409: ")), [], "the browser notes the refusal and nothing else");
});

someone("pressed twice, it is put in once", {}, async (page) => {
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await add(page).dblclick();
  await drawer(page).getByText(`${tumbler.title} is in your cart.`).waitFor();
  await page.goto("/cart");
  await expectTotal(page, "€62.90");
});

someone("without JavaScript the cart's page opens instead", { javascript: false }, async (page) => {
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await add(page).click();
  await page.waitForURL("**/cart?added=*");
  await page.getByText(`${tumbler.title} is in your cart.`).waitFor();
});

someone("on the cart's page quantities change without a new page, and the focus is never lost", {}, async (page) => {
  await put(page);
  await drawer(page).getByRole("link", { name: "View cart" }).click();
  await page.getByRole("heading", { level: 1, name: "Your cart" }).waitFor();
  await page.evaluate(() => (window.isTheSamePage = true));
  const more = page.getByRole("button", { name: `One more of ${tumbler.title}` });
  // However fast it is pressed, each press counts.
  await page.evaluate(() => [1, 2].forEach(() => document.querySelector("#cart [name=more]").click()));
  await expectTotal(page, "€178.90");
  await more.focus();
  await page.keyboard.press("Space");
  await expectTotal(page, "€236.90");
  assert.ok(await more.evaluate((button) => button === document.activeElement));
  await page.getByRole("spinbutton", { name: `Quantity of ${tumbler.title}` }).fill("2");
  await page.getByRole("heading", { level: 1 }).click();
  await expectTotal(page, "€120.90");
  await page.getByRole("button", { name: /^Remove/ }).click();
  await page.getByText("Your cart is empty. Here").waitFor();
  assert.ok(await page.evaluate(() => window.isTheSamePage), "the page is still the same");
  await soon(async () => assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1"));
});
