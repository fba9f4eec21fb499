import { LiveProvider } from "./live";
import { DetailPage } from "./pages/detail";
import { ListPage } from "./pages/list";
import { LoginPage } from "./pages/login";
import { LostPage } from "./pages/lost";
import { Shell } from "./parts/shell";
import { useLocation } from "./route";
import { useSession } from "./session";

export function App() {
  const session = useSession();
  const url = useLocation();

  if (!session) return <LoginPage />;
  return (
    <LiveProvider token={session.token}>
      <Shell user={session.user}>
        <Page url={url} />
      </Shell>
    </LiveProvider>
  );
}

function Page({ url }: { url: URL }) {
  if (url.pathname === "/") return <ListPage query={url.searchParams} />;
  const id = /^\/shipments\/([\w-]+)$/.exec(url.pathname)?.[1];
  if (id) return <DetailPage key={id} id={id} />;
  return <LostPage />;
}
