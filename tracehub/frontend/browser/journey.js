import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import { inspect } from "./inspect.js";

const EMAIL = "demo@tracehub.example";

/**
 * What a user does: log in, search, open a shipment, upload and download a document, see an
 * event come in, log out.
 * @param {import("playwright-core").Page} page
 * @param {{ size: string, password: string, artefacts: string }} options
 */
export async function journey(page, { size, password, artefacts }) {
  /** @param {string} name */
  const look = async (name) => {
    await page.screenshot({ path: `${artefacts}/${size}-${name}.png`, fullPage: true });
    await inspect(page, name);
  };
  /** @param {string} name */
  const button = (name) => page.getByRole("button", { name });

  await page.goto("/");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await look("login");
  await page.getByLabel("Email").fill(EMAIL);
  await page.getByLabel("Password").fill(password);
  const first = page.waitForRequest("**/api/v1/shipments?*");
  await button("Log in").click();
  const authorization = (await first).headers().authorization ?? "";

  await page.getByRole("heading", { name: "Shipments" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  const rows = page.locator("tbody tr");
  await rows.first().waitFor();
  await look("list");

  await page.getByRole("link", { name: "Next" }).click();
  await page.getByText(/^Page 2 of/).waitFor();
  await page.goBack();
  await page.getByText(/^Page 1 of/).waitFor();

  const reference = await rows.last().getByRole("link").innerText();
  const answered = page.waitForResponse((answer) => answer.url().includes(`q=${reference}&`));
  await page.getByLabel("Search").fill(reference);
  await answered;
  await page
    .getByRole("status")
    .filter({ hasText: /^1 shipment$/ })
    .waitFor();
  assert.equal(await rows.count(), 1);
  await look("search");

  await page.getByRole("link", { name: reference }).click();
  await page.getByRole("heading", { name: reference }).waitFor();
  // The page has just come by a click: the focus is on its heading, not lost.
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");

  const name = `Packing list ${size} ${Date.now()}.pdf`;
  const bytes = Buffer.concat([Buffer.from("%PDF-1.4\n"), randomBytes(150_000)]);
  await page
    .getByLabel("Add a document")
    .setInputFiles({ name, mimeType: "application/pdf", buffer: bytes });
  await button("Upload").click();
  await page.getByText(`${name} was uploaded.`).waitFor();

  const coming = page.waitForEvent("download");
  await button(`Download ${name}`).click();
  const download = await coming;
  assert.equal(download.suggestedFilename(), name);
  assert.ok(readFileSync(await download.path()).equals(bytes), "the downloaded bytes differ");

  // Recorded by somebody else, so only the websocket can bring it here.
  const note = `Seen from the ${size} at ${new Date().toISOString()}`;
  await record(page, authorization, note);
  await page.getByRole("region", { name: "Events" }).getByText(note).waitFor();
  await look("shipment");

  await page.reload();
  await page.getByRole("heading", { name: reference }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(
    await page.evaluate(() => document.activeElement?.textContent),
    "Skip to content",
    "the first Tab does not reach the skip link",
  );

  await button("Log out").click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
}

/**
 * Adds an event to the open shipment, past the page.
 * @param {import("playwright-core").Page} page
 * @param {string} authorization
 * @param {string} note
 */
async function record(page, authorization, note) {
  const answer = await page.request.post(`/api/v1${new URL(page.url()).pathname}/events`, {
    headers: { Authorization: authorization },
    data: { kind: "arrived", location: "Singapore", note },
  });
  assert.equal(answer.status(), 201, await answer.text());
}
