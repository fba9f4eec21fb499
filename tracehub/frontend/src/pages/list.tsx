import { filterHref, filterPath, PAGE_SIZE, readFilter, type Filter } from "../filter";
import { formatCode, formatNumber } from "../format";
import { useLiveRefresh } from "../live";
import { Heading } from "../parts/heading";
import { Notice } from "../parts/notice";
import { Pager } from "../parts/pager";
import { ShipmentTable } from "../parts/table";
import { useResource } from "../resource";
import { navigate } from "../route";
import { useSettled } from "../settled";
import { STATUSES, type ShipmentPage } from "../shipment";

const TYPING_MS = 200;

export function ListPage({ query }: { query: URLSearchParams }) {
  const filter = readFilter(query);
  // The typed word is in the address at once; the server is asked when the typing pauses.
  const q = useSettled(filter.q, TYPING_MS);
  const { data, error, loading, reload } = useResource<ShipmentPage>(filterPath({ ...filter, q }));
  useLiveRefresh(() => true, reload);

  const pages = Math.max(1, Math.ceil((data?.total ?? 0) / PAGE_SIZE));
  return (
    <>
      <Heading>Shipments</Heading>
      <SearchForm filter={filter} />
      <Notice text={error} onRetry={reload} />
      <p role="status">{data ? count(data.total) : loading && "Loading…"}</p>
      {data && data.items.length > 0 && <ShipmentTable items={data.items} busy={loading} />}
      {data && (
        <Pager page={filter.page} pages={pages} href={(page) => filterHref({ ...filter, page })} />
      )}
    </>
  );
}

function count(total: number): string {
  if (total === 0) return "No shipment matches.";
  return total === 1 ? "1 shipment" : `${formatNumber(total)} shipments`;
}

function SearchForm({ filter }: { filter: Filter }) {
  const change = (part: Partial<Filter>) => {
    navigate(filterHref({ ...filter, page: 1, ...part }), "replace");
  };
  return (
    <form
      role="search"
      className="search"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <div>
        <label htmlFor="q">Search</label>
        <input
          id="q"
          type="search"
          value={filter.q}
          maxLength={100}
          placeholder="Reference, container or port"
          onChange={(event) => {
            change({ q: event.target.value });
          }}
        />
      </div>
      <div>
        <label htmlFor="status">Status</label>
        <select
          id="status"
          value={filter.status}
          onChange={(event) => {
            change({ status: event.target.value });
          }}
        >
          <option value="">All</option>
          {STATUSES.map((code) => (
            <option key={code} value={code}>
              {formatCode(code)}
            </option>
          ))}
        </select>
      </div>
    </form>
  );
}
