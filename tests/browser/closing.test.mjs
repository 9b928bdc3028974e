// The shop closed for a while, in trouble, and in German: what shoppers see then, on a phone and on a desktop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { open, shop, someone } from "./browser.mjs";
import { elsewhere } from "./elsewhere.mjs";
import { walk } from "./look.mjs";
import { choose, tumbler } from "./shopper.mjs";

let place;
before(async () => (place = await elsewhere()));
after(() => place?.close());
const at = () => place.address;

// The switch is looked at once a second, and what was just answered holds for another.
const settled = () => sleep(2_300);

for (const device of ["phone", "desktop"]) {
  someone(`axe finds nothing on the pages of a shop that is closed or in trouble on a ${device}`, { device, at }, async (page, person) => {
    const { look, findings } = walk("storefront", person);
    const visit = async (path, status, title, name) => {
      const answer = await page.goto(path);
      assert.equal(answer.status(), status, path);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      await look(name);
      return answer;
    };
    await page.goto("/");
    place.api.does = "fail";
    await visit("/products/everyday-tumbler?quantity=2", 500, "Something failed on our side", "failed");
    place.api.does = "hang up";
    const away = await visit("/products/everyday-tumbler?quantity=3", 503, "Back in a moment", "away");
    assert.ok(Number(away.headers()["retry-after"]) > 0);
    assert.match(await page.getByRole("banner").innerText(), /Saltmarsh Supply/, "the shop's name is remembered");
    place.api.does = "speak";
    await page.getByRole("link", { name: "Try again" }).click();
    await page.getByRole("heading", { level: 1, name: "Everyday Tumbler" }).waitFor();

    place.shut();
    await settled();
    const closed = await visit("/", 503, "We will be back shortly", "closed");
    assert.equal(closed.headers()["retry-after"], "300");
    place.api.locale = "de-AT";
    await visit("/cart", 503, "Wir sind gleich zurück", "closed-de");
    place.api.locale = "en";
    place.open();
    await settled();
    await page.goto("/");
    await page.getByRole("link", { name: "Ceramics" }).first().waitFor({ state: "attached" });
    person.trouble.splice(0, person.trouble.length, ...person.trouble.filter((trouble) => !/^(500|503): /.test(trouble)));
    assert.deepEqual(findings, []);
  });

  someone(`axe finds nothing on the German pages on a ${device}`, { device, at }, async (page, person) => {
    place.api.locale = "de";
    const { look, findings } = walk("storefront", person);
    const visit = async (path, title, name) => {
      await page.goto(path);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), "de");
      await look(name);
    };
    try {
      await visit("/", /./, "home-de");
      await visit("/categories/ceramics?option.Glaze=Sea&min=20", "Ceramics", "category-de");
      await visit("/products/harbour-pitcher", "Harbour Pitcher", "product-de");
      await visit("/cart", "Ihr Warenkorb", "cart-empty-de");
      await visit("/products/no-such-thing", "Dieses Regal ist leer", "not-found-de");
      await page.goto("/products/everyday-tumbler");
      for (const [option, value] of Object.entries(tumbler.options)) await page.getByRole("group", { name: option }).getByRole("radio", { name: value }).check();
      await page.getByText("58,00").first().waitFor();
      await page.getByRole("button", { name: /^In den Warenkorb/ }).filter({ visible: true }).last().click();
      await page.getByRole("dialog", { name: /^Ihr Warenkorb/ }).getByText(/Everyday Tumbler/).first().waitFor();
      await look("drawer-de");
      await visit("/cart", "Ihr Warenkorb", "cart-de");
      await visit("/checkout", "Kasse", "checkout-de");
      await page.getByRole("button", { name: /^Zahlungspflichtig|bestellen/i }).filter({ visible: true }).last().click();
      await page.getByRole("alert").first().waitFor();
      await look("checkout-errors-de");
      assert.deepEqual(findings, []);
    } finally {
      place.api.locale = "en";
    }
  });
}

test("a closed shop is closed to shoppers alone", async () => {
  place.shut();
  try {
    await settled();
    const status = async (address) => (await fetch(address, { redirect: "manual" })).status;
    for (const path of ["/", "/products", "/products/everyday-tumbler", "/cart", "/checkout"]) assert.equal(await status(place.address + path), 503, path);
    assert.equal(await status(`${place.address}/robots.txt`), 200, "search engines are not sent away for good");
    assert.equal(await status(`${shop}/backoffice/sign-in`), 200, "staff work");
    assert.equal(await status(`${shop}/store/v1/products`), 200, "the API answers");
  } finally {
    place.open();
    await settled();
  }
});

test("who paid meanwhile still comes back to their order", async () => {
  const person = await open({ at: place.address });
  try {
    await person.page.goto("/products/everyday-tumbler");
    await choose(person.page, tumbler);
    place.shut();
    await settled();
    assert.equal((await person.page.goto("/orders/ord_unknown")).status(), 404, "orders are looked up");
    assert.notEqual((await person.page.goto("/checkout/return")).url(), `${place.address}/checkout/return`, "the payment's way back is open");
  } finally {
    place.open();
    await person.context.close();
    await settled();
  }
});
