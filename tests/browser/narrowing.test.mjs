// Lists are narrowed, ordered and leafed through: on a phone and on a desktop, with JavaScript and without it, always by the address.
import assert from "node:assert/strict";

import { open, shop, someone, soon } from "./browser.mjs";
import { tabTo } from "./keyboard.mjs";

const result = (page) => page.locator("#result");
const expectResult = (page, text) => soon(async () => assert.equal(await result(page).innerText(), text));
const count = async (page) => Number(/\d+/.exec(await result(page).innerText())[0]);
const titles = (page) => page.getByRole("main").locator("article h3").allInnerTexts();
const box = (page, group, value) => page.getByRole("group", { name: group, exact: true }).getByRole("checkbox", { name: new RegExp(`^${value}\\b`) });

/** Opens the sheet that holds the filters on a phone. */
async function openFilters(page) {
  const sheet = page.locator("summary", { hasText: /^\s*Filter/ }).filter({ visible: true });
  if (await sheet.count()) await sheet.click();
}

/** Ticks a box; without JavaScript nothing happens before the button is pressed. */
async function tick(page, group, value, javascript) {
  await box(page, group, value).check();
  if (!javascript) await page.getByRole("button", { name: "Apply" }).click();
}

for (const device of ["phone", "desktop"]) {
  for (const javascript of [true, false]) {
    someone(`a list is narrowed, widened and shared on a ${device} ${javascript ? "with" : "without"} JavaScript`, { device, javascript }, async (page) => {
      await page.goto("/categories/ceramics");
      await expectResult(page, "8 pieces");
      await openFilters(page);
      const told = Number(/\d+$/.exec(await page.locator("label.option", { hasText: /^\s*Sea/ }).innerText())[0]);
      assert.ok(told > 0 && told < 8, `the count beside a value says how many it leaves: ${told}`);
      await tick(page, "Glaze", "Sea", javascript);
      await expectResult(page, `${told} pieces`);
      assert.equal((await titles(page)).length, told);
      await soon(() => assert.equal(new URL(page.url()).searchParams.get("option.Glaze"), "Sea"));
      if (!javascript) await openFilters(page);
      await tick(page, "Availability", "Reduced", javascript);
      await soon(() => assert.equal(new URL(page.url()).searchParams.get("reduced"), "1"));
      assert.ok((await count(page)) < told);
      const narrowed = await titles(page);

      // The address is the list: somebody else sees the same.
      const friend = await open({ device, javascript });
      try {
        await friend.page.goto(new URL(page.url()).pathname + new URL(page.url()).search);
        assert.deepEqual(await titles(friend.page), narrowed);
        assert.equal(await friend.page.locator('link[rel="canonical"]').getAttribute("href"), `${shop}/categories/ceramics`);
      } finally {
        await friend.context.close();
      }
      const order = page.getByRole("combobox", { name: "Sort by" });
      await order.selectOption("price_descending");
      if (!javascript) await page.getByRole("button", { name: "Sort", exact: true }).click();
      await soon(() => assert.equal(new URL(page.url()).searchParams.get("sort"), "price_descending"));
      assert.equal(new URL(page.url()).searchParams.get("option.Glaze"), "Sea", "the filter is kept");
      assert.deepEqual((await titles(page)).toSorted(), narrowed.toSorted());

      await page.getByRole("link", { name: "Remove filter Reduced" }).click();
      await expectResult(page, `${told} pieces`);
      await page.getByRole("link", { name: "Clear all" }).click();
      await expectResult(page, "8 pieces");
      assert.equal(new URL(page.url()).search, "?sort=price_descending");
      await page.goBack();
      await expectResult(page, `${told} pieces`);
      if (!javascript) await openFilters(page);
      await soon(async () => assert.ok(await box(page, "Glaze", "Sea").isChecked(), "what was chosen is shown again"));
    });
  }

  someone(`prices are typed, and where nothing fits there is a way out, on a ${device}`, { device }, async (page) => {
    await page.goto("/products");
    await openFilters(page);
    await page.getByLabel("Lowest price in EUR").fill("20");
    await page.getByLabel("Highest price in EUR").fill("25,50");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Remove filter €20 to €25.50" }).waitFor();
    const prices = await page.locator("article .price").allInnerTexts();
    assert.ok(prices.length > 0);
    for (const price of prices) {
      const amount = Number(/€(\d+\.\d\d)/.exec(price.replace("Now", ""))[1]);
      assert.ok(amount >= 20 && amount <= 25.5, price);
    }
    // The list is as one typed it; on a phone the sheet has closed over it.
    await openFilters(page);
    // The list follows the first field while the second is being typed in.
    await page.getByLabel("Highest price in EUR").fill("0,01");
    await page.getByLabel("Lowest price in EUR").fill("");
    await page.getByRole("link", { name: "Remove filter €0.01 to €20" }).waitFor({ state: "attached" });
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Nothing fits all of this" }).waitFor();
    await page.getByRole("main").getByRole("link", { name: "Clear all" }).last().click();
    await expectResult(page, "59 pieces");
  });

  someone(`a long list is leafed through to its end and back on a ${device}`, { device }, async (page) => {
    await page.goto("/products?sort=title");
    const pages = [await titles(page)];
    for (const number of [2, 3]) {
      await page.getByRole("link", { name: "More pieces" }).click();
      await soon(async () => assert.notDeepEqual(await titles(page), pages.at(-1)));
      pages.push(await titles(page));
      assert.ok(pages.at(-1).length > 0, `page ${number}`);
    }
    assert.deepEqual([pages.flat().length, new Set(pages.flat()).size], [59, 59]);
    assert.equal(await page.getByRole("link", { name: "More pieces" }).count(), 0);
    for (const earlier of [pages[1], pages[0]]) {
      await page.getByRole("link", { name: "Previous pieces" }).click();
      await soon(async () => assert.deepEqual(await titles(page), earlier));
    }
    assert.equal(await page.getByRole("link", { name: "Previous pieces" }).count(), 0);
    await page.getByRole("link", { name: "More pieces" }).click();
    await soon(async () => assert.deepEqual(await titles(page), pages[1]));
    await page.getByRole("link", { name: "First pieces" }).or(page.getByRole("link", { name: "Previous pieces" })).first().click();
    await soon(async () => assert.deepEqual(await titles(page), pages[0]));
  });
}

