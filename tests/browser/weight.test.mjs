// What a page of the shop costs: the budgets of its weight, and that nothing jumps while it loads or is read.
import assert from "node:assert/strict";

import { someone } from "./browser.mjs";
import { addToCart, choose, expectThanks, fillCheckout, pay, takeCard, cards, tumbler } from "./shopper.mjs";

const kilobyte = 1024;
const htmlAndCss = 60 * kilobyte;
const javascript = 30 * kilobyte;

for (const device of ["phone", "desktop"]) {
  someone(`pages are light, and nothing on them moves, on a ${device}`, { device }, async (page) => {
    await measure(page);
    const weigh = scales(page);
    for (const path of ["/", "/categories/ceramics", "/categories/ceramics?in_stock=1&option.Glaze=Sea", "/products", "/products/low-tide-hills", "/products/pocket-trio", "/cart", "/products/no-such-thing"]) {
      await weigh(path, () => page.goto(path));
    }
    await page.goto("/products/everyday-tumbler");
    await choose(page, tumbler);
    await addToCart(page, tumbler);
    await weigh("/cart, filled", () => page.reload());
    await fillCheckout(page);
    await weigh("/checkout", () => page.reload());
    await fillAgain(page);
    await takeCard(page, cards.approved);
    await pay(page);
    await expectThanks(page);
    await weigh("thanks", () => page.reload());
    await page.getByRole("link", { name: "See your order" }).click();
    await page.waitForURL("**/orders/**");
    await weigh("order", () => page.reload());
  });

  someone(`the largest picture is there early, and its place is kept, on a ${device}`, { device }, async (page) => {
    await measure(page);
    for (const path of ["/", "/categories/ceramics", "/products/low-tide-hills"]) {
      await page.goto(path, { waitUntil: "networkidle" });
      const largest = await page.evaluate(() => window.measured.largest());
      assert.equal(largest.tag, "IMG", `${path}: the largest thing on the first screen is a picture, not ${largest.tag}`);
      assert.ok(largest.width && largest.height, `${path}: ${largest.url} has a width and a height`);
      assert.notEqual(largest.loading, "lazy", `${path}: ${largest.url} is not lazy`);
      assert.ok(largest.priority === "high" || largest.isPreloaded, `${path}: ${largest.url} is fetched first`);
    }
  });
}

// Has every page note what jumps and what is largest, from its very beginning.
async function measure(page) {
  await page.addInitScript(() => {
    const shifts = [];
    let largest;
    new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => (largest = list.getEntries().at(-1))).observe({ type: "largest-contentful-paint", buffered: true });
    window.measured = {
      shifts: () => shifts.filter((shift) => !shift.hadRecentInput).flatMap((shift) => shift.sources.map((source) => `${shift.value.toFixed(4)} ${source.node?.outerHTML?.slice(0, 120)}`)),
      largest: () => ({
        tag: largest.element?.tagName,
        url: largest.url,
        width: largest.element?.getAttribute("width"),
        height: largest.element?.getAttribute("height"),
        loading: largest.element?.loading,
        priority: largest.element?.fetchPriority,
        isPreloaded: [...document.querySelectorAll('link[rel="preload"][as="image"]')].some((link) => link.href === largest.url || link.imageSrcset),
      }),
    };
  });
}

// Weighs what comes over the wire for a page that is opened with an empty cache.
function scales(page) {
  const answers = [];
  page.on("requestfinished", (request) => answers.push(request));
  return async (name, load) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    answers.length = 0;
    await load();
    await page.waitForLoadState("networkidle");
    const sum = async (...types) => {
      const chosen = answers.filter((request) => types.includes(request.resourceType()));
      return (await Promise.all(chosen.map((request) => request.sizes()))).reduce((total, sizes) => total + sizes.responseBodySize, 0);
    };
    const page_ = await sum("document", "stylesheet");
    const scripts = await sum("script");
    assert.ok(page_ > 0 && page_ <= htmlAndCss, `${name}: HTML and CSS weigh ${page_} bytes of ${htmlAndCss}`);
    assert.ok(scripts <= javascript, `${name}: JavaScript weighs ${scripts} bytes of ${javascript}`);
    await readThrough(page);
    assert.deepEqual(await page.evaluate(() => window.measured.shifts()), [], `${name}: nothing moves by itself`);
    await session.detach();
  };
}

// Scrolls to the end as a reader does, so that late pictures arrive.
async function readThrough(page) {
  await page.evaluate(async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
      scrollTo(0, y);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    scrollTo(0, 0);
  });
  await page.waitForLoadState("networkidle");
}

async function fillAgain(page) {
  await page.goBack().catch(() => {});
  await page.goto("/cart");
  await fillCheckout(page);
}
