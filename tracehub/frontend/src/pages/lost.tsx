import { Heading } from "../parts/heading";
import { Link } from "../parts/link";

export function LostPage() {
  return (
    <>
      <Heading>Not found</Heading>
      <p>
        There is no such page. <Link href="/">See all shipments</Link>
      </p>
    </>
  );
}