someone("with scripts a list changes without the page, what stood open stays open, and the focus stays where it was", { device: "phone" }, async (page) => {
  await page.goto("/categories/ceramics");
  await page.evaluate(() => (window.isTheSamePage = true));
  await openFilters(page);
  await box(page, "Glaze", "Ink").focus();
  await page.keyboard.press("Space");
  await page.getByRole("link", { name: "Remove filter Ink" }).waitFor({ state: "attached" });
  assert.ok(await page.evaluate(() => window.isTheSamePage), "the page is still the same");
  assert.ok(await page.locator(".sheet").evaluate((sheet) => sheet.open), "the sheet is still open");
  await soon(async () => assert.ok(await box(page, "Glaze", "Ink").evaluate((input) => input === document.activeElement), "the focus is on the box"));
  await soon(async () => assert.equal(await page.locator("main > .page > [data-say]").innerText(), await result(page).innerText(), "the number is said"));
  await page.getByRole("button", { name: /^Show \d+ pieces?$/ }).click();
  await soon(async () => assert.ok(!(await page.locator(".sheet").evaluate((sheet) => sheet.open)), "the button closes the sheet"));
});

someone("a list is narrowed by keyboard alone", {}, async (page) => {
  await page.goto("/categories/ceramics");
  await tabTo(page, "checkbox", /^Sea\b/);
  await page.keyboard.press("Space");
  await page.getByRole("link", { name: "Remove filter Sea" }).waitFor();
  await tabTo(page, "link", /^Remove filter Sea/);
  await page.keyboard.press("Enter");
  await expectResult(page, "8 pieces");
  await soon(async () => assert.equal(await page.evaluate(() => document.activeElement.id), "result", "the focus goes on from the list"));
});

someone("a list that cannot be had any more is a page that says so, also for a script", {}, async (page, person) => {
  await page.goto("/categories/ceramics");
  await page.route("**/categories/ceramics?*", (route) => route.fulfill({ status: 503, contentType: "text/html", body: "<title>Away</title><h1>Back in a moment</h1>" }));
  await box(page, "Glaze", "Sea").focus();
  await page.keyboard.press("Space");
  await page.getByRole("heading", { name: "Back in a moment" }).waitFor();
  person.trouble.length = 0;
});
