import { expect, it } from "vitest";

import { formatBytes, formatCode } from "./format";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [9_940, "9.9 kB"],
  [9_960, "10 kB"],
  [999_600, "1.0 MB"],
  [25_000_000, "25 MB"],
  [3_200_000_000_000, "3200 GB"],
])("writes %d bytes as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it("writes a code as words", () => {
  expect(formatCode("customs_hold")).toBe("Customs hold");
});
