/**
 * Collects what a page should never show a developer: console errors, exceptions, and
 * requests without an answer.
 * @param {import("playwright-core").Page} page
 * @returns {string[]} the problems, as they come in
 */
export function watch(page) {
  /** @type {string[]} */
  const problems = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      problems.push(`console ${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // The app aborts a search that was overtaken by the next.
    if (reason !== "net::ERR_ABORTED") problems.push(`request: ${request.url()}: ${reason}`);
  });
  return problems;
}
