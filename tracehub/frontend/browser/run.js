// Drives a real Chromium through TraceHub, once as on a desktop and once as on a phone:
//
//   DEMO_PASSWORD=… npm run test:browser -- --base-url https://tracehub.localhost:8443
//
// BASE_URL        where TraceHub is, unless --base-url says it
// DEMO_PASSWORD   the demo user's password
// IGNORE_TLS=1    trust any certificate
// CHROMIUM        the browser (default /usr/bin/chromium)
import { mkdirSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

import { journey } from "./journey.js";
import { watch } from "./watch.js";

const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 375, height: 667 }, hasTouch: true, isMobile: true },
};
const ARTEFACTS = "test-artefacts";

const { values } = parseArgs({ options: { "base-url": { type: "string" } } });
const baseURL = values["base-url"] ?? process.env.BASE_URL;
const password = process.env.DEMO_PASSWORD;
if (!baseURL || !password) {
  console.error("test:browser: set --base-url (or BASE_URL) and DEMO_PASSWORD");
  process.exit(2);
}

rmSync(ARTEFACTS, { recursive: true, force: true });
mkdirSync(ARTEFACTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Chromium's sandbox refuses to run as root.
  chromiumSandbox: process.getuid?.() !== 0,
  // Its own traffic is not ours, and fails behind a firewall.
  args: ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
});

let failed = 0;
for (const [size, device] of Object.entries(SIZES)) {
  const started = performance.now();
  const context = await browser.newContext({
    ...device,
    baseURL,
    ignoreHTTPSErrors: process.env.IGNORE_TLS === "1",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = watch(page);
  try {
    await journey(page, { size, password, artefacts: ARTEFACTS });
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    await page.screenshot({ path: `${ARTEFACTS}/${size}-failed.png`, fullPage: true });
  }
  await context.close();

  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${size} (${seconds} s)`);
  for (const problem of problems) console.log(`       ${problem}`);
  if (problems.length > 0) failed += 1;
}
await browser.close();

console.log(`${Object.keys(SIZES).length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
