export const PAGE_SIZE = 25;

/** What the list shows; kept in the page's address, so that it can be shared and gone back to. */
export interface Filter {
  q: string;
  status: string;
  page: number;
}

export function readFilter(query: URLSearchParams): Filter {
  const page = Number(query.get("page"));
  return {
    q: query.get("q") ?? "",
    status: query.get("status") ?? "",
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/** The page's address. */
export function filterHref({ q, status, page }: Filter): string {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (status) query.set("status", status);
  if (page > 1) query.set("page", String(page));
  return query.size > 0 ? `/?${query}` : "/";
}

/** The api's path. */
export function filterPath({ q, status, page }: Filter): string {
  const query = new URLSearchParams();
  if (q.trim()) query.set("q", q.trim());
  if (status) query.set("status", status);
  query.set("limit", String(PAGE_SIZE));
  query.set("offset", String((page - 1) * PAGE_SIZE));
  return `/shipments?${query}`;
}
