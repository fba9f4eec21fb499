// Prints what a browser has to fetch, gzipped, and fails when it is over the budget.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = 300_000;
const FETCHED = /\.(html|js|css|svg)$/;

const files = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) =>
  FETCHED.test(name),
);
let total = 0;
for (const name of files) {
  const size = gzipSync(readFileSync(join("dist", name)), { level: 6 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${name}`);
}
console.log(`${String(total).padStart(8)}  bytes gzipped in all; the budget is ${BUDGET}`);
if (total === 0 || total > BUDGET) process.exit(1);
