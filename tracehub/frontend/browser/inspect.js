import assert from "node:assert/strict";
import axe from "axe-core";

/**
 * Fails when the page has a serious or critical accessibility fault, or scrolls sideways.
 * @param {import("playwright-core").Page} page
 * @param {string} name what the page is called in the message
 */
export async function inspect(page, name) {
  // Evaluated, not added as a script element: the content security policy stays in force.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => {
    const { axe } = /** @type {{ axe: typeof import("axe-core") }} */ (/** @type {any} */ (window));
    return axe.run();
  });
  const faults = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  assert.deepEqual(faults, [], `${name}: accessibility`);

  const [wanted, there] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(wanted <= there, `${name}: ${wanted} px wide on a screen of ${there} px`);
}
