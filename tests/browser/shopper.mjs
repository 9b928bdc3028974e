// What a shopper does, step by step. Everything is found by what they see or hear: words, labels, roles.
import assert from "node:assert/strict";

import { soon } from "./browser.mjs";

/** What is bought: 58.00 a piece, plenty in stock, neither option at its first value. */
export const tumbler = { category: "Ceramics", title: "Everyday Tumbler", options: { Glaze: "Rust", Set: "Set of 4" }, price: "€58.00" };

/** The same in another glaze, for those who come by a link: what lies in stock has to last for all tests. */
const linked = { ...tumbler, options: { ...tumbler.options, Glaze: "Ink" } };

/** Where one lands who follows a link to it. */
const address = "/products/everyday-tumbler";

/** The test cards by what they do. */
export const cards = {
  approved: "0000000000001000",
  declined: "0000000000002001",
  noMoney: "0000000000002002",
  secondStep: "0000000000003000",
  captureRefused: "0000000000008000",
};

const ines = {
  "E-mail": "ines.moreau@example.com",
  "First and last name": "Ines Moreau",
  "Street and number": "Lindengasse 14/3",
  Postcode: "1070",
  City: "Vienna",
};

/** From the home page through its menu to a category, and on to a product. */
export async function find(page, { category, title }) {
  await page.goto("/");
  const menu = page.locator("summary", { hasText: "" }).and(page.getByLabel("Menu", { exact: true }));
  if (await menu.isVisible()) await menu.click();
  await page.getByRole("navigation", { name: /^(Main|Menu)$/ }).getByRole("link", { name: category, exact: true }).filter({ visible: true }).click();
  await page.getByRole("heading", { level: 1, name: category }).waitFor();
  await page.getByRole("main").getByRole("link", { name: title, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

/** Chooses a variant and looks what it costs. */
export async function choose(page, { options, price }) {
  for (const [option, value] of Object.entries(options)) {
    await page.getByRole("group", { name: option }).getByRole("radio", { name: value }).check();
  }
  // Without JavaScript one asks for the price of a choice, or finds it in the cart.
  const ask = page.getByRole("button", { name: "Show price and stock of this choice" });
  if (await ask.isVisible()) await ask.click();
  for (const [option, value] of Object.entries(options)) {
    await soon(async () => assert.ok(await page.getByRole("group", { name: option }).getByRole("radio", { name: value }).isChecked(), `${option} is ${value}`));
  }
  await page.getByRole("main").getByText(price, { exact: true }).first().waitFor();
}

/** Puts what is chosen in the cart and goes to the cart page; on the way one may `look` at the drawer. */
export async function addToCart(page, { title }, look = async () => {}) {
  await page.getByRole("button", { name: /^Add to cart/ }).filter({ visible: true }).last().click();
  await page.getByText(`${title} is in your cart.`).waitFor();
  if (new URL(page.url()).pathname !== "/cart") {
    await look();
    await page.getByRole("dialog").getByRole("link", { name: "View cart" }).click();
  }
  await page.getByRole("heading", { level: 1, name: "Your cart" }).waitFor();
}

/** The quantity of a line on the cart page. */
export async function expectQuantity(page, title, quantity) {
  const field = page.getByRole("main").getByRole("spinbutton", { name: `Quantity of ${title}` });
  await soon(async () => assert.equal(await field.inputValue(), String(quantity)));
}

/** One more with the stepper, and one more typed in. */
export async function changeQuantity(page, { title }) {
  await expectQuantity(page, title, 1);
  await page.getByRole("main").getByRole("button", { name: `One more of ${title}` }).click();
  await expectQuantity(page, title, 2);
  await expectTotal(page, "€120.90");
  const field = page.getByRole("main").getByRole("spinbutton", { name: `Quantity of ${title}` });
  await field.fill("3");
  await field.press("Enter");
  await expectTotal(page, "€178.90");
  await page.getByRole("main").getByRole("button", { name: `One fewer of ${title}` }).click();
  await expectQuantity(page, title, 2);
  await expectTotal(page, "€120.90");
}

/** The total of whichever summary is in view. */
export async function expectTotal(page, total) {
  const sum = page.locator(".totals .sum dd");
  await soon(async () => assert.ok((await sum.allTextContents()).every((text) => text.trim() === total) && (await sum.count()) > 0, `the total is ${total}, not ${await sum.allTextContents()}`));
}

/** To the checkout, and everything a guest has to say there. */
export async function fillCheckout(page, changes = {}) {
  await page.getByRole("link", { name: "Go to checkout" }).click();
  await page.getByRole("heading", { level: 1, name: "Checkout" }).waitFor();
  await page.getByLabel("Country").first().selectOption("AT");
  for (const [label, value] of Object.entries({ ...ines, ...changes })) await field(page, label).fill(value);
}

/** A field of the delivery part; the billing part asks for the same. */
export const field = (page, label) => page.getByLabel(label, { exact: true }).first();

/** Chooses a test card. */
export async function takeCard(page, number) {
  await page.getByRole("radio", { name: /card/i }).check();
  await page.getByRole("combobox", { name: "Test card" }).selectOption(number);
}

/** Presses the button that orders and pays. */
export const pay = (page) => page.getByRole("button", { name: /^Order and pay/ }).click();

/** The page that says thank you; returns the order's number. */
export async function expectThanks(page) {
  await page.getByRole("heading", { level: 1, name: "Thank you, Ines" }).waitFor({ timeout: 30_000 });
  const text = await page.getByRole("main").innerText();
  const number = /Order (\S+) is in/.exec(text)?.[1];
  assert.ok(number, `a number is told: ${text}`);
  return number;
}

/** The short way to the checkout, for who comes by a link to the product. */
export async function goToCheckout(page, changes, what = linked) {
  await page.goto(address);
  await choose(page, what);
  await addToCart(page, what);
  await fillCheckout(page, changes);
}

/** A whole purchase, the short way; returns the order's number. */
export async function buy(page, card = cards.approved) {
  await buyWith(page, card);
  return expectThanks(page);
}

/** The same up to the button that orders and pays, whatever comes of it. */
export async function buyWith(page, card) {
  await goToCheckout(page, {}, tumbler);
  await takeCard(page, card);
  await pay(page);
}

/** From thank-you on to the order's own page, which tells what was bought and what it cost. */
export async function seeOrder(page, number, { title }) {
  await page.getByRole("link", { name: "See your order" }).click();
  await page.getByRole("heading", { level: 1, name: `Order ${number}` }).waitFor();
  const text = await page.getByRole("main").innerText();
  for (const told of [title, "€116.00", "€4.90", "€120.90", "Ines Moreau", "Lindengasse 14/3"]) assert.ok(text.includes(told), `the order tells ${told}: ${text}`);
}
