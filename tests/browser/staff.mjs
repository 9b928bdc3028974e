// What staff do in the back office, step by step.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

const password = "a long walk on the salt marsh";

/** An invitation into the back office, as somebody at the machine prints it; returns its path. */
export function invite(email) {
  const said = execFileSync(process.env.TRADEWIND, ["staff", "invite", email], { env: JSON.parse(process.env.SHOP_ENVIRONMENT), encoding: "utf8" });
  // The command does not know which port the system chose.
  const path = /\/backoffice\/invitation\?token=\S+/.exec(said)?.[0];
  assert.ok(path, said);
  return path;
}

/** Takes an invitation, and is signed in by that. */
export async function join(page, { email, name }) {
  await take(page, invite(email), name, password);
  await page.getByRole("navigation", { name: "Back office" }).or(page.locator("#side")).first().waitFor({ state: "attached" });
}

/** Fills in the form behind an invitation. */
export async function take(page, invitation, name, chosen = password) {
  await page.goto(invitation);
  await page.getByRole("heading", { name: "Join the back office" }).waitFor();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(chosen);
  await page.getByRole("button", { name: "Join and sign in" }).click();
}

/** Signs in again on the sign-in page. */
export async function signIn(page, { email }) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Finds an order by its number in the list and opens it. */
export async function openOrder(page, number) {
  await page.goto("/backoffice/orders");
  await page.getByRole("searchbox", { name: /Order number/ }).fill(number);
  await page.getByRole("searchbox", { name: /Order number/ }).press("Enter");
  await page.getByRole("link", { name: number }).click();
  await page.getByRole("heading", { level: 1, name: number }).waitFor();
}

/** Captures everything that is held for the order that is open. On a phone the thumb finds the button in the lower bar. */
export async function capture(page, amount) {
  await page.getByRole("link", { name: `Capture ${amount}` }).filter({ visible: true }).last().click();
  const dialog = page.getByRole("dialog", { name: /^Capture money for/ });
  await dialog.getByText("A capture cannot be taken back").waitFor();
  await dialog.getByRole("button", { name: /^Capture/ }).click();
  await page.getByRole("main").getByText("Captured", { exact: true }).first().waitFor();
}
