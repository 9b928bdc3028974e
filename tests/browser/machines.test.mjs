// What machines read: search engines, browsers that keep the shop on a home screen, and whoever checks that a page keeps to itself.
import assert from "node:assert/strict";
import { test } from "node:test";

import { shop, someone } from "./browser.mjs";
import { addToCart, choose, tumbler } from "./shopper.mjs";

someone("a product tells machines what it costs and whether it is to be had", {}, async (page) => {
  for (const [path, isToBeHad] of [["/products/everyday-tumbler", true], ["/products/contour-no-4", false]]) {
    await page.goto(path);
    const title = await page.getByRole("heading", { level: 1 }).innerText();
    const product = (await structured(page)).find((thing) => thing["@type"] === "Product" || thing["@type"] === "ProductGroup");
    assert.ok(product, `${path} describes a product`);
    assert.equal(product.name, title);
    assert.ok(product.description, "it has a description");
    for (const image of [product.image].flat()) assert.equal((await fetch(image)).status, 200, `${image} is there`);
    const offers = [product.offers ?? product.hasVariant.map((variant) => variant.offers)].flat();
    assert.ok(offers.length > 0, "it is offered");
    for (const offer of offers) {
      const prices = offer["@type"] === "AggregateOffer" ? [offer.lowPrice, offer.highPrice] : [offer.price];
      for (const price of prices) assert.match(String(price), /^\d+\.\d\d$/);
      assert.equal(offer.priceCurrency, "EUR");
      assert.match(offer.availability ?? "", /^https:\/\/schema\.org\/(InStock|LimitedAvailability|OutOfStock)$/);
    }
    assert.equal(offers.some((offer) => !offer.availability.endsWith("OutOfStock")), isToBeHad, `${path} is ${isToBeHad ? "" : "not "}to be had`);
    const shown = await page.locator(".price").first().innerText();
    const told = offers.flatMap((offer) => [offer.price, offer.lowPrice]).filter(Boolean);
    assert.ok(told.some((price) => shown.includes(String(price))), `the price shown, ${shown}, is among those told: ${told}`);
  }
});

someone("pages tell machines where they are in the shop, under one address", {}, async (page) => {
  for (const [path, trail, canonical] of [
    ["/categories/ceramics", ["Home", "Ceramics"], "/categories/ceramics"],
    ["/products/everyday-tumbler?quantity=2", ["Home", "Ceramics", "Everyday Tumbler"], "/products/everyday-tumbler"],
  ]) {
    await page.goto(path);
    const crumbs = (await structured(page)).find((thing) => thing["@type"] === "BreadcrumbList");
    assert.ok(crumbs, `${path} tells where it is`);
    assert.deepEqual(crumbs.itemListElement.map((item) => item.name), trail);
    assert.deepEqual(crumbs.itemListElement.map((item) => item.position), trail.map((_, place) => place + 1));
    assert.equal(await page.locator('link[rel="canonical"]').getAttribute("href"), shop + canonical);
  }
});

someone("what is personal is not for search engines", {}, async (page) => {
  await page.goto("/products/everyday-tumbler");
  await choose(page, tumbler);
  await addToCart(page, tumbler);
  for (const path of ["/cart", "/checkout", "/products/no-such-thing"]) {
    await page.goto(path);
    assert.match((await page.locator('meta[name="robots"]').getAttribute("content")) ?? "", /noindex/, path);
    assert.equal(await page.locator('link[rel="canonical"]').count(), 0, `${path} has no canonical address`);
  }
  const cart = (await page.context().cookies()).find((cookie) => /^(__Host-)?cart$/.test(cookie.name));
  assert.ok(cart?.httpOnly, "scripts cannot read the cart's secret");
  assert.equal(cart.sameSite, "Lax");
});

test("the site map names every product and category, and each is there under that very address", async () => {
  const robots = await text("/robots.txt");
  const sitemap = /^Sitemap: (\S+)$/m.exec(robots)?.[1];
  assert.ok(sitemap, robots);
  assert.match(robots, /^Disallow: \/cart/m);
  const addresses = await located(sitemap);
  assert.equal(addresses.filter((address) => address.startsWith(`${shop}/products/`)).length, 59);
  assert.equal(addresses.filter((address) => address.startsWith(`${shop}/categories/`)).length, 8);
  for (const address of addresses) {
    const answer = await fetch(address);
    assert.equal(answer.status, 200, address);
    const canonical = /<link rel="canonical" href="([^"]+)"/.exec(await answer.text())?.[1];
    assert.equal(canonical, address, "the address in the map is the canonical one");
  }
});

test("the shop can be kept on a home screen", async () => {
  const home = await text("/");
  const manifest = new URL(/<link rel="manifest" href="([^"]+)"/.exec(home)?.[1], shop);
  const { name, icons, start_url: start, display } = await (await fetch(manifest)).json();
  assert.equal(name, "Saltmarsh Supply");
  assert.ok(start && display);
  assert.ok(icons.some((icon) => icon.sizes === "512x512") && icons.some((icon) => icon.sizes === "192x192"));
  const touch = /<link rel="apple-touch-icon"[^>]* href="([^"]+)"/.exec(home)?.[1];
  for (const path of [...icons.map((icon) => icon.src), "/favicon.ico", touch]) {
    const answer = await fetch(new URL(path, manifest));
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get("content-type"), /^image\//, path);
  }
});

test("every page keeps to itself", async () => {
  for (const path of ["/", "/products/everyday-tumbler", "/cart", "/no-such-page", "/backoffice/sign-in", "/backoffice/no-such-page", "/robots.txt"]) {
    const { headers } = await fetch(shop + path, { redirect: "manual" });
    const policy = Object.fromEntries((headers.get("content-security-policy") ?? "").split(";").map((part) => part.trim().split(/ (.*)/s)));
    assert.ok(policy["default-src"], `${path} has a content policy`);
    assert.ok(!JSON.stringify(policy).includes("unsafe-"), `${path}: ${JSON.stringify(policy)}`);
    assert.equal(policy["frame-ancestors"], "'none'", path);
    assert.equal(policy["base-uri"], "'none'", path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.ok(["same-origin", "no-referrer", "strict-origin-when-cross-origin"].includes(headers.get("referrer-policy")), path);
    assert.ok(headers.get("permissions-policy"), `${path} has a permissions policy`);
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin", path);
  }
});

// The addresses in a map, or in all the maps that an index names.
async function located(map) {
  const answer = await fetch(map);
  assert.equal(answer.status, 200, map);
  assert.match(answer.headers.get("content-type"), /xml/);
  const content = await answer.text();
  const addresses = [...content.matchAll(/<loc>([^<]+)<\/loc>/g)].map((found) => found[1].replaceAll("&amp;", "&"));
  return content.includes("<sitemapindex") ? (await Promise.all(addresses.map(located))).flat() : addresses;
}

async function text(path) {
  const answer = await fetch(shop + path);
  assert.equal(answer.status, 200, path);
  return answer.text();
}

async function structured(page) {
  const blocks = await page.locator('script[type="application/ld+json"]').allTextContents();
  return blocks.flatMap((block) => JSON.parse(block)).flatMap((thing) => thing["@graph"] ?? thing);
}
