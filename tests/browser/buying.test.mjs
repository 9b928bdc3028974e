// A shopper buys something: on a phone and on a desktop, with JavaScript and without it.
import assert from "node:assert/strict";

import { open, soon, someone } from "./browser.mjs";
import { addToCart, buy, cards, changeQuantity, choose, expectThanks, field, fillCheckout, find, goToCheckout, pay, seeOrder, takeCard, tumbler } from "./shopper.mjs";

for (const device of ["phone", "desktop"]) {
  for (const javascript of [true, false]) {
    const how = { device, javascript };
    const where = `on a ${device} ${javascript ? "with" : "without"} JavaScript`;

    someone(`a guest finds something and buys it ${where}`, how, async (page) => {
      await find(page, tumbler);
      await choose(page, tumbler);
      await addToCart(page, tumbler);
      await changeQuantity(page, tumbler);
      await fillCheckout(page);
      await takeCard(page, cards.approved);
      await pay(page);
      const number = await expectThanks(page);
      await seeOrder(page, number, tumbler);
      await page.goto("/cart");
      await page.getByText("Your cart is empty.").waitFor();
    });

    someone(`a declined card leaves everything as it was, and another one pays ${where}`, how, async (page) => {
      await goToCheckout(page);
      await takeCard(page, cards.noMoney);
      await pay(page);
      await page.getByRole("alert").filter({ hasText: /charged/ }).waitFor();
      await expectKept(page);
      await takeCard(page, cards.approved);
      await pay(page);
      await expectThanks(page);
    });

    someone(`the bank asks for a second step, and the shopper approves ${where}`, how, async (page) => {
      await goToCheckout(page);
      await takeCard(page, cards.secondStep);
      await pay(page);
      await bankAsks(page);
      await page.getByRole("button", { name: "Approve" }).click();
      await expectThanks(page);
    });

    someone(`the bank asks for a second step, the shopper declines and pays by another card ${where}`, how, async (page) => {
      await goToCheckout(page);
      await takeCard(page, cards.secondStep);
      await pay(page);
      await bankAsks(page);
      await page.getByRole("button", { name: "Decline" }).click();
      await page.getByRole("alert").filter({ hasText: /charged/ }).waitFor();
      await takeCard(page, cards.approved);
      await pay(page);
      await expectThanks(page);
    });

    someone(`a mistake is told beside its field, and nothing typed is lost ${where}`, how, async (page) => {
      await goToCheckout(page, { "E-mail": "ines.moreau", City: "" });
      await takeCard(page, cards.secondStep);
      await pay(page);
      await page.getByRole("alert").filter({ hasText: "2 things need a look" }).waitFor();
      await expectError(page, "E-mail", /e-mail/i);
      await expectError(page, "City", /./);
      assert.equal(await field(page, "E-mail").inputValue(), "ines.moreau");
      assert.equal(await field(page, "First and last name").inputValue(), "Ines Moreau");
      assert.equal(await field(page, "Postcode").inputValue(), "1070");
      assert.equal(await page.getByRole("combobox", { name: "Test card" }).inputValue(), cards.secondStep);
      await field(page, "E-mail").fill("ines.moreau@example.com");
      await field(page, "City").fill("Vienna");
      await takeCard(page, cards.approved);
      await pay(page);
      await expectThanks(page);
    });
  }
}

someone("an order opens in the browser that made it, and in no other", {}, async (page) => {
  await buy(page);
  await page.getByRole("link", { name: "See your order" }).click();
  await page.getByText("Lindengasse 14/3").waitFor();
  const stranger = await open({});
  try {
    const answer = await stranger.page.goto(page.url());
    assert.equal(answer.status(), 404);
    assert.ok(!(await stranger.page.content()).includes("Lindengasse"));
  } finally {
    await stranger.context.close();
  }
});

async function bankAsks(page) {
  await page.getByRole("heading", { name: "Confirm your payment" }).waitFor();
  assert.match(await page.getByRole("main").innerText(), /62\.90/);
}

async function expectKept(page) {
  const kept = { "E-mail": "ines.moreau@example.com", "First and last name": "Ines Moreau", "Street and number": "Lindengasse 14/3", Postcode: "1070", City: "Vienna" };
  for (const [label, value] of Object.entries(kept)) assert.equal(await field(page, label).inputValue(), value);
}

// The field is marked, and what is wrong stands where a screen reader looks for it.
async function expectError(page, label, text) {
  await soon(async () => assert.equal(await field(page, label).getAttribute("aria-invalid"), "true", `${label} is marked`));
  const described = await field(page, label).getAttribute("aria-describedby");
  assert.match(await page.locator(`[id="${described}"]`).innerText(), text);
}
