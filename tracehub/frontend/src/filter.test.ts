import { describe, expect, it } from "vitest";

import { filterHref, filterPath, readFilter } from "./filter";

describe("the list's filter", () => {
  it("survives the way through the address", () => {
    const filter = { q: "São & Paulo?", status: "customs", page: 3 };
    const href = filterHref(filter);
    expect(readFilter(new URL(href, "http://th").searchParams)).toEqual(filter);
  });

  it("leaves what is the default out of the address", () => {
    expect(filterHref({ q: "", status: "", page: 1 })).toBe("/");
  });

  it.each(["0", "-1", "1.5", "x", "1e400"])("takes page=%s for the first", (page) => {
    expect(readFilter(new URLSearchParams({ page })).page).toBe(1);
  });

  it("asks the api for one page of the trimmed word", () => {
    expect(filterPath({ q: " MSKU ", status: "", page: 3 })).toBe(
      "/shipments?q=MSKU&limit=25&offset=50",
    );
  });
});
