import { formatCode, formatTime } from "../format";
import type { TrackingEvent } from "../shipment";

/** What happened to a shipment, the newest first. */
export function Timeline({ events }: { events: TrackingEvent[] }) {
  const newestFirst = events.toSorted((a, b) => b.occurred_at.localeCompare(a.occurred_at));
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      {events.length === 0 && <p>Nothing has happened yet.</p>}
      <ol className="timeline">
        {newestFirst.map((event) => (
          <li key={event.id}>
            <strong>{formatCode(event.kind)}</strong>
            <span>{event.location}</span>
            {event.note && <span>{event.note}</span>}
            <time dateTime={event.occurred_at}>{formatTime(event.occurred_at)}</time>
          </li>
        ))}
      </ol>
    </section>
  );
}
